//! The clock: what each timer does when it is due.

use super::block::{Due, Marks};
use super::connection::Connection;
use super::timers::Timer;
use super::{Ctx, State};
use crate::errno::Errno;
use core::time::Duration;

impl Connection {
    /// Whatever is due at `ctx.now`.
    pub fn expire(&mut self, ctx: &mut Ctx<'_>) {
        for timer in Timer::ALL {
            if !self.timers.take_due(timer, ctx.now) {
                continue;
            }
            match timer {
                Timer::Retransmit => self.retransmission_timer(ctx),
                Timer::Persist => self.probe_window(ctx),
                Timer::DelayedAck => {
                    ctx.counters.delayed_acks += 1;
                    self.due |= Due::ACK;
                }
                Timer::Keepalive => self.keep_alive(ctx),
                Timer::Linger => self.end_linger(),
                Timer::Pacing => self.pacing_over(),
            }
        }
    }

    /// Held-back data goes out as far as the window lets it; else a probe asks for the window (RFC 9293,
    /// 3.8.6.1; Linux: tcp_probe_timer, tcp_write_wakeup).
    fn probe_window(&mut self, ctx: &mut Ctx<'_>) {
        if self.flight() > 0 || self.snd.queue.len() == 0 && !self.marks.contains(Marks::FIN) {
            return;
        }
        if self.snd.wnd > 0 {
            self.marks -= Marks::UNPUSHED;
            self.due |= Due::DATA | Due::FORCE;
            return;
        }
        self.recovery.timed_out_at.first(ctx.now);
        if self.probes_are_over(ctx) {
            ctx.counters.abort_on_timeout += 1;
            self.fail(self.soft_error.unwrap_or(Errno::ETIMEDOUT));
            return;
        }
        ctx.counters.window_probes += 1;
        self.probes = self.probes.saturating_add(1);
        if self.recovery.backoff < ctx.limits.retries {
            self.recovery.backoff += 1;
        }
        self.due |= Due::PROBE;
        self.timers.set(Timer::Persist, ctx.now + self.rtt.rto(self.recovery.backoff, ctx.limits));
    }

    /// A peer that answers may keep its window shut for ever; one that is silent, or that holds up an orphan,
    /// may not.
    fn probes_are_over(&self, ctx: &Ctx<'_>) -> bool {
        let passed = self.recovery.timed_out_at.get().map_or(Duration::ZERO, |since| ctx.now.since(since));
        if self.user_timeout().is_some_and(|limit| passed >= limit) {
            return true;
        }
        if self.is_orphan() && self.recovery.backoff >= ctx.limits.orphan_retries {
            return true;
        }
        self.probes >= if self.is_orphan() { ctx.limits.orphan_retries } else { ctx.limits.retries }
    }

    /// The timer is lazy: segments do not move it, it looks when the peer was last heard.
    fn keep_alive(&mut self, ctx: &mut Ctx<'_>) {
        if !self.settings.keepalive || matches!(self.state, State::Closed | State::SynSent | State::TimeWait)
        {
            return;
        }
        let idle = Duration::from_secs(u64::from(self.settings.keep_idle_s));
        let interval = Duration::from_secs(u64::from(self.settings.keep_interval_s));
        let silent = ctx.now.since(self.rcv.last_received.max(self.snd.last_sent));
        // What is in flight or waits is watched by other timers.
        if self.flight() > 0 || self.snd.queue.len() > 0 {
            self.timers.set(Timer::Keepalive, ctx.now + idle);
            return;
        }
        if silent < idle {
            self.timers.set(Timer::Keepalive, ctx.now + (idle - silent));
            return;
        }
        let over = match self.user_timeout() {
            Some(limit) => self.probes > 0 && silent >= limit,
            None => self.probes >= self.settings.keep_count,
        };
        if over {
            ctx.counters.abort_on_timeout += 1;
            self.owe_reset();
            self.fail(self.soft_error.unwrap_or(Errno::ETIMEDOUT));
            return;
        }
        ctx.counters.keepalive_probes += 1;
        self.probes += 1;
        self.due |= Due::PROBE;
        self.timers.set(Timer::Keepalive, ctx.now + interval);
    }

    /// FIN-WAIT-2 of an orphan, or TIME-WAIT, is over.
    fn end_linger(&mut self) {
        self.time_wait = None;
        self.finish();
    }
}
