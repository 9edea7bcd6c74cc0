//! Where a call is to go: addresses, or names of the lab's hosts.
//!
//! As `std::net::ToSocketAddrs`, but names mean what they mean in the lab. Nothing asks the machine's resolver, and
//! nothing waits.

use super::Net;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::{slice, vec};

/// What can be turned into addresses of a lab.
pub trait ToSocketAddrs {
    /// The addresses, one after the other.
    type Iter: Iterator<Item = SocketAddr>;

    /// The addresses, as `net` knows them.
    ///
    /// # Errors
    /// `NotFound` for a name that no host of the lab has, `InvalidInput` for what is no address.
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter>;
}

macro_rules! one_address {
    ($($kind:ty => |$it:ident| $addr:expr,)*) => {$(
        impl ToSocketAddrs for $kind {
            type Iter = std::option::IntoIter<SocketAddr>;
            fn to_socket_addrs(&self, _: &Net) -> io::Result<Self::Iter> {
                let $it = *self;
                Ok(Some($addr).into_iter())
            }
        }
    )*};
}

one_address! {
    SocketAddr => |addr| addr,
    SocketAddrV4 => |addr| SocketAddr::V4(addr),
    SocketAddrV6 => |addr| SocketAddr::V6(addr),
    (IpAddr, u16) => |addr| SocketAddr::from(addr),
    (Ipv4Addr, u16) => |addr| SocketAddr::from(addr),
    (Ipv6Addr, u16) => |addr| SocketAddr::from(addr),
}

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter> {
        let (name, port) = *self;
        let addrs: Vec<SocketAddr> =
            net.resolve(name)?.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(addrs.into_iter())
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter> {
        (self.0.as_str(), self.1).to_socket_addrs(net)
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter> {
        if let Ok(addr) = self.parse() {
            return Ok(vec![addr].into_iter());
        }
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let (name, port) = self.rsplit_once(':').ok_or_else(|| invalid("invalid socket address"))?;
        let port = port.parse().map_err(|_| invalid("invalid port value"))?;
        (name, port).to_socket_addrs(net)
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter> {
        self.as_str().to_socket_addrs(net)
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = std::iter::Copied<slice::Iter<'a, SocketAddr>>;
    fn to_socket_addrs(&self, _: &Net) -> io::Result<Self::Iter> {
        Ok(self.iter().copied())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;
    fn to_socket_addrs(&self, net: &Net) -> io::Result<Self::Iter> {
        (**self).to_socket_addrs(net)
    }
}

/// Tries each address in turn, as std does; the last error counts.
pub(crate) fn each<R>(
    net: &Net,
    addrs: impl ToSocketAddrs,
    mut f: impl FnMut(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut error = nothing();
    for addr in addrs.to_socket_addrs(net)? {
        match f(addr) {
            Ok(answer) => return Ok(answer),
            Err(other) => error = other,
        }
    }
    Err(error)
}

/// There was no address to try.
pub(crate) fn nothing() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any addresses")
}
