//! One direction of a link: a queue in front of a rate, a delay behind it.
//!
//! In: packets with their sizes, at the time they are sent. Out: packets at the time they arrive, and when that
//! is next. It carries anything that is given a size, one packet of the wire at a time: super-segments are cut
//! before. It reads no clock.
//!
//! ```text
//!    send --[ partition, loss, duplicate ]--[ queue ]--( rate )--[ delay, jitter, reorder ]-- receive
//! ```

use crate::impair::{Draws, Fate, Impairment};
use alloc::collections::VecDeque;
use core::time::Duration;
use sockeye_core::Instant;

/// What a direction is like; the default is ideal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Bits per second; none is as fast as you like.
    pub rate_bps: Option<u64>,
    /// From the end of sending to arrival.
    pub delay: Duration,
    /// Bytes that wait for the rate, the packet being sent with them; more are dropped, but a packet alone never is.
    /// None is no bound.
    pub queue_bytes: Option<u64>,
    pub impairment: Impairment,
}

impl Path {
    /// Whether packets arrive as they were sent, at once.
    pub fn is_ideal(&self) -> bool {
        *self == Self::default()
    }
}

/// What became of the packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub carried: u64,
    pub lost: u64,
    pub duplicated: u64,
    /// Dropped: the queue was full.
    pub overflowed: u64,
    /// Dropped: the link was cut.
    pub partitioned: u64,
}

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on its way and arrives then; twice if its fate says so.
    Arrives(Instant),
    Lost,
    /// The queue had no room: so many bytes waited.
    Overflowed(u64),
    /// The link is cut.
    Partitioned,
}

/// One direction.
#[derive(Debug)]
pub struct Direction<T> {
    path: Path,
    draws: Draws,
    /// By time of arrival.
    under_way: VecDeque<(Instant, T)>,
    /// When what was accepted so far has been sent.
    free_at: Instant,
    partitioned: bool,
    counts: Counts,
}

impl<T: Clone> Direction<T> {
    /// A direction whose every draw follows from `seed`.
    pub fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            draws: Draws::new(seed),
            under_way: VecDeque::new(),
            free_at: Instant::ZERO,
            partitioned: false,
            counts: Counts::default(),
        }
    }

    /// Whether packets pass as if it were not there.
    pub fn is_ideal(&self) -> bool {
        self.path.is_ideal() && !self.partitioned && self.under_way.is_empty()
    }

    /// What it is like.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it another from now on; what is under way stays so.
    pub fn set_path(&mut self, path: Path) {
        self.path = path;
    }

    /// Cuts it, or mends it; what is under way still arrives.
    pub fn set_partitioned(&mut self, partitioned: bool) {
        self.partitioned = partitioned;
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Draws the fate of the packet that `identity` stands for.
    pub fn draw(&mut self, identity: u64) -> Fate {
        self.draws.of(&self.path.impairment, identity)
    }

    /// A packet of so many bytes enters; its fate follows from its place in the order.
    pub fn send(&mut self, packet: T, bytes: usize, now: Instant) -> Outcome {
        let fate = self.draws.next(&self.path.impairment);
        self.send_to(fate, packet, bytes, now)
    }

    /// A packet of so many bytes enters and meets `fate`. Corruption is the caller's, who knows the bytes.
    pub fn send_to(&mut self, fate: Fate, packet: T, bytes: usize, now: Instant) -> Outcome {
        if self.partitioned {
            self.counts.partitioned += 1;
            return Outcome::Partitioned;
        }
        if fate.lost {
            self.counts.lost += 1;
            return Outcome::Lost;
        }
        let sent_at = match self.queue(bytes as u64, now) {
            Ok(sent_at) => sent_at,
            Err(waiting) => {
                self.counts.overflowed += 1;
                return Outcome::Overflowed(waiting);
            }
        };
        let arrives = if fate.overtakes { sent_at } else { sent_at + self.path.delay + fate.late };
        if fate.duplicated {
            self.counts.duplicated += 1;
            self.insert(arrives, packet.clone());
        }
        self.insert(arrives, packet);
        Outcome::Arrives(arrives)
    }

    /// When [`Direction::receive`] will next have something.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    /// What has arrived by `now`, in order; called until none.
    pub fn receive(&mut self, now: Instant) -> Option<T> {
        if self.next_deadline()? > now {
            return None;
        }
        self.counts.carried += 1;
        self.under_way.pop_front().map(|(_, packet)| packet)
    }

    /// Waits for the rate; says when the packet has been sent, or how full the full queue is.
    fn queue(&mut self, bytes: u64, now: Instant) -> Result<Instant, u64> {
        let Some(rate_bps) = self.path.rate_bps else { return Ok(now) };
        let waiting_ns = self.free_at.0.saturating_sub(now.0);
        let waiting = (u128::from(waiting_ns) * u128::from(rate_bps) / BIT_NS_PER_BYTE_S) as u64;
        if waiting > 0 && self.path.queue_bytes.is_some_and(|most| waiting + bytes > most) {
            return Err(waiting);
        }
        let takes_ns = u128::from(bytes) * BIT_NS_PER_BYTE_S / u128::from(rate_bps.max(1));
        self.free_at = self.free_at.max(now) + Duration::from_nanos(takes_ns as u64);
        Ok(self.free_at)
    }

    /// Almost always the last to arrive: one step.
    fn insert(&mut self, at: Instant, packet: T) {
        let behind = self.under_way.iter().rev().take_while(|(other, _)| *other > at).count();
        self.under_way.insert(self.under_way.len() - behind, (at, packet));
    }
}

/// Bits of a byte times nanoseconds of a second.
const BIT_NS_PER_BYTE_S: u128 = 8_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn arrivals(link: &mut Direction<u32>) -> Vec<(u64, u32)> {
        let mut all = Vec::new();
        while let Some(at) = link.next_deadline() {
            all.push((at.0, link.receive(at).unwrap()));
        }
        all
    }

    #[test]
    fn a_rate_spaces_packets_and_a_full_queue_drops() {
        let path = Path {
            rate_bps: Some(8_000_000),
            delay: Duration::from_millis(5),
            queue_bytes: Some(3000),
            ..Path::default()
        };
        let mut link = Direction::new(path, 1);
        (0..5).for_each(|n| _ = link.send(n, 1000, Instant::ZERO));
        assert_eq!(arrivals(&mut link), [(6_000_000, 0), (7_000_000, 1), (8_000_000, 2)]);
        assert_eq!(link.counts(), Counts { carried: 3, overflowed: 2, ..Counts::default() });
    }

    #[test]
    fn a_cut_direction_carries_nothing() {
        let mut link = Direction::new(Path::default(), 1);
        link.set_partitioned(true);
        assert_eq!(link.send(1, 100, Instant::ZERO), Outcome::Partitioned);
        link.set_partitioned(false);
        assert_eq!(link.send(2, 100, Instant::ZERO), Outcome::Arrives(Instant::ZERO));
        assert_eq!(arrivals(&mut link), [(0, 2)]);
    }

    #[test]
    fn a_seed_gives_the_same_fates_and_the_rates_asked_for() {
        let impairment = Impairment {
            loss_ppm: 10_000,
            duplicate_ppm: 20_000,
            reorder_ppm: 50_000,
            jitter: Duration::from_millis(1),
            ..Impairment::default()
        };
        let path = Path { delay: Duration::from_millis(5), impairment, ..Path::default() };
        let run = |seed| {
            let mut link = Direction::new(path, seed);
            (0..100_000).for_each(|n| _ = link.send(n, 1500, Instant(u64::from(n) * 100_000)));
            (arrivals(&mut link), link.counts())
        };
        let (first, counts) = run(7);
        assert_eq!(first, run(7).0);
        assert_ne!(first, run(8).0);
        assert!((900..1100).contains(&counts.lost), "{counts:?}");
        assert!((1800..2200).contains(&counts.duplicated), "{counts:?}");
        assert!(first.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(first.windows(2).any(|pair| pair[0].1 > pair[1].1), "some overtake others");
    }
}
