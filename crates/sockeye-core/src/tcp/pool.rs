//! The host's store of send chunks, shared by its connections so that an idle one holds none.
//!
//! Out: large chunks of initialised memory for `send_reserve`, and small ones in which little writes
//! coalesce. In: chunks that are done with. A large chunk that segments still refer to is kept as a handle on
//! the whole of it ([`Pool::lend`]) and comes back, still initialised, once the last of them is gone.

use super::rate::Sampler;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

/// Chunks that wait to be used again.
#[derive(Debug, Default)]
pub struct Pool {
    large: Vec<BytesMut>,
    small: Vec<BytesMut>,
    lent: VecDeque<Bytes>,
    /// Boxes, since they move from connection to connection.
    #[allow(clippy::vec_box)]
    pub(super) samplers: Vec<Box<Sampler>>,
}

impl Pool {
    /// A chunk of [`LARGE_LEN`] initialised bytes.
    pub(super) fn take_large(&mut self) -> BytesMut {
        if let Some(chunk) = self.large.pop() {
            return chunk;
        }
        for _ in 0..self.lent.len().min(LENT_LOOKED_AT) {
            let Some(whole) = self.lent.pop_front() else { break };
            match whole.try_into_mut() {
                Ok(chunk) => return chunk,
                Err(whole) => self.lent.push_back(whole),
            }
        }
        BytesMut::zeroed(LARGE_LEN)
    }

    /// Takes a large chunk back that nobody else refers to.
    pub(super) fn give_large(&mut self, chunk: BytesMut) {
        if chunk.len() == LARGE_LEN && self.large.len() < LARGE_KEPT {
            self.large.push(chunk);
        }
    }

    /// Keeps a handle on a large chunk until its readers are gone.
    pub(super) fn lend(&mut self, whole: Bytes) {
        if whole.len() == LARGE_LEN && self.lent.len() < LENT_KEPT {
            self.lent.push_back(whole);
        }
    }

    /// An empty chunk with room for `n` bytes, [`SMALL_LEN`] at most.
    pub(super) fn take_small(&mut self, n: usize) -> BytesMut {
        let Some(mut chunk) = self.small.pop() else { return BytesMut::with_capacity(SMALL_LEN) };
        let fits = chunk.capacity() >= n || chunk.try_reclaim(SMALL_LEN);
        if fits { chunk } else { BytesMut::with_capacity(SMALL_LEN) }
    }

    /// Takes a small chunk back, whose bytes are done with. Segments may still refer to some of it: only what
    /// is behind them is used, until they are gone.
    pub(super) fn give_small(&mut self, mut chunk: BytesMut) {
        chunk.clear();
        if self.small.len() < SMALL_KEPT {
            self.small.push(chunk);
        }
    }
}

/// The size of a large chunk: one read of a carrier, one super-segment.
pub(super) const LARGE_LEN: usize = 64 << 10;
/// The size of a small chunk.
pub(super) const SMALL_LEN: usize = 4 << 10;
const LARGE_KEPT: usize = 16;
const SMALL_KEPT: usize = 64;
const LENT_KEPT: usize = 128;
const LENT_LOOKED_AT: usize = 4;
