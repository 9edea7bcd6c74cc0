//! The TCP header (RFC 9293, 3.1) and its options.
//!
//! In: the bytes of a segment and the addresses it travels between. Out: a checked [`TcpHeader`], or the reason
//! why it is none; and the way back, written in place in front of the payload.

use super::WireError;
use alloc::boxed::Box;
use arrayvec::ArrayVec;
use core::fmt;

/// A TCP sequence number; comparisons are modulo 2^32 (RFC 9293, 3.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seq(pub u32);

impl Seq {
    /// `self - other` as a signed distance.
    pub const fn diff(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }
    /// Whether `self` comes before `other`.
    pub const fn lt(self, other: Self) -> bool {
        self.diff(other) < 0
    }
    /// Whether `self` is `other` or comes before it.
    pub const fn le(self, other: Self) -> bool {
        self.diff(other) <= 0
    }
}

impl core::ops::Add<u32> for Seq {
    type Output = Self;
    fn add(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

bitflags::bitflags! {
    /// The control bits.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Flags: u8 {
        const FIN = 0x01;
        const SYN = 0x02;
        const RST = 0x04;
        const PSH = 0x08;
        const ACK = 0x10;
        const URG = 0x20;
        const ECE = 0x40;
        const CWR = 0x80;
    }
}

/// The options that this stack speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale shift (RFC 7323); above 14 is read as 14.
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018).
    pub sack_permitted: bool,
    /// Timestamps: value and echo reply (RFC 7323).
    pub timestamps: Option<(u32, u32)>,
    /// SACK blocks: left edge, right edge.
    pub sack: ArrayVec<(Seq, Seq), 4>,
    /// Fast Open (RFC 7413), on segments that open a connection.
    pub fast_open: Option<Box<FastOpen>>,
}

/// The Fast Open option: a cookie, or none when one is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastOpen {
    pub cookie: Cookie,
    /// In the form from before RFC 7413: an experimental option with a number of its own (RFC 6994).
    pub experimental: bool,
}

/// 4 to 16 bytes, or none.
pub type Cookie = ArrayVec<u8, 16>;

/// A checked header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpHeader {
    pub src_port: u16,
    pub dst_port: u16,
    pub seq: Seq,
    pub ack: Seq,
    pub flags: Flags,
    /// As it stands on the wire, not scaled.
    pub window: u16,
    pub urgent: u16,
    /// The two bits of ECN, which stand in the IP header that this one travels behind.
    pub ecn: u8,
    pub options: Options,
}

impl TcpHeader {
    /// Checks and reads the header in front of `bytes`; gives its length with it, where the payload starts.
    ///
    /// Unknown options are passed over; a malformed option ends the list, as on Linux (RFC 9293, 3.1: an
    /// implementation must not crash on one).
    ///
    /// # Errors
    /// [`WireError::Truncated`] when the bytes end before the header, [`WireError::Malformed`] when its length
    /// field is below five words.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), WireError> {
        let fixed = bytes.first_chunk::<FIXED_LEN>().ok_or(WireError::Truncated)?;
        let len = usize::from(fixed[12] >> 4) * 4;
        if len < FIXED_LEN {
            return Err(WireError::Malformed);
        }
        let options = bytes.get(FIXED_LEN..len).ok_or(WireError::Truncated)?;
        let header = Self {
            src_port: be16(fixed, 0),
            dst_port: be16(fixed, 2),
            seq: Seq(be32(fixed, 4)),
            ack: Seq(be32(fixed, 8)),
            flags: Flags::from_bits_retain(fixed[13]),
            window: be16(fixed, 14),
            urgent: be16(fixed, 18),
            ecn: 0,
            options: Options::parse(options),
        };
        Ok((header, len))
    }

    /// How many bytes [`TcpHeader::emit`] writes, options and their padding with them.
    #[allow(clippy::len_without_is_empty)] // a header is never empty
    pub fn len(&self) -> usize {
        FIXED_LEN + self.options.len()
    }

    /// Writes the header; its checksum field is left zero, for whoever knows the addresses.
    ///
    /// # Panics
    /// When `area` is not exactly [`TcpHeader::len`] bytes: a broken invariant of the caller.
    pub fn emit(&self, area: &mut [u8]) {
        assert_eq!(area.len(), self.len(), "the area fits the header");
        let (fixed, options) = area.split_at_mut(FIXED_LEN);
        fixed[0..2].copy_from_slice(&self.src_port.to_be_bytes());
        fixed[2..4].copy_from_slice(&self.dst_port.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.seq.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ack.0.to_be_bytes());
        fixed[12] = (((FIXED_LEN + options.len()) / 4) << 4) as u8;
        fixed[13] = self.flags.bits();
        fixed[14..16].copy_from_slice(&self.window.to_be_bytes());
        fixed[16..18].fill(0);
        fixed[18..20].copy_from_slice(&self.urgent.to_be_bytes());
        self.options.emit(options);
    }
}

impl Options {
    /// Bytes on the wire, padded to whole words.
    fn len(&self) -> usize {
        let mut len = 0;
        len += if self.mss.is_some() { 4 } else { 0 };
        len += if self.window_scale.is_some() { 4 } else { 0 };
        // SACK-permitted takes the place of the two NOPs before timestamps, as Linux packs them.
        len += if self.sack_permitted && self.timestamps.is_none() { 4 } else { 0 };
        len += if self.timestamps.is_some() { 12 } else { 0 };
        len += if self.sack.is_empty() { 0 } else { 4 + 8 * self.sack.len() };
        len + self.fast_open.as_ref().map_or(0, |option| option.len().next_multiple_of(4))
    }

    fn parse(mut bytes: &[u8]) -> Self {
        let mut options = Self::default();
        while let [kind, rest @ ..] = bytes {
            match *kind {
                KIND_END => break,
                KIND_NOP => bytes = rest,
                kind => {
                    let Some(len) = rest.first().map(|&len| usize::from(len)) else { break };
                    let Some(body) = bytes.get(2..len) else { break };
                    options.read(kind, body);
                    bytes = &bytes[len..];
                }
            }
        }
        options
    }

    /// One option; a wrong length makes it an unknown one.
    fn read(&mut self, kind: u8, body: &[u8]) {
        match (kind, body.len()) {
            (KIND_MSS, 2) => self.mss = Some(be16(body, 0)).filter(|&mss| mss > 0),
            (KIND_WINDOW_SCALE, 1) => self.window_scale = Some(body[0].min(WINDOW_SCALE_MAX)),
            (KIND_SACK_PERMITTED, 0) => self.sack_permitted = true,
            (KIND_TIMESTAMPS, 8) => self.timestamps = Some((be32(body, 0), be32(body, 4))),
            (KIND_SACK, len @ (8 | 16 | 24 | 32)) => {
                self.sack =
                    (0..len / 8).map(|i| (Seq(be32(body, i * 8)), Seq(be32(body, i * 8 + 4)))).collect();
            }
            (KIND_FAST_OPEN, _) => self.fast_open = FastOpen::read(body, false),
            (KIND_EXPERIMENT, 2..) if body[..2] == FAST_OPEN_EXPERIMENT => {
                self.fast_open = FastOpen::read(&body[2..], true);
            }
            _ => {}
        }
    }

    /// Every option starts on a word, with NOPs in front where it needs them.
    fn emit(&self, mut area: &mut [u8]) {
        let mut put = |bytes: &[u8]| {
            let (front, rest) = core::mem::take(&mut area).split_at_mut(bytes.len());
            front.copy_from_slice(bytes);
            area = rest;
        };
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            put(&[KIND_MSS, 4, a, b]);
        }
        let [front, back] = if self.sack_permitted { [KIND_SACK_PERMITTED, 2] } else { [KIND_NOP; 2] };
        if self.sack_permitted && self.timestamps.is_none() {
            put(&[KIND_NOP, KIND_NOP, front, back]);
        }
        if let Some((value, echo)) = self.timestamps {
            put(&[front, back, KIND_TIMESTAMPS, 10]);
            put(&value.to_be_bytes());
            put(&echo.to_be_bytes());
        }
        if let Some(shift) = self.window_scale {
            put(&[KIND_NOP, KIND_WINDOW_SCALE, 3, shift]);
        }
        if !self.sack.is_empty() {
            put(&[KIND_NOP, KIND_NOP, KIND_SACK, 2 + 8 * self.sack.len() as u8]);
        }
        for (left, right) in &self.sack {
            put(&left.0.to_be_bytes());
            put(&right.0.to_be_bytes());
        }
        if let Some(option) = &self.fast_open {
            let len = option.len();
            match option.experimental {
                true => put(&[KIND_EXPERIMENT, len as u8, FAST_OPEN_EXPERIMENT[0], FAST_OPEN_EXPERIMENT[1]]),
                false => put(&[KIND_FAST_OPEN, len as u8]),
            }
            put(&option.cookie);
            put(&[KIND_NOP; 3][..len.next_multiple_of(4) - len]);
        }
    }
}

impl FastOpen {
    /// Bytes without padding.
    fn len(&self) -> usize {
        self.cookie.len() + if self.experimental { 4 } else { 2 }
    }

    /// RFC 7413, 4.1.1: a cookie has 4 to 16 bytes, an even number of them.
    fn read(body: &[u8], experimental: bool) -> Option<Box<Self>> {
        let fits = matches!(body.len(), 0 | 4..=16) && body.len().is_multiple_of(2);
        fits.then(|| Box::new(Self { cookie: body.iter().copied().collect(), experimental }))
    }
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The header without options.
const FIXED_LEN: usize = 20;
/// RFC 7323, 2.3.
const WINDOW_SCALE_MAX: u8 = 14;

const KIND_END: u8 = 0;
const KIND_NOP: u8 = 1;
const KIND_MSS: u8 = 2;
const KIND_WINDOW_SCALE: u8 = 3;
const KIND_SACK_PERMITTED: u8 = 4;
const KIND_SACK: u8 = 5;
const KIND_TIMESTAMPS: u8 = 8;
const KIND_FAST_OPEN: u8 = 34;
const KIND_EXPERIMENT: u8 = 254;
const FAST_OPEN_EXPERIMENT: [u8; 2] = [0xf9, 0x89];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn header() -> impl Strategy<Value = TcpHeader> {
        let options = (
            proptest::option::of(1..u16::MAX),
            proptest::option::of(0u8..15),
            any::<bool>(),
            proptest::option::of(any::<(u32, u32)>()),
            proptest::collection::vec(any::<(u32, u32)>(), 0..2),
        );
        (any::<(u16, u16, u32, u32, u8, u16, u16)>(), options).prop_map(|(f, o)| TcpHeader {
            src_port: f.0,
            dst_port: f.1,
            seq: Seq(f.2),
            ack: Seq(f.3),
            flags: Flags::from_bits_retain(f.4),
            window: f.5,
            urgent: f.6,
            ecn: 0,
            options: Options {
                mss: o.0,
                window_scale: o.1,
                sack_permitted: o.2,
                timestamps: o.3,
                sack: o.4.iter().map(|&(l, r)| (Seq(l), Seq(r))).collect(),
                fast_open: None,
            },
        })
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed(header in header()) {
            let mut bytes = vec![0xff; header.len()];
            header.emit(&mut bytes);
            prop_assert_eq!(TcpHeader::parse(&bytes), Ok((header, bytes.len())));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = TcpHeader::parse(&bytes);
        }

        #[test]
        fn order_is_that_of_nearby_integers(at in any::<u32>(), step in 0u32..0x7fff_ffff) {
            let (a, b) = (Seq(at), Seq(at) + step);
            prop_assert!(a.le(b));
            prop_assert_eq!(a.lt(b), step > 0);
            prop_assert!(!b.lt(a));
            prop_assert_eq!(b.diff(a), step as i32);
        }
    }

    #[test]
    fn the_fields_stand_where_another_parser_finds_them() {
        let header = TcpHeader {
            src_port: 1025,
            dst_port: 80,
            seq: Seq(7),
            ack: Seq(9),
            flags: Flags::SYN | Flags::ACK,
            window: 512,
            options: Options { mss: Some(1460), timestamps: Some((5, 6)), ..Options::default() },
            ..TcpHeader::default()
        };
        let mut bytes = vec![0; header.len()];
        header.emit(&mut bytes);
        let (theirs, _) = etherparse::TcpHeader::from_slice(&bytes).unwrap();
        assert_eq!((theirs.source_port, theirs.destination_port), (1025, 80));
        assert_eq!((theirs.sequence_number, theirs.acknowledgment_number), (7, 9));
        assert!(theirs.syn && theirs.ack && !theirs.fin);
        let options: Vec<_> = theirs.options_iterator().map(Result::unwrap).collect();
        assert!(options.contains(&etherparse::TcpOptionElement::MaximumSegmentSize(1460)));
        assert!(options.contains(&etherparse::TcpOptionElement::Timestamp(5, 6)));
    }
}
