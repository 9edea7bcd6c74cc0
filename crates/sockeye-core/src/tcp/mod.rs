//! TCP (RFC 9293): the connection's state machine, without ports, addresses' routes or packets.
//!
//! In: segments that the socket layer has found to belong to a connection, user calls, the clock. Out: segments
//! to send, a deadline, readiness, an end. It never looks at other connections and knows no host.

use crate::packet::Payload;
use crate::rng::Rng;
use crate::time::Instant;
use crate::wire::tcp::TcpHeader;

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

/// Figures of a connection (`TCP_INFO`).
#[derive(Clone, Debug, Default)]
pub struct TcpInfo {}
