//! Half-open connections: SYN-RECEIVED before the accept queue (RFC 9293, 3.10.7.2 and 3.10.7.4).
//!
//! In: the SYN, then the segment that ends the handshake. Out: SYN|ACKs, and with the last segment a
//! [`Connection`]. A request is small and holds no buffers; Linux's tcp_check_req is the model.

use super::block::Marks;
use super::connection::{Connection, receive_limit, segment_size, timestamp_offset, window_scale};
use super::{Ctx, Segment, Settings, State};
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::tcp::{FastOpen, Flags, Options, Seq, TcpHeader};
use alloc::boxed::Box;
use core::net::SocketAddr;
use core::time::Duration;

/// One half-open connection.
#[derive(Debug)]
pub struct Request {
    local: SocketAddr,
    remote: SocketAddr,
    irs: Seq,
    iss: Seq,
    window: u16,
    mss_path: u16,
    /// The window of our SYN|ACK.
    offered: u16,
    mss_peer: u16,
    snd_wscale: Option<u8>,
    rcv_wscale: u8,
    ts_recent: Option<u32>,
    sack: bool,
    /// RFC 3168 was asked for and is agreed on.
    ecn: bool,
    /// A Fast Open cookie that the first SYN|ACK offers.
    pub(crate) offer: Option<Box<FastOpen>>,
    /// The SYN's headers, where the listener wants them kept (`TCP_SAVE_SYN`).
    pub(crate) saved_syn: Option<Box<[u8]>>,
    ts_offset: u32,
    /// What `transmit` will give.
    owes_syn_ack: bool,
    owes_ack: bool,
    owes_reset: Option<Seq>,
    /// The handshake's last segment came without data, for which `TCP_DEFER_ACCEPT` waits until then.
    deferred_until: Instant,
    retransmits: u8,
    began: Instant,
    due: Instant,
    challenged: Option<Instant>,
    /// It is not kept: what must be known comes back with the peer's answer.
    forgets: bool,
}

/// What a segment did to a request.
#[derive(Debug)]
pub enum RequestOutcome {
    /// It stays; `transmit` may have something.
    Keep,
    /// The handshake is done; the segment's data and FIN are processed.
    Established(Box<Connection>),
    /// The request is over, silently.
    Dropped,
    /// The request is over and this goes out.
    Reset(Segment),
}

impl Request {
    /// A SYN has come to a listener with these settings: a SYN|ACK is due.
    pub fn new(
        syn: &Segment,
        local: SocketAddr,
        remote: SocketAddr,
        iss: Seq,
        mss_path: u16,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        ctx.counters.in_segs += 1;
        let options = &syn.header.options;
        let scaling = options.window_scale.filter(|_| ctx.limits.window_scaling);
        Self {
            local,
            remote,
            irs: syn.header.seq,
            iss,
            window: syn.header.window,
            mss_path: segment_size(mss_path, settings),
            offered: receive_limit(settings, ctx).min(u32::from(u16::MAX)) as u16,
            mss_peer: options.mss.unwrap_or(super::connection::MSS_DEFAULT),
            snd_wscale: scaling,
            rcv_wscale: scaling.map_or(0, |_| window_scale(settings, ctx)),
            ts_recent: options.timestamps.filter(|_| ctx.limits.timestamps).map(|(value, _)| value),
            sack: options.sack_permitted && ctx.limits.sack,
            ecn: super::ecn::agrees(&syn.header, ctx),
            offer: None,
            saved_syn: None,
            ts_offset: timestamp_offset(local, remote, ctx.limits.timestamp_key),
            owes_syn_ack: true,
            owes_ack: false,
            owes_reset: None,
            deferred_until: ctx.now,
            retransmits: 0,
            began: ctx.now,
            due: ctx.now + ctx.limits.rto_initial,
            challenged: None,
            forgets: false,
        }
    }

    /// Its SYN|ACK goes and the request does not stay (SYN cookies): only time stamps bring back what was agreed on.
    pub(crate) fn forget(&mut self) {
        self.forgets = true;
        if self.ts_recent.is_none() {
            (self.snd_wscale, self.sack, self.ecn) = (None, false, false);
        }
    }

    /// The request that a cookie stands for, as the handshake's last segment tells of it. `sizes` are the peer's
    /// segment size, out of the cookie, and the path's.
    pub(crate) fn remembered(
        segment: &Segment,
        local: SocketAddr,
        remote: SocketAddr,
        (mss_peer, mss_path): (u16, u16),
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        let header = &segment.header;
        let stamps = header.options.timestamps.filter(|_| ctx.limits.timestamps);
        let offset = timestamp_offset(local, remote, ctx.limits.timestamp_key);
        let told = stamps.map_or(NOTHING_TOLD, |(_, echo)| echo.wrapping_sub(offset) & TOLD);
        let scale = told & NO_SCALE;
        let options = Options {
            mss: Some(mss_peer),
            window_scale: (scale != NO_SCALE).then_some(scale as u8),
            timestamps: stamps,
            sack_permitted: told & SACK_TOLD != 0,
            ..Options::default()
        };
        let syn = TcpHeader { seq: header.seq + u32::MAX, window: header.window, options, ..header.clone() };
        let syn = Segment { header: syn, payload: Payload::new() };
        let iss = header.ack + u32::MAX;
        let mut request = Self::new(&syn, local, remote, iss, mss_path, settings, ctx);
        ctx.counters.in_segs -= 1;
        // It measures nothing, and TCP_DEFER_ACCEPT has waited long enough.
        (request.retransmits, request.began, request.owes_syn_ack) = (1, Instant::ZERO, false);
        request.ecn = told & ECN_TOLD != 0;
        request
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The peer's end.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Our initial sequence number.
    pub fn iss(&self) -> Seq {
        self.iss
    }

    /// A segment between the two ends. `room` says whether the accept queue has room: without it the
    /// handshake's last segment is dropped, as on Linux, and the peer's next one may complete it. `settings`
    /// are the listener's, which the connection inherits.
    pub fn arrive(
        &mut self,
        segment: Segment,
        room: bool,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> RequestOutcome {
        ctx.counters.in_segs += 1;
        let header = &segment.header;
        let syn_only = header.flags & (Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN;
        if syn_only && header.seq == self.irs {
            self.owes_syn_ack |= self.may_answer(ctx);
            return RequestOutcome::Keep;
        }
        if !self.is_acceptable(&segment) {
            self.owes_ack |= !header.flags.contains(Flags::RST) && self.may_answer(ctx);
            return RequestOutcome::Keep;
        }
        if header.flags.contains(Flags::RST) {
            ctx.counters.attempt_fails += 1;
            return RequestOutcome::Dropped;
        }
        if header.flags.contains(Flags::SYN) {
            ctx.counters.attempt_fails += 1;
            return super::reset_reply(&segment).map_or(RequestOutcome::Dropped, RequestOutcome::Reset);
        }
        if !header.flags.contains(Flags::ACK) {
            ctx.counters.no_ack += 1;
            return RequestOutcome::Keep;
        }
        if header.ack != self.iss + 1 {
            self.owes_reset = Some(header.ack);
            return RequestOutcome::Keep;
        }
        self.complete(segment, room, settings, ctx)
    }

    /// The SYN|ACK (again), an acknowledgement or a reset that is due; called until `None`.
    pub fn transmit(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        let segment = if let Some(seq) = self.owes_reset.take() {
            ctx.counters.out_rsts += 1;
            let header = self.header(seq, Flags::RST);
            Segment { header, payload: Payload::new() }
        } else if core::mem::take(&mut self.owes_syn_ack) {
            self.owes_ack = false;
            self.syn_ack(ctx)
        } else if core::mem::take(&mut self.owes_ack) {
            let mut header = self.header(self.iss + 1, Flags::ACK);
            header.options.timestamps = self.timestamps(ctx);
            Segment { header: TcpHeader { ack: self.irs + 1, ..header }, payload: Payload::new() }
        } else {
            return None;
        };
        ctx.counters.out_segs += 1;
        Some(segment)
    }

    /// The timer: false when the request has been given up.
    pub fn expire(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.due > ctx.now {
            return true;
        }
        if self.retransmits >= ctx.limits.synack_retries {
            ctx.counters.attempt_fails += 1;
            return false;
        }
        self.retransmits += 1;
        if self.deferred_until <= ctx.now {
            ctx.counters.retrans_segs += 1;
            self.owes_syn_ack = true;
        }
        let rto = ctx.limits.rto_initial.saturating_mul(1 << self.retransmits.min(20));
        self.due = ctx.now + rto.min(ctx.limits.rto_max);
        true
    }

    /// The exact time of the next `expire`.
    pub fn deadline(&self) -> Option<Instant> {
        Some(self.due)
    }

    /// The handshake's last segment: the connection comes to be, and takes the segment as its first.
    fn complete(
        &mut self,
        segment: Segment,
        room: bool,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> RequestOutcome {
        let bare = segment.payload.is_empty() && !segment.header.flags.contains(Flags::FIN);
        let defer = Duration::from_secs(u64::from(settings.defer_accept_s));
        if bare && ctx.now.since(self.began) < defer {
            ctx.counters.deferred_accepts += 1;
            self.deferred_until = self.began + defer;
            return RequestOutcome::Keep;
        }
        if !room {
            ctx.counters.listen_overflows += 1;
            return RequestOutcome::Keep;
        }
        ctx.counters.passive_opens += 1;
        ctx.counters.in_segs -= 1; // the connection counts it
        let mut connection = Box::new(self.connection(settings, ctx));
        connection.arrive(segment, ctx);
        RequestOutcome::Established(connection)
    }

    pub(super) fn connection(&self, settings: &Settings, ctx: &mut Ctx<'_>) -> Connection {
        let mut connection = Connection::new(self.local, self.remote, self.iss, self.mss_path, settings, ctx);
        connection.state = State::SynReceived;
        connection.marks |= Marks::TIMESTAMPS | Marks::WINDOW_SCALING;
        connection.marks.set(Marks::ECN, self.ecn);
        connection.rcv.wscale = self.rcv_wscale;
        connection.recovery.selective = self.sack;
        let options = Options {
            mss: Some(self.mss_peer),
            window_scale: self.snd_wscale,
            timestamps: self.ts_recent.map(|value| (value, 0)),
            sack_permitted: self.sack,
            ..Options::default()
        };
        connection.synchronize(self.irs, self.window, &options, ctx);
        connection.snd.nxt = self.iss + 1;
        if self.retransmits == 0 {
            connection.recovery.handshake_at = super::timers::Moment::at(self.began);
        }
        connection
    }

    /// RFC 9293, 3.10.7.4, first, against the window that the SYN|ACK offered.
    fn is_acceptable(&self, segment: &Segment) -> bool {
        let header = &segment.header;
        let nxt = self.irs + 1;
        let edge = nxt + u32::from(self.offered);
        let stale = match (self.ts_recent, header.options.timestamps) {
            (Some(recent), Some((value, _))) => (value.wrapping_sub(recent) as i32) < -1,
            _ => false,
        };
        !stale && nxt.le(header.seq + segment.len()) && header.seq.le(edge) && nxt.le(header.seq)
    }

    fn syn_ack(&mut self, ctx: &Ctx<'_>) -> Segment {
        let mut header = self.header(self.iss, Flags::SYN | Flags::ACK);
        header.ack = self.irs + 1;
        header.window = self.offered;
        header.flags.set(Flags::ECE, self.ecn);
        header.options = Options {
            mss: Some(self.mss_path),
            window_scale: self.snd_wscale.map(|_| self.rcv_wscale),
            timestamps: self.timestamps(ctx),
            sack_permitted: self.sack,
            fast_open: self.offer.take(),
            ..Options::default()
        };
        Segment { header, payload: Payload::new() }
    }

    fn timestamps(&self, ctx: &Ctx<'_>) -> Option<(u32, u32)> {
        let mut value = ctx.now.as_millis() as u32;
        if self.forgets {
            let told = self.snd_wscale.map_or(NO_SCALE, u32::from)
                | if self.sack { SACK_TOLD } else { 0 }
                | if self.ecn { ECN_TOLD } else { 0 };
            let now = value;
            value = value & !TOLD | told;
            // Never later than now.
            value = if value.wrapping_sub(now) as i32 > 0 { value.wrapping_sub(TOLD + 1) } else { value };
        }
        self.ts_recent.map(|recent| (value.wrapping_add(self.ts_offset), recent))
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

    /// Bare answers go out at most every so often (RFC 5961, 7; Linux: tcp_oow_rate_limited).
    fn may_answer(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.challenged.is_some_and(|at| ctx.now.since(at) < ctx.limits.challenge_interval) {
            ctx.counters.ack_skipped += 1;
            return false;
        }
        self.challenged = Some(ctx.now);
        true
    }
}

/// What the lowest bits of a time stamp tell of a SYN that was not kept (Linux: tcp_syncookies.c).
const TOLD: u32 = 0x3f;
const NO_SCALE: u32 = 0xf;
const SACK_TOLD: u32 = 0x10;
const ECN_TOLD: u32 = 0x20;
const NOTHING_TOLD: u32 = NO_SCALE;
