//! HyStart++ (RFC 9406): slow start ends when the round-trip time grows, before packets are lost.
//!
//! In: acknowledgements with their round-trip times. Out: how fast the window grows, and whether slow start is
//! over. A first sign makes the growth slower (conservative slow start); it ends slow start after some rounds
//! unless it turns out to have been noise.

use super::Ack;
use crate::wire::tcp::Seq;

/// The rounds of one slow start; round trips in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct HyStart {
    /// The round ends when this is acknowledged.
    round_end: Option<Seq>,
    least_before_ns: u64,
    least_ns: u64,
    samples: u8,
    /// Rounds of conservative slow start, and the round trip that began it.
    slow_rounds: u8,
    baseline_ns: Option<u64>,
}

/// How slow start goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    Fast,
    /// A quarter of the growth.
    Slow,
    Over,
}

impl Default for HyStart {
    fn default() -> Self {
        Self {
            round_end: None,
            least_before_ns: u64::MAX,
            least_ns: u64::MAX,
            samples: 0,
            slow_rounds: 0,
            baseline_ns: None,
        }
    }
}

impl HyStart {
    /// RFC 9406, 4.2.
    pub(super) fn acknowledged(&mut self, ack: &Ack) -> Pace {
        if self.round_end.is_none_or(|end| end.le(ack.una)) && self.begins_round(ack) {
            return Pace::Over;
        }
        if let Some(rtt_ns) = ack.rtt_ns {
            self.least_ns = self.least_ns.min(rtt_ns);
            self.samples = self.samples.saturating_add(1);
        }
        if self.samples >= SAMPLES {
            self.compare();
        }
        if self.baseline_ns.is_some() { Pace::Slow } else { Pace::Fast }
    }

    /// A new round; says whether slow start is over with the last one.
    fn begins_round(&mut self, ack: &Ack) -> bool {
        if self.baseline_ns.is_some() {
            self.slow_rounds += 1;
            if self.slow_rounds >= SLOW_ROUNDS {
                return true;
            }
        }
        self.round_end = Some(ack.nxt);
        self.least_before_ns = self.least_ns;
        (self.least_ns, self.samples) = (u64::MAX, 0);
        false
    }

    fn compare(&mut self) {
        match self.baseline_ns {
            Some(baseline) if self.least_ns < baseline => (self.baseline_ns, self.slow_rounds) = (None, 0),
            Some(_) => {}
            None if self.least_before_ns != u64::MAX => {
                let more = (self.least_before_ns / 8).clamp(MORE_MIN_NS, MORE_MAX_NS);
                if self.least_ns >= self.least_before_ns + more {
                    (self.baseline_ns, self.slow_rounds) = (Some(self.least_ns), 0);
                }
            }
            None => {}
        }
    }
}

/// RFC 9406, 4.3.
const MORE_MIN_NS: u64 = 4_000_000;
const MORE_MAX_NS: u64 = 16_000_000;
const SAMPLES: u8 = 8;
const SLOW_ROUNDS: u8 = 5;
/// By how much conservative slow start divides the growth.
pub(super) const SLOW_DIVISOR: u32 = 4;
