//! ICMP and ICMPv6 messages (RFC 792, RFC 4443): the eight bytes that every message that we speak begins with.

use super::checksum::Checksum;
use super::{WireError, protocol};
use crate::Packet;
use core::net::IpAddr;

/// Length of the part that is read.
pub const HEADER_LEN: usize = 8;

/// Types and codes of ICMP.
pub mod v4 {
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Code of it: the protocol is unreachable.
    pub const PROTOCOL_UNREACHABLE: u8 = 2;
    /// Code of it: the port is unreachable.
    pub const PORT_UNREACHABLE: u8 = 3;
    /// Code of it: fragmentation needed.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Echo request.
    pub const ECHO: u8 = 8;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
}

/// Types and codes of ICMPv6.
pub mod v6 {
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 1;
    /// Code of it: the port is unreachable.
    pub const PORT_UNREACHABLE: u8 = 4;
    /// Packet too big.
    pub const TOO_BIG: u8 = 2;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 3;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 4;
    /// Echo request.
    pub const ECHO: u8 = 128;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 129;
}

/// The head of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpHeader {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// The second word: identifier and sequence number, or the MTU.
    pub rest: u32,
}

impl IcmpHeader {
    /// Takes the head off a packet and checks the checksum over all of it.
    pub fn take(packet: &mut Packet, src: IpAddr, dst: IpAddr) -> Result<Self, WireError> {
        if !packet.pull(HEADER_LEN) {
            return Err(WireError::Truncated);
        }
        if sum(packet, src, dst) != 0 {
            return Err(WireError::Checksum);
        }
        Self::unchecked(packet).ok_or(WireError::Truncated)
    }

    /// Takes the head off a message whose checksum is still to be made.
    pub fn unchecked(packet: &mut Packet) -> Option<Self> {
        if !packet.pull(HEADER_LEN) {
            return None;
        }
        let b = packet.header();
        let header = Self { kind: b[0], code: b[1], rest: u32::from_be_bytes([b[4], b[5], b[6], b[7]]) };
        packet.pop_header(HEADER_LEN);
        Some(header)
    }

    /// Puts the head in front of a packet that holds the rest of the message.
    pub fn put(&self, packet: &mut Packet, src: IpAddr, dst: IpAddr) {
        let b = packet.push_header(HEADER_LEN);
        b[0] = self.kind;
        b[1] = self.code;
        b[4..8].copy_from_slice(&self.rest.to_be_bytes());
        let checksum = sum(packet, src, dst);
        packet.header_mut()[2..4].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// ICMPv6 sums its pseudo-header too (RFC 4443, 2.3).
fn sum(packet: &Packet, src: IpAddr, dst: IpAddr) -> u16 {
    let mut sum = match src {
        IpAddr::V4(_) => Checksum::default(),
        IpAddr::V6(_) => Checksum::pseudo(src, dst, protocol::ICMPV6, packet.len()),
    };
    sum.add(packet.header());
    packet.payload.slices().iter().for_each(|s| sum.add(s));
    sum.finish()
}
