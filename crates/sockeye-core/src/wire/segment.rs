//! Segments in packets: the TCP header with its checksum, on and off.

use super::checksum::Checksum;
use super::tcp::TcpHeader;
use super::{WireError, protocol};
use crate::Packet;
use crate::tcp::Segment;
use core::net::IpAddr;

/// The shortest header.
const HEADER_MIN: usize = 20;

/// Takes the TCP header off a packet whose checksum is right.
pub fn take(mut packet: Packet, src: IpAddr, dst: IpAddr) -> Result<Segment, WireError> {
    if !packet.pull(HEADER_MIN) {
        return Err(WireError::Truncated);
    }
    let len = usize::from(packet.header()[12] >> 4) * 4;
    if !packet.pull(len) {
        return Err(WireError::Truncated);
    }
    if sum(&packet, src, dst) != 0 {
        return Err(WireError::Checksum);
    }
    let (header, len) = TcpHeader::parse(packet.header())?;
    packet.pop_header(len);
    if !packet.header().is_empty() {
        return Err(WireError::Malformed);
    }
    Ok(Segment { header, payload: packet.payload })
}

/// The packet of a segment, with its checksum.
pub fn put(segment: Segment, src: IpAddr, dst: IpAddr) -> Packet {
    let mut packet = Packet::new(segment.payload);
    segment.header.emit(packet.push_header(segment.header.len()));
    let checksum = sum(&packet, src, dst);
    packet.header_mut()[16..18].copy_from_slice(&checksum.to_be_bytes());
    packet
}

fn sum(packet: &Packet, src: IpAddr, dst: IpAddr) -> u16 {
    let mut sum = Checksum::pseudo(src, dst, protocol::TCP, packet.len());
    sum.add(packet.header());
    packet.payload.slices().iter().for_each(|s| sum.add(s));
    sum.finish()
}
