//! What the receiving half tells the peer: when an acknowledgement goes out, and which window it offers.
//!
//! In: data that arrived, data that the program took. Out: `Due::ACK` or the delayed timer, the window field.
//! Linux's policy: at once for the first segments and for every second full one, else delayed 40 to 200 ms.

use super::Ctx;
use super::block::{Due, Marks};
use super::connection::Connection;
use super::timers::{Moment, Timer, elapsed, nanos};
use crate::time::Instant;
use crate::wire::tcp::Seq;
use core::time::Duration;

impl Connection {
    /// Data came in sequence: how fast the peer sends decides how long an acknowledgement may wait.
    pub(super) fn note_data(&mut self, len: usize, ctx: &mut Ctx<'_>) {
        let rcv = &mut self.rcv;
        // What a device has put together says no more than what we announced (Linux: tcp_measure_rcv_mss).
        let len = len.min(usize::from(self.snd.mss_path)) as u16;
        if len >= rcv.mss {
            rcv.mss = len;
        }
        let (least, most) = (micros(ctx.limits.delayed_ack_min), micros(ctx.limits.delayed_ack_max));
        let gap_ns = elapsed(ctx.now, rcv.last_data);
        let gap = u32::try_from(gap_ns / 1000).unwrap_or(u32::MAX);
        if rcv.ato_us == 0 || gap_ns > self.rtt.rto_ns(0, ctx.limits) {
            rcv.quick = rcv.quick.max(quick_budget(rcv.limit, rcv.mss));
            rcv.ato_us = least;
        } else if gap <= least / 2 {
            rcv.ato_us = rcv.ato_us / 2 + least / 2;
        } else if gap < rcv.ato_us {
            rcv.ato_us = (rcv.ato_us / 2 + gap).min(most);
        }
        rcv.last_data = ctx.now;
    }

    /// An acknowledgement is owed: now, or soon (RFC 5681, 4.2).
    pub(super) fn owe_acknowledgement(&mut self, ctx: &mut Ctx<'_>) {
        let waiting = self.rcv.nxt.diff(self.rcv.acked) as u32;
        let quick = self.settings.quickack && self.rcv.quick > 0;
        if waiting > u32::from(self.rcv.mss) || quick || self.rcv.reassembly.is_some() {
            self.due |= Due::ACK;
        } else if !self.timers.is_set(Timer::DelayedAck) {
            let wanted = (u64::from(self.rcv.ato_us) * 1000).max(nanos(ctx.limits.delayed_ack_min));
            let delay = wanted.min(nanos(ctx.limits.delayed_ack_max));
            self.timers.set(Timer::DelayedAck, Instant(ctx.now.0 + delay));
        }
    }

    /// A segment with the ACK bit goes out.
    pub(super) fn acknowledged_now(&mut self) {
        self.due.set(Due::ACK, self.rcv.gap_acks > 0);
        if self.rcv.acked != self.rcv.nxt {
            self.rcv.quick = self.rcv.quick.saturating_sub(1);
        }
        self.rcv.acked = self.rcv.nxt;
        self.timers.clear(Timer::DelayedAck);
    }

    /// Data goes out soon after data came: an exchange, in which the answer carries the acknowledgement
    /// (Linux: pingpong mode).
    pub(super) fn note_interactive(&mut self, ctx: &Ctx<'_>) {
        let ato_ns = u64::from(self.rcv.ato_us) * 1000;
        if elapsed(ctx.now, self.rcv.last_data) < ato_ns {
            self.settings.quickack = false;
        }
    }

    /// An answer to an unacceptable segment: a bare one gets it at most every so often (RFC 5961, 7; Linux:
    /// tcp_invalid_ratelimit).
    pub(super) fn challenge(&mut self, limited: bool, ctx: &mut Ctx<'_>) -> bool {
        if limited
            && self.challenged.get().is_some_and(|at| ctx.now.since(at) < ctx.limits.challenge_interval)
        {
            ctx.counters.ack_skipped += 1;
            return false;
        }
        if limited {
            self.challenged = Moment::at(ctx.now);
        }
        self.due |= Due::ACK;
        true
    }

    /// The window field of the segment that goes out; the edge moves with it, never back.
    pub(super) fn offer_window(&mut self) -> u16 {
        let edge = self.wanted_edge();
        if self.rcv.edge.lt(edge) {
            self.rcv.edge = edge;
        }
        // Rounded up as on Linux, so that the scale takes nothing back; but not beyond the buffer, or small
        // segments would creep on for ever. What was offered before is accepted in any case.
        let scale = self.rcv.wscale;
        let up = (self.rcv.wnd() + (1 << scale) - 1) >> scale << scale;
        if up <= self.free() {
            self.rcv.edge = self.rcv.nxt + up;
        }
        u16::try_from(self.rcv.wnd() >> scale).unwrap_or(u16::MAX)
    }

    /// Whether the window has opened so far that the peer should hear of it unasked (RFC 9293, 3.8.6.2.2).
    pub(super) fn owes_window_update(&self) -> bool {
        let edge = self.wanted_edge();
        let gain = edge.diff(self.rcv.edge);
        gain > 0 && (2 * self.rcv.wnd() <= edge.diff(self.rcv.nxt) as u32)
    }

    /// What the buffer has free.
    fn free(&self) -> u32 {
        self.rcv.limit.saturating_sub(self.rcv.queue.len() as u32)
    }

    /// The edge that the buffer allows: silly-window avoidance (RFC 9293, 3.8.6.2.2) moves it only by a full
    /// segment or half of the buffer.
    fn wanted_edge(&self) -> Seq {
        let rcv = &self.rcv;
        let free = self.free().min(u32::from(u16::MAX) << rcv.wscale) >> rcv.wscale << rcv.wscale;
        let edge = rcv.nxt + free;
        let step = u32::from(rcv.mss).min(rcv.limit / 2) as i32;
        if edge.diff(rcv.edge) >= step { edge } else { rcv.edge }
    }

    /// Dynamic right-sizing: a program that takes more in a round trip than half of what may be offered gets a
    /// larger buffer.
    pub(super) fn tune_receive_buffer(&mut self, n: usize, ctx: &Ctx<'_>) {
        let rcv = &mut self.rcv;
        rcv.taken = rcv.taken.saturating_add(n as u32);
        if self.settings.receive_buffer_locked || elapsed(ctx.now, rcv.tuned_at) < nanos(self.rtt.srtt()) {
            return;
        }
        let most = if self.settings.window_clamp > 0 {
            (ctx.limits.receive_buffer_max / 2).min(self.settings.window_clamp)
        } else {
            ctx.limits.receive_buffer_max / 2
        };
        rcv.limit = rcv.limit.max(rcv.taken.saturating_mul(2).min(most));
        rcv.taken = 0;
        rcv.tuned_at = ctx.now;
    }

    /// The send buffer that tunes itself holds twice the congestion window (Linux: tcp_sndbuf_expand).
    pub(super) fn tune_send_buffer(&mut self, ctx: &Ctx<'_>) {
        self.resolve_lowat(ctx);
        if self.settings.send_buffer_locked {
            self.snd.limit = self.settings.send_buffer;
            return;
        }
        // Linux counts a segment by the memory that it pins: the power of two above it.
        let segment = u32::from(self.snd.mss).max(1);
        let segments = self.congestion.window().div_ceil(segment);
        let pinned = (segment + SEGMENT_OVERHEAD).next_power_of_two() + SEGMENT_HEAD;
        let wanted = segments.saturating_mul(pinned).saturating_mul(2).min(ctx.limits.send_buffer_max);
        let least = ctx.limits.send_buffer_initial.min(ctx.limits.send_buffer_max);
        self.snd.limit = self.snd.limit.max(wanted).max(least);
    }

    /// Whether the peer may still send us data that someone will read.
    pub(super) fn hears_nobody(&self) -> bool {
        self.marks.contains(Marks::SHUT_READ)
    }
}

/// Linux: half of the window in segments, 16 at most.
fn quick_budget(window: u32, mss: u16) -> u8 {
    (window / (2 * u32::from(mss.max(1)))).clamp(2, 16) as u8
}

pub(super) fn micros(d: Duration) -> u32 {
    u32::try_from(nanos(d) / 1000).unwrap_or(u32::MAX)
}

/// Bytes that Linux adds to a segment for its headers and bookkeeping.
const SEGMENT_OVERHEAD: u32 = 640;
/// Its `struct sk_buff`.
const SEGMENT_HEAD: u32 = 256;
