//! Arrival in SYN-SENT (RFC 9293, 3.10.7.3).

use crate::errno::Errno;
use crate::tcp::block::Due;
use crate::tcp::connection::Connection;
use crate::tcp::recover::News;
use crate::tcp::{Ctx, Segment, State};
use crate::wire::tcp::Flags;

impl Connection {
    pub(super) fn arrive_syn_sent(&mut self, mut segment: Segment, ctx: &mut Ctx<'_>) {
        let header = &segment.header;
        let acks = header.flags.contains(Flags::ACK);
        // First: an acknowledgement of something else belongs to an older connection.
        if acks && header.ack != self.snd.nxt {
            if !header.flags.contains(Flags::RST) {
                self.reset = (header.ack, None);
                self.due |= Due::RST;
            }
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
        self.snd.una = header.ack;
        let echo = header.options.timestamps.map(|(_, echo)| echo);
        self.react(&News { advanced: true, echo, ..News::default() }, ctx);
        self.establish(ctx);
        self.due -= Due::SYN;
        self.due |= Due::ACK;
        // Fifth: data and FIN that came with it.
        segment.header.seq = segment.header.seq + 1;
        segment.header.flags -= Flags::SYN;
        self.take_text_and_fin(segment, ctx);
    }

    /// Both ends have sent a SYN (RFC 9293, 3.5, figure 8).
    fn open_simultaneously(&mut self, ctx: &mut Ctx<'_>) {
        self.state = State::SynReceived;
        self.due |= Due::SYN;
        self.recovery.restart();
        self.arm_retransmit(ctx);
    }
}
