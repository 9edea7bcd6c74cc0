//! The one source of randomness: a seeded generator handed in by the owner.
//!
//! It is a simulation generator, not a cipher. Values that an attacker must not guess (initial sequence
//! numbers, port offsets) come from keyed hashes whose keys are drawn here once; on a host with devices the
//! owner seeds from the operating system.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A generator whose whole future follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Sixty-four random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Thirty-two random bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number below `bound` (which is above zero).
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "a bound is above zero");
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }
}
