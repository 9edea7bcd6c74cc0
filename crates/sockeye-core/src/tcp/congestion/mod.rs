//! Congestion control: how much may be in flight.
//!
//! In: what loss recovery (`recover`) has found out. Out: the congestion window and the slow start threshold,
//! in bytes. The algorithms know neither queues nor what is lost; how the window shrinks during a recovery is
//! not theirs either (`recover/reduce`).

mod bbr;
mod cubic;
mod hystart;
mod reno;

use super::Congestion;
use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use bbr::Bbr;
pub(super) use bbr::Report;
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
    Bbr(Option<Box<Bbr>>),
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
            Algorithm::Bbr(_) => {}
        }
    }

    /// Data was lost: the threshold falls; the window follows as `recover` leads it (RFC 5681, 3.1).
    pub(super) fn lost(&mut self, mss: u32) {
        self.threshold = match &mut self.algorithm {
            Algorithm::Reno(reno) => reno.lost(self.bytes),
            Algorithm::Cubic(cubic) => cubic.get_or_insert_default().lost(self.bytes),
            Algorithm::Bbr(_) => return,
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

    /// Whether the algorithm steers window and rate by a model: then recovery leaves both alone.
    pub(super) fn is_model(&self) -> bool {
        matches!(self.algorithm, Algorithm::Bbr(_))
    }

    /// An acknowledgement, for an algorithm with a model; `srtt_ns` is zero until something was measured.
    pub(super) fn report(&mut self, report: &Report, srtt_ns: u64) {
        if let Algorithm::Bbr(bbr) = &mut self.algorithm {
            let bbr = bbr.get_or_insert_with(|| Box::new(Bbr::new(self.bytes, srtt_ns, report.now_ns)));
            bbr.acknowledged(&mut self.bytes, report);
        }
    }

    /// The rate that a model asks for, in bytes a second.
    pub(super) fn pacing_rate(&self) -> Option<u64> {
        match &self.algorithm {
            Algorithm::Bbr(Some(bbr)) => Some(bbr.pacing_rate()),
            _ => None,
        }
    }

    /// What a model says of itself (`TCP_CC_INFO`); zeros before the first acknowledgement.
    pub(super) fn info(&self) -> Option<[u32; 5]> {
        match &self.algorithm {
            Algorithm::Bbr(bbr) => Some(bbr.as_ref().map_or([0; 5], |bbr| bbr.info())),
            _ => None,
        }
    }

    /// Whether a model holds the sender back for its own reasons.
    pub(super) fn holds_back(&self) -> bool {
        matches!(&self.algorithm, Algorithm::Bbr(Some(bbr)) if bbr.probes_rtt())
    }

    /// A recovery is over: the window is what it was to fall to.
    pub(super) fn settle_at_threshold(&mut self) {
        if !self.is_model() {
            self.bytes = self.threshold;
        }
    }

    /// All in flight is taken for lost: `bytes` may be.
    pub(super) fn timed_out(&mut self, bytes: u32) {
        if let Algorithm::Bbr(Some(bbr)) = &mut self.algorithm {
            bbr.timed_out(self.bytes);
        }
        self.bytes = bytes;
    }

    /// What followed a timeout is over.
    pub(super) fn recovered(&mut self) {
        if let Algorithm::Bbr(Some(bbr)) = &self.algorithm {
            self.bytes = bbr.recovered(self.bytes);
        }
    }

    /// A reduction was wrong: all is as it was `before`, and the window no smaller than it is.
    pub(super) fn undo(&mut self, before: Self) {
        let window = self.bytes.max(before.bytes);
        match &mut self.algorithm {
            // What the model has learnt since is no less true.
            Algorithm::Bbr(Some(bbr)) => bbr.spurious(),
            _ => *self = before,
        }
        self.bytes = window;
    }

    /// The sender goes on after it was idle.
    pub(super) fn restarted(&mut self, now_ns: u64) {
        if let Algorithm::Bbr(Some(bbr)) = &mut self.algorithm {
            bbr.restarted(now_ns);
        }
    }

    /// `TCP_CONGESTION`, at any time: the window stays.
    pub(super) fn choose(&mut self, algorithm: Congestion) {
        let chosen = match self.algorithm {
            Algorithm::Reno(_) => Congestion::Reno,
            Algorithm::Cubic(_) => Congestion::Cubic,
            Algorithm::Bbr(_) => Congestion::Bbr,
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
            Congestion::Bbr => Self::Bbr(None),
        }
    }
}

/// Slow start (RFC 5681, 3.1): Linux counts every byte that has arrived, up to the threshold.
fn slow_start(window: &mut u32, threshold: u32, bytes: u32, mss: u32) {
    *window = window.saturating_add(bytes).min(threshold.max(mss));
}
