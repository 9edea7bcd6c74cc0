//! Loss: when it is assumed, and what is sent again (RFC 6298, RFC 5681, NewReno of RFC 6582).
//!
//! In: acknowledgements, new or duplicate, and the retransmission timer. Out: the stretch that is sent again
//! (`again_until`, at the queue's second cursor), the congestion window, the round-trip times. A scoreboard of
//! selective acknowledgements will stand beside the phase here.

use super::block::{Due, Marks};
use super::connection::Connection;
use super::timers::{Timer, elapsed};
use super::{Ctx, State};
use crate::errno::Errno;
use crate::time::Instant;
use crate::wire::tcp::Seq;
use core::time::Duration;

/// What recovery remembers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    /// Recovery ends when this is acknowledged (RFC 6582's `recover`).
    pub(super) recover: Option<Seq>,
    /// Up to where data is sent again.
    pub(super) again_until: Seq,
    pub(super) dup_acks: u16,
    /// Doublings of the timeout, and retransmissions by timer since the last progress.
    pub(super) backoff: u8,
    pub(super) retransmits: u8,
    /// When the timer first expired without progress since.
    pub(super) timed_out_at: Option<Instant>,
    /// The segment that measures the round trip: its end, and when it was sent.
    timed: Option<(Seq, Instant)>,
}

/// Linux's names: Open, Recovery, Loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Phase {
    #[default]
    Open,
    /// Fast recovery: one segment per round trip is sent again.
    Fast,
    /// After a timeout: everything is sent again as the window opens.
    Loss,
}

impl Recovery {
    /// Measures the round trip with the segment that ends at `end`, when no other is being measured.
    pub(super) fn time(&mut self, end: Seq, now: Instant) {
        self.timed.get_or_insert((end, now));
    }

    /// Retransmission has covered everything before `covered`, a FIN counted, and stands at `cursor`. A segment
    /// sent twice measures nothing (Karn).
    pub(super) fn passed(&mut self, covered: Seq, cursor: Seq) {
        if self.again_until.le(covered) {
            self.again_until = cursor;
        }
        self.timed = None;
    }
}

impl Connection {
    /// (Re)starts the retransmission timer (RFC 6298, 5.1).
    pub(super) fn arm_retransmit(&mut self, ctx: &Ctx<'_>) {
        let mut rto = self.rtt.rto_ns(self.recovery.backoff, ctx.limits);
        if let (Some(since), Some(limit)) = (self.recovery.timed_out_at, self.user_timeout()) {
            // Linux: the user's timeout is met exactly, not at the next doubling behind it.
            rto = rto.min(elapsed(since + limit, ctx.now).max(RTO_LEFT_MIN_NS));
        }
        self.timers.set(Timer::Retransmit, Instant(ctx.now.0 + rto));
    }

    /// Whether something is to be sent again and the window lets it.
    pub(super) fn may_retransmit(&self) -> bool {
        let again = self.snd.queue.again_seq();
        let recovery = &self.recovery;
        if recovery.phase == Phase::Open || self.snd.una == self.snd.nxt {
            return false;
        }
        again.lt(recovery.again_until) && (again.diff(self.snd.una) as u32) < self.congestion.window().max(1)
    }

    /// The window for what was never sent; the first two duplicate acknowledgements each let a segment more go
    /// (limited transmit, RFC 3042).
    pub(super) fn window_for_new_data(&self) -> u32 {
        let extra = match self.recovery.phase {
            Phase::Open => u32::from(self.recovery.dup_acks.min(2)) * u32::from(self.snd.mss),
            Phase::Fast | Phase::Loss => 0,
        };
        self.congestion.window().saturating_add(extra)
    }

    /// Data up to `ack` is acknowledged, `bytes` of the stream among it.
    pub(super) fn progress(&mut self, ack: Seq, bytes: u32, echo: Option<u32>, ctx: &mut Ctx<'_>) {
        self.measure(ack, echo, ctx);
        self.recovery.backoff = 0;
        self.recovery.retransmits = 0;
        self.recovery.timed_out_at = None;
        match self.recovery.phase {
            Phase::Open => self.grow(bytes),
            Phase::Fast => self.fast_progress(ack, bytes, ctx),
            Phase::Loss => self.loss_progress(ack, bytes),
        }
        if self.recovery.phase == Phase::Open && self.may_recover() {
            // So old that its comparison would turn round some day.
            self.recovery.recover = None;
        }
        self.recovery.dup_acks = 0;
        self.marks.remove(Marks::CWND_LIMITED);
        if self.flight() == 0 {
            self.timers.clear(Timer::Retransmit);
        } else {
            self.arm_retransmit(ctx);
        }
        self.tune_send_buffer(ctx);
        self.due |= Due::DATA;
    }

    /// A duplicate acknowledgement (RFC 5681, 2).
    pub(super) fn duplicate_ack(&mut self, ctx: &mut Ctx<'_>) {
        let mss = u32::from(self.snd.mss);
        self.recovery.dup_acks = self.recovery.dup_acks.saturating_add(1);
        self.due |= Due::DATA;
        match self.recovery.phase {
            // RFC 6582, 3.2 step 3.
            Phase::Fast => {
                let inflated = self.congestion.window().saturating_add(mss);
                self.congestion.set_window(inflated);
            }
            Phase::Open if self.recovery.dup_acks == DUP_ACKS && self.may_recover() => self.enter_fast(ctx),
            Phase::Open | Phase::Loss => {}
        }
    }

    /// The retransmission timer expired (RFC 6298, 5.4 to 5.7).
    pub(super) fn retransmission_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.gives_up(ctx) {
            ctx.counters.abort_on_timeout += 1;
            self.fail(self.soft_error.unwrap_or(Errno::ETIMEDOUT));
            return;
        }
        ctx.counters.timeouts += 1;
        let first = self.recovery.retransmits == 0;
        self.recovery.timed_out_at.get_or_insert(ctx.now);
        self.recovery.retransmits = self.recovery.retransmits.saturating_add(1);
        self.recovery.backoff = self.recovery.backoff.saturating_add(1);
        self.recovery.timed = None;
        if matches!(self.state, State::SynSent | State::SynReceived) {
            ctx.counters.retrans_segs += 1;
            self.totals.retrans += 1;
            self.due |= Due::SYN;
        } else {
            self.enter_loss(first, ctx);
        }
        self.arm_retransmit(ctx);
    }

    /// `TCP_USER_TIMEOUT`.
    pub(super) fn user_timeout(&self) -> Option<Duration> {
        let ms = u64::from(self.settings.user_timeout_ms);
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    /// The whole path may be lost: the segment size has shrunk, and all is sent again (RFC 1191).
    pub(super) fn resend_all(&mut self, ctx: &mut Ctx<'_>) {
        if self.flight() > 0 {
            self.recovery.timed = None;
            self.recovery.phase = Phase::Loss;
            self.recovery.recover = Some(self.snd.nxt);
            self.start_again(self.snd.nxt);
            self.arm_retransmit(ctx);
        }
    }

    /// RFC 6298's sample: of the segment that was timed, or else of the echoed timestamp (RFC 7323, 4).
    fn measure(&mut self, ack: Seq, echo: Option<u32>, ctx: &Ctx<'_>) {
        if let Some((end, sent)) = self.recovery.timed {
            if end.le(ack) {
                self.recovery.timed = None;
                self.rtt.sample(ctx.now.since(sent), ctx.limits);
            }
            return;
        }
        if let Some(echo) = echo.filter(|&echo| echo != 0) {
            let ms = self.timestamp(ctx.now).wrapping_sub(echo);
            if ms < ECHO_MS_MAX {
                self.rtt.sample(Duration::from_millis(u64::from(ms)), ctx.limits);
            }
        }
    }

    fn grow(&mut self, bytes: u32) {
        // RFC 5681, 3.1 and Linux: a window that was not used does not grow.
        if self.marks.contains(Marks::CWND_LIMITED) {
            self.congestion.acknowledged(bytes, u32::from(self.snd.mss));
        }
    }

    /// RFC 6582, 3.2 step 1: not for duplicates of what a timeout or an earlier recovery sent twice.
    fn may_recover(&self) -> bool {
        self.recovery.recover.is_none_or(|recover| recover.lt(self.snd.una))
    }

    fn enter_fast(&mut self, ctx: &mut Ctx<'_>) {
        ctx.counters.fast_retransmits += 1;
        let (flight, mss) = (self.flight(), u32::from(self.snd.mss));
        self.congestion.lost(flight, mss);
        let inflated = self.congestion.threshold().saturating_add(u32::from(DUP_ACKS) * mss);
        self.congestion.set_window(inflated);
        self.recovery.phase = Phase::Fast;
        self.recovery.recover = Some(self.snd.nxt);
        self.start_again(self.snd.una + mss.min(self.flight()));
        self.arm_retransmit(ctx);
    }

    /// RFC 6582, 3.2 steps 4 and 5.
    fn fast_progress(&mut self, ack: Seq, bytes: u32, ctx: &mut Ctx<'_>) {
        let mss = u32::from(self.snd.mss);
        if self.recovery.recover.is_none_or(|recover| recover.le(ack)) {
            let window = self.congestion.threshold().min(self.flight().max(mss) + mss);
            self.congestion.set_window(window);
            self.recovery.phase = Phase::Open;
            return;
        }
        ctx.counters.partial_acks += 1;
        let deflated = self.congestion.window().saturating_sub(bytes);
        self.congestion.set_window((deflated + if bytes >= mss { mss } else { 0 }).max(mss));
        self.start_again(ack + mss.min(self.flight()));
    }

    fn loss_progress(&mut self, ack: Seq, bytes: u32) {
        self.congestion.acknowledged(bytes, u32::from(self.snd.mss));
        if self.recovery.recover.is_none_or(|recover| recover.le(ack)) {
            self.recovery.phase = Phase::Open;
        }
    }

    fn enter_loss(&mut self, first: bool, ctx: &mut Ctx<'_>) {
        let first = first && self.recovery.phase != Phase::Loss;
        let (flight, mss) = (self.flight(), u32::from(self.snd.mss));
        self.congestion.timed_out(flight, mss, first);
        self.recovery.phase = Phase::Loss;
        self.recovery.recover = Some(self.snd.nxt);
        self.recovery.dup_acks = 0;
        self.start_again(self.snd.nxt);
        ctx.counters.slow_start_retransmits += 1;
    }

    /// Sends again from the oldest byte up to `until`.
    fn start_again(&mut self, until: Seq) {
        self.snd.queue.rewind();
        self.recovery.again_until = until;
        self.due |= Due::DATA;
    }

    /// Whether the retries are over (Linux: tcp_write_timeout).
    fn gives_up(&self, ctx: &Ctx<'_>) -> bool {
        if matches!(self.state, State::SynSent | State::SynReceived) {
            let passed = self.recovery.timed_out_at.zip(self.user_timeout());
            return passed.is_some_and(|(since, limit)| ctx.now.since(since) >= limit)
                || self.recovery.retransmits >= self.settings.syn_count;
        }
        let Some(since) = self.recovery.timed_out_at else { return false };
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
const RTO_LEFT_MIN_NS: u64 = 1_000_000;
/// RFC 5681, 3.2.
const DUP_ACKS: u16 = 3;
/// An echoed timestamp older than this measures nothing.
const ECHO_MS_MAX: u32 = 1 << 24;
