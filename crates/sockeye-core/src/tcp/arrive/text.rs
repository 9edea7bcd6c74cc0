//! Seventh and eighth step: the segment's data and its FIN (RFC 9293, 3.10.7.4).

use crate::errno::Errno;
use crate::packet::Payload;
use crate::tcp::block::{Due, Marks};
use crate::tcp::connection::Connection;
use crate::tcp::{Ctx, Segment, State};
use crate::wire::tcp::{Flags, Seq};

impl Connection {
    pub(super) fn take_text_and_fin(&mut self, segment: Segment, ctx: &mut Ctx<'_>) {
        if self.marks.contains(Marks::ECN) && !segment.payload.is_empty() {
            self.note_mark(&segment);
        }
        let Segment { header, mut payload } = segment;
        let mut fin = header.flags.contains(Flags::FIN);
        if payload.is_empty() && !fin {
            return;
        }
        if !matches!(self.state, State::Established | State::FinWait1 | State::FinWait2) {
            // The peer has said FIN: only a copy of it, or of what was before it, is answered.
            if header.seq.lt(self.rcv.nxt) {
                self.acknowledge_again(ctx);
            }
            return;
        }
        let end = header.seq + payload.len() as u32;
        if self.is_for_nobody(end) {
            ctx.counters.abort_on_data += 1;
            self.reset = (header.ack, None);
            self.due |= Due::RST;
            self.fail(Errno::ECONNRESET);
            return;
        }
        self.totals.data_segs_in += u32::from(!payload.is_empty());
        self.note_duplicate(header.seq, end);
        let Some(seq) = self.trim(header.seq, &mut payload, &mut fin, ctx) else {
            self.acknowledge_again(ctx);
            return;
        };
        if seq == self.rcv.nxt {
            self.take_next(payload, fin, ctx);
        } else {
            self.keep_later(seq, payload, fin, ctx);
        }
    }

    /// Data that nobody can read any more is answered by a reset, so that the peer learns of it (Linux:
    /// tcp_rcv_state_process in FIN-WAIT).
    fn is_for_nobody(&self, end: Seq) -> bool {
        self.hears_nobody() && matches!(self.state, State::FinWait1 | State::FinWait2) && self.rcv.nxt.lt(end)
    }

    /// Cuts off what was received before and what is beyond the window; none when nothing is left.
    fn trim(&mut self, seq: Seq, payload: &mut Payload, fin: &mut bool, ctx: &mut Ctx<'_>) -> Option<Seq> {
        let old = self.rcv.nxt.diff(seq).max(0) as usize;
        if old > payload.len() || (old == payload.len() && !*fin) {
            return None;
        }
        payload.trim_front(old);
        let seq = seq + old as u32;
        let room = self.rcv.edge.diff(seq).max(0) as usize;
        if payload.len() > room {
            payload.truncate(room);
            *fin = false;
            if room == 0 {
                ctx.counters.zero_window_drop += 1;
                return None;
            }
        }
        Some(seq)
    }

    /// What is next in sequence, and all that waited for it.
    fn take_next(&mut self, payload: Payload, mut fin: bool, ctx: &mut Ctx<'_>) {
        let len = payload.len();
        if len > 0 {
            self.deliver(payload, ctx);
            self.note_data(len, ctx);
        }
        // With a FIN, what waits is behind the end of the stream.
        fin = fin || self.take_waiting(ctx);
        if fin {
            self.take_fin(ctx);
        } else {
            self.owe_acknowledgement(ctx);
        }
        if self.is_readable() || fin {
            self.mark_ready();
        }
    }

    /// What came before its turn waits; the acknowledgement that it causes tells the peer of the gap.
    fn keep_later(&mut self, seq: Seq, payload: Payload, fin: bool, ctx: &mut Ctx<'_>) {
        let start = self.rcv.offset(seq);
        let end = start + payload.len() as u64;
        let waiting = self.rcv.reassembly.get_or_insert_default();
        if waiting.len() >= usize::from(ctx.limits.reassembly_pieces_max) {
            ctx.counters.ofo_drop += 1;
        } else {
            ctx.counters.ofo_queue += 1;
            self.totals.ooo += 1;
            let len = payload.len();
            let kept = waiting.insert(start, payload);
            ctx.counters.ofo_merge += (len - kept) as u64;
            if fin {
                waiting.set_fin(end);
            }
            self.note_out_of_order(seq, len, kept == 0);
        }
        // Without SACK the peer counts them; with it their blocks say more.
        self.rcv.gap_acks = if self.recovery.selective { 0 } else { self.rcv.gap_acks.saturating_add(1) };
        self.due |= Due::ACK;
    }

    /// RFC 2018: the peer hears of what came out of order, or twice (RFC 2883).
    fn note_out_of_order(&mut self, seq: Seq, len: usize, twice: bool) {
        if !self.recovery.selective || len == 0 {
            return;
        }
        let end = seq + len as u32;
        let told = self.rcv.selective.get_or_insert_default();
        if twice {
            told.arrived_again(seq, end);
        }
        told.arrived(seq, end);
    }

    /// RFC 2883: the peer hears that what is before `rcv.nxt` came again.
    pub(super) fn note_duplicate(&mut self, seq: Seq, end: Seq) {
        let nxt = self.rcv.nxt;
        if self.recovery.selective && seq.lt(nxt) && seq.lt(end) {
            let until = if end.lt(nxt) { end } else { nxt };
            self.rcv.selective.get_or_insert_default().arrived_again(seq, until);
        }
    }

    /// Moves what has become next out of reassembly; says whether the FIN is.
    fn take_waiting(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let Some(mut waiting) = self.rcv.reassembly.take() else { return false };
        while let Some(piece) = waiting.take(self.rcv.bytes) {
            self.deliver(piece.into(), ctx);
        }
        waiting.advance(self.rcv.bytes);
        let fin = waiting.fin_at(self.rcv.bytes);
        let nxt = self.rcv.nxt;
        if let Some(told) = &mut self.rcv.selective {
            told.advance(nxt);
        }
        self.rcv.gap_acks = 0;
        // RFC 5681, 4.2: at once, when a gap is filled.
        self.due |= Due::ACK;
        if !fin && !waiting.is_empty() {
            self.rcv.reassembly = Some(waiting);
        }
        fin
    }

    pub(in crate::tcp) fn deliver(&mut self, payload: Payload, ctx: &mut Ctx<'_>) {
        self.rcv.nxt = self.rcv.nxt + payload.len() as u32;
        self.rcv.bytes += payload.len() as u64;
        self.rcv.queue.push(payload, ctx.pool);
    }

    /// Eighth: the FIN (Linux: tcp_fin).
    fn take_fin(&mut self, ctx: &mut Ctx<'_>) {
        self.rcv.nxt = self.rcv.nxt + 1;
        self.marks |= Marks::SHUT_READ | Marks::DONE;
        (self.rcv.reassembly, self.rcv.selective) = (None, None);
        match self.state {
            State::Established => {
                self.state = State::CloseWait;
                // Linux expects our FIN soon, which will carry the acknowledgement.
                self.settings.quickack = false;
                if self.rcv.ato_us == 0 { self.due |= Due::ACK } else { self.owe_acknowledgement(ctx) }
            }
            State::FinWait1 => {
                self.state = State::Closing;
                self.due |= Due::ACK;
            }
            State::FinWait2 => {
                self.due |= Due::ACK;
                self.enter_time_wait(ctx);
            }
            _ => {}
        }
    }

    /// A copy of what was received, or what finds no window: the peer has missed an acknowledgement.
    fn acknowledge_again(&mut self, ctx: &mut Ctx<'_>) {
        ctx.counters.dup_segments += 1;
        self.due |= Due::ACK;
    }
}
