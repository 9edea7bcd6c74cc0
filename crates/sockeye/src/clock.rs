//! The machine's monotonic clock as the engine counts it.

use sockeye_core::Instant;
use std::time;

/// Nanoseconds since the clock was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: time::Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// Starts at one second, so that no time is ever before the engine's origin.
    pub fn new() -> Self {
        Self { origin: time::Instant::now() }
    }

    /// The time now. One reading per batch of work.
    pub fn now(&self) -> Instant {
        const START_NS: u64 = 1_000_000_000;
        Instant(START_NS + u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX - START_NS))
    }
}
