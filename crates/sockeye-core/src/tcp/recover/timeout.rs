//! The retransmission timer (RFC 6298): what it is set for, and what happens when it expires.
//!
//! One timer serves three ends, as on Linux: the timeout proper, the tail loss probe, which comes first where
//! it may, and the moment at which RACK looks again.

use super::undo::Undo;
use super::{News, Phase};
use crate::errno::Errno;
use crate::tcp::block::Due;
use crate::tcp::connection::Connection;
use crate::tcp::timers::{Timer, elapsed};
use crate::tcp::{Ctx, State};
use crate::time::Instant;
use core::time::Duration;

/// What the timer is set for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::tcp) enum Pending {
    #[default]
    Timeout,
    Probe,
    Reordering,
}

impl Connection {
    /// (Re)starts the retransmission timer (RFC 6298, 5.1).
    pub(in crate::tcp) fn arm_retransmit(&mut self, ctx: &Ctx<'_>) {
        let mut rto = self.rtt.rto_ns(self.recovery.backoff, ctx.limits);
        if let (Some(since), Some(limit)) = (self.recovery.timed_out_at.get(), self.user_timeout()) {
            // Linux: the user's timeout is met exactly, not at the next doubling behind it.
            rto = rto.min(elapsed(since + limit, ctx.now).max(LEFT_MIN_NS));
        }
        self.recovery.pending = Pending::Timeout;
        self.timers.set(Timer::Retransmit, Instant(ctx.now.0 + rto));
    }

    /// New data was sent: the timer runs, and a probe's time is reckoned from the last segment.
    pub(in crate::tcp) fn await_new_data(&mut self, ctx: &Ctx<'_>) {
        let running = self.timers.is_set(Timer::Retransmit);
        if running && self.recovery.pending != Pending::Probe {
            return;
        }
        if !self.schedule_probe(running, ctx) && !running {
            self.arm_retransmit(ctx);
        }
    }

    /// An acknowledgement was dealt with.
    pub(super) fn await_acknowledgement(
        &mut self,
        news: &News,
        look_again: Option<Instant>,
        ctx: &mut Ctx<'_>,
    ) {
        if self.flight() == 0 {
            self.recovery.pending = Pending::Timeout;
            self.timers.clear(Timer::Retransmit);
        } else if let Some(at) = look_again {
            self.recovery.pending = Pending::Reordering;
            self.timers.set(Timer::Retransmit, at);
        } else if (news.advanced || self.recovery.pending == Pending::Reordering)
            && !self.schedule_probe(false, ctx)
        {
            self.arm_retransmit(ctx);
        }
    }

    /// The timer expired.
    pub(in crate::tcp) fn retransmission_timer(&mut self, ctx: &mut Ctx<'_>) {
        match core::mem::take(&mut self.recovery.pending) {
            Pending::Timeout => self.retransmission_timeout(ctx),
            Pending::Probe => self.send_probe(ctx),
            Pending::Reordering => {
                self.react(&News::default(), ctx);
                if !self.timers.is_set(Timer::Retransmit) && self.flight() > 0 {
                    self.arm_retransmit(ctx);
                }
            }
        }
    }

    /// RFC 6298, 5.4 to 5.7.
    fn retransmission_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.gives_up(ctx) {
            ctx.counters.abort_on_timeout += 1;
            self.fail(self.soft_error.unwrap_or(Errno::ETIMEDOUT));
            return;
        }
        ctx.counters.timeouts += 1;
        let first = self.recovery.retransmits == 0;
        self.recovery.timed_out_at.first(ctx.now);
        self.recovery.retransmits = self.recovery.retransmits.saturating_add(1);
        self.recovery.backoff = self.recovery.backoff.saturating_add(1);
        self.recovery.handshake_at.clear();
        if matches!(self.state, State::SynSent | State::SynReceived) {
            ctx.counters.retrans_segs += 1;
            self.totals.retrans += 1;
            self.due |= Due::SYN;
        } else {
            self.suspect_black_hole(ctx);
            self.enter_loss(first, ctx);
        }
        self.arm_retransmit(ctx);
    }

    /// Linux's tcp_enter_loss: all that is not known to have arrived is lost, and slow start begins anew.
    fn enter_loss(&mut self, first: bool, ctx: &mut Ctx<'_>) {
        ctx.counters.slow_start_retransmits += 1;
        let (una, nxt, mss) = (self.snd.una, self.snd.nxt, u32::from(self.snd.mss));
        let was_open = self.recovery.phase == Phase::Open;
        let begins = was_open
            || self.recovery.recover().is_none_or(|recover| recover.le(una))
            || (self.recovery.phase == Phase::Loss && first);
        if begins {
            let undo = Undo::new(self);
            self.recovery.episode().undo = Some(undo);
            self.congestion.lost(mss);
            self.owe_cwr();
        }
        let recent_after = self.recent_after(ctx.now);
        let selective = self.recovery.selective;
        self.recovery.board.lose_all(|sent| selective && sent.at > recent_after);
        let pipe = self.pipe();
        self.congestion.timed_out(pipe + mss);
        self.recovery.phase = Phase::Loss;
        self.recovery.dup_acks = 0;
        let episode = self.recovery.episode();
        episode.recover = Some(nxt);
        episode.probe = None;
        // RFC 5682, 3.1 step 1, which needs SACK here; not where fast recovery has failed (Linux).
        episode.doubts_timeout = selective && (was_open || !first);
        episode.new_first = false;
        self.due |= Due::DATA;
    }

    /// `TCP_USER_TIMEOUT`.
    pub(in crate::tcp) fn user_timeout(&self) -> Option<Duration> {
        let ms = u64::from(self.settings.user_timeout_ms);
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    /// Whether the retries are over (Linux: tcp_write_timeout).
    fn gives_up(&self, ctx: &Ctx<'_>) -> bool {
        if matches!(self.state, State::SynSent | State::SynReceived) {
            let passed = self.recovery.timed_out_at.get().zip(self.user_timeout());
            return passed.is_some_and(|(since, limit)| ctx.now.since(since) >= limit)
                || self.recovery.retransmits >= self.settings.syn_count;
        }
        let Some(since) = self.recovery.timed_out_at.get() else { return false };
        let retries = if self.is_orphan() { ctx.limits.orphan_retries } else { ctx.limits.retries };
        let limit = self.user_timeout().unwrap_or_else(|| backoff_sum(retries, ctx));
        ctx.now.since(since) >= limit
    }
}

/// How long so many retransmissions take from the least timeout on: Linux gives a connection that much time,
/// whatever its own timeouts are (tcp_model_timeout; RFC 1122's R2).
fn backoff_sum(retries: u8, ctx: &Ctx<'_>) -> Duration {
    let (least, most) = (ctx.limits.rto_min, ctx.limits.rto_max);
    (0..=u32::from(retries)).map(|n| least.saturating_mul(1 << n.min(20)).min(most)).sum::<Duration>() - least
}

/// A timeout that is all but over still takes a moment.
const LEFT_MIN_NS: u64 = 1_000_000;
