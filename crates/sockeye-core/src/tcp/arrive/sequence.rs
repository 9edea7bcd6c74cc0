//! First, second and fourth step: whether the segment may be looked at (RFC 9293 3.10.7.4, RFC 5961, RFC 7323).

use crate::errno::Errno;
use crate::tcp::block::{Due, Marks};
use crate::tcp::connection::Connection;
use crate::tcp::{Ctx, PAWS_VALID, Segment, State};
use crate::wire::tcp::{Flags, TcpHeader};
use core::ops::ControlFlow;

impl Connection {
    /// First: the sequence number, PAWS before it (RFC 7323, 5.3).
    pub(super) fn check_sequence(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        let header = &segment.header;
        let bare = segment.payload.is_empty();
        if self.is_stale(header, ctx)
            && !self.is_reordered(segment, ctx)
            && !header.flags.contains(Flags::RST)
        {
            ctx.counters.paws_estab += 1;
            self.note_duplicate(header.seq, header.seq + segment.payload.len() as u32);
            self.challenge(bare, ctx);
            return ControlFlow::Break(());
        }
        // Linux's tcp_sequence, wider than the RFC's table: what touches the window at either end passes.
        let end = header.seq + segment.len();
        if !end.lt(self.rcv.acked) && !self.rcv.edge.lt(header.seq) {
            return ControlFlow::Continue(());
        }
        ctx.counters.out_of_window += 1;
        if !header.flags.contains(Flags::RST) {
            self.note_duplicate(header.seq, header.seq + segment.payload.len() as u32);
            self.challenge(bare, ctx);
        }
        ControlFlow::Break(())
    }

    /// Second: a reset counts at exactly `rcv.nxt`; elsewhere in the window it is challenged (RFC 5961, 3.2).
    pub(super) fn check_reset(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        if !segment.header.flags.contains(Flags::RST) {
            return ControlFlow::Continue(());
        }
        if segment.header.seq == self.rcv.nxt {
            ctx.counters.estab_resets += 1;
            // Linux's tcp_reset.
            let error = if self.state == State::CloseWait { Errno::EPIPE } else { Errno::ECONNRESET };
            self.fail(error);
        } else if self.challenge(true, ctx) {
            ctx.counters.challenge_acks += 1;
        }
        ControlFlow::Break(())
    }

    /// Fourth: a SYN on a synchronized connection is challenged (RFC 5961, 4.2), but for the SYN|ACK that ends
    /// a simultaneous open.
    pub(super) fn check_syn(&mut self, segment: &mut Segment, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        let header = &segment.header;
        if !header.flags.contains(Flags::SYN) {
            return ControlFlow::Continue(());
        }
        let ends_open = self.state == State::SynReceived
            && header.flags.contains(Flags::ACK)
            && header.seq == self.rcv.irs
            && header.ack == self.snd.nxt
            && segment.payload.is_empty();
        if ends_open {
            // Linux takes its SYN for one that came twice.
            self.note_duplicate(segment.header.seq, segment.header.seq + 1);
            self.due |= Due::ACK;
            let header = &mut segment.header;
            header.flags -= Flags::SYN;
            header.seq = header.seq + 1;
            return ControlFlow::Continue(());
        }
        if self.challenge(true, ctx) {
            ctx.counters.syn_challenges += 1;
            ctx.counters.challenge_acks += 1;
        }
        ControlFlow::Break(())
    }

    /// The timestamp of an acceptable segment is the one to echo, when it spans what was last acknowledged
    /// (RFC 7323, 4.3).
    pub(super) fn note_timestamp(&mut self, header: &TcpHeader, ctx: &Ctx<'_>) {
        if !self.marks.contains(Marks::TIMESTAMPS) {
            return;
        }
        let Some((value, _)) = header.options.timestamps else { return };
        if header.seq.le(self.rcv.acked) && (value.wrapping_sub(self.rcv.ts_recent) as i32) >= 0 {
            self.rcv.ts_recent = value;
            self.rcv.ts_recent_at = ctx.now;
        }
    }

    /// A bare acknowledgement that another has overtaken is no old segment: its blocks and its duplicate count
    /// (Linux: tcp_disordered_ack).
    fn is_reordered(&self, segment: &Segment, ctx: &Ctx<'_>) -> bool {
        let header = &segment.header;
        let (bare, age) = (segment.len() == 0, header.options.timestamps);
        let ms = age.map_or(u32::MAX, |(value, _)| self.rcv.ts_recent.wrapping_sub(value));
        bare && header.flags.contains(Flags::ACK)
            && header.seq == self.rcv.nxt
            && header.ack == self.snd.una
            && u64::from(ms) * 1_000_000 <= self.rtt.rto_ns(0, ctx.limits)
    }

    /// PAWS: an older timestamp than the one to echo, unless that one is outdated itself.
    fn is_stale(&self, header: &TcpHeader, ctx: &Ctx<'_>) -> bool {
        let (true, Some((value, _))) = (self.marks.contains(Marks::TIMESTAMPS), header.options.timestamps)
        else {
            return false;
        };
        // Linux's TCP_PAWS_WINDOW: clocks of a peer with several processors may differ by a tick.
        (value.wrapping_sub(self.rcv.ts_recent) as i32) < -1
            && ctx.now.since(self.rcv.ts_recent_at) < PAWS_VALID
    }
}
