//! What goes out: one segment per call of `transmit`, until there is none.
//!
//! In: what other steps noted as due, the queue, the windows. Out: segments, in the order reset, SYN, data and
//! retransmissions, probe, acknowledgement. Everything that is sent acknowledges what was received.

use super::block::{Due, Marks};
use super::connection::Connection;
use super::timers::{Timer, elapsed};
use super::{Ctx, Segment, State};
use crate::packet::Payload;
use crate::wire::tcp::{Flags, Options, Seq, TcpHeader};

impl Connection {
    /// The next segment to send; called until `None`.
    pub fn transmit(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        if self.due.is_empty() {
            return None;
        }
        let segment = self.next_segment(ctx)?;
        self.totals.segs_out += 1;
        ctx.counters.out_segs += 1;
        Some(segment)
    }

    fn next_segment(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        if self.due.contains(Due::RST) {
            self.due -= Due::RST;
            return Some(self.form_reset(ctx));
        }
        if self.due.contains(Due::SYN) {
            self.due -= Due::SYN | Due::ACK;
            return Some(self.form_syn(ctx));
        }
        if self.due.contains(Due::DATA) {
            if let Some(segment) = self.next_data(ctx) {
                return Some(segment);
            }
            self.due -= Due::DATA | Due::FORCE | Due::TAIL;
            self.note_limit(ctx.now);
            if !self.timers.is_set(Timer::Pacing) {
                self.note_program_limited();
                self.watch_window(ctx);
            }
        }
        if self.due.contains(Due::PROBE) {
            self.due -= Due::PROBE;
            // As Linux, and RFC 9293 3.8.4's keepalive: an old sequence number, which the peer must answer.
            return Some(self.form(self.snd.una + u32::MAX, Flags::ACK, Payload::new(), ctx));
        }
        if self.due.contains(Due::ACK) {
            self.rcv.gap_acks = self.rcv.gap_acks.saturating_sub(1);
            return Some(self.form(self.snd.nxt, Flags::ACK, Payload::new(), ctx));
        }
        None
    }

    /// A retransmission, or new data as far as the windows and Nagle let it go.
    fn next_data(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        if !matches!(
            self.state,
            State::Established | State::CloseWait | State::FinWait1 | State::Closing | State::LastAck
        ) && !self.is_open_early()
        {
            return None;
        }
        if self.due.contains(Due::TAIL) {
            self.due -= Due::TAIL;
            return self.form_probe(ctx);
        }
        if self.is_paced_out(ctx) {
            return None;
        }
        if self.may_retransmit()
            && !self.holds_lost_back()
            && let Some((start, end)) = self.recovery.board.next_lost()
            && (start == self.snd.una || start.lt(self.snd.una + self.snd.wnd))
        {
            return Some(self.form_again(start, end, ctx));
        }
        if self.rare.is_some()
            && let Some(len) = self.probe_size()
        {
            let start = self.snd.queue.next_seq();
            self.note_probe(start, len);
            return Some(self.form_new(len, ctx));
        }
        let Some(len) = self.sendable() else {
            if self.has_held_back_in_vain() {
                return self.next_data(ctx);
            }
            return None;
        };
        let mut segment = self.form_new(len, ctx);
        self.settle();
        if !self.due.contains(Due::DATA) {
            self.note_program_limited();
        }
        if self.marks.contains(Marks::NO_SPACE) {
            self.note_limit(ctx.now);
        }
        self.end_burst(&mut segment, ctx);
        Some(segment)
    }

    /// What goes out together ends with PSH, as Linux has it of each packet that its driver will cut: the receiver
    /// need not wait for more.
    fn end_burst(&mut self, segment: &mut Segment, ctx: &Ctx<'_>) {
        let (len, mss) = (segment.payload.len() as u32, self.payload_max());
        let whole = self.burst_goal(mss, ctx);
        self.snd.burst += len;
        let goes_on =
            len == mss && self.snd.burst < whole && self.due.contains(Due::DATA) && self.sendable().is_some();
        if !goes_on {
            if self.snd.burst > len || len > u32::from(self.snd.mss) {
                segment.header.flags |= Flags::PSH;
            }
            self.snd.burst = 0;
        }
    }

    /// How much Linux puts together at most: what half of the greatest window and a packet of 64 KiB hold
    /// (tcp_xmit_size_goal).
    fn burst_goal(&self, mss: u32, ctx: &Ctx<'_>) -> u32 {
        let half = self.half_window();
        // A burst takes half of the congestion window at most, and what goes in a millisecond at the rate of the
        // path: twice the window per round trip in slow start, 1.2 times it later (tcp_tso_autosize).
        let window = self.congestion.window();
        let slow = window < self.congestion.threshold() / 2;
        let millisecond = match self.rtt.srtt_ns() {
            0 => BURST_MAX,
            srtt => {
                let rate = u64::from(window) * if slow { 200 } else { 120 } * 10_000_000 / srtt;
                let near = (self.rtt.min_ns() / 1000) >> 9;
                let more = if near < 32 { u64::from(GSO_MAX) >> near } else { 0 };
                ((rate >> 10) + more).min(u64::from(BURST_MAX)) as u32
            }
        };
        let least = mss * u32::from(ctx.limits.burst_segments_min);
        let most = half.min(BURST_MAX).min(window / 2).min(millisecond.max(least));
        (most - most % mss.max(1)).max(mss)
    }

    /// A tail loss probe: new data whatever the congestion window says, else the last segment once more
    /// (RFC 8985, 7.3).
    fn form_probe(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        if self.flight() == 0 {
            return None;
        }
        let unsent = self.snd.queue.end().diff(self.snd.queue.next_seq()) as u32;
        let len = unsent.min(self.payload_max());
        if len > 0 && len <= self.peer_room() {
            let segment = self.form_new(len as usize, ctx);
            self.probed(false, ctx.now);
            return Some(segment);
        }
        let (una, nxt) = (self.snd.una, self.snd.nxt);
        let mut start = nxt + self.payload_max().wrapping_neg();
        if let Some(record) = self.snd.records.as_ref().and_then(|records| records.last_before(nxt)) {
            start = if start.lt(record) { record } else { start };
        }
        let segment = self.form_again(if start.lt(una) { una } else { start }, nxt, ctx);
        self.probed(true, ctx.now);
        Some(segment)
    }

    /// What the peer's window has free.
    pub(super) fn peer_room(&self) -> u32 {
        // A SYN that is not acknowledged takes no room (RFC 9293, 3.8.6: the window begins behind it).
        let begin = self.snd.una + u32::from(self.state == State::SynReceived);
        (begin + self.snd.wnd).diff(self.snd.nxt).max(0) as u32
    }

    /// Data is not due when there is none: spares the owner a look.
    pub(super) fn settle(&mut self) {
        let all_sent = self.snd.queue.next_seq() == self.snd.queue.end();
        let fin = self.marks.contains(Marks::FIN) && !self.fin_sent();
        if all_sent && !fin && !self.may_retransmit() && !self.due.contains(Due::TAIL) {
            self.due -= Due::DATA | Due::FORCE;
        }
    }

    /// How much of the queue goes into a new segment now; `Some(0)` is a FIN alone.
    fn sendable(&mut self) -> Option<usize> {
        let unsent = self.snd.queue.end().diff(self.snd.queue.next_seq()) as u32;
        let fin = self.marks.contains(Marks::FIN) && !self.fin_sent();
        if unsent == 0 && !fin {
            return None;
        }
        let flight = self.flight();
        let mss = self.payload_max();
        let room = self.peer_room();
        let record = self.until_record(self.snd.queue.next_seq(), unsent);
        let len = record.min(mss).min(room);
        if len == 0 && (unsent > 0 || room == 0) {
            return None;
        }
        let lost_first = self.recovery.board.lost() > 0 && !self.recovery.new_first();
        if flight > 0 && (lost_first || self.pipe() + len > self.congestion.window()) {
            self.marks |= Marks::CWND_LIMITED;
            return None;
        }
        // What has more behind it waits for nothing but the window (Linux: only the last one is tested by Nagle).
        let whole = len == mss || len == record && record < unsent;
        (whole || self.due.contains(Due::FORCE) || self.lets_partial(len, unsent)).then_some(len as usize)
    }

    /// Whether a segment below the full size may go: silly-window avoidance (RFC 9293, 3.8.6.2.1), CORK and
    /// Nagle's algorithm in Minshall's form, as Linux.
    fn lets_partial(&self, len: u32, unsent: u32) -> bool {
        if len < unsent {
            return len >= self.snd.wnd_max / 2;
        }
        if self.marks.intersects(Marks::FIN | Marks::URGENT) {
            return true;
        }
        if self.settings.cork || self.marks.contains(Marks::MORE) {
            return false;
        }
        let small_in_flight = self.snd.una.lt(self.snd.small);
        self.settings.nodelay || self.flight() == 0 || !small_in_flight
    }

    fn form_new(&mut self, len: usize, ctx: &mut Ctx<'_>) -> Segment {
        if self.flight() == 0 {
            self.restart_after_idle(ctx);
        }
        let seq = self.snd.queue.next_seq();
        let payload = self.snd.queue.read_next(len);
        assert_eq!(payload.len(), len, "the queue holds what it says");
        let flags = self.flags_at(seq + len as u32, len);
        self.note_rate_sent(len as u32, ctx.now.0, ctx.pool);
        self.snd.nxt = seq + len as u32 + u32::from(flags.contains(Flags::FIN));
        if (len as u32) < self.payload_max() {
            self.snd.small = self.snd.nxt;
        }
        self.snd.last_sent = ctx.now;
        self.totals.bytes_sent += len as u64;
        self.totals.data_segs_out += u32::from(len > 0);
        self.note_sent(self.snd.nxt.diff(seq) as u32);
        self.recovery.board.push(self.snd.nxt, ctx.now.0);
        if len == 0 {
            // A FIN that went alone goes alone again.
            self.end_record();
        }
        self.note_usage();
        self.note_busy(ctx.now);
        if self.rare.is_some() {
            self.stamp_sent(self.snd.nxt, ctx.now);
        }
        self.tell_space();
        self.pace(len as u32, ctx);
        self.await_new_data(ctx);
        self.timers.clear(Timer::Persist);
        self.note_interactive(ctx);
        self.form(seq, flags, payload, ctx)
    }

    /// How far the congestion window is used, once a round trip or when more is (Linux: tcp_cwnd_validate).
    fn note_usage(&mut self) {
        let out = self.flight();
        let limited = self.pipe() + u32::from(self.snd.mss) > self.congestion.window();
        let was_limited = self.marks.contains(Marks::CWND_LIMITED);
        let snd = &mut self.snd;
        if limited || snd.usage_end.le(snd.una) || (!was_limited && out > snd.out_max) {
            (snd.out_max, snd.usage_end) = (out, snd.nxt);
            self.marks.set(Marks::CWND_LIMITED, limited);
        }
    }

    /// A segment that begins at `start` and goes to `end` at most once more, a FIN counted.
    fn form_again(&mut self, start: Seq, end: Seq, ctx: &mut Ctx<'_>) -> Segment {
        let data_end = self.snd.queue.next_seq();
        let until = if end.lt(data_end) { end } else { data_end };
        let len = self.payload_max().min(until.diff(start).max(0) as u32);
        let len = self.until_record(start, len);
        let payload = self.snd.queue.read_again(start, len as usize);
        let mut flags = self.flags_at(start + len, len as usize);
        flags.set(Flags::FIN, flags.contains(Flags::FIN) && self.fin_sent());
        let covered = start + len + u32::from(flags.contains(Flags::FIN));
        self.note_rate_sent(len, ctx.now.0, ctx.pool);
        self.pace(len, ctx);
        self.recovery.board.sent_again(start, covered, ctx.now.0);
        self.note_sent(covered.diff(start) as u32);
        self.note_sent_again(covered.diff(start) as u32, ctx.now);
        if start == self.snd.una {
            self.arm_retransmit(ctx);
        }
        self.totals.bytes_retrans += u64::from(len);
        self.totals.bytes_sent += u64::from(len);
        self.totals.retrans += 1;
        self.totals.data_segs_out += u32::from(len > 0);
        ctx.counters.retrans_segs += 1;
        let mut segment = self.form(start, flags, payload, ctx);
        // RFC 3168, 6.1.5.
        segment.header.ecn = super::ecn::NOT_CAPABLE;
        segment
    }

    /// Bytes of data that a segment holds beside the blocks that it carries.
    fn payload_max(&self) -> u32 {
        let mss = u32::from(self.snd.mss);
        match &self.rcv.selective {
            Some(told) if !told.is_empty() => mss - 4 - 8 * told.count(self.blocks_max()) as u32,
            _ => mss,
        }
    }

    /// What 40 bytes of options leave for RFC 2018's.
    fn blocks_max(&self) -> usize {
        if self.marks.contains(Marks::TIMESTAMPS) { 3 } else { 4 }
    }

    /// The flags of a data segment that ends at `end`: FIN behind the last byte, PSH where the queue ends.
    fn flags_at(&self, end: Seq, len: usize) -> Flags {
        let mut flags = Flags::ACK;
        if self.is_record_end(end) || self.is_push_end(end) {
            flags.set(Flags::PSH, len > 0);
        }
        if end == self.snd.queue.end() {
            flags.set(Flags::PSH, len > 0 && !self.marks.contains(Marks::UNPUSHED));
            flags.set(Flags::FIN, self.marks.contains(Marks::FIN));
        }
        flags
    }

    fn form_syn(&mut self, ctx: &mut Ctx<'_>) -> Segment {
        let answer = self.state == State::SynReceived;
        let options = Options {
            mss: Some(self.snd.mss_path),
            window_scale: self.marks.contains(Marks::WINDOW_SCALING).then_some(self.rcv.wscale),
            sack_permitted: self.recovery.selective,
            ..Options::default()
        };
        // RFC 7323, 2.2: not scaled.
        let window = self.rcv.limit.min(u32::from(u16::MAX)) as u16;
        if self.recovery.retransmits == 0 {
            self.recovery.handshake_at.first(ctx.now);
        }
        let flags = if answer { Flags::SYN | Flags::ACK } else { Flags::SYN };
        let flags = self.ask_ecn(flags, ctx);
        let (fast_open, payload) = self.take_opening(ctx);
        let mut segment = self.form(self.snd.iss, flags, payload, ctx);
        segment.header.window = window;
        let timestamps = segment.header.options.timestamps;
        segment.header.options = Options { timestamps, fast_open, ..options };
        if !answer {
            segment.header.ack = Seq(0);
        }
        segment
    }

    fn form_reset(&mut self, ctx: &mut Ctx<'_>) -> Segment {
        ctx.counters.out_rsts += 1;
        let (seq, ack) = self.reset;
        let mut header = self.header(seq, Flags::RST);
        if let Some(ack) = ack {
            header.flags |= Flags::ACK;
            header.ack = ack;
            // RFC 7323, 3.2: a reset of our own carries a timestamp, one that answers does not (Linux).
            if self.marks.contains(Marks::TIMESTAMPS) {
                header.options.timestamps = Some((self.timestamp(ctx.now), self.rcv.ts_recent));
            }
        }
        Segment { header, payload: Payload::new() }
    }

    /// Every segment but a reset: it carries the acknowledgement and the window, which are no longer due.
    fn form(&mut self, seq: Seq, flags: Flags, payload: Payload, ctx: &mut Ctx<'_>) -> Segment {
        let mut header = self.header(seq, flags);
        header.window = self.offer_window();
        header.ack = self.rcv.nxt;
        if self.marks.contains(Marks::TIMESTAMPS) {
            header.options.timestamps = Some((self.timestamp(ctx.now), self.rcv.ts_recent));
        }
        if flags.contains(Flags::ACK) {
            self.acknowledged_now();
        }
        if self.marks.contains(Marks::ECN) && !flags.contains(Flags::SYN) {
            let is_new = self.snd.nxt == seq + payload.len() as u32 + u32::from(flags.contains(Flags::FIN));
            self.mark_outgoing(&mut header, payload.len(), is_new);
        }
        if self.rcv.selective.is_some() {
            self.tell_selective(&mut header);
        }
        if self.marks.contains(Marks::URGENT) {
            self.tell_urgent(&mut header);
        }
        Segment { header, payload }
    }

    /// RFC 2018's blocks go on every segment while there are some.
    fn tell_selective(&mut self, header: &mut TcpHeader) {
        let room = self.blocks_max();
        let Some(told) = &mut self.rcv.selective else { return };
        header.options.sack = told.take(room);
        if told.is_empty() {
            self.rcv.selective = None;
        } else if told.has_news() {
            self.due |= Due::ACK;
        }
    }

    fn header(&self, seq: Seq, flags: Flags) -> TcpHeader {
        TcpHeader {
            src_port: self.local.port(),
            dst_port: self.remote.port(),
            seq,
            flags,
            ..TcpHeader::default()
        }
    }

    /// Nothing in flight and something held back: the persist timer looks after it, so that neither a lost
    /// window update nor CORK stops the connection (RFC 9293, 3.8.6.1; Linux: tcp_check_probe_timer).
    fn watch_window(&mut self, ctx: &Ctx<'_>) {
        let waits = self.snd.queue.next_seq().lt(self.snd.queue.end())
            || (self.marks.contains(Marks::FIN) && !self.fin_sent());
        if waits && self.flight() == 0 && self.state != State::SynSent && !self.timers.is_set(Timer::Persist)
        {
            self.timers.set(Timer::Persist, ctx.now + self.rtt.rto(self.recovery.backoff, ctx.limits));
        }
    }

    /// RFC 5681, 4.1 as Linux does it: the window halves for each timeout of idleness.
    fn restart_after_idle(&mut self, ctx: &Ctx<'_>) {
        let rto = self.rtt.rto_ns(0, ctx.limits);
        let mut idle = elapsed(ctx.now, self.snd.last_sent);
        if idle <= rto || !ctx.limits.slow_start_after_idle {
            return;
        }
        if self.congestion.is_model() {
            self.congestion.restarted(ctx.now.0);
            return;
        }
        let least = super::connection::initial_window(self.snd.mss, ctx);
        self.congestion.idle(idle);
        let before = self.congestion.window();
        let mut window = before;
        while idle > rto && window > least {
            window /= 2;
            idle -= rto;
        }
        self.congestion.set_window(window.max(least.min(before)));
    }
}

/// Linux's limit of a packet that is cut by its driver, less its headers.
pub(super) const BURST_MAX: u32 = GSO_MAX - 1 - 320;
const GSO_MAX: u32 = 65_536;
