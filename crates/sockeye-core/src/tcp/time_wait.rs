//! TIME-WAIT as a type of its own.

use super::{Ctx, Segment};
use crate::time::Instant;
use crate::wire::tcp::Seq;
use core::net::SocketAddr;

/// What is left of a connection in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait {
    local: SocketAddr,
    remote: SocketAddr,
}

/// What a segment did to it.
#[derive(Debug)]
pub enum TimeWaitOutcome {
    Ignore,
    Ack(Segment),
    /// A new SYN that may have the place (RFC 6191): the caller drops this and gives the segment to the
    /// listener, with no iss below this one.
    Reuse(Seq),
    /// It is over (a reset).
    Gone,
}

#[allow(unused_variables)]
impl TimeWait {
    pub fn local(&self) -> SocketAddr {
        self.local
    }
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }
    pub fn arrive(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> TimeWaitOutcome {
        todo!()
    }
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        todo!()
    }
    /// Whether connect may take the four values again (Linux's tcp_tw_reuse: a second later, timestamps on);
    /// the new connection's iss must then be at or after this one.
    pub fn may_reuse(&self, now: Instant) -> Option<Seq> {
        todo!()
    }
}
