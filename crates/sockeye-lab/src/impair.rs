//! What a link does to packets beside carrying them: loss, duplication, reordering, corruption, jitter.
//!
//! In: who a packet is (a number, see [`crate::identity`]), or just the next one. Out: its [`Fate`], drawn from a
//! generator that starts anew for each packet from the seed and that number: the same packet meets the same fate in
//! every run, whatever was sent before it. Only burst loss has a memory. It holds no packets and knows no time.

use core::time::Duration;
use sockeye_core::rng::Rng;

/// How bad one direction is. Probabilities are in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Impairment {
    pub loss_ppm: u32,
    /// Losses that come together, beside the single ones.
    pub burst: Option<Burst>,
    pub duplicate_ppm: u32,
    /// Such packets do not wait for the delay: they overtake others.
    pub reorder_ppm: u32,
    /// One bit is turned round.
    pub corrupt_ppm: u32,
    /// Each packet is late by up to so much more.
    pub jitter: Duration,
}

/// A Gilbert model: packets are lost from when a burst begins until it ends. Probabilities a packet, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    pub begin_ppm: u32,
    pub end_ppm: u32,
}

/// What happens to one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    pub lost: bool,
    /// It was lost in a burst.
    pub in_burst: bool,
    pub duplicated: bool,
    pub overtakes: bool,
    /// Which bit is turned round: this number, modulo how many the packet has.
    pub corrupted: Option<u32>,
    pub late: Duration,
    /// What was drawn for the loss, below a million: lost where it is below [`Impairment::loss_ppm`].
    pub loss_draw: u32,
}

/// The draws of one direction.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: u64,
    /// Packets that came without a number of their own.
    anonymous: u64,
    in_burst: bool,
}

impl Draws {
    /// The fates that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed: mix(seed), anonymous: 0, in_burst: false }
    }

    /// The next packet's fate, by its place in the order.
    pub fn next(&mut self, how: &Impairment) -> Fate {
        self.anonymous += 1;
        self.of(how, self.anonymous)
    }

    /// The fate of the packet that `identity` stands for.
    pub fn of(&mut self, how: &Impairment, identity: u64) -> Fate {
        if *how == Impairment::default() {
            return Fate::default();
        }
        let mut rng = Rng::new(self.seed ^ mix(identity));
        // Every rule draws, whether it is on or not: switching one on leaves the others' draws as they were.
        let loss_draw = rng.below(MILLION);
        let [duplicate, reorder, corrupt, burst] = [(); 4].map(|()| rng.below(MILLION));
        let (late, bit) = (u64::from(rng.next_u32()), rng.next_u32());
        if let Some(how) = how.burst {
            self.in_burst = if self.in_burst { burst >= how.end_ppm } else { burst < how.begin_ppm };
        }
        let jitter_ns = u64::try_from(how.jitter.as_nanos()).unwrap_or(u64::MAX);
        let late_ns = ((u128::from(jitter_ns) * u128::from(late)) >> 32) as u64;
        Fate {
            lost: self.in_burst || loss_draw < how.loss_ppm,
            in_burst: self.in_burst,
            duplicated: duplicate < how.duplicate_ppm,
            overtakes: reorder < how.reorder_ppm,
            corrupted: (corrupt < how.corrupt_ppm).then_some(bit),
            late: Duration::from_nanos(late_ns),
            loss_draw,
        }
    }
}

const MILLION: u32 = 1_000_000;

/// Spreads a number over all 64 bits (the finaliser of SplitMix64).
pub(crate) fn mix(mut n: u64) -> u64 {
    n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_s_fate_does_not_hang_on_others() {
        let how = Impairment { loss_ppm: 500_000, duplicate_ppm: 500_000, ..Impairment::default() };
        let alone = Draws::new(3).of(&how, 77);
        let mut draws = Draws::new(3);
        (0..77).for_each(|n| _ = draws.of(&how, n));
        assert_eq!(draws.of(&how, 77), alone);
        let without = Impairment { duplicate_ppm: 0, ..how };
        assert_eq!(Draws::new(3).of(&without, 77).lost, alone.lost);
    }

    #[test]
    fn bursts_have_the_length_asked_for() {
        let burst = Some(Burst { begin_ppm: 1_000, end_ppm: 200_000 });
        let how = Impairment { burst, ..Impairment::default() };
        let mut draws = Draws::new(5);
        let (mut lost, mut bursts, mut before) = (0u32, 0u32, false);
        for _ in 0..1_000_000 {
            let fate = draws.next(&how);
            lost += u32::from(fate.lost);
            bursts += u32::from(fate.lost && !before);
            before = fate.lost;
        }
        assert!((900..1100).contains(&bursts), "{bursts} bursts");
        let length = f64::from(lost) / f64::from(bursts);
        assert!((4.5..5.5).contains(&length), "{length} packets a burst");
    }
}
