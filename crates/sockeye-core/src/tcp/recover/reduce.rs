//! Proportional rate reduction (RFC 6937, as its successor has it): the window during fast recovery.
//!
//! In: what each acknowledgement says has arrived. Out: a window that lets out as much as it should, spread over
//! a round trip, and ends at the threshold; below it, as much as has arrived, and a segment more when all is well.

use super::undo::Undo;
use super::{News, Phase};
use crate::tcp::Ctx;
use crate::tcp::connection::Connection;
use crate::time::Instant;

/// Bytes since the recovery began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reduction {
    delivered: u64,
    out: u64,
    /// What was in flight when it began (`RecoverFS`).
    flight: u32,
}

impl Connection {
    /// A mark of congestion: the window shrinks as in a recovery, with nothing to send again (Linux: tcp_enter_cwr).
    pub(in crate::tcp) fn enter_reduced(&mut self) {
        let flight = self.pipe();
        self.congestion.lost(u32::from(self.snd.mss));
        self.owe_cwr();
        self.recovery.phase = Phase::Reduced;
        let nxt = self.snd.nxt;
        let episode = self.recovery.episode();
        (episode.recover, episode.undo) = (Some(nxt), None);
        episode.reduction = Reduction { flight: flight.max(1), ..Reduction::default() };
    }

    /// It is over when something sent after it was acknowledged, so that the peer has seen CWR.
    pub(super) fn continue_reduced(&mut self) {
        if self.recovery.recover().is_none_or(|recover| recover.lt(self.snd.una)) {
            self.congestion.settle_at_threshold();
            self.end_phase();
        }
    }

    /// Data is lost: fast recovery begins (RFC 6675, 5 step 4).
    pub(super) fn enter_fast(&mut self, news: &News, ctx: &mut Ctx<'_>) {
        ctx.counters.fast_retransmits += 1;
        let undo = Undo::new(self);
        let flight = self.flight() - self.recovery.board.left().min(self.flight()) + news.delivered;
        // A window that shrinks already is not reduced twice.
        if self.recovery.phase != Phase::Reduced {
            self.congestion.lost(u32::from(self.snd.mss));
        }
        self.owe_cwr();
        self.recovery.phase = Phase::Fast;
        let nxt = self.snd.nxt;
        let episode = self.recovery.episode();
        episode.recover = Some(nxt);
        episode.undo = Some(undo);
        episode.probe = None;
        episode.reduction = Reduction { flight: flight.max(1), ..Reduction::default() };
    }

    /// One acknowledgement's share; `safe` when it advanced and told of no further loss.
    pub(super) fn reduce(&mut self, delivered: u32, safe: bool) {
        if delivered == 0 || self.congestion.is_model() {
            return;
        }
        let (pipe, threshold, mss) =
            (u64::from(self.pipe()), u64::from(self.congestion.threshold()), u64::from(self.snd.mss));
        let reduction = &mut self.recovery.episode().reduction;
        reduction.delivered += u64::from(delivered);
        let mut share = if pipe > threshold {
            (reduction.delivered * threshold)
                .div_ceil(u64::from(reduction.flight))
                .saturating_sub(reduction.out)
        } else {
            let arrived = reduction.delivered.saturating_sub(reduction.out).max(u64::from(delivered));
            (arrived + if safe { mss } else { 0 }).min(threshold - pipe)
        };
        if reduction.out == 0 {
            // The first retransmission goes out whatever the window.
            share = share.max(mss);
        }
        self.congestion.set_window(u32::try_from(pipe + share).unwrap_or(u32::MAX));
    }

    /// So much was sent, new or again (`prr_out`).
    pub(in crate::tcp) fn note_sent(&mut self, len: u32) {
        if matches!(self.recovery.phase, Phase::Fast | Phase::Reduced) {
            self.recovery.episode().reduction.out += u64::from(len);
        }
    }

    /// `len` bytes of a stretch that was lost are sent again, at its start.
    pub(in crate::tcp) fn note_sent_again(&mut self, len: u32, now: Instant) {
        let stamp = self.timestamp(now);
        if let Some(undo) = self.recovery.episode.as_mut().and_then(|episode| episode.undo.as_mut()) {
            undo.sent_again(len, stamp);
        }
    }
}
