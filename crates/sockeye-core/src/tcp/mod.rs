//! TCP (RFC 9293): the connection's state machine, without ports, addresses' routes or packets.
//!
//! In: segments that the socket layer has found to belong to a connection, user calls, the clock. Out: segments
//! to send, a deadline, readiness, an end. It never looks at other connections and knows no host.
//!
//! The order of use: after any call, [`Connection::arrive`] or [`Connection::expire`] that was given a
//! [`Ctx`], ask [`Connection::wants_transmit`] and drain [`Connection::transmit`]; then look at
//! [`Connection::deadline`], [`Connection::take_ready`], [`Connection::take_time_wait`] and
//! [`Connection::is_finished`].

use crate::errno::Errno;
use crate::packet::Payload;
use crate::rng::Rng;
use crate::time::Instant;
use crate::wire::tcp::{Flags, TcpHeader};

mod acknowledge;
mod arrive;
mod block;
mod call;
mod check;
mod congestion;
mod connection;
mod counters;
mod ecn;
mod expire;
mod fast_open;
mod icmp;
mod info;
mod limited;
mod pacing;
mod poll;
mod pool;
mod probing;
mod rate;
mod reassembly;
mod receive_queue;
mod records;
mod recover;
mod request;
mod room;
mod rtt;
mod selective;
mod send;
mod send_queue;
mod settings;
mod stamping;
mod time_wait;
mod timers;
mod urgent;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub(crate) use connection::MSS_DEFAULT;
pub use counters::Counters;
pub(crate) use fast_open::{Opening, OpeningNews, cookie};
pub use info::TcpInfo;
pub use pool::Pool;
pub use request::{Request, RequestOutcome};
pub use settings::{Congestion, CookieKeys, Limits, Settings};
pub use stamping::{Stamp, StampKind, Stamping};
pub use time_wait::{TimeWait, TimeWaitOutcome};
pub use timers::TimerKind;
pub use urgent::Mark;

/// A segment, in either direction.
#[derive(Clone, Debug)]
pub struct Segment {
    pub header: TcpHeader,
    pub payload: Payload,
}

/// What every entry into TCP is given.
#[derive(Debug)]
pub struct Ctx<'a> {
    pub now: Instant,
    pub rng: &'a mut Rng,
    pub limits: &'a Limits,
    pub counters: &'a mut Counters,
    pub pool: &'a mut Pool,
}

/// States of RFC 9293, 3.3.2. `Listen`, `SynReceived` and `TimeWait` are also types of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    #[default]
    Closed,
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

/// What an ICMP message says about a segment of ours (RFC 5927, RFC 9293 3.9.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpError {
    /// The destination refuses (port or protocol unreachable, prohibited).
    Hard(Errno),
    /// The path fails for now (network or host unreachable, time exceeded).
    Soft(Errno),
    /// Too big for the path, whose MTU is this, IP header included.
    Mtu(u16),
}

/// The reset that answers a segment for which there is no connection (RFC 9293, 3.10.7.1); none answers a
/// reset.
pub fn reset_reply(segment: &Segment) -> Option<Segment> {
    let header = &segment.header;
    if header.flags.contains(Flags::RST) {
        return None;
    }
    let mut reply =
        TcpHeader { src_port: header.dst_port, dst_port: header.src_port, ..TcpHeader::default() };
    if header.flags.contains(Flags::ACK) {
        reply.seq = header.ack;
        reply.flags = Flags::RST;
    } else {
        reply.ack = header.seq + segment.len();
        reply.flags = Flags::RST | Flags::ACK;
    }
    Some(Segment { header: reply, payload: Payload::new() })
}

impl Segment {
    /// `SEG.LEN`: its octets in sequence space, SYN and FIN counted (RFC 9293, 3.4).
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        let flags = self.header.flags;
        self.payload.len() as u32
            + u32::from(flags.contains(Flags::SYN))
            + u32::from(flags.contains(Flags::FIN))
    }
}

/// RFC 7323, 5.5: a timestamp older than this says nothing any more.
const PAWS_VALID: core::time::Duration = core::time::Duration::from_secs(24 * 24 * 3600);
