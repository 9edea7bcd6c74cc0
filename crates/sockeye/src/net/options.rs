//! Options of sockets, after the `socket2` crate: names of its methods, Linux's meaning.
//!
//! Numbers and layouts are Linux's everywhere, since the engine behind them is the same everywhere.

use super::Socket;
use sockeye_core::Errno;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

/// A socket of another type, seen as a [`Socket`]: `SockRef::from(&stream).set_keepalive(true)`.
#[derive(Clone, Copy, Debug)]
pub struct SockRef<'a>(&'a Socket);

impl Deref for SockRef<'_> {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        self.0
    }
}

impl<'a> From<&'a Socket> for SockRef<'a> {
    fn from(socket: &'a Socket) -> Self {
        Self(socket)
    }
}

/// What a type around a [`Socket`] has: Debug, and the ways to and from it.
macro_rules! socket_type {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.socket).finish()
            }
        }

        impl<'a> From<&'a $name> for crate::net::SockRef<'a> {
            fn from(it: &'a $name) -> Self {
                Self::from(&it.socket)
            }
        }

        /// The socket must be of the kind that the type is for; otherwise calls answer errors.
        impl From<crate::net::Socket> for $name {
            fn from(socket: crate::net::Socket) -> Self {
                Self { socket }
            }
        }

        impl From<$name> for crate::net::Socket {
            fn from(it: $name) -> Self {
                it.socket
            }
        }
    };
}

pub(crate) use socket_type;

/// When an idle connection is probed, and when it is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// `TCP_KEEPIDLE`, whole seconds: 2 hours where it is not set.
    pub time: Option<Duration>,
    /// `TCP_KEEPINTVL`, whole seconds: 75 where it is not set.
    pub interval: Option<Duration>,
    /// `TCP_KEEPCNT`: 9 where it is not set.
    pub retries: Option<u32>,
}

/// Options that are one int, 0 or 1.
macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident, $set:ident = $level:expr, $name:literal;)*) => {
        /// Switches. The error is `ENOPROTOOPT` where the socket is of another kind.
        impl Socket {
            $(
                $(#[$doc])*
                pub fn $get(&self) -> io::Result<bool> {
                    Ok(self.int($level, $name)? != 0)
                }

                $(#[$doc])*
                pub fn $set(&self, on: bool) -> io::Result<()> {
                    self.set_int($level, $name, i32::from(on))
                }
            )*
        }
    };
}

/// Options that are a number which is not negative.
macro_rules! numbers {
    ($($(#[$doc:meta])* $get:ident, $set:ident: $kind:ty = $level:expr, $name:literal;)*) => {
        /// Numbers. The error is `EINVAL` for one that the option cannot be, `ENOPROTOOPT` on a socket of another kind.
        impl Socket {
            $(
                $(#[$doc])*
                pub fn $get(&self) -> io::Result<$kind> {
                    Ok(<$kind>::try_from(self.int($level, $name)?).unwrap_or_default())
                }

                $(#[$doc])*
                pub fn $set(&self, value: $kind) -> io::Result<()> {
                    self.set_int($level, $name, i32::try_from(value).unwrap_or(i32::MAX))
                }
            )*
        }
    };
}

flags! {
    /// `SO_REUSEADDR`.
    reuse_address, set_reuse_address = SOL_SOCKET, 2;
    /// `SO_REUSEPORT`.
    reuse_port, set_reuse_port = SOL_SOCKET, 15;
    /// `SO_BROADCAST`.
    broadcast, set_broadcast = SOL_SOCKET, 6;
    /// `SO_KEEPALIVE`.
    keepalive, set_keepalive = SOL_SOCKET, 9;
    /// `SO_OOBINLINE`.
    out_of_band_inline, set_out_of_band_inline = SOL_SOCKET, 10;
    /// `TCP_NODELAY`: small segments do not wait for acknowledgements.
    tcp_nodelay, set_tcp_nodelay = IPPROTO_TCP, 1;
    /// `TCP_CORK`: partial segments wait.
    tcp_cork, set_tcp_cork = IPPROTO_TCP, 3;
    /// `TCP_QUICKACK`: acknowledgements do not wait, until further notice.
    tcp_quickack, set_tcp_quickack = IPPROTO_TCP, 12;
    /// `IPV6_V6ONLY`.
    only_v6, set_only_v6 = IPPROTO_IPV6, 26;
    /// `IP_FREEBIND`: an address that the host does not have may be bound.
    freebind_v4, set_freebind_v4 = IPPROTO_IP, 15;
    /// `IP_HDRINCL` of a raw socket: what is sent begins with its IP header.
    header_included_v4, set_header_included_v4 = IPPROTO_IP, 3;
    /// `IP_MULTICAST_LOOP`.
    multicast_loop_v4, set_multicast_loop_v4 = IPPROTO_IP, 34;
    /// `IPV6_MULTICAST_LOOP`.
    multicast_loop_v6, set_multicast_loop_v6 = IPPROTO_IPV6, 19;
}

numbers! {
    /// `SO_RCVBUF`, bytes. As on Linux, twice what was set is answered.
    recv_buffer_size, set_recv_buffer_size: usize = SOL_SOCKET, 8;
    /// `SO_SNDBUF`, bytes. As on Linux, twice what was set is answered.
    send_buffer_size, set_send_buffer_size: usize = SOL_SOCKET, 7;
    /// `IP_TTL`, 1 to 255 hops.
    ttl, set_ttl: u32 = IPPROTO_IP, 2;
    /// `IP_TOS`, the whole byte.
    tos_v4, set_tos_v4: u32 = IPPROTO_IP, 1;
    /// `IPV6_UNICAST_HOPS`, 1 to 255 hops.
    unicast_hops_v6, set_unicast_hops_v6: u32 = IPPROTO_IPV6, 16;
    /// `IPV6_TCLASS`, the whole byte.
    tclass_v6, set_tclass_v6: u32 = IPPROTO_IPV6, 67;
    /// `IP_MULTICAST_TTL`, 0 to 255 hops.
    multicast_ttl_v4, set_multicast_ttl_v4: u32 = IPPROTO_IP, 33;
    /// `IPV6_MULTICAST_HOPS`, 0 to 255 hops.
    multicast_hops_v6, set_multicast_hops_v6: u32 = IPPROTO_IPV6, 18;
    /// `TCP_MAXSEG`, bytes.
    tcp_mss, set_tcp_mss: u32 = IPPROTO_TCP, 2;
    /// `TCP_NOTSENT_LOWAT`, bytes.
    tcp_notsent_lowat, set_tcp_notsent_lowat: u32 = IPPROTO_TCP, 25;
}

/// Names, errors, and the options that are more than a number.
impl Socket {
    /// getsockname(2): unspecified and port 0 where it is not bound.
    ///
    /// # Errors
    /// `EBADF` after a crash of the host.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.look(|host, id| host.local_addr(id))
    }

    /// getpeername(2).
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.look(|host, id| host.peer_addr(id))
    }

    /// `SO_ERROR`: the pending error, once.
    ///
    /// # Errors
    /// `EBADF` after a crash of the host.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.call(|host, id, _| Ok(host.take_error(id)))?.map(super::io_error))
    }

    /// `SO_RCVTIMEO`; None is forever.
    ///
    /// # Errors
    /// `InvalidInput` for zero.
    pub fn set_read_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        self.set_timeout(SO_RCVTIMEO, time)
    }

    /// `SO_SNDTIMEO`; None is forever.
    ///
    /// # Errors
    /// `InvalidInput` for zero.
    pub fn set_write_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        self.set_timeout(SO_SNDTIMEO, time)
    }

    /// `SO_RCVTIMEO`.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(duration_of(&self.get(SOL_SOCKET, SO_RCVTIMEO, TIMEVAL_LEN)?))
    }

    /// `SO_SNDTIMEO`.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(duration_of(&self.get(SOL_SOCKET, SO_SNDTIMEO, TIMEVAL_LEN)?))
    }

    fn set_timeout(&self, option: i32, time: Option<Duration>) -> io::Result<()> {
        if time == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        let time = time.unwrap_or_default();
        // Below a microsecond it would read as none.
        let micros = if time.is_zero() { 0 } else { i64::from(time.subsec_micros()).max(1) };
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let mut value = seconds.to_ne_bytes().to_vec();
        value.extend_from_slice(&micros.to_ne_bytes());
        self.set(SOL_SOCKET, option, &value)
    }

    /// `SO_LINGER`, in whole seconds: zero makes close reset the connection. A longer time does not make the drop of the
    /// last handle wait, as close(2) would: what is queued is sent all the same.
    ///
    /// # Errors
    /// `EBADF` after a crash of the host.
    pub fn set_linger(&self, time: Option<Duration>) -> io::Result<()> {
        let seconds = time.map_or(0, |time| i32::try_from(time.as_secs()).unwrap_or(i32::MAX));
        self.set(SOL_SOCKET, SO_LINGER, &pair(i32::from(time.is_some()), seconds))
    }

    /// `SO_LINGER`.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        let value = self.get(SOL_SOCKET, SO_LINGER, 8)?;
        let (on, seconds) = (int_at(&value, 0)?, int_at(&value, 4)?);
        Ok((on != 0).then(|| Duration::from_secs(seconds.max(0) as u64)))
    }

    /// `SO_KEEPALIVE` with its times.
    ///
    /// # Errors
    /// `EINVAL` for times out of Linux's range.
    pub fn set_tcp_keepalive(&self, keepalive: &Keepalive) -> io::Result<()> {
        let seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
        self.set_keepalive(true)?;
        for (option, value) in [
            (TCP_KEEPIDLE, keepalive.time.map(seconds)),
            (TCP_KEEPINTVL, keepalive.interval.map(seconds)),
            (TCP_KEEPCNT, keepalive.retries.map(|n| i32::try_from(n).unwrap_or(i32::MAX))),
        ] {
            if let Some(value) = value {
                self.set_int(IPPROTO_TCP, option, value)?;
            }
        }
        Ok(())
    }

    /// `TCP_USER_TIMEOUT`: how long sent data may stay without acknowledgement; None is what retries come to.
    ///
    /// # Errors
    /// `ENOPROTOOPT` on a socket that is not TCP's.
    pub fn set_tcp_user_timeout(&self, time: Option<Duration>) -> io::Result<()> {
        let ms = time.map_or(0, |time| i32::try_from(time.as_millis()).unwrap_or(i32::MAX));
        self.set_int(IPPROTO_TCP, TCP_USER_TIMEOUT, ms)
    }

    /// `TCP_CONGESTION`: `cubic` or `reno`.
    ///
    /// # Errors
    /// `ENOENT` for an algorithm that is not there.
    pub fn set_tcp_congestion(&self, name: &str) -> io::Result<()> {
        self.set(IPPROTO_TCP, TCP_CONGESTION, name.as_bytes())
    }

    /// `TCP_CONGESTION`.
    pub fn tcp_congestion(&self) -> io::Result<String> {
        let value = self.get(IPPROTO_TCP, TCP_CONGESTION, 16)?;
        let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// `SO_BINDTODEVICE`: only this interface; None is any.
    ///
    /// # Errors
    /// `ENODEV`.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        let mut name = interface.unwrap_or_default().to_vec();
        name.push(0);
        self.set(SOL_SOCKET, SO_BINDTODEVICE, &name)
    }

    /// `SO_BINDTODEVICE`: the name of the interface, if it is bound to one.
    ///
    /// # Errors
    /// `EBADF` after a crash of the host.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        let value = self.get(SOL_SOCKET, SO_BINDTODEVICE, 16)?;
        let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok((!name.is_empty()).then(|| name.to_vec()))
    }

    /// `IP_ADD_MEMBERSHIP`.
    ///
    /// # Errors
    /// `EADDRINUSE` where it is a member, `ENODEV`, `EINVAL` for no group.
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, &[group.octets(), interface.octets()].concat())
    }

    /// `IP_DROP_MEMBERSHIP`.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` where it is no member.
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.set(IPPROTO_IP, IP_DROP_MEMBERSHIP, &[group.octets(), interface.octets()].concat())
    }

    /// `IPV6_ADD_MEMBERSHIP`, by the interface of that index.
    ///
    /// # Errors
    /// `EADDRINUSE` where it is a member, `ENODEV`, `EINVAL` for no group.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.set(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &membership(group, interface))
    }

    /// `IPV6_DROP_MEMBERSHIP`.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` where it is no member.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.set(IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, &membership(group, interface))
    }

    /// getsockopt(2), with Linux's numbers and layouts.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, and those of the option.
    pub fn get(&self, level: i32, option: i32, len_max: usize) -> io::Result<Vec<u8>> {
        let value = self.call(|host, id, now| host.getsockopt(id, level, option, len_max, now));
        value.map(|value| value.to_vec())
    }

    /// setsockopt(2), with Linux's numbers and layouts.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL`, and those of the option.
    pub fn set(&self, level: i32, option: i32, value: &[u8]) -> io::Result<()> {
        self.call(|host, id, now| host.setsockopt(id, level, option, value, now))
    }

    fn int(&self, level: i32, option: i32) -> io::Result<i32> {
        int_at(&self.get(level, option, 4)?, 0)
    }

    fn set_int(&self, level: i32, option: i32, value: i32) -> io::Result<()> {
        self.set(level, option, &value.to_ne_bytes())
    }
}

fn pair(a: i32, b: i32) -> Vec<u8> {
    [a.to_ne_bytes(), b.to_ne_bytes()].concat()
}

fn membership(group: &Ipv6Addr, interface: u32) -> Vec<u8> {
    let mut value = group.octets().to_vec();
    value.extend_from_slice(&interface.to_ne_bytes());
    value
}

/// A number of an option's value; some come as one byte.
fn int_at(value: &[u8], at: usize) -> io::Result<i32> {
    match value.get(at..) {
        Some([a, b, c, d, ..]) => Ok(i32::from_ne_bytes([*a, *b, *c, *d])),
        Some([one]) => Ok(i32::from(*one)),
        _ => Err(super::io_error(Errno::EINVAL)),
    }
}

/// A `struct timeval`; zero is none.
pub(crate) fn duration_of(value: &[u8]) -> Option<Duration> {
    let seconds = i64::from_ne_bytes(*value.first_chunk()?);
    let micros = i64::from_ne_bytes(*value.get(8..)?.first_chunk()?);
    let time = Duration::from_secs(seconds.max(0) as u64) + Duration::from_micros(micros.max(0) as u64);
    (!time.is_zero()).then_some(time)
}

pub(crate) const SOL_SOCKET: i32 = 1;
pub(crate) const SO_RCVTIMEO: i32 = 20;
pub(crate) const SO_SNDTIMEO: i32 = 21;
/// Bytes of a `struct timeval`.
pub(crate) const TIMEVAL_LEN: usize = 16;
const SO_LINGER: i32 = 13;
const SO_BINDTODEVICE: i32 = 25;
const IPPROTO_IP: i32 = 0;
const IP_ADD_MEMBERSHIP: i32 = 35;
const IP_DROP_MEMBERSHIP: i32 = 36;
const IPPROTO_TCP: i32 = 6;
const TCP_KEEPIDLE: i32 = 4;
const TCP_KEEPINTVL: i32 = 5;
const TCP_KEEPCNT: i32 = 6;
const TCP_CONGESTION: i32 = 13;
const TCP_USER_TIMEOUT: i32 = 18;
const IPPROTO_IPV6: i32 = 41;
const IPV6_ADD_MEMBERSHIP: i32 = 20;
const IPV6_DROP_MEMBERSHIP: i32 = 21;
