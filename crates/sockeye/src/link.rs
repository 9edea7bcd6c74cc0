//! What a link is like, in the words of tc(8).

use sockeye_lab::impair::{Burst, Impairment};
use sockeye_lab::link::Path;
use std::time::Duration;

/// One link, the same in both directions; by default it is ideal: nothing is lost, and nothing takes time.
///
/// ```
/// use sockeye::Link;
/// use std::time::Duration;
/// let dsl = Link::new().delay(Duration::from_millis(15)).rate_bps(16_000_000).queue_bytes(64_000).loss(0.001);
/// # let _ = dsl;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    pub(crate) path: Path,
    pub(crate) mtu: u32,
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl Link {
    /// An ideal link with an MTU of 1500 bytes.
    pub fn new() -> Self {
        Self { path: Path::default(), mtu: 1500 }
    }

    /// From the end of sending to arrival.
    pub fn delay(self, delay: Duration) -> Self {
        self.with(|path| path.delay = delay)
    }

    /// Bits per second.
    pub fn rate_bps(self, rate_bps: u64) -> Self {
        self.with(|path| path.rate_bps = Some(rate_bps))
    }

    /// Bytes that may wait for the rate; more are dropped. Without it there is no bound.
    pub fn queue_bytes(self, queue_bytes: u64) -> Self {
        self.with(|path| path.queue_bytes = Some(queue_bytes))
    }

    /// The share of packets that are lost: 0.01 is 1 %.
    pub fn loss(self, share: f64) -> Self {
        self.impaired(|how| how.loss_ppm = ppm(share))
    }

    /// Losses that come together: the shares of packets at which a burst begins and ends (a Gilbert model).
    pub fn burst_loss(self, begin: f64, end: f64) -> Self {
        self.impaired(|how| how.burst = Some(Burst { begin_ppm: ppm(begin), end_ppm: ppm(end) }))
    }

    /// The share of packets that arrive twice.
    pub fn duplicate(self, share: f64) -> Self {
        self.impaired(|how| how.duplicate_ppm = ppm(share))
    }

    /// The share of packets that do not wait for the delay, and so overtake others.
    pub fn reorder(self, share: f64) -> Self {
        self.impaired(|how| how.reorder_ppm = ppm(share))
    }

    /// The share of packets in which one bit is turned round.
    pub fn corrupt(self, share: f64) -> Self {
        self.impaired(|how| how.corrupt_ppm = ppm(share))
    }

    /// Each packet is late by up to so much more.
    pub fn jitter(self, jitter: Duration) -> Self {
        self.impaired(|how| how.jitter = jitter)
    }

    /// Largest IP packet, in bytes, at least 1280. A link under way keeps the one it was made with.
    pub fn mtu(mut self, mtu: u32) -> Self {
        self.mtu = mtu.max(1280);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Path)) -> Self {
        change(&mut self.path);
        self
    }

    fn impaired(self, change: impl FnOnce(&mut Impairment)) -> Self {
        self.with(|path| change(&mut path.impairment))
    }
}

/// A share in millionths; below zero is none, above one is all.
fn ppm(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u32
}
