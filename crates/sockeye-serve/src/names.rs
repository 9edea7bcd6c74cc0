//! Abstract names of carriers: unguessable, and telling.
//!
//! Every name starts with 128 random bits of this lab, so that nobody else can prepare or guess one; what
//! follows says what the socket is for. A datagram's sender name *is* its source address, which is how the
//! kernel hands the source to a program's receive call.

use crate::served::{self, Key};
use rustix::net::SocketAddrUnix;
use sockeye_core::host::{Datagram, IfIndex};
use sockeye_core::{Instant, Payload};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Where a datagram came from and how, as far as control messages show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Origin {
    pub(crate) from: SocketAddr,
    pub(crate) to: IpAddr,
    pub(crate) interface: u32,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    /// A batch of datagrams of that length (`UDP_GRO`); 0 otherwise.
    pub(crate) segment: u16,
}

impl Origin {
    /// A datagram's.
    pub(crate) fn of(datagram: &Datagram) -> Self {
        Self {
            from: datagram.from,
            to: datagram.to,
            interface: datagram.interface.0,
            ttl: datagram.ttl,
            tos: datagram.tos,
            segment: datagram.segment,
        }
    }

    /// The datagram that a carrier has brought with it.
    pub(crate) fn datagram(&self, payload: Payload, arrived: Instant) -> Datagram {
        Datagram {
            payload,
            from: self.from,
            to: self.to,
            interface: IfIndex(self.interface),
            ttl: self.ttl,
            tos: self.tos,
            arrived,
            segment: self.segment,
        }
    }
}

/// Makes and reads names.
#[derive(Debug)]
pub(crate) struct Names {
    prefix: String,
}

/// Bytes of an [`Origin`] in a name.
const ORIGIN_LEN: usize = 1 + 16 + 2 + 4 + 1 + 16 + 4 + 2 + 2;

impl Names {
    /// Draws the lab's random part from the kernel.
    pub(crate) fn new() -> rustix::io::Result<Self> {
        let mut random = [0u8; 16];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let hex: String = random.iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self { prefix: format!("sockeye-{hex}-") })
    }

    /// What all names of this lab start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn make(&self, kind: u8, rest: &[u8]) -> SocketAddrUnix {
        let name = [self.prefix.as_bytes(), &[kind], rest].concat();
        SocketAddrUnix::new_abstract_name(&name).expect("a short name")
    }

    fn rest<'a>(&self, kind: u8, name: &'a [u8]) -> Option<&'a [u8]> {
        name.strip_prefix(self.prefix.as_bytes())?.strip_prefix(&[kind])
    }

    /// The lab's own listening socket, which carriers are connected to.
    pub(crate) fn lab(&self) -> SocketAddrUnix {
        self.make(b'L', b"")
    }

    /// A program's carrier.
    pub(crate) fn carrier(&self, key: Key) -> SocketAddrUnix {
        self.make(b'c', &key_bytes(key))
    }

    /// Our end of a connection that waits in a listening carrier.
    pub(crate) fn arrival(&self, key: Key) -> SocketAddrUnix {
        self.make(b'a', &key_bytes(key))
    }

    /// Which arrival a name is.
    pub(crate) fn arrival_key(&self, name: &[u8]) -> Option<Key> {
        let bytes = self.rest(b'a', name)?;
        Some(served::key(u64::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok()?))
    }

    /// Our end of a connected datagram socket.
    pub(crate) fn end(&self, key: Key) -> SocketAddrUnix {
        self.make(b'e', &key_bytes(key))
    }

    /// Whether a datagram came from our end of this connected socket.
    pub(crate) fn is_end(&self, name: &[u8]) -> bool {
        self.rest(b'e', name).is_some()
    }

    /// A sender of datagrams with this origin.
    pub(crate) fn origin(&self, origin: &Origin) -> SocketAddrUnix {
        self.make(b's', &encode(origin))
    }

    /// The origin that a sender's name tells.
    pub(crate) fn origin_of(&self, name: &[u8]) -> Option<Origin> {
        decode(self.rest(b's', name)?)
    }
}

fn key_bytes(key: Key) -> Vec<u8> {
    format!("{:x}", served::token(key)).into_bytes()
}

fn octets(ip: IpAddr) -> (u8, [u8; 16]) {
    match ip {
        IpAddr::V4(ip) => (4, ip.to_ipv6_mapped().octets()),
        IpAddr::V6(ip) => (6, ip.octets()),
    }
}

fn address(version: u8, octets: [u8; 16]) -> IpAddr {
    let ip = Ipv6Addr::from(octets);
    match ip.to_ipv4_mapped() {
        Some(v4) if version == 4 => IpAddr::V4(v4),
        _ => IpAddr::V6(ip),
    }
}

fn encode(origin: &Origin) -> Vec<u8> {
    let mut out = Vec::with_capacity(ORIGIN_LEN);
    let (version, from) = octets(origin.from.ip());
    let scope = if let SocketAddr::V6(v6) = origin.from { v6.scope_id() } else { 0 };
    out.push(version);
    out.extend(from);
    out.extend(origin.from.port().to_be_bytes());
    out.extend(scope.to_be_bytes());
    let (version, to) = octets(origin.to);
    out.push(version);
    out.extend(to);
    out.extend(origin.interface.to_be_bytes());
    out.extend([origin.ttl, origin.tos]);
    out.extend(origin.segment.to_be_bytes());
    out
}

fn decode(bytes: &[u8]) -> Option<Origin> {
    let bytes: &[u8; ORIGIN_LEN] = bytes.try_into().ok()?;
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let ip = |at: usize| address(bytes[at], bytes[at + 1..at + 17].try_into().expect("sixteen bytes"));
    let port = u16::from_be_bytes([bytes[17], bytes[18]]);
    let from = match ip(0) {
        IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, port, 0, word(19))),
        v4 => SocketAddr::new(v4, port),
    };
    let segment = u16::from_be_bytes([bytes[46], bytes[47]]);
    Some(Origin { from, to: ip(23), interface: word(40), ttl: bytes[44], tos: bytes[45], segment })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_survives_its_name() {
        let names = Names::new().expect("random bytes");
        for from in ["10.0.0.1:53", "[fe80::1%3]:9", "[::1]:65535"] {
            let from: SocketAddr = from.parse().expect("an address");
            let origin = Origin {
                from,
                to: "10.0.0.2".parse().expect("an address"),
                interface: 2,
                ttl: 64,
                tos: 3,
                segment: 1200,
            };
            let name = names.origin(&origin);
            assert_eq!(names.origin_of(name.abstract_name().expect("abstract")), Some(origin));
        }
        assert_eq!(names.origin_of(b"sockeye-other"), None);
    }
}
