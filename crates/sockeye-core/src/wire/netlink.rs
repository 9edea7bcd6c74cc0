//! Netlink messages (RFC 3549, netlink(7)): a header, a family's struct, attributes; all in the byte order of
//! the machine, each part on a boundary of four bytes.

use alloc::vec::Vec;
use core::net::IpAddr;

/// Length of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

/// `struct nlmsghdr`, checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageHeader {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub sequence: u32,
    /// `nlmsg_pid`.
    pub port: u32,
}

impl MessageHeader {
    /// The first message of `bytes`: header, body and what follows it.
    pub fn parse(bytes: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let fixed: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let word = |at: usize| u32::from_ne_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let half = |at: usize| u16::from_ne_bytes([fixed[at], fixed[at + 1]]);
        let len = word(0) as usize;
        let body = bytes.get(HEADER_LEN..len)?;
        let rest = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((Self { kind: half(4), flags: half(6), sequence: word(8), port: word(12) }, body, rest))
    }
}

/// A message under construction at the end of a buffer.
#[derive(Debug)]
pub struct MessageWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> MessageWriter<'a> {
    /// Begins a message with its header.
    pub fn new(out: &'a mut Vec<u8>, header: MessageHeader) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&header.kind.to_ne_bytes());
        out.extend_from_slice(&header.flags.to_ne_bytes());
        out.extend_from_slice(&header.sequence.to_ne_bytes());
        out.extend_from_slice(&header.port.to_ne_bytes());
        Self { out, start }
    }

    /// Appends bytes: the family's struct.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Appends an attribute, padded.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.out.extend_from_slice(&((value.len() + 4) as u16).to_ne_bytes());
        self.out.extend_from_slice(&kind.to_ne_bytes());
        self.out.extend_from_slice(value);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self
    }

    /// An attribute that is an address.
    pub fn address(&mut self, kind: u16, addr: IpAddr) -> &mut Self {
        match addr {
            IpAddr::V4(v4) => self.attribute(kind, &v4.octets()),
            IpAddr::V6(v6) => self.attribute(kind, &v6.octets()),
        }
    }

    /// An attribute that is a string, zero at its end.
    pub fn string(&mut self, kind: u16, text: &str) -> &mut Self {
        let mut bytes = Vec::from(text.as_bytes());
        bytes.push(0);
        self.attribute(kind, &bytes)
    }

    /// An attribute that is a word.
    pub fn word(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Writes the length.
    pub fn finish(&mut self) {
        let len = (self.out.len() - self.start) as u32;
        self.out[self.start..self.start + 4].copy_from_slice(&len.to_ne_bytes());
    }
}

/// The value of an attribute among those that follow a struct.
pub fn find_attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [a, b, c, d, ..] = *bytes {
        let (len, kind) = (usize::from(u16::from_ne_bytes([a, b])), u16::from_ne_bytes([c, d]));
        let value = bytes.get(4..len)?;
        if kind & ATTRIBUTE_TYPE == wanted {
            return Some(value);
        }
        bytes = bytes.get(len.next_multiple_of(4)..)?;
    }
    None
}

/// `NLA_TYPE_MASK`: without the flags of nesting and byte order.
const ATTRIBUTE_TYPE: u16 = 0x3fff;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(value in proptest::collection::vec(any::<u8>(), 0..40), kind in 1u16..100) {
            let header = MessageHeader { kind: 7, flags: 2, sequence: 9, port: 11 };
            let mut out = Vec::new();
            MessageWriter::new(&mut out, header).bytes(&[1, 2, 3, 4]).attribute(100, b"x").attribute(kind, &value).finish();
            let (read, body, rest) = MessageHeader::parse(&out).unwrap();
            prop_assert_eq!(read, header);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(find_attribute(&body[4..], kind), Some(&value[..]));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = MessageHeader::parse(&bytes);
            let _ = find_attribute(&bytes, 1);
        }
    }
}
