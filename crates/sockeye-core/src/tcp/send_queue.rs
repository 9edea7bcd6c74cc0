//! The send buffer: what the program wrote and the peer has not acknowledged.
//!
//! In: bytes, copied (small ones, which coalesce in a chunk) or by reference. Out: payloads that refer to
//! them, read at one of two cursors: `next` for what was never sent, `again` for what is sent again. Both move
//! with the acknowledgements, so that no step walks the queue. It knows neither windows nor flags.

use super::pool::{LARGE_LEN, Pool, SMALL_LEN};
use crate::packet::Payload;
use crate::wire::tcp::Seq;
use alloc::collections::VecDeque;
use bytes::{Buf, Bytes, BytesMut};

/// Bytes from the oldest unacknowledged one on.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    pieces: VecDeque<Bytes>,
    /// Written and not yet part of `pieces`; nothing of it was ever sent.
    tail: BytesMut,
    /// What `reserve` handed out, initialised.
    reserved: BytesMut,
    len: usize,
    base: Seq,
    next: Cursor,
    again: Cursor,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    seq: Seq,
    piece: u32,
    offset: u32,
}

impl SendQueue {
    /// An empty queue whose first byte will have this sequence number.
    pub(super) fn new(base: Seq) -> Self {
        let start = Cursor { seq: base, ..Cursor::default() };
        Self { base, next: start, again: start, ..Self::default() }
    }

    /// Queued bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The sequence number behind the last byte.
    pub(super) fn end(&self) -> Seq {
        self.base + self.len as u32
    }

    /// Where new data goes on.
    pub(super) fn next_seq(&self) -> Seq {
        self.next.seq
    }

    /// What the queue costs: its bytes, and for each piece what it takes to hold one.
    pub(super) fn charged(&self) -> usize {
        self.len + self.pieces.len() * PIECE_COST
    }

    /// Initialised memory, at most `max` bytes; `commit` queues the front of it.
    pub(super) fn reserve(&mut self, max: usize, pool: &mut Pool) -> &mut [u8] {
        if self.reserved.len() < max.min(RESERVE_MIN) {
            self.reserved = pool.take_large();
        }
        let n = max.min(self.reserved.len());
        &mut self.reserved[..n]
    }

    /// Queues the first `n` reserved bytes: few are copied, so that they do not pin a large chunk.
    pub(super) fn commit(&mut self, n: usize, pool: &mut Pool) {
        assert!(n <= self.reserved.len(), "what was reserved is committed");
        let mut chunk = core::mem::take(&mut self.reserved);
        if n <= COPY_MAX {
            self.push_copy(&chunk[..n], pool);
            self.keep_reserved(chunk, pool);
        } else if chunk.len() == LARGE_LEN && n >= LARGE_LEN / 2 {
            let whole = chunk.freeze();
            self.push_piece(whole.slice(..n));
            pool.lend(whole);
        } else {
            self.push_piece(chunk.split_to(n).freeze());
            self.keep_reserved(chunk, pool);
        }
    }

    /// Queues a copy of `data`, coalesced with what was written before.
    pub(super) fn push_copy(&mut self, data: &[u8], pool: &mut Pool) {
        if data.is_empty() {
            return;
        }
        assert!(data.len() <= SMALL_LEN, "large data is queued by reference");
        if self.tail.capacity() - self.tail.len() < data.len() {
            self.freeze_tail();
            if self.tail.capacity() == 0 || !self.tail.try_reclaim(SMALL_LEN) {
                self.tail = pool.take_small(data.len());
            }
        }
        self.tail.extend_from_slice(data);
        self.len += data.len();
    }

    /// Queues a chunk by reference; a small one is copied.
    pub(super) fn push_chunk(&mut self, chunk: Bytes, pool: &mut Pool) {
        if chunk.len() <= CHUNK_COPY_MAX { self.push_copy(&chunk, pool) } else { self.push_piece(chunk) }
    }

    /// The next `max` bytes that were never sent.
    pub(super) fn read_next(&mut self, max: usize) -> Payload {
        let mut at = self.next;
        let payload = self.read(&mut at, max);
        self.next = at;
        payload
    }

    /// Up to `max` bytes from `seq` on, to be sent again. What is sent again is mostly behind what was before,
    /// so that the second cursor finds it in a few steps.
    pub(super) fn read_again(&mut self, seq: Seq, max: usize) -> Payload {
        if seq.lt(self.again.seq) {
            self.again = Cursor { seq: self.base, piece: 0, offset: 0 };
        }
        self.seek_again(seq);
        let mut at = self.again;
        let payload = self.read(&mut at, max);
        self.again = at;
        payload
    }

    /// The first `n` bytes are acknowledged.
    pub(super) fn acknowledge(&mut self, n: usize, pool: &mut Pool) {
        assert!(n <= self.len, "only queued bytes are acknowledged");
        self.len -= n;
        self.base = self.base + n as u32;
        let (mut left, mut gone) = (n, 0);
        while left > 0 {
            let front = self.pieces.front_mut().expect("sent bytes are in pieces");
            if front.len() > left {
                front.advance(left);
                break;
            }
            left -= front.len();
            self.pieces.pop_front();
            gone += 1;
        }
        self.next.shift(self.base, gone, left as u32);
        self.again.shift(self.base, gone, left as u32);
        if self.len == 0 {
            self.release(pool);
        }
    }

    /// Moves the second cursor forward to a byte that was sent.
    fn seek_again(&mut self, seq: Seq) {
        let mut left = seq.diff(self.again.seq) as usize;
        while left > 0 {
            let piece = self.pieces[self.again.piece as usize].len() - self.again.offset as usize;
            let n = left.min(piece);
            self.again.pass(n, n == piece);
            left -= n;
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.base);
    }

    /// Reads at a cursor: by reference, or as one copy where many small pieces would make a long list.
    fn read(&mut self, at: &mut Cursor, max: usize) -> Payload {
        let mut payload = Payload::new();
        let mut left = max;
        while left > 0 {
            if at.piece as usize == self.pieces.len() && !self.freeze_tail() {
                break;
            }
            let piece = &self.pieces[at.piece as usize];
            let offset = at.offset as usize;
            let n = left.min(piece.len() - offset);
            let slice = piece.slice(offset..offset + n);
            if payload.slices().len() >= SLICES_INLINE && slice.len() < SLICE_MIN {
                return self.gather(at, payload, left);
            }
            payload.push(slice);
            at.pass(n, n == piece.len() - offset);
            left -= n;
        }
        payload
    }

    /// The rest of a read, copied behind what was read.
    fn gather(&mut self, at: &mut Cursor, read: Payload, mut left: usize) -> Payload {
        let mut copy = BytesMut::with_capacity(read.len() + left.min(self.len));
        read.slices().iter().for_each(|slice| copy.extend_from_slice(slice));
        while left > 0 {
            if at.piece as usize == self.pieces.len() && !self.freeze_tail() {
                break;
            }
            let piece = &self.pieces[at.piece as usize][at.offset as usize..];
            let n = left.min(piece.len());
            copy.extend_from_slice(&piece[..n]);
            at.pass(n, n == piece.len());
            left -= n;
        }
        copy.freeze().into()
    }

    fn push_piece(&mut self, piece: Bytes) {
        self.freeze_tail();
        self.len += piece.len();
        self.pieces.push_back(piece);
    }

    /// Makes a piece of the tail's bytes; says whether there were any.
    fn freeze_tail(&mut self) -> bool {
        if self.tail.is_empty() {
            return false;
        }
        self.pieces.push_back(self.tail.split().freeze());
        true
    }

    /// Keeps what is left of a reserved chunk where it is worth it.
    fn keep_reserved(&mut self, chunk: BytesMut, pool: &mut Pool) {
        if chunk.len() == LARGE_LEN {
            pool.give_large(chunk);
        } else if chunk.len() >= RESERVE_MIN {
            self.reserved = chunk;
        }
    }

    /// An idle connection holds no buffers.
    fn release(&mut self, pool: &mut Pool) {
        if self.tail.capacity() > 0 {
            pool.give_small(core::mem::take(&mut self.tail));
        }
        self.reserved = BytesMut::new();
        if self.pieces.capacity() > PIECES_KEPT {
            self.pieces = VecDeque::new();
        }
    }
}

impl Cursor {
    /// `n` bytes were read; `whole` when the piece ends there.
    fn pass(&mut self, n: usize, whole: bool) {
        self.seq = self.seq + n as u32;
        if whole {
            self.piece += 1;
            self.offset = 0;
        } else {
            self.offset += n as u32;
        }
    }

    /// The queue lost `gone` pieces and `trimmed` bytes of the one that is now the first.
    fn shift(&mut self, base: Seq, gone: u32, trimmed: u32) {
        if self.seq.le(base) {
            *self = Self { seq: base, piece: 0, offset: 0 };
            return;
        }
        self.piece -= gone;
        if self.piece == 0 {
            self.offset -= trimmed;
        }
    }
}

/// What holding one piece takes.
const PIECE_COST: usize = 64;
/// A reserved chunk with less left is not handed out again.
const RESERVE_MIN: usize = 16 << 10;
/// Commits up to this size are copied into a small chunk.
const COPY_MAX: usize = 2 << 10;
/// Chunks of the program up to this size are copied.
const CHUNK_COPY_MAX: usize = 512;
/// How many slices a payload holds without allocation.
const SLICES_INLINE: usize = 2;
/// Shorter slices than this are copied together when there are many.
const SLICE_MIN: usize = 1 << 10;
/// A list of pieces that grew past this is given back when it is empty.
const PIECES_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize),
        Chunk(usize),
        Commit(usize),
        Next(usize),
        Again(usize, usize),
        Acknowledge(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1usize..3000).prop_map(Step::Copy),
            (1usize..5000).prop_map(Step::Chunk),
            (1usize..65536).prop_map(Step::Commit),
            (1usize..65536).prop_map(Step::Next),
            (0usize..70_000, 1usize..3000).prop_map(|(at, n)| Step::Again(at, n)),
            (0usize..65536).prop_map(Step::Acknowledge),
        ]
    }

    /// A plain vector, with the distance of the first cursor from its front.
    #[derive(Default)]
    struct Model {
        bytes: Vec<u8>,
        next: usize,
        fill: u8,
    }

    impl Model {
        fn write(&mut self, n: usize) -> Vec<u8> {
            let data: Vec<u8> = (0..n)
                .map(|_| {
                    self.fill = self.fill.wrapping_add(1);
                    self.fill
                })
                .collect();
            self.bytes.extend_from_slice(&data);
            data
        }
    }

    proptest! {
        #[test]
        fn it_is_a_vector_with_two_cursors(base in any::<u32>(), steps in proptest::collection::vec(step(), 0..60)) {
            let (mut queue, mut pool, mut model) = (SendQueue::new(Seq(base)), Pool::default(), Model::default());
            for step in steps {
                match step {
                    Step::Copy(n) => queue.push_copy(&model.write(n), &mut pool),
                    Step::Chunk(n) => queue.push_chunk(model.write(n).into(), &mut pool),
                    Step::Commit(n) => {
                        let n = n.min(queue.reserve(n, &mut pool).len());
                        let data = model.write(n);
                        queue.reserve(n, &mut pool)[..n].copy_from_slice(&data);
                        queue.commit(n, &mut pool);
                    }
                    Step::Next(n) => {
                        let n = n.min(model.bytes.len() - model.next);
                        prop_assert_eq!(queue.read_next(n).to_vec(), &model.bytes[model.next..model.next + n]);
                        model.next += n;
                    }
                    Step::Again(at, n) => {
                        let at = at.min(model.next);
                        let n = n.min(model.next - at);
                        let read = queue.read_again(queue.base + at as u32, n).to_vec();
                        prop_assert_eq!(read, &model.bytes[at..at + n]);
                    }
                    Step::Acknowledge(n) => {
                        let n = n.min(model.next);
                        queue.acknowledge(n, &mut pool);
                        model.bytes.drain(..n);
                        model.next -= n;
                    }
                }
                prop_assert_eq!(queue.len(), model.bytes.len());
                prop_assert_eq!(queue.next_seq().diff(queue.base) as usize, model.next);
            }
        }
    }
}
