//! Reno (RFC 5681): slow start and congestion avoidance with appropriate byte counting (RFC 3465).

use super::{Ack, slow_start};

/// What it remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Reno {
    /// Bytes acknowledged since congestion avoidance last grew the window.
    counted: u32,
}

impl Reno {
    pub(super) fn acknowledged(&mut self, window: &mut u32, threshold: u32, ack: &Ack) {
        if *window < threshold {
            slow_start(window, threshold, ack.bytes, ack.mss);
            return;
        }
        self.counted = self.counted.saturating_add(ack.bytes);
        if self.counted >= *window {
            self.counted -= *window;
            *window = window.saturating_add(ack.mss);
        }
    }

    /// The new threshold: RFC 5681, equation 4, with the window in place of the flight as on Linux. The window
    /// does not grow beyond what is used.
    pub(super) fn lost(&mut self, window: u32) -> u32 {
        self.counted = 0;
        window / 2
    }
}
