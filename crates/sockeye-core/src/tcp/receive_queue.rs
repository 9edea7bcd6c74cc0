//! The receive buffer: bytes in order that the program has not taken.
//!
//! In: payloads in sequence. Out: slices, copies. Large slices are kept by reference; small ones are copied
//! together, so that they do not pin the chunk of whoever sent them.

use super::pool::{Pool, SMALL_LEN};
use crate::packet::Payload;
use alloc::collections::VecDeque;
use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

/// Bytes in order.
#[derive(Debug, Default)]
pub(super) struct ReceiveQueue {
    pieces: VecDeque<Bytes>,
    /// Small arrivals behind the last piece.
    tail: BytesMut,
    len: usize,
}

impl ReceiveQueue {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends a payload.
    pub(super) fn push(&mut self, payload: Payload, pool: &mut Pool) {
        self.len += payload.len();
        for slice in payload.into_slices() {
            if slice.len() <= COPY_MAX { self.push_copy(&slice, pool) } else { self.push_piece(slice) }
        }
    }

    /// What waits, in order: as many slices as fit without allocation.
    pub(super) fn slices(&self) -> SmallVec<[&[u8]; 8]> {
        let tail = Some(&self.tail[..]).filter(|tail| !tail.is_empty());
        self.pieces.iter().map(|piece| &piece[..]).chain(tail).take(8).collect()
    }

    /// Copies from the front without taking, behind the first `skip` bytes; says how many bytes.
    pub(super) fn peek(&self, mut skip: usize, mut buf: &mut [u8]) -> usize {
        let room = buf.len();
        for slice in self.pieces.iter().map(|piece| &piece[..]).chain([&self.tail[..]]) {
            let skipped = skip.min(slice.len());
            skip -= skipped;
            let slice = &slice[skipped..];
            let n = slice.len().min(buf.len());
            buf[..n].copy_from_slice(&slice[..n]);
            buf = &mut buf[n..];
            if buf.is_empty() {
                break;
            }
        }
        room - buf.len()
    }

    /// Drops the first `n` bytes.
    pub(super) fn consume(&mut self, n: usize, pool: &mut Pool) {
        assert!(n <= self.len, "what was received is consumed");
        self.len -= n;
        let mut left = n;
        while left > 0 {
            let Some(front) = self.pieces.front_mut() else {
                self.tail.advance(left);
                break;
            };
            if front.len() > left {
                front.advance(left);
                break;
            }
            left -= front.len();
            self.pieces.pop_front();
        }
        if self.len == 0 {
            self.release(pool);
        }
    }

    fn push_copy(&mut self, slice: &[u8], pool: &mut Pool) {
        if self.tail.capacity() - self.tail.len() < slice.len() {
            self.freeze_tail();
            if self.tail.capacity() == 0 || !self.tail.try_reclaim(SMALL_LEN) {
                self.tail = pool.take_small(slice.len());
            }
        }
        self.tail.extend_from_slice(slice);
    }

    fn push_piece(&mut self, piece: Bytes) {
        self.freeze_tail();
        self.pieces.push_back(piece);
    }

    fn freeze_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(self.tail.split().freeze());
        }
    }

    /// An idle connection holds no buffers.
    fn release(&mut self, pool: &mut Pool) {
        if self.tail.capacity() > 0 {
            pool.give_small(core::mem::take(&mut self.tail));
        }
        if self.pieces.capacity() > PIECES_KEPT {
            self.pieces = VecDeque::new();
        }
    }
}

/// Slices up to this size are copied together.
const COPY_MAX: usize = 512;
/// A list of pieces that grew past this is given back when it is empty.
const PIECES_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_vector(steps in proptest::collection::vec((0usize..3000, 0usize..4000), 0..40)) {
            let (mut queue, mut pool, mut model) = (ReceiveQueue::default(), Pool::default(), Vec::new());
            let mut fill = 0u8;
            for (arrives, taken) in steps {
                let data: Vec<u8> = (0..arrives).map(|_| { fill = fill.wrapping_add(1); fill }).collect();
                model.extend_from_slice(&data);
                queue.push(Bytes::from(data).into(), &mut pool);
                let mut buf = vec![0; taken];
                let n = queue.peek(0, &mut buf);
                prop_assert_eq!(n, taken.min(model.len()));
                prop_assert_eq!(&buf[..n], &model[..n]);
                let slices = queue.slices().concat();
                prop_assert_eq!(&slices[..], &model[..slices.len()]);
                queue.consume(n, &mut pool);
                model.drain(..n);
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
