//! CUBIC (RFC 9438), the default as on Linux, with HyStart++ in its slow start.
//!
//! The window is a function of the time since the last loss: fast back to where the loss was, slow around it,
//! then fast in search of more. It never does worse than Reno would.

use super::hystart::{HyStart, Pace, SLOW_DIVISOR};
use super::{Ack, slow_start};

/// Windows in bytes, as fractions, so that no small step is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic {
    /// The window before the last reduction, or less (fast convergence, RFC 9438, 4.7).
    max: f64,
    /// The window before the last reduction (`cwnd_prior`).
    prior: f64,
    /// When congestion avoidance began, and what the window was then; not since the last loss when none.
    epoch: Option<Epoch>,
    /// Growth that is below a byte.
    fraction: f64,
    hystart: HyStart,
}

#[derive(Clone, Copy, Debug)]
struct Epoch {
    start_ns: u64,
    /// Seconds until the window is at `max` again.
    k: f64,
    /// What Reno's window would be (RFC 9438, 4.3).
    reno: f64,
}

impl Cubic {
    pub(super) fn acknowledged(&mut self, window: &mut u32, threshold: &mut u32, ack: &Ack) {
        if *window < *threshold {
            // HyStart++ is for the first slow start only: later ones know their threshold (RFC 9406, 4.3).
            let pace = if *threshold == u32::MAX { self.hystart.acknowledged(ack) } else { Pace::Fast };
            match pace {
                Pace::Fast => slow_start(window, *threshold, ack.bytes, ack.mss),
                Pace::Slow => slow_start(window, *threshold, ack.bytes / SLOW_DIVISOR, ack.mss),
                Pace::Over => *threshold = *window,
            }
            return;
        }
        let now = f64::from(*window);
        let epoch = self.epoch.get_or_insert_with(|| Epoch::new(now, &mut self.max, ack));
        let grown = epoch.grow(now, self.max, self.prior, ack) + self.fraction;
        *window = window.saturating_add(grown as u32);
        self.fraction = grown - f64::from(grown as u32);
    }

    /// The new threshold (RFC 9438, 4.6 and 4.7).
    pub(super) fn lost(&mut self, window: u32) -> u32 {
        let now = f64::from(window);
        self.max = if now < self.max { now * (1.0 + BETA) / 2.0 } else { now };
        self.prior = now;
        self.epoch = None;
        self.fraction = 0.0;
        (now * BETA) as u32
    }

    /// RFC 9438, 5.8: time without data in flight does not count.
    pub(super) fn idle(&mut self, ns: u64) {
        if let Some(epoch) = &mut self.epoch {
            epoch.start_ns += ns;
        }
    }
}

impl Epoch {
    fn new(window: f64, max: &mut f64, ack: &Ack) -> Self {
        // RFC 9438, 4.10: slow start ended without a loss.
        if *max < window {
            *max = window;
        }
        let k = cube_root((*max - window) / (C * f64::from(ack.mss)));
        Self { start_ns: ack.now_ns, k, reno: window }
    }

    /// By how many bytes the window grows.
    fn grow(&mut self, window: f64, max: f64, prior: f64, ack: &Ack) -> f64 {
        let (mss, bytes) = (f64::from(ack.mss), f64::from(ack.bytes));
        let t = seconds(ack.now_ns.saturating_sub(self.start_ns));
        // RFC 9438, 4.3: from where the last loss was on, Reno grows by a whole segment.
        let alpha = if self.reno < prior { ALPHA } else { 1.0 };
        self.reno += alpha * mss * bytes / window;
        let at = |t: f64| {
            let d = t - self.k;
            C * d * d * d * mss + max
        };
        if at(t) < self.reno {
            return (self.reno - window).max(0.0).min(bytes);
        }
        // RFC 9438, 4.2: never more than half of the window in a round trip.
        let target = at(t + seconds(ack.srtt_ns)).clamp(window, 1.5 * window);
        (target - window) / window * bytes
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// Newton's iteration from above, for numbers that are not negative.
fn cube_root(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mut root = x.max(1.0);
    for _ in 0..128 {
        let next = (2.0 * root + x / (root * root)) / 3.0;
        if next >= root {
            break;
        }
        root = next;
    }
    root
}

/// RFC 9438, 4.1 and 4.6.
const C: f64 = 0.4;
const BETA: f64 = 0.7;
/// RFC 9438, 4.3: 3 (1 - beta) / (1 + beta).
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tcp::Seq;

    #[test]
    fn cube_roots_are_right() {
        for x in [0.0, 1e-6, 0.5, 1.0, 8.0, 27.0, 1e6, 1e15] {
            let root = cube_root(x);
            assert!((root * root * root - x).abs() <= 1e-9 * x.max(1.0), "{x}: {root}");
        }
    }

    /// After a loss at 1000 segments the window is there again after K = cbrt(1000 x 0.3 / 0.4) = 9.09 s.
    #[test]
    fn the_window_comes_back_to_where_the_loss_was() {
        let (mut cubic, mss) = (Cubic::default(), 1000);
        let mut window = 1_000_000;
        let mut threshold = cubic.lost(window);
        window = threshold;
        assert_eq!(window, 700_000);
        let mut at = [0; 200];
        for (tenth, seen) in at.iter_mut().enumerate() {
            // A round trip of 100 ms, acknowledged at once.
            let ack = Ack {
                now_ns: tenth as u64 * 100_000_000,
                bytes: window,
                rtt_ns: None,
                srtt_ns: 100_000_000,
                una: Seq(0),
                nxt: Seq(0),
                mss,
            };
            cubic.acknowledged(&mut window, &mut threshold, &ack);
            *seen = window;
        }
        assert!(at[40] > 900_000 && at[40] < 960_000, "{}", at[40]);
        assert!(at[90].abs_diff(1_000_000) < 2000, "{}", at[90]);
        assert!(at[140] > 1_040_000 && at[140] < 1_060_000, "{}", at[140]);
    }
}
