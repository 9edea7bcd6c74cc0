//! RACK (RFC 8985, 6): a segment is lost when one that was sent later has arrived and some time has passed.
//!
//! In: what has arrived, with the times it was sent at. Out: marks on the scoreboard, or the time at which to
//! look again. The time left for reordering adapts: none until reordering is seen, then a quarter of the least
//! round trip and more for each round in which a duplicate shows that it was too little.

use super::Phase;
use super::board::Sent;
use crate::tcp::connection::Connection;
use crate::time::Instant;
use crate::wire::tcp::Seq;

/// The most recently sent segment among those that have arrived, the round trip of the one that arrived last, and
/// how much reordering there was.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tcp) struct Rack {
    at: u64,
    end: Seq,
    rtt_ns: u64,
    pub(super) reordering: Reordering,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::tcp) struct Reordering {
    pub(super) seen: bool,
    /// By how many segments at most, three at least, and how often (`tcpi_reordering`, `tcpi_reord_seen`).
    pub(super) degree: u16,
    pub(super) times: u16,
    /// Quarters of the least round trip, and for how many recoveries they stay (`reo_wnd_persist`).
    quarters: u8,
    persist: u8,
    /// Duplicates before this is acknowledged belong to the same round.
    round: Option<Seq>,
}

impl Default for Reordering {
    fn default() -> Self {
        Self { seen: false, degree: 3, times: 0, quarters: 1, persist: RECOVERIES, round: None }
    }
}

impl Rack {
    /// A stretch has arrived (step 2). What was sent twice may be acknowledged for its first copy: then its
    /// round trip is shorter than any, or the echo is older than the second.
    pub(in crate::tcp) fn delivered(
        &mut self,
        sent: &Sent,
        now: Instant,
        min_rtt_ns: u64,
        echo_is_older: bool,
    ) {
        let rtt_ns = now.0.saturating_sub(sent.at);
        if sent.again && (rtt_ns < min_rtt_ns || echo_is_older) {
            return;
        }
        // The round trip is that of what has arrived last, be it the latest sent or not (RFC 8985, 6.2 step 2).
        self.rtt_ns = rtt_ns;
        if self.is_later(sent.end, sent.at) {
            (self.at, self.end) = (sent.at, sent.end);
        }
    }

    /// Whether such a segment was sent after all that have arrived (`RACK_sent_after`).
    fn is_later(&self, end: Seq, at: u64) -> bool {
        at > self.at || (at == self.at && self.end.lt(end))
    }

    /// A duplicate arrived at the peer (RFC 8985, 6.2 step 4).
    pub(super) fn duplicated(&mut self, una: Seq, nxt: Seq) {
        let reordering = &mut self.reordering;
        if reordering.round.is_none_or(|round| round.le(una)) {
            reordering.round = Some(nxt);
            reordering.quarters = reordering.quarters.saturating_add(1);
            reordering.persist = RECOVERIES;
        }
    }

    /// A recovery is over.
    pub(super) fn recovered(&mut self) {
        let reordering = &mut self.reordering;
        reordering.round = None;
        reordering.persist = reordering.persist.saturating_sub(1);
        if reordering.persist == 0 {
            reordering.quarters = 1;
        }
    }
}

impl Reordering {
    /// Something has arrived `behind` bytes behind the highest (Linux: tcp_check_sack_reordering).
    pub(super) fn note(&mut self, behind: u32, mss: u32) {
        let degree = behind.div_ceil(mss.max(1)).min(REORDERING_MAX) as u16;
        (self.seen, self.degree) = (true, self.degree.max(degree));
        self.times = self.times.saturating_add(1);
    }
}

impl Connection {
    /// `tcpi_reordering` and `tcpi_reord_seen`.
    pub(in crate::tcp) fn reordering(&self) -> (u16, u16) {
        let reordering = &self.recovery.rack.reordering;
        (reordering.degree, reordering.times)
    }

    /// Marks what is lost by now; gives the time to look again (step 5).
    pub(super) fn detect_loss(&mut self, now: Instant) -> Option<Instant> {
        let rack = self.recovery.rack;
        if rack.at == 0 {
            return None;
        }
        let patience = rack.rtt_ns + self.reordering_window_ns();
        let waits = self.recovery.board.judge(|end, at| {
            if rack.is_later(end, at) || (end, at) == (rack.end, rack.at) {
                return None;
            }
            Some(at + patience <= now.0)
        });
        waits.map(|at| Instant(at + patience))
    }

    /// Whether a stretch may still arrive, by its age alone (Linux: tcp_rack_skb_timeout).
    pub(super) fn recent_after(&self, now: Instant) -> u64 {
        now.0.saturating_sub(self.recovery.rack.rtt_ns)
    }

    /// `RACK_update_reo_wnd`.
    fn reordering_window_ns(&self) -> u64 {
        let reordering = &self.recovery.rack.reordering;
        let sacked = self.recovery.board.sacked();
        if !reordering.seen
            && (self.recovery.phase != Phase::Open || sacked > (DUP_THRESHOLD - 1) * u32::from(self.snd.mss))
        {
            return 0;
        }
        let window = u64::from(reordering.quarters) * self.rtt.min_ns() / 4;
        window.min(self.rtt.srtt_ns())
    }
}

/// RFC 8985, 4: how many recoveries an adapted window is kept for.
const RECOVERIES: u8 = 16;
/// RFC 5681, 3.2.
pub(super) const DUP_THRESHOLD: u32 = 3;
/// `tcp_max_reordering`.
const REORDERING_MAX: u32 = 300;
