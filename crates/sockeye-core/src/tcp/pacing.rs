//! Pacing: segments leave at a rate, not as fast as the window lets them.
//!
//! In: a rate, from a congestion control that asks for one (BBR), from `SO_MAX_PACING_RATE`, or from the window and the
//! round trip where all connections of the host are paced (as Linux's `fq` does). Out: whether something may go now, and a
//! timer for when it may. What goes in a millisecond goes together, so that a fast path costs no timer a segment.

use super::Ctx;
use super::block::Due;
use super::connection::Connection;
use super::timers::Timer;
use crate::time::Instant;

/// One connection's schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pacer {
    /// When all that was sent would have gone at the rate; nanoseconds.
    next: u64,
    /// Nothing goes before.
    wait: u64,
    /// Bytes that have gone together so far.
    burst: u32,
    /// Bytes of a first burst that need not wait.
    free: u32,
}

impl Pacer {
    /// `len` bytes go at `rate` bytes a second, up to `quantum` bytes together. Who is late, for want of a timer or of
    /// acknowledgements, makes up for half a quantum (Linux: tcp_update_skb_after_send, fq_dequeue).
    fn sent(&mut self, len: u32, rate: u64, quantum: u32, now: u64) {
        if self.free >= len {
            self.free -= len;
            return;
        }
        let ns = |bytes: u32| u64::from(bytes) * 1_000_000_000 / rate.max(1);
        if self.burst == 0 || self.next < now {
            self.next = self.next.max(now.saturating_sub(ns(quantum) / 2));
        }
        (self.next, self.burst) = (self.next + ns(len), self.burst + len);
        if self.burst >= quantum {
            (self.wait, self.burst) = (self.next, 0);
        }
    }
}

impl Connection {
    /// Whether data may go now as far as pacing is concerned; sets the timer if not.
    pub(super) fn is_paced_out(&mut self, ctx: &Ctx<'_>) -> bool {
        let Some(pacer) = self.rare.as_ref().and_then(|rare| rare.pacer.as_ref()) else { return false };
        if pacer.wait <= ctx.now.0 {
            return false;
        }
        let at = Instant(pacer.wait);
        self.timers.set(Timer::Pacing, at);
        true
    }

    /// Data of `len` bytes was sent.
    pub(super) fn pace(&mut self, len: u32, ctx: &Ctx<'_>) {
        let Some(rate) = self.pacing_rate(ctx) else { return };
        let mss = u32::from(self.snd.mss);
        let millisecond = u32::try_from(rate / 1000).unwrap_or(u32::MAX);
        let quantum = millisecond.min(QUANTUM_MAX).max(2 * mss);
        // A flow that has just begun, or was idle, may send a first burst at once (fq's initial quantum).
        let pacer = &mut self.rare.get_or_insert_default().pacer;
        let fresh = pacer.is_none();
        let pacer = pacer.get_or_insert_default();
        if fresh && !self.congestion.is_model() {
            pacer.free = FIRST_SEGMENTS * mss;
        }
        pacer.sent(len, rate, quantum, ctx.now.0);
    }

    /// Bytes a second, if the connection is paced.
    pub(super) fn pacing_rate(&self, ctx: &Ctx<'_>) -> Option<u64> {
        let asked = self.settings.pacing_rate_max;
        let model = self.congestion.pacing_rate();
        if model.is_none() && asked == u64::MAX && !ctx.limits.pacing {
            return None;
        }
        let rate = model.unwrap_or_else(|| self.window_rate());
        (rate.min(asked) < u64::MAX).then_some(rate.min(asked))
    }

    /// What the window is worth a second, with room to grow (Linux: tcp_update_pacing_rate).
    pub(super) fn window_rate(&self) -> u64 {
        let window = u64::from(self.congestion.window());
        let slow = window < u64::from(self.congestion.threshold() / 2);
        match self.rtt.srtt_ns() {
            0 => u64::MAX,
            srtt => window * if slow { 200 } else { 120 } * 10_000_000 / srtt,
        }
    }

    /// The time that pacing waited for has come.
    pub(super) fn pacing_over(&mut self) {
        self.due |= Due::DATA;
    }
}

/// At most so much goes together, whatever the rate.
const QUANTUM_MAX: u32 = 64 << 10;
/// fq's initial quantum.
const FIRST_SEGMENTS: u32 = 10;
