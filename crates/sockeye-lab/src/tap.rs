//! What a watched lab tells of a packet.

use crate::impair::Fate;
use crate::link::{Outcome, Path};
use crate::{LinkId, Port};
use alloc::collections::VecDeque;
use alloc::string::String;
use core::fmt::Write;
use sockeye_core::{Instant, Packet};

/// One packet on one link.
#[derive(Clone, Debug)]
pub struct Tap {
    /// When it was sent.
    pub at: Instant,
    /// The link.
    pub link: LinkId,
    /// Who sent it.
    pub from: Port,
    /// The packet as it was sent, from its IP header on.
    pub packet: Packet,
    /// Who it is in every run; 0 on an ideal link.
    pub identity: u64,
    /// How often it was sent before, where its protocol tells.
    pub resent: u32,
    /// What was drawn for it.
    pub fate: Fate,
    /// What became of it.
    pub outcome: Outcome,
    /// What its direction is like.
    pub path: Path,
}

impl Tap {
    /// What became of the packet, by which rule and draw: `delivered after 20.0 ms`, `dropped: loss 1 %, drew
    /// 0.42 %`.
    pub fn verdict(&self) -> String {
        let mut text = String::new();
        let percent = |ppm: u32| f64::from(ppm) / 10_000.0;
        // Writing to a string does not fail.
        let _ = match self.outcome {
            Outcome::Arrives(at) => write!(text, "delivered after {:.1} ms", milliseconds(at.0 - self.at.0)),
            Outcome::Partitioned => write!(text, "dropped: the link is cut"),
            Outcome::Overflowed(waiting) => write!(text, "dropped: queue full, {waiting} bytes wait"),
            Outcome::Lost if self.fate.in_burst => write!(text, "dropped: in a burst of losses"),
            Outcome::Lost => {
                let (limit, drew) = (self.path.impairment.loss_ppm, self.fate.loss_draw);
                write!(text, "dropped: loss {} %, drew {} %", percent(limit), percent(drew))
            }
        };
        if matches!(self.outcome, Outcome::Arrives(_)) {
            for (applies, what) in [
                (self.fate.duplicated, ", twice"),
                (self.fate.overtakes, ", overtaking"),
                (self.fate.corrupted.is_some(), ", one bit wrong"),
            ] {
                text.push_str(if applies { what } else { "" });
            }
        }
        text
    }
}

fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// Taps that wait to be taken; beyond, the oldest go.
const TAPS_MAX: usize = 65_536;

/// The taps of a lab.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    pub(crate) on: bool,
    queue: VecDeque<Tap>,
    pub(crate) missed: u64,
}

impl Taps {
    pub(crate) fn push(&mut self, tap: Tap) {
        if self.queue.len() >= TAPS_MAX {
            self.queue.pop_front();
            self.missed += 1;
        }
        self.queue.push_back(tap);
    }

    pub(crate) fn pop(&mut self) -> Option<Tap> {
        self.queue.pop_front()
    }
}
