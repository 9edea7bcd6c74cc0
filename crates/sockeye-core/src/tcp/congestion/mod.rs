//! Congestion control: how much may be in flight.
//!
//! In: what loss recovery (`recover`) has found out. Out: the congestion window and the slow start threshold,
//! in bytes. The algorithms know neither queues nor what is lost; how the window shrinks during a recovery is
//! not theirs either (`recover/reduce`).

mod cubic;
mod hystart;
mod reno;

use super::Congestion;
use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use cubic::Cubic;
use reno::Reno;

/// An acknowledgement of new data, as an algorithm sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack {
    pub(super) now_ns: u64,
    /// How many bytes have newly arrived.
    pub(super) bytes: u32,
    /// The round trip that it measured.
    pub(super) rtt_ns: Option<u64>,
    /// The estimate; zero until something was measured.
    pub(super) srtt_ns: u64,
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    pub(super) mss: u32,
}

/// One connection's window and who steers it.
#[derive(Clone, Debug)]
pub(super) struct Window {
    bytes: u32,
    threshold: u32,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Reno(Reno),
    /// Its state comes with the first growth: most connections never need any.
    Cubic(Option<Box<Cubic>>),
}

impl Window {
    pub(super) fn new(algorithm: Congestion) -> Self {
        Self { bytes: 0, threshold: u32::MAX, algorithm: Algorithm::new(algorithm) }
    }

    /// The congestion window.
    pub(super) fn window(&self) -> u32 {
        self.bytes
    }

    /// The slow start threshold.
    pub(super) fn threshold(&self) -> u32 {
        self.threshold
    }

    /// New data arrived while the window was what limited the sender, outside of a recovery by reduction.
    pub(super) fn acknowledged(&mut self, ack: &Ack) {
        let Self { bytes, threshold, algorithm } = self;
        match algorithm {
            Algorithm::Reno(reno) => reno.acknowledged(bytes, *threshold, ack),
            Algorithm::Cubic(cubic) => {
                cubic.get_or_insert_default().acknowledged(bytes, threshold, ack);
            }
        }
    }

    /// Data was lost: the threshold falls; the window follows as `recover` leads it (RFC 5681, 3.1).
    pub(super) fn lost(&mut self, mss: u32) {
        self.threshold = match &mut self.algorithm {
            Algorithm::Reno(reno) => reno.lost(self.bytes),
            Algorithm::Cubic(cubic) => cubic.get_or_insert_default().lost(self.bytes),
        }
        .max(2 * mss);
    }

    /// Recovery sets the window itself.
    pub(super) fn set_window(&mut self, bytes: u32) {
        self.bytes = bytes;
    }

    /// The sender was idle for so long: growth by the clock stands still meanwhile.
    pub(super) fn idle(&mut self, ns: u64) {
        if let Algorithm::Cubic(Some(cubic)) = &mut self.algorithm {
            cubic.idle(ns);
        }
    }

    /// `TCP_CONGESTION`, at any time: the window stays.
    pub(super) fn choose(&mut self, algorithm: Congestion) {
        let chosen = match self.algorithm {
            Algorithm::Reno(_) => Congestion::Reno,
            Algorithm::Cubic(_) => Congestion::Cubic,
        };
        if chosen != algorithm {
            self.algorithm = Algorithm::new(algorithm);
        }
    }
}

impl Algorithm {
    fn new(algorithm: Congestion) -> Self {
        match algorithm {
            Congestion::Reno => Self::Reno(Reno::default()),
            Congestion::Cubic => Self::Cubic(None),
        }
    }
}

/// Slow start (RFC 5681, 3.1): Linux counts every byte that has arrived, up to the threshold.
fn slow_start(window: &mut u32, threshold: u32, bytes: u32, mss: u32) {
    *window = window.saturating_add(bytes).min(threshold.max(mss));
}
