//! Captures: packets as pcapng, which tshark and Wireshark read, a comment with each.
//!
//! In: packets with the time they were sent and what is to be said of them. Out: bytes to be appended to a file. The
//! format is draft-ietf-opsawg-pcapng: a section header, one interface block for each link (LINKTYPE_RAW: packets
//! begin with their IP header; times in nanoseconds), then an enhanced packet block for each packet.

use alloc::vec::Vec;
use sockeye_core::{Instant, Packet};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Packets begin with an IPv4 or IPv6 header.
const LINKTYPE_RAW: u16 = 101;

const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_SECTION_APPLICATION: u16 = 4;
const OPTION_INTERFACE_NAME: u16 = 2;
const OPTION_INTERFACE_TIME_RESOLUTION: u16 = 9;
/// Ten to the minus nine seconds.
const NANOSECONDS: u8 = 9;

/// Appends what a file begins with: one interface of each name, numbered from 0.
pub fn begin(out: &mut Vec<u8>, interfaces: &[&str]) {
    block(out, SECTION_HEADER, |out| {
        out.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
        out.extend_from_slice(&[1, 0, 0, 0]);
        // The section's length is not known.
        out.extend_from_slice(&u64::MAX.to_le_bytes());
        option(out, OPTION_SECTION_APPLICATION, b"sockeye");
        option(out, OPTION_END, &[]);
    });
    for name in interfaces {
        block(out, INTERFACE_DESCRIPTION, |out| {
            out.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
            // Reserved, then the longest packet: no limit.
            out.extend_from_slice(&[0; 6]);
            option(out, OPTION_INTERFACE_NAME, name.as_bytes());
            option(out, OPTION_INTERFACE_TIME_RESOLUTION, &[NANOSECONDS]);
            option(out, OPTION_END, &[]);
        });
    }
}

/// Appends a packet. `epoch_ns` is what the clock's zero is in Unix time, in nanoseconds.
pub fn packet(out: &mut Vec<u8>, interface: u32, at: Instant, epoch_ns: u64, packet: &Packet, comment: &str) {
    block(out, ENHANCED_PACKET, |out| {
        let at_ns = epoch_ns.wrapping_add(at.0);
        let len = packet.len() as u32;
        for word in [interface, (at_ns >> 32) as u32, at_ns as u32, len, len] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        packet.write_to(out);
        pad(out, packet.len());
        if !comment.is_empty() {
            option(out, OPTION_COMMENT, &comment.as_bytes()[..comment.len().min(COMMENT_MAX)]);
            option(out, OPTION_END, &[]);
        }
    });
}

/// An option's length has 16 bits.
const COMMENT_MAX: usize = 60_000;

/// A block: type, length, body, length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let total = (out.len() - start + 4) as u32;
    out.extend_from_slice(&total.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// To the next multiple of four.
fn pad(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&[0; 3][..len.wrapping_neg() % 4]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn blocks_are_whole() {
        let mut out = Vec::new();
        begin(&mut out, &["lo"]);
        let five = Packet::from_bytes(Bytes::from_static(&[0x45, 1, 2, 3, 4]));
        packet(&mut out, 0, Instant(7), 1 << 33, &five, "delivered");
        let (mut at, mut kinds) = (0, Vec::new());
        while at < out.len() {
            let word = |at: usize| u32::from_le_bytes(out[at..at + 4].try_into().unwrap());
            let len = word(at + 4) as usize;
            assert_eq!(len % 4, 0);
            assert_eq!(word(at + len - 4) as usize, len, "the length stands at both ends");
            kinds.push(word(at));
            at += len;
        }
        assert_eq!(kinds, [SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET]);
        assert!(out.windows(9).any(|w| w == b"delivered"));
    }
}
