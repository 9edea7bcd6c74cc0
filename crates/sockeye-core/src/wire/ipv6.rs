//! The IPv6 header and its extension headers (RFC 8200).
//!
//! In: a packet that came by an interface. Out: a checked header with all extension headers taken off: what
//! they said that matters here is the fragment header; hop-by-hop and destination options are passed over, a
//! routing header with segments left is refused (RFC 5095).

use super::WireError;
use crate::Packet;
use core::net::Ipv6Addr;

/// Length of the fixed header.
pub const HEADER_LEN: usize = 40;
/// Length of the fragment header.
pub const FRAGMENT_LEN: usize = 8;
/// The protocol number of the fragment header.
pub const FRAGMENT: u8 = 44;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION: u8 = 60;
/// Extension headers in one packet; Linux's bound is 8 options headers as well.
const EXTENSIONS_MAX: usize = 8;

/// A checked header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv6Header {
    /// Source address.
    pub src: Ipv6Addr,
    /// Destination address.
    pub dst: Ipv6Addr,
    /// The protocol of the payload, behind all extension headers.
    pub protocol: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Traffic class.
    pub traffic_class: u8,
    /// Flow label, 20 bits.
    pub flow_label: u32,
    /// The fragment header, if there is one.
    pub fragment: Option<Fragment>,
}

/// The fragment header (RFC 8200, 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Offset of this fragment, in bytes.
    pub offset: usize,
    /// Whether more follow.
    pub more: bool,
    /// Identification.
    pub id: u32,
}

impl Ipv6Header {
    /// Takes the header and all extension headers off a packet.
    pub fn take(packet: &mut Packet) -> Result<Self, WireError> {
        if !packet.pull(HEADER_LEN) {
            return Err(WireError::Truncated);
        }
        let b = packet.header();
        if b[0] >> 4 != 6 {
            return Err(WireError::Malformed);
        }
        let len = usize::from(u16::from_be_bytes([b[4], b[5]]));
        let mut header = Self::read(b);
        packet.pop_header(HEADER_LEN);
        if len > packet.len() {
            return Err(WireError::Truncated);
        }
        if len < packet.header().len() {
            return Err(WireError::Malformed);
        }
        let keep = len - packet.header().len();
        packet.payload.truncate(keep);
        header.take_extensions(packet)?;
        Ok(header)
    }

    fn take_extensions(&mut self, packet: &mut Packet) -> Result<(), WireError> {
        for _ in 0..EXTENSIONS_MAX {
            if !matches!(self.protocol, HOP_BY_HOP | ROUTING | DESTINATION | FRAGMENT) {
                return Ok(());
            }
            if !packet.pull(FRAGMENT_LEN) {
                return Err(WireError::Truncated);
            }
            let b = packet.header();
            let len = if self.protocol == FRAGMENT { FRAGMENT_LEN } else { (usize::from(b[1]) + 1) * 8 };
            match self.protocol {
                FRAGMENT => self.fragment = Some(Fragment::read(b)),
                ROUTING if b[3] != 0 => return Err(WireError::Malformed),
                _ => {}
            }
            self.protocol = b[0];
            if !packet.pull(len) {
                return Err(WireError::Truncated);
            }
            packet.pop_header(len);
            // What stands behind a fragment header that is not the first piece is no header.
            if self.fragment.is_some_and(|f| f.offset > 0) {
                return Ok(());
            }
        }
        Err(WireError::Malformed)
    }

    /// The header inside an ICMPv6 error's quotation; extension headers are not walked there but for a
    /// fragment header. And the length of what was read.
    pub fn quoted(bytes: &[u8]) -> Option<(Self, usize)> {
        if bytes.len() < HEADER_LEN || bytes[0] >> 4 != 6 {
            return None;
        }
        let mut header = Self::read(bytes);
        if header.protocol != FRAGMENT {
            return Some((header, HEADER_LEN));
        }
        let rest = bytes.get(HEADER_LEN..HEADER_LEN + FRAGMENT_LEN)?;
        header.fragment = Some(Fragment::read(rest));
        header.protocol = rest[0];
        Some((header, HEADER_LEN + FRAGMENT_LEN))
    }

    fn read(b: &[u8]) -> Self {
        let first = u32::from_be_bytes([b[0], b[1], b[2], b[3]]);
        let addr = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&b[at..at + 16]);
            Ipv6Addr::from(octets)
        };
        Self {
            src: addr(8),
            dst: addr(24),
            protocol: b[6],
            hop_limit: b[7],
            traffic_class: (first >> 20) as u8,
            flow_label: first & 0xf_ffff,
            fragment: None,
        }
    }

    /// Puts the header, and the fragment header if there is one, in front of a packet that holds the rest.
    pub fn put(&self, packet: &mut Packet) {
        let mut next = self.protocol;
        if let Some(fragment) = self.fragment {
            fragment.put(packet, next);
            next = FRAGMENT;
        }
        let len = packet.len();
        assert!(len <= 0xffff, "an IPv6 payload fits its length field");
        let first = (6 << 28) | (u32::from(self.traffic_class) << 20) | (self.flow_label & 0xf_ffff);
        let b = packet.push_header(HEADER_LEN);
        b[0..4].copy_from_slice(&first.to_be_bytes());
        b[4..6].copy_from_slice(&(len as u16).to_be_bytes());
        b[6] = next;
        b[7] = self.hop_limit;
        b[8..24].copy_from_slice(&self.src.octets());
        b[24..40].copy_from_slice(&self.dst.octets());
    }
}

impl Fragment {
    fn read(b: &[u8]) -> Self {
        let word = u16::from_be_bytes([b[2], b[3]]);
        Self {
            offset: usize::from(word & !7),
            more: word & 1 != 0,
            id: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
        }
    }

    fn put(self, packet: &mut Packet, next: u8) {
        let b = packet.push_header(FRAGMENT_LEN);
        b[0] = next;
        b[2..4].copy_from_slice(&(self.offset as u16 | u16::from(self.more)).to_be_bytes());
        b[4..8].copy_from_slice(&self.id.to_be_bytes());
    }
}
