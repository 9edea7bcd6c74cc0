//! Fifth step: the ACK field (RFC 9293, 3.10.7.4).

use crate::tcp::block::{Due, Marks};
use crate::tcp::connection::Connection;
use crate::tcp::recover::News;
use crate::tcp::timers::Timer;
use crate::tcp::{Ctx, Segment, State};
use crate::wire::tcp::{Flags, Seq, TcpHeader};
use core::ops::ControlFlow;
use core::time::Duration;

impl Connection {
    pub(super) fn check_ack(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        let header = &segment.header;
        if !header.flags.contains(Flags::ACK) {
            ctx.counters.no_ack += 1;
            return ControlFlow::Break(());
        }
        self.check_range(header, ctx)?;
        self.rcv.last_received = ctx.now;
        self.probes = 0;
        self.note_timestamp(header, ctx);
        let window_changed = self.update_window(header);
        self.take_acknowledgement(header, segment.len() == 0 && !window_changed, ctx);
        self.settle();
        if self.state == State::Closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// What the segment acknowledges, and what follows from it; a `bare` one may be a duplicate.
    fn take_acknowledgement(&mut self, header: &TcpHeader, bare: bool, ctx: &mut Ctx<'_>) {
        let una = self.snd.una;
        let echo = header.options.timestamps.map(|(_, echo)| echo);
        let echo = echo.filter(|_| self.marks.contains(Marks::TIMESTAMPS));
        let echo_of_mark = self.is_echo(header);
        if una.lt(header.ack)
            && header.options.sack.is_empty()
            && !echo_of_mark
            && self.is_untroubled_in_sync()
        {
            let was_writable = self.is_writable();
            self.advance(header.ack, ctx);
            self.progress(header.ack, header.ack.diff(una) as u32, ctx);
            self.follow_advance(was_writable, ctx);
            return;
        }
        let mut news = News { echo, marked: echo_of_mark, advanced: una.lt(header.ack), ..News::default() };
        let was_writable = !news.advanced || self.is_writable();
        if news.advanced {
            news.acked = header.ack.diff(una) as u32;
            self.advance(header.ack, ctx);
            self.hear_acknowledged(header.ack, &mut news, ctx.now);
        } else if self.flight() == 0 {
            self.recovery.timed_out_at.clear();
        }
        if !header.options.sack.is_empty() {
            self.hear_selective(header, una, &mut news, ctx);
        }
        if bare && header.ack == una && self.flight() > 0 {
            self.hear_nothing_new(&mut news);
        }
        if !(news.advanced
            || news.duplicate
            || news.dsack
            || news.sacked > 0
            || news.marked && self.flight() > 0)
        {
            return;
        }
        self.react(&news, ctx);
        if self.state == State::SynReceived {
            // What was shut before a simultaneous open is told now (tcp_rcv_state_process).
            if self.marks.contains(Marks::SHUT_WRITE) {
                self.owe_fin();
            }
            self.establish(ctx);
        }
        if news.advanced {
            self.follow_advance(was_writable, ctx);
        }
    }

    /// What the program and the state see of `snd.una`'s move.
    fn follow_advance(&mut self, was_writable: bool, ctx: &mut Ctx<'_>) {
        if !was_writable && self.is_writable() {
            self.marks -= Marks::NO_SPACE;
            self.mark_ready();
        }
        self.tell_space();
        if self.snd.queue.len() == 0 {
            self.note_limit(ctx.now);
        }
        if self.rare.is_some() {
            self.hear_of_probe();
        }
        if self.fin_acked() {
            self.fin_was_acknowledged(ctx);
        }
    }

    /// Nothing but progress can come of an acknowledgement.
    fn is_untroubled_in_sync(&self) -> bool {
        self.state != State::SynReceived && self.is_untroubled()
    }

    /// Whether the number is one that the peer can have got from us.
    fn check_range(&mut self, header: &TcpHeader, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        let unsent = self.snd.nxt.lt(header.ack);
        if self.state == State::SynReceived && (unsent || !self.snd.una.lt(header.ack)) {
            self.reset = (header.ack, None);
            self.due |= Due::RST;
            return ControlFlow::Break(());
        }
        if unsent {
            // Linux drops it in silence; the RFC would acknowledge.
            ctx.counters.ack_unsent += 1;
            return ControlFlow::Break(());
        }
        // RFC 5961, 5.2: older than any window it may have been sent under.
        if i64::from(header.ack.diff(self.snd.una)) < -i64::from(self.snd.wnd_max) {
            if self.challenge(true, ctx) {
                ctx.counters.challenge_acks += 1;
            }
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// SND.WND, from the newest segment (Linux: tcp_may_update_window); says whether it changed.
    fn update_window(&mut self, header: &TcpHeader) -> bool {
        let snd = &mut self.snd;
        let wnd = u32::from(header.window) << snd.wscale;
        let newer = snd.una.lt(header.ack)
            || snd.wl1.lt(header.seq)
            || (snd.wl1 == header.seq && (wnd > snd.wnd || wnd == 0));
        if !newer {
            return false;
        }
        snd.wl1 = header.seq;
        let changed = wnd != snd.wnd;
        snd.wnd = wnd;
        snd.wnd_max = snd.wnd_max.max(wnd);
        if changed && wnd > 0 {
            self.due |= Due::DATA;
            if self.timers.is_set(Timer::Persist) {
                self.timers.clear(Timer::Persist);
                self.recovery.backoff = 0;
            }
        }
        changed
    }

    /// SND.UNA moves.
    pub(in crate::tcp) fn advance(&mut self, ack: Seq, ctx: &mut Ctx<'_>) {
        let bytes = self.acknowledged_bytes(ack);
        self.snd.una = ack;
        if self.snd.small.lt(ack) {
            self.snd.small = ack;
        }
        self.snd.queue.acknowledge(bytes as usize, ctx.pool);
        self.totals.bytes_acked += u64::from(bytes);
        self.soft_error = None;
        self.marks -= Marks::MORE;
        self.acknowledge_records(ack);
        self.acknowledge_pushes(ack);
        if self.rare.is_some() {
            self.stamp_acknowledged(ack, ctx.now);
        }
        self.settle_urgent();
    }

    /// How much of what `ack` newly covers is data: the rest is SYN and FIN.
    fn acknowledged_bytes(&self, ack: Seq) -> u32 {
        let syn = u32::from(self.state == State::SynReceived);
        let fin = u32::from(self.marks.contains(Marks::FIN) && self.snd.queue.end().lt(ack));
        ack.diff(self.snd.una) as u32 - syn - fin
    }

    fn fin_was_acknowledged(&mut self, ctx: &mut Ctx<'_>) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                self.mark_ready();
                if self.is_orphan() {
                    self.linger_in_fin_wait_2(ctx);
                }
            }
            State::Closing => self.enter_time_wait(ctx),
            State::LastAck => self.finish(),
            _ => {}
        }
    }

    /// An orphan does not wait for ever for the peer's FIN (Linux: tcp_fin_timeout, `TCP_LINGER2`).
    pub(in crate::tcp) fn linger_in_fin_wait_2(&mut self, ctx: &mut Ctx<'_>) {
        let seconds = self.settings.linger2_s;
        if seconds < 0 {
            ctx.counters.abort_on_linger += 1;
            self.owe_reset();
            self.finish();
            return;
        }
        let asked = Duration::from_secs(seconds as u64).min(LINGER2_MAX);
        let life = if seconds == 0 { ctx.limits.fin_timeout } else { asked };
        self.timers.set(Timer::Linger, ctx.now + life);
    }
}

/// Linux's TCP_FIN_TIMEOUT_MAX.
const LINGER2_MAX: Duration = Duration::from_secs(120);
