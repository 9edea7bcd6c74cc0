//! A packet on its way: an inline header area and a few shared payload slices.
//!
//! Headers are written backwards into the inline area, the transport's first, then IP's, then a link's, so
//! that no layer moves bytes. The payload is reference-counted ([`Bytes`]): from the send buffer of one host
//! to the receive queue of another it is never copied. Contiguous bytes are made only where someone needs
//! them ([`Packet::write_to`]): devices, captures, raw sockets.

use alloc::vec::Vec;
use bytes::Bytes;
use smallvec::SmallVec;

/// Bytes in a few shared slices, in order.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    slices: SmallVec<[Bytes; 2]>,
    len: usize,
}

impl Payload {
    /// No bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a slice; an empty one is passed over.
    pub fn push(&mut self, slice: Bytes) {
        if !slice.is_empty() {
            self.len += slice.len();
            self.slices.push(slice);
        }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slices in order; none is empty.
    pub fn slices(&self) -> &[Bytes] {
        &self.slices
    }

    /// The slices by value.
    pub fn into_slices(self) -> impl Iterator<Item = Bytes> {
        self.slices.into_iter()
    }

    /// The byte at `at`.
    pub fn byte(&self, mut at: usize) -> Option<u8> {
        for slice in &self.slices {
            match slice.get(at) {
                Some(byte) => return Some(*byte),
                None => at -= slice.len(),
            }
        }
        None
    }

    /// Drops the first `n` bytes (all, when there are fewer).
    pub fn trim_front(&mut self, mut n: usize) {
        n = n.min(self.len);
        self.len -= n;
        while n > 0 {
            let first = &mut self.slices[0];
            if first.len() > n {
                let _ = first.split_to(n);
                return;
            }
            n -= first.len();
            self.slices.remove(0);
        }
    }

    /// Takes the first `n` bytes off (all, when there are fewer).
    pub fn split_to(&mut self, n: usize) -> Self {
        let mut front = self.clone();
        front.truncate(n);
        self.trim_front(n);
        front
    }

    /// Keeps the first `n` bytes only.
    pub fn truncate(&mut self, n: usize) {
        if n >= self.len {
            return;
        }
        let mut left = n;
        let mut keep = 0;
        for slice in &mut self.slices {
            if left == 0 {
                break;
            }
            if slice.len() > left {
                slice.truncate(left);
            }
            left -= slice.len();
            keep += 1;
        }
        self.slices.truncate(keep);
        self.len = n;
    }

    /// A copy in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len);
        self.slices.iter().for_each(|s| all.extend_from_slice(s));
        all
    }
}

impl From<Bytes> for Payload {
    fn from(slice: Bytes) -> Self {
        let mut payload = Self::new();
        payload.push(slice);
        payload
    }
}

/// Room for the headers of one packet: link, IP with options or extension headers, transport with options.
pub const HEADER_ROOM: usize = 128;

/// One packet: headers in front, written backwards, and the payload behind them.
#[derive(Clone, Debug)]
pub struct Packet {
    head: [u8; HEADER_ROOM],
    start: u8,
    /// What follows the headers.
    pub payload: Payload,
}

impl Packet {
    /// A packet without headers.
    pub fn new(payload: Payload) -> Self {
        Self { head: [0; HEADER_ROOM], start: HEADER_ROOM as u8, payload }
    }

    /// A packet from contiguous bytes, all of them payload until [`Packet::pull`] makes headers of some.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self::new(bytes.into())
    }

    /// Makes room for `n` header bytes in front and gives them, zeroed, to be written.
    ///
    /// # Panics
    /// When the headers together pass [`HEADER_ROOM`]: a broken invariant of the caller.
    pub fn push_header(&mut self, n: usize) -> &mut [u8] {
        let start = usize::from(self.start);
        assert!(n <= start, "headers of a packet fit {HEADER_ROOM} bytes");
        self.start = (start - n) as u8;
        let area = &mut self.head[start - n..start];
        area.fill(0);
        area
    }

    /// The header bytes, outermost first.
    pub fn header(&self) -> &[u8] {
        &self.head[usize::from(self.start)..]
    }

    /// The header bytes, to be changed in place (checksums).
    pub fn header_mut(&mut self) -> &mut [u8] {
        &mut self.head[usize::from(self.start)..]
    }

    /// Takes the first `n` header bytes off.
    pub fn pop_header(&mut self, n: usize) {
        assert!(n <= self.header().len(), "a header that is there is popped");
        self.start += n as u8;
    }

    /// Moves bytes from the payload's front behind the headers until `n` header bytes are there; says whether
    /// they are. Used on packets that came from a device as contiguous bytes.
    pub fn pull(&mut self, n: usize) -> bool {
        let have = self.header().len();
        if have >= n {
            return true;
        }
        let need = n - have;
        if self.payload.len() < need || need > usize::from(self.start) {
            return false;
        }
        let start = usize::from(self.start);
        self.head.copy_within(start.., start - need);
        self.start -= need as u8;
        let mut at = HEADER_ROOM - need;
        let mut left = need;
        for slice in self.payload.slices() {
            let take = slice.len().min(left);
            self.head[at..at + take].copy_from_slice(&slice[..take]);
            at += take;
            left -= take;
            if left == 0 {
                break;
            }
        }
        self.payload.trim_front(need);
        true
    }

    /// Headers and payload together, in bytes.
    pub fn len(&self) -> usize {
        self.header().len() + self.payload.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the whole packet to `out`, contiguous.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        out.extend_from_slice(self.header());
        self.payload.slices().iter().for_each(|s| out.extend_from_slice(s));
    }
}
