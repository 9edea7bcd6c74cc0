//! Arrival in SYN-SENT (RFC 9293, 3.10.7.3).

use crate::errno::Errno;
use crate::tcp::acknowledge::micros;
use crate::tcp::block::{Due, Marks};
use crate::tcp::connection::Connection;
use crate::tcp::recover::News;
use crate::tcp::timers::Timer;
use crate::tcp::{Ctx, Segment, State};
use crate::wire::tcp::{Flags, TcpHeader};

impl Connection {
    pub(super) fn arrive_syn_sent(&mut self, mut segment: Segment, ctx: &mut Ctx<'_>) {
        let header = &segment.header;
        let acks = header.flags.contains(Flags::ACK);
        // First: an acknowledgement of something else belongs to an older connection.
        if acks && !(self.snd.iss.lt(header.ack) && header.ack.le(self.snd.nxt)) {
            if !header.flags.contains(Flags::RST) {
                self.reset = (header.ack, None);
                self.due |= Due::RST;
            }
            return;
        }
        // RFC 7323, 3.2: an echo of what was never sent belongs to another connection too (Linux).
        if acks && self.is_echo_of_nothing(header, ctx) && !header.flags.contains(Flags::RST) {
            self.reset = (header.ack, None);
            self.due |= Due::RST;
            return;
        }
        // Second.
        if header.flags.contains(Flags::RST) {
            if acks {
                ctx.counters.attempt_fails += 1;
                self.fail(Errno::ECONNREFUSED);
            }
            return;
        }
        // Fourth.
        if !header.flags.contains(Flags::SYN) {
            ctx.counters.no_ack += 1;
            return;
        }
        self.synchronize(header.seq, header.window, &header.options, ctx);
        self.rcv.last_received = ctx.now;
        if !acks {
            self.open_simultaneously(ctx);
            return;
        }
        self.snd.una = self.snd.iss + 1;
        self.hear_ecn_answer(header);
        let echo = header.options.timestamps.map(|(_, echo)| echo);
        let mut news = News { advanced: true, echo, ..News::default() };
        self.take_opening_answer(header, &mut news, ctx);
        self.react(&news, ctx);
        self.establish(ctx);
        self.send_untaken(ctx);
        self.due -= Due::SYN;
        if self.writer_waits() {
            // Linux: the data that the program waits to write carries the acknowledgement.
            self.timers.set(Timer::DelayedAck, ctx.now + ctx.limits.delayed_ack_max);
            self.rcv.ato_us = micros(ctx.limits.delayed_ack_min);
            self.rcv.last_data = ctx.now;
        } else {
            self.due |= Due::ACK;
        }
        // Fifth: data and FIN that came with it.
        segment.header.seq = segment.header.seq + 1;
        segment.header.flags -= Flags::SYN;
        self.take_text_and_fin(segment, ctx);
    }

    /// Whether the echoed timestamp is none of our SYNs'.
    fn is_echo_of_nothing(&self, header: &TcpHeader, ctx: &Ctx<'_>) -> bool {
        let Some((_, echo)) = header.options.timestamps.filter(|(_, echo)| *echo != 0) else { return false };
        let (first, now) = (self.timestamp(self.snd.last_sent), self.timestamp(ctx.now));
        self.marks.contains(Marks::TIMESTAMPS) && now.wrapping_sub(first) < echo.wrapping_sub(first)
    }

    /// Both ends have sent a SYN (RFC 9293, 3.5, figure 8).
    fn open_simultaneously(&mut self, ctx: &mut Ctx<'_>) {
        self.state = State::SynReceived;
        self.due |= Due::SYN;
        self.recovery.restart();
        self.arm_retransmit(ctx);
    }
}
