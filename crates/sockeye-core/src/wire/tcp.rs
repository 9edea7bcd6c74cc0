//! The TCP header (RFC 9293, 3.1) and its options.
//!
//! In: the bytes of a segment and the addresses it travels between. Out: a checked [`TcpHeader`], or the reason
//! why it is none; and the way back, written in place in front of the payload.

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
}

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
    pub options: Options,
}
