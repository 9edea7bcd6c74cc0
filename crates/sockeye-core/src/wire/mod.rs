//! Packet formats: bytes are parsed once into checked headers; nothing above this layer indexes a packet.

pub mod checksum;
pub mod control;
mod error;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod netlink;
pub mod segment;
pub mod sockaddr;
pub mod tcp;
#[cfg(test)]
mod tests;
pub mod udp;

pub use error::WireError;

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Protocol numbers (IANA).
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// UDP-Lite.
    pub const UDPLITE: u8 = 136;
}

/// An address as IPv6 writes it; v4 becomes v4-mapped (RFC 4291, 2.5.5.2).
pub fn to_v6(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The same with a v4-mapped address as the v4 address that it stands for.
pub fn unmap(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        IpAddr::V4(v4) => SocketAddr::new(IpAddr::V4(v4), addr.port()),
        IpAddr::V6(_) => addr,
    }
}
