//! What a link does to packets beside carrying them: loss, duplication, reordering, jitter.
//!
//! In: one packet at a time. Out: its fate, drawn from the generator of one direction, so that a seed gives the
//! same fates in every run. It holds no packets and knows no time.

use core::time::Duration;
use sockeye_core::rng::Rng;

/// How bad one direction is. Probabilities are in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Impairment {
    pub loss_ppm: u32,
    pub duplicate_ppm: u32,
    /// Such packets do not wait for the delay: they overtake others.
    pub reorder_ppm: u32,
    /// Each packet is late by up to so much more.
    pub jitter: Duration,
}

/// What happens to one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub lost: bool,
    pub duplicated: bool,
    pub overtakes: bool,
    pub late: Duration,
}

/// The draws of one direction.
#[derive(Clone, Debug)]
pub struct Draws {
    rng: Rng,
}

impl Draws {
    /// The fates that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed) }
    }

    /// The next packet's fate. Every packet takes the same number of draws, whatever comes of them.
    pub fn next(&mut self, how: &Impairment) -> Fate {
        let mut happens = |ppm: u32| self.rng.below(MILLION) < ppm;
        let (lost, duplicated, overtakes) =
            (happens(how.loss_ppm), happens(how.duplicate_ppm), happens(how.reorder_ppm));
        let part = u64::from(self.rng.next_u32());
        let jitter_ns = u64::try_from(how.jitter.as_nanos()).unwrap_or(u64::MAX);
        let late_ns = ((u128::from(jitter_ns) * u128::from(part)) >> 32) as u64;
        Fate { lost, duplicated, overtakes, late: Duration::from_nanos(late_ns) }
    }
}

const MILLION: u32 = 1_000_000;
