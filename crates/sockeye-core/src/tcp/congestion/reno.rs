//! Reno (RFC 5681): slow start and congestion avoidance with appropriate byte counting (RFC 3465).

use super::Control;

/// Its window.
#[derive(Clone, Debug)]
pub(in crate::tcp) struct Reno {
    window: u32,
    threshold: u32,
    /// Bytes acknowledged since congestion avoidance last grew the window.
    counted: u32,
}

impl Reno {
    pub(super) fn new(initial: u32) -> Self {
        Self { window: initial, threshold: u32::MAX, counted: 0 }
    }

    /// RFC 5681, equation 4.
    fn halve(&mut self, flight: u32, mss: u32) {
        self.threshold = (flight / 2).max(2 * mss);
        self.counted = 0;
    }
}

impl Control for Reno {
    fn window(&self) -> u32 {
        self.window
    }

    fn threshold(&self) -> u32 {
        self.threshold
    }

    fn acknowledged(&mut self, bytes: u32, mss: u32) {
        if self.window < self.threshold {
            // Linux counts every acknowledged byte in slow start, bounded by the threshold.
            self.window = self.window.saturating_add(bytes).min(self.threshold.max(mss));
            return;
        }
        self.counted = self.counted.saturating_add(bytes);
        if self.counted >= self.window {
            self.counted -= self.window;
            self.window = self.window.saturating_add(mss);
        }
    }

    fn lost(&mut self, flight: u32, mss: u32) {
        self.halve(flight, mss);
        self.window = self.threshold;
    }

    fn timed_out(&mut self, flight: u32, mss: u32, first: bool) {
        if first {
            self.halve(flight, mss);
        }
        self.window = mss;
    }

    fn set_window(&mut self, bytes: u32) {
        self.window = bytes;
    }

    fn set_initial(&mut self, bytes: u32) {
        self.window = bytes;
    }
}
