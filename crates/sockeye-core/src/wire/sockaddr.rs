//! Socket addresses between a program's bytes and ours (ip(7), ipv6(7)), with Linux's checks.

use crate::errno::Errno;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

const UNSPEC: u16 = 0;
const INET: u16 = 2;
const INET6: u16 = 10;
/// Shortest `sockaddr_in6` that Linux takes (without the scope, RFC 2133).
const INET6_LEN_MIN: usize = 24;

/// The family of a socket that an address is for.
pub use crate::host::Domain as Family;

/// What an address argument says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parsed {
    /// One of the family's.
    Address(SocketAddr),
    /// `AF_UNSPEC`: dissolve the association.
    Unspecified,
}

fn family(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?))
}

fn inet(bytes: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let ip = Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]);
    SocketAddr::V4(SocketAddrV4::new(ip, port))
}

fn inet6(bytes: &[u8]) -> SocketAddr {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let flow = u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes"));
    let ip: [u8; 16] = bytes[8..24].try_into().expect("sixteen bytes");
    let scope = bytes.get(24..28).map_or(0, |b| u32::from_ne_bytes(b.try_into().expect("four bytes")));
    SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope))
}

/// The address of bind(2).
pub fn for_bind(socket: Family, bytes: &[u8]) -> Result<SocketAddr, Errno> {
    match socket {
        Family::Inet if bytes.len() < 16 => Err(Errno::EINVAL),
        Family::Inet => match (family(bytes), inet(bytes)) {
            (Some(INET), address) => Ok(address),
            // Linux's compatibility: AF_UNSPEC with the wildcard is taken for AF_INET.
            (Some(UNSPEC), address) if address.ip().is_unspecified() => Ok(address),
            _ => Err(Errno::EAFNOSUPPORT),
        },
        Family::Inet6 if bytes.len() < INET6_LEN_MIN => Err(Errno::EINVAL),
        Family::Inet6 if family(bytes) == Some(INET6) => Ok(inet6(bytes)),
        Family::Inet6 => Err(Errno::EAFNOSUPPORT),
        // Names of that family are read by `UnixAddr::parse`.
        Family::Unix => Err(Errno::EINVAL),
    }
}

/// The address of connect(2).
pub fn for_connect(socket: Family, bytes: &[u8]) -> Result<Parsed, Errno> {
    match (family(bytes).ok_or(Errno::EINVAL)?, socket) {
        (UNSPEC, _) => Ok(Parsed::Unspecified),
        (_, Family::Inet) if bytes.len() < 16 => Err(Errno::EINVAL),
        (INET, Family::Inet) => Ok(Parsed::Address(inet(bytes))),
        (_, Family::Inet6) if bytes.len() < INET6_LEN_MIN => Err(Errno::EINVAL),
        (INET6, Family::Inet6) => Ok(Parsed::Address(inet6(bytes))),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// The address of connect(2) on a datagram socket, where one of IPv4 also stands for the mapped one.
pub fn for_datagrams(socket: Family, bytes: &[u8]) -> Result<Parsed, Errno> {
    match (family(bytes), socket) {
        (Some(INET), Family::Inet6) if bytes.len() >= 16 => Ok(Parsed::Address(inet(bytes))),
        _ => for_connect(socket, bytes),
    }
}

/// The address of sendto(2) and sendmsg(2) on a datagram socket.
pub fn for_send(socket: Family, bytes: &[u8]) -> Result<Parsed, Errno> {
    let family = family(bytes).ok_or(Errno::EINVAL)?;
    match (socket, family) {
        (Family::Inet, _) if bytes.len() < 16 => Err(Errno::EINVAL),
        (Family::Inet, INET | UNSPEC) => Ok(Parsed::Address(inet(bytes))),
        (Family::Inet, _) => Err(Errno::EAFNOSUPPORT),
        (Family::Inet6, INET6) if bytes.len() < INET6_LEN_MIN => Err(Errno::EINVAL),
        (Family::Inet6, INET6) => Ok(Parsed::Address(inet6(bytes))),
        (Family::Inet6, INET) if bytes.len() < 16 => Err(Errno::EINVAL),
        (Family::Inet6, INET) => Ok(Parsed::Address(inet(bytes))),
        (Family::Inet6, UNSPEC) => Ok(Parsed::Unspecified),
        (Family::Inet6 | Family::Unix, _) => Err(Errno::EINVAL),
    }
}

/// An address as the program reads it, in the layout of its socket's family.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    bytes: [u8; 28],
    len: usize,
}

impl Raw {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Lays `address` out for a socket of family `socket`; IPv4 becomes mapped on an IPv6 socket.
pub fn encode(socket: Family, address: SocketAddr) -> Raw {
    let mut raw = Raw { bytes: [0; 28], len: 16 };
    let b = &mut raw.bytes;
    b[2..4].copy_from_slice(&address.port().to_be_bytes());
    match (socket, address.ip()) {
        (Family::Inet, IpAddr::V4(ip)) => {
            b[..2].copy_from_slice(&INET.to_ne_bytes());
            b[4..8].copy_from_slice(&ip.octets());
        }
        (_, ip) => {
            b[..2].copy_from_slice(&INET6.to_ne_bytes());
            let ip = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            b[8..24].copy_from_slice(&ip.octets());
            if let SocketAddr::V6(v6) = address {
                b[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
            }
            raw.len = 28;
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for (family, text) in [(Family::Inet, "10.0.0.1:80"), (Family::Inet6, "[fe80::1%2]:443")] {
            let address: SocketAddr = text.parse().expect("an address");
            let raw = encode(family, address);
            assert_eq!(for_bind(family, raw.as_bytes()), Ok(address));
            assert_eq!(for_connect(family, raw.as_bytes()), Ok(Parsed::Address(address)));
        }
        let mapped = encode(Family::Inet6, "10.0.0.1:80".parse().expect("an address"));
        assert_eq!(
            for_bind(Family::Inet6, mapped.as_bytes()).map(|a| a.to_string()),
            Ok("[::ffff:10.0.0.1]:80".into())
        );
    }

    #[test]
    fn short_and_foreign_addresses_get_linux_errors() {
        let v4 = encode(Family::Inet, "1.2.3.4:5".parse().expect("an address"));
        assert_eq!(for_bind(Family::Inet, &v4.as_bytes()[..15]), Err(Errno::EINVAL));
        assert_eq!(for_bind(Family::Inet6, &[v4.as_bytes(), &[0; 12]].concat()), Err(Errno::EAFNOSUPPORT));
        assert_eq!(for_connect(Family::Inet, &[0, 0]), Ok(Parsed::Unspecified));
        assert_eq!(for_connect(Family::Inet, &[0]), Err(Errno::EINVAL));
    }
}
