//! Segments that came before their turn (RFC 9293, 3.10.7.4, seventh).
//!
//! In: pieces of the stream at offsets beyond what is next, overlapping as they like. Out: pieces in order,
//! once the gap before them is closed. What came first stays; later copies of the same bytes are cut away. It
//! is bounded in pieces here and in bytes by the window before it.

use super::check::ensure;
use crate::packet::Payload;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use bytes::Bytes;

/// Pieces by stream offset; they neither overlap nor are empty.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    pieces: BTreeMap<u64, Bytes>,
    /// Where the stream ends, once a FIN came.
    fin: Option<u64>,
}

impl Reassembly {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.fin.is_none()
    }

    /// How many pieces wait.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether pieces stand in order behind `next`, apart from each other and not empty; else what is wrong.
    pub(super) fn check(&self, next: u64) -> Result<(), String> {
        let mut free_from = next;
        for (start, piece) in &self.pieces {
            let sound = *start >= free_from && !piece.is_empty();
            ensure(sound, || format!("a piece of {} bytes at {start}, free from {free_from}", piece.len()))?;
            free_from = start + piece.len() as u64;
        }
        ensure(self.fin.is_none_or(|fin| fin >= free_from), || "pieces behind the FIN".into())
    }

    /// Keeps what is new of a payload that starts at `start`; says how many bytes that were. What claims to be behind
    /// the FIN is not kept.
    pub(super) fn insert(&mut self, start: u64, mut payload: Payload) -> usize {
        if let Some(fin) = self.fin {
            payload.truncate(fin.saturating_sub(start).try_into().unwrap_or(usize::MAX));
        }
        let mut at = start;
        let mut kept = 0;
        for slice in payload.into_slices() {
            let end = at + slice.len() as u64;
            kept += self.insert_slice(at, slice);
            at = end;
        }
        kept
    }

    /// A FIN came behind the byte before `at`. Linux keeps what is behind it and throws it away with the FIN; a FIN
    /// within data that has come it takes for a copy of that.
    pub(super) fn set_fin(&mut self, at: u64) {
        let before = self.pieces.range(..=at).next_back();
        if self.fin.is_none() && before.is_none_or(|(start, piece)| start + piece.len() as u64 <= at) {
            self.pieces.split_off(&at);
            self.fin = Some(at);
        }
    }

    /// The stream has come to `next`; a FIN that it has passed over was none.
    pub(super) fn advance(&mut self, next: u64) {
        self.fin = self.fin.filter(|fin| *fin >= next);
    }

    /// Whether the FIN is next.
    pub(super) fn fin_at(&self, next: u64) -> bool {
        self.fin == Some(next)
    }

    /// Takes the piece that `next` lies in, cut to start there; pieces before it go away.
    pub(super) fn take(&mut self, next: u64) -> Option<Bytes> {
        while let Some(first) = self.pieces.first_entry() {
            if *first.key() > next {
                return None;
            }
            let (start, mut piece) = first.remove_entry();
            let past = next - start;
            if past < piece.len() as u64 {
                return Some(piece.split_off(past as usize));
            }
        }
        None
    }

    /// One slice: cut at the piece before it, then laid into the gaps between the pieces that it spans.
    fn insert_slice(&mut self, start: u64, mut slice: Bytes) -> usize {
        let before = self.pieces.range(..=start).next_back();
        let covered = before.map_or(0, |(at, piece)| (at + piece.len() as u64).saturating_sub(start));
        if covered >= slice.len() as u64 {
            return 0;
        }
        let mut at = start + covered;
        let mut kept = 0;
        slice = slice.slice(covered as usize..);
        while !slice.is_empty() {
            let next = self.pieces.range(at..).next().map(|(next, piece)| (*next, piece.len()));
            let gap = next.map_or(slice.len() as u64, |(next, _)| next - at).min(slice.len() as u64);
            let piece = slice.split_to(gap as usize);
            if !piece.is_empty() {
                kept += piece.len();
                self.pieces.insert(at, unpinned(piece));
            }
            let skip = next.map_or(0, |(_, len)| len).min(slice.len());
            slice = slice.slice(skip..);
            at += gap + skip as u64;
        }
        kept
    }
}

/// A small piece is copied, so that it does not pin the chunk of whoever sent it.
fn unpinned(piece: Bytes) -> Bytes {
    if piece.len() <= COPY_MAX { Bytes::copy_from_slice(&piece) } else { piece }
}

const COPY_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_kept_behind_a_fin() {
        let bytes = |n: usize| Payload::from(Bytes::from(vec![1; n]));
        let mut queue = Reassembly::default();
        queue.insert(120, bytes(10));
        queue.set_fin(110);
        assert_eq!((queue.len(), queue.insert(105, bytes(10)), queue.insert(110, bytes(1))), (0, 5, 0));
        queue.set_fin(120);
        assert_eq!(queue.check(100), Ok(()));
        assert!(queue.take(105).is_some() && queue.fin_at(110));
    }

    #[test]
    fn a_fin_within_the_stream_is_none() {
        let bytes = |n: usize| Payload::from(Bytes::from(vec![1; n]));
        let mut queue = Reassembly::default();
        queue.insert(100, bytes(20));
        queue.set_fin(110);
        assert!(queue.take(100).is_some() && queue.is_empty());
        queue.set_fin(130);
        queue.advance(131);
        assert!(queue.is_empty() && queue.check(131).is_ok());
    }

    proptest! {
        /// Against a byte map: what came first stays, everything in order comes out once its gap is closed.
        #[test]
        fn it_is_a_map_of_bytes(
            base in 0u64..1 << 40,
            pieces in proptest::collection::vec((0usize..400, 1usize..120, any::<u8>()), 0..40),
        ) {
            let mut model = vec![None; 600];
            let (mut queue, mut next, mut out) = (Reassembly::default(), 0, Vec::new());
            for (start, len, fill) in pieces {
                let start = start.max(next).min(model.len() - len);
                if start < next {
                    break;
                }
                let data: Vec<u8> = (0..len).map(|i| fill.wrapping_add(i as u8)).collect();
                let mut new = 0;
                for (i, byte) in data.iter().enumerate() {
                    let place: &mut Option<u8> = &mut model[start + i];
                    new += usize::from(place.is_none());
                    place.get_or_insert(*byte);
                }
                let mut payload = Payload::new();
                let (left, right) = data.split_at(len / 2);
                payload.push(Bytes::copy_from_slice(left));
                payload.push(Bytes::copy_from_slice(right));
                prop_assert_eq!(queue.insert(base + start as u64, payload), new);
                while let Some(piece) = queue.take(base + next as u64) {
                    next += piece.len();
                    out.extend_from_slice(&piece);
                }
                let expected: Vec<u8> = model.iter().map_while(|byte| *byte).collect();
                prop_assert_eq!(&out, &expected);
            }
        }
    }
}
