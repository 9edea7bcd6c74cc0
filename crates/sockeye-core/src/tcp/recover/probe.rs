//! Tail loss probes (RFC 8985, 7): the end of a flight is lost in silence, so something is sent to break it.
//!
//! In: the timer, well before the retransmission timeout. Out: one segment, new if there is any, else the last
//! one again; its acknowledgement tells what was lost. At most one probe is under way.

use super::timeout::Pending;
use super::{News, Phase};
use crate::tcp::Ctx;
use crate::tcp::block::Due;
use crate::tcp::connection::Connection;
use crate::tcp::timers::Timer;
use crate::time::Instant;
use crate::wire::tcp::Seq;

/// The probe under way: `snd.nxt` behind it, and whether it repeated something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    end: Seq,
    again: bool,
}

impl Connection {
    /// Sets the timer for a probe where one may be sent (RFC 8985, 7.2; Linux: tcp_schedule_loss_probe);
    /// `from_oldest` when the timeout goes on from the oldest segment instead of beginning now.
    pub(super) fn schedule_probe(&mut self, from_oldest: bool, ctx: &Ctx<'_>) -> bool {
        let recovery = &self.recovery;
        if !recovery.selective || recovery.phase != Phase::Open || !recovery.board.is_calm() {
            return false;
        }
        let srtt = self.rtt.srtt_ns();
        let mut wait = if srtt > 0 { 2 * srtt } else { PTO_INITIAL_NS };
        // A lone segment's acknowledgement may be delayed.
        let lone = self.flight() <= u32::from(self.snd.mss);
        wait += if lone { crate::tcp::timers::nanos(ctx.limits.rto_min) } else { MARGIN_NS };
        let start = if from_oldest { recovery.board.oldest_at().unwrap_or(ctx.now.0) } else { ctx.now.0 };
        let timeout = (start + self.rtt.rto_ns(recovery.backoff, ctx.limits)).max(ctx.now.0 + 1);
        self.recovery.pending = Pending::Probe;
        self.timers.set(Timer::Retransmit, Instant(timeout.min(ctx.now.0 + wait)));
        true
    }

    /// The probe's time has come (RFC 8985, 7.3).
    pub(super) fn send_probe(&mut self, ctx: &mut Ctx<'_>) {
        let nxt = self.snd.nxt;
        if self.recovery.episode().probe.is_none() {
            ctx.counters.loss_probes += 1;
            self.recovery.episode().probe = Some(Probe { end: nxt, again: false });
            self.due |= Due::DATA | Due::TAIL;
        }
        self.arm_retransmit(ctx);
    }

    /// The probe was sent: as new data, or as a repetition.
    pub(in crate::tcp) fn probed(&mut self, again: bool, now: Instant) {
        let end = self.snd.nxt;
        if again {
            // Linux: the user's timeout counts from the first retransmission on, whatever kind it is.
            self.recovery.timed_out_at.first(now);
        }
        self.recovery.episode().probe = Some(Probe { end, again });
    }

    /// RFC 8985, 7.4: what the acknowledgement says of the probe.
    pub(super) fn judge_probe(&mut self, news: &News, ctx: &mut Ctx<'_>) {
        let una = self.snd.una;
        let Some(episode) = self.recovery.episode.as_mut() else { return };
        let Some(probe) = episode.probe else { return };
        let bare_duplicate = !news.advanced && news.sacked == 0 && news.duplicate;
        if una.lt(probe.end) {
            return;
        }
        if !probe.again || news.dsack || bare_duplicate {
            // Both copies have arrived, or there was only one.
            episode.probe = None;
        } else if probe.end.lt(una) {
            // The probe itself has filled the gap: that there was one is a sign of congestion all the same.
            episode.probe = None;
            if self.recovery.phase == Phase::Open {
                ctx.counters.loss_probe_recoveries += 1;
                self.congestion.lost(u32::from(self.snd.mss));
                let threshold = self.congestion.threshold();
                self.congestion.set_window(threshold.min(self.congestion.window()));
            }
        }
    }
}

/// RFC 8985, 7.2: before anything was measured.
const PTO_INITIAL_NS: u64 = 1_000_000_000;
/// Linux's TCP_TIMEOUT_MIN: two ticks.
const MARGIN_NS: u64 = 2_000_000;
