//! The UDP header (RFC 768, RFC 8200 8.1).

use super::checksum::Checksum;
use super::{WireError, protocol};
use crate::Packet;
use core::net::IpAddr;

/// Length of the header.
pub const HEADER_LEN: usize = 8;

/// A checked header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpHeader {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
}

impl UdpHeader {
    /// Takes the header off a packet, checks the checksum and cuts the payload to the length.
    pub fn take(packet: &mut Packet, src: IpAddr, dst: IpAddr) -> Result<Self, WireError> {
        if !packet.pull(HEADER_LEN) {
            return Err(WireError::Truncated);
        }
        let b = packet.header();
        let header =
            Self { src_port: u16::from_be_bytes([b[0], b[1]]), dst_port: u16::from_be_bytes([b[2], b[3]]) };
        let len = usize::from(u16::from_be_bytes([b[4], b[5]]));
        let checksum = u16::from_be_bytes([b[6], b[7]]);
        if len < packet.header().len() {
            return Err(WireError::Malformed);
        }
        if len > packet.len() {
            return Err(WireError::Truncated);
        }
        let keep = len - packet.header().len();
        packet.payload.truncate(keep);
        // IPv4 may go without; IPv6 may not (RFC 8200 8.1).
        if checksum != 0 && sum(packet, src, dst) != 0 || checksum == 0 && src.is_ipv6() {
            return Err(WireError::Checksum);
        }
        packet.pop_header(HEADER_LEN);
        Ok(header)
    }

    /// The same of UDP-Lite (RFC 3828): the length is the packet's, the field says how much the checksum covers. Gives
    /// that where it is not all.
    pub fn take_lite(
        packet: &mut Packet,
        src: IpAddr,
        dst: IpAddr,
    ) -> Result<(Self, Option<u16>), WireError> {
        if !packet.pull(HEADER_LEN) {
            return Err(WireError::Truncated);
        }
        let b = packet.header();
        let header =
            Self { src_port: u16::from_be_bytes([b[0], b[1]]), dst_port: u16::from_be_bytes([b[2], b[3]]) };
        let coverage = u16::from_be_bytes([b[4], b[5]]);
        let covered = if coverage == 0 { packet.len() } else { usize::from(coverage) };
        if covered < HEADER_LEN || covered > packet.len() {
            return Err(WireError::Malformed);
        }
        // It may not go without a checksum.
        if b[6..8] == [0, 0] || lite_sum(packet, covered, src, dst) != 0 {
            return Err(WireError::Checksum);
        }
        let partial = (covered < packet.len()).then_some(coverage);
        packet.pop_header(HEADER_LEN);
        Ok((header, partial))
    }

    /// Puts a UDP-Lite header whose checksum covers so many bytes of the packet, 0 being all.
    pub fn put_lite(&self, packet: &mut Packet, src: IpAddr, dst: IpAddr, coverage: u16) {
        let b = packet.push_header(HEADER_LEN);
        b[0..2].copy_from_slice(&self.src_port.to_be_bytes());
        b[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        b[4..6].copy_from_slice(&coverage.to_be_bytes());
        let covered = if coverage == 0 { packet.len() } else { usize::from(coverage).min(packet.len()) };
        let checksum = match lite_sum(packet, covered, src, dst) {
            0 => 0xffff,
            sum => sum,
        };
        packet.header_mut()[6..8].copy_from_slice(&checksum.to_be_bytes());
    }

    /// The ports inside an ICMP error's quotation.
    pub fn quoted(bytes: &[u8]) -> Option<Self> {
        let b = bytes.get(..4)?;
        Some(Self { src_port: u16::from_be_bytes([b[0], b[1]]), dst_port: u16::from_be_bytes([b[2], b[3]]) })
    }

    /// Puts the header in front of a packet that holds the payload.
    pub fn put(&self, packet: &mut Packet, src: IpAddr, dst: IpAddr) {
        let len = packet.len() + HEADER_LEN;
        let b = packet.push_header(HEADER_LEN);
        b[0..2].copy_from_slice(&self.src_port.to_be_bytes());
        b[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        b[4..6].copy_from_slice(&(len as u16).to_be_bytes());
        // A sum of zero is sent as all ones: zero means that there is none.
        let checksum = match sum(packet, src, dst) {
            0 => 0xffff,
            sum => sum,
        };
        packet.header_mut()[6..8].copy_from_slice(&checksum.to_be_bytes());
    }
}

fn sum(packet: &Packet, src: IpAddr, dst: IpAddr) -> u16 {
    let mut sum = Checksum::pseudo(src, dst, protocol::UDP, packet.len());
    sum.add(packet.header());
    packet.payload.slices().iter().for_each(|s| sum.add(s));
    sum.finish()
}

/// RFC 3828, 3.2: the pseudo header has the whole length, whatever is covered.
fn lite_sum(packet: &Packet, covered: usize, src: IpAddr, dst: IpAddr) -> u16 {
    let mut sum = Checksum::pseudo(src, dst, protocol::UDPLITE, packet.len());
    let mut left = covered;
    let payload = packet.payload.slices().iter().map(|slice| &slice[..]);
    for part in core::iter::once(packet.header()).chain(payload) {
        sum.add(&part[..part.len().min(left)]);
        left -= part.len().min(left);
    }
    sum.finish()
}
