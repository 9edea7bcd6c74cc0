//! The IPv4 header (RFC 791).
//!
//! In: a packet that came by an interface. Out: a checked header, taken off; the payload cut to its length.
//! Options are passed over (Linux's default is to accept and ignore what it does not know), none is sent.

use super::WireError;
use super::checksum::Checksum;
use crate::Packet;
use core::net::{IpAddr, Ipv4Addr};

/// Length of a header without options.
pub const HEADER_LEN: usize = 20;

/// A checked header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv4Header {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Time to live.
    pub ttl: u8,
    /// Type of service.
    pub tos: u8,
    /// Identification, for reassembly.
    pub id: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// More fragments.
    pub more_fragments: bool,
    /// Offset of this fragment, in bytes.
    pub fragment_offset: usize,
}

impl Ipv4Header {
    /// Takes the header off a packet.
    pub fn take(packet: &mut Packet) -> Result<Self, WireError> {
        if !packet.pull(HEADER_LEN) {
            return Err(WireError::Truncated);
        }
        let len = usize::from(packet.header()[0] & 0x0f) * 4;
        if packet.header()[0] >> 4 != 4 || len < HEADER_LEN {
            return Err(WireError::Malformed);
        }
        if !packet.pull(len) {
            return Err(WireError::Truncated);
        }
        let bytes = &packet.header()[..len];
        let mut sum = Checksum::default();
        sum.add(bytes);
        if sum.finish() != 0 {
            return Err(WireError::Checksum);
        }
        let (header, total) = Self::read(bytes);
        if total < len || total < packet.header().len() {
            return Err(WireError::Malformed);
        }
        if total > packet.len() {
            return Err(WireError::Truncated);
        }
        let keep = total - packet.header().len();
        packet.payload.truncate(keep);
        packet.pop_header(len);
        Ok(header)
    }

    /// The header inside an ICMP error's quotation, which may be cut short behind it; and its length.
    pub fn quoted(bytes: &[u8]) -> Option<(Self, usize)> {
        let len = usize::from(bytes.first()? & 0x0f) * 4;
        if bytes[0] >> 4 != 4 || len < HEADER_LEN || bytes.len() < len {
            return None;
        }
        Some((Self::read(&bytes[..len]).0, len))
    }

    fn read(b: &[u8]) -> (Self, usize) {
        let fragment = u16::from_be_bytes([b[6], b[7]]);
        let header = Self {
            src: Ipv4Addr::new(b[12], b[13], b[14], b[15]),
            dst: Ipv4Addr::new(b[16], b[17], b[18], b[19]),
            protocol: b[9],
            ttl: b[8],
            tos: b[1],
            id: u16::from_be_bytes([b[4], b[5]]),
            dont_fragment: fragment & 0x4000 != 0,
            more_fragments: fragment & 0x2000 != 0,
            fragment_offset: usize::from(fragment & 0x1fff) * 8,
        };
        (header, usize::from(u16::from_be_bytes([b[2], b[3]])))
    }

    /// Puts the header in front of a packet that holds the rest.
    pub fn put(&self, packet: &mut Packet) {
        let total = packet.len() + HEADER_LEN;
        assert!(total <= 0xffff, "an IPv4 packet fits its length field");
        let fragment = (self.fragment_offset / 8) as u16
            | (u16::from(self.dont_fragment) << 14)
            | (u16::from(self.more_fragments) << 13);
        let b = packet.push_header(HEADER_LEN);
        b[0] = 0x45;
        b[1] = self.tos;
        b[2..4].copy_from_slice(&(total as u16).to_be_bytes());
        b[4..6].copy_from_slice(&self.id.to_be_bytes());
        b[6..8].copy_from_slice(&fragment.to_be_bytes());
        b[8] = self.ttl;
        b[9] = self.protocol;
        b[12..16].copy_from_slice(&self.src.octets());
        b[16..20].copy_from_slice(&self.dst.octets());
        let mut sum = Checksum::default();
        sum.add(b);
        let sum = sum.finish();
        b[10..12].copy_from_slice(&sum.to_be_bytes());
    }
}

/// Makes a program's own header whole, as `IP_HDRINCL` asks for: length and checksum always, identification and
/// source when they are zero. None when there is no header.
pub fn complete(packet: &mut [u8], source: IpAddr, id: u16) -> Option<()> {
    let total = u16::try_from(packet.len()).ok()?;
    let len = usize::from(packet.first()? & 0x0f) * 4;
    if len < HEADER_LEN {
        return None;
    }
    let header = packet.get_mut(..len)?;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    if header[4..6] == [0, 0] {
        header[4..6].copy_from_slice(&id.to_be_bytes());
    }
    if header[12..16] == [0; 4]
        && let IpAddr::V4(source) = source
    {
        header[12..16].copy_from_slice(&source.octets());
    }
    header[10..12].fill(0);
    let mut sum = Checksum::default();
    sum.add(header);
    let sum = sum.finish();
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    Some(())
}
