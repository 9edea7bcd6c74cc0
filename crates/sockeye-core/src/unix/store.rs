//! Memory of messages that were read, for those to come: the longest pieces of a stream are beyond what an allocator keeps at
//! hand, and would be given back to the system and taken anew with each.

use super::charge::PIECE_MAX;
use alloc::vec::Vec;

/// Memory that waits to be used again.
#[derive(Debug, Default)]
pub(super) struct Store {
    free: Vec<Vec<u8>>,
}

impl Store {
    /// A copy of these bytes.
    pub(super) fn copy(&mut self, data: &[u8]) -> Vec<u8> {
        if !(KEPT_LEN_MIN..=PIECE_MAX).contains(&data.len()) {
            return data.to_vec();
        }
        let mut memory = self.free.pop().unwrap_or_else(|| Vec::with_capacity(PIECE_MAX));
        memory.clear();
        memory.extend_from_slice(data);
        memory
    }

    /// Takes memory back.
    pub(super) fn give(&mut self, memory: Vec<u8>) {
        if memory.capacity() == PIECE_MAX && self.free.len() < KEPT_MAX {
            self.free.push(memory);
        }
    }
}

/// Shorter messages get just what they need.
const KEPT_LEN_MIN: usize = 8 * 1024;
/// Half a megabyte for each host that had so many pieces at once.
const KEPT_MAX: usize = 16;
