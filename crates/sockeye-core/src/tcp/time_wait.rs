//! TIME-WAIT as a type of its own (RFC 9293, 3.6.1): so small that many of them cost little.
//!
//! In: segments for an end that is over. Out: acknowledgements of what was lost, or leave for a new connection
//! between the same ends.

use super::block::Marks;
use super::connection::Connection;
use super::{Ctx, Segment};
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::tcp::{Flags, Options, Seq, TcpHeader};
use core::net::SocketAddr;
use core::time::Duration;

/// What is left of a connection in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait {
    local: SocketAddr,
    remote: SocketAddr,
    snd_nxt: Seq,
    rcv_nxt: Seq,
    window: u16,
    /// The peer's last timestamp and when it came; none without timestamps.
    ts_recent: Option<(u32, Instant)>,
    ts_offset: u32,
    until: Instant,
    challenged: Option<Instant>,
}

/// What a segment did to it.
#[derive(Debug)]
pub enum TimeWaitOutcome {
    /// Nothing.
    Ignore,
    /// This goes out.
    Ack(Segment),
    /// A new SYN that may have the place (RFC 6191): the caller drops this and gives the segment to the
    /// listener, with no iss below this one.
    Reuse(Seq),
    /// It is over (a reset).
    Gone,
}

/// [`TimeWaitOutcome`] before the acknowledgement is made.
#[derive(Debug)]
pub(super) enum Verdict {
    Ignore,
    Ack,
    Reuse(Seq),
    Gone,
}

impl TimeWait {
    pub(super) fn new(from: &Connection, until: Instant) -> Self {
        let timestamps = from.marks.contains(Marks::TIMESTAMPS);
        Self {
            local: from.local,
            remote: from.remote,
            snd_nxt: from.snd.nxt,
            rcv_nxt: from.rcv.nxt,
            window: u16::try_from(from.rcv.wnd() >> from.rcv.wscale).unwrap_or(u16::MAX),
            ts_recent: timestamps.then_some((from.rcv.ts_recent, from.rcv.ts_recent_at)),
            ts_offset: from.ts_offset,
            until,
            challenged: None,
        }
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The peer's end.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.until
    }

    /// Whether connect may take the four values again (Linux's tcp_tw_reuse: with timestamps, a second after
    /// the peer was last heard); the new connection's iss is then this one or later.
    pub fn may_reuse(&self, now: Instant) -> Option<Seq> {
        let (_, heard) = self.ts_recent?;
        (now.since(heard) > REUSE_AFTER).then(|| self.next_iss())
    }

    /// A segment (RFC 9293, 3.10.7.4 for TIME-WAIT; Linux: tcp_timewait_state_process).
    pub fn arrive(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> TimeWaitOutcome {
        ctx.counters.in_segs += 1;
        match self.judge(segment, ctx) {
            Verdict::Ignore => TimeWaitOutcome::Ignore,
            Verdict::Ack => TimeWaitOutcome::Ack(self.acknowledgement(ctx)),
            Verdict::Reuse(iss) => TimeWaitOutcome::Reuse(iss),
            Verdict::Gone => TimeWaitOutcome::Gone,
        }
    }

    /// What a segment deserves.
    pub(super) fn judge(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> Verdict {
        let header = &segment.header;
        let stale = self.is_stale(header, ctx);
        if header.flags.contains(Flags::RST) {
            // RFC 1337 against the assassination of TIME-WAIT: only an exact reset ends it.
            return if header.seq == self.rcv_nxt && !stale { Verdict::Gone } else { Verdict::Ignore };
        }
        let syn = header.flags.contains(Flags::SYN);
        if syn && !header.flags.contains(Flags::ACK) && !stale && self.lets_in(header) {
            return Verdict::Reuse(self.next_iss());
        }
        if !header.flags.intersects(Flags::ACK | Flags::SYN) {
            ctx.counters.no_ack += 1;
            return Verdict::Ignore;
        }
        let bare = segment.len() == 0;
        if bare && header.seq == self.rcv_nxt && !stale {
            return Verdict::Ignore;
        }
        if header.flags.contains(Flags::FIN) && !stale {
            self.until = ctx.now + ctx.limits.time_wait;
        }
        if (bare || syn)
            && self.challenged.is_some_and(|at| ctx.now.since(at) < ctx.limits.challenge_interval)
        {
            ctx.counters.ack_skipped += 1;
            return Verdict::Ignore;
        }
        self.challenged = Some(ctx.now);
        Verdict::Ack
    }

    /// RFC 6191, 2: a SYN with a later timestamp or a later sequence number is a new connection.
    fn lets_in(&self, header: &TcpHeader) -> bool {
        let later = match (self.ts_recent, header.options.timestamps) {
            (Some((recent, _)), Some((value, _))) => (value.wrapping_sub(recent) as i32) > 0,
            _ => false,
        };
        later || self.rcv_nxt.lt(header.seq)
    }

    /// RFC 7323, 5.3.
    fn is_stale(&self, header: &TcpHeader, ctx: &Ctx<'_>) -> bool {
        let (Some((recent, at)), Some((value, _))) = (self.ts_recent, header.options.timestamps) else {
            return false;
        };
        (value.wrapping_sub(recent) as i32) < 0 && ctx.now.since(at) < super::PAWS_VALID
    }

    /// Above everything that this connection ever sent, as Linux has it.
    fn next_iss(&self) -> Seq {
        self.snd_nxt + (u32::from(u16::MAX) + 2)
    }

    fn acknowledgement(&self, ctx: &mut Ctx<'_>) -> Segment {
        ctx.counters.out_segs += 1;
        let value = (ctx.now.as_millis() as u32).wrapping_add(self.ts_offset);
        let header = TcpHeader {
            src_port: self.local.port(),
            dst_port: self.remote.port(),
            seq: self.snd_nxt,
            ack: self.rcv_nxt,
            flags: Flags::ACK,
            window: self.window,
            options: Options {
                timestamps: self.ts_recent.map(|(recent, _)| (value, recent)),
                ..Options::default()
            },
            ..TcpHeader::default()
        };
        Segment { header, payload: Payload::new() }
    }
}

const REUSE_AFTER: Duration = Duration::from_secs(1);
