//! Half-open connections.

use super::{Connection, Ctx, Segment, Settings};
use crate::time::Instant;
use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use core::net::SocketAddr;

/// One half-open connection (SYN-RECEIVED before the accept queue): small, without buffers.
#[derive(Debug)]
pub struct Request {}

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

#[allow(unused_variables)]
impl Request {
    /// A SYN has come to a listener with these settings.
    pub fn new(
        syn: &Segment,
        local: SocketAddr,
        remote: SocketAddr,
        iss: Seq,
        mss_path: u16,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        todo!()
    }
    pub fn local(&self) -> SocketAddr {
        todo!()
    }
    pub fn remote(&self) -> SocketAddr {
        todo!()
    }
    pub fn iss(&self) -> Seq {
        todo!()
    }
    /// `room` says whether the accept queue has room; `settings` are the listener's, inherited by the connection.
    pub fn arrive(
        &mut self,
        segment: Segment,
        room: bool,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> RequestOutcome {
        todo!()
    }
    /// The SYN|ACK (again), or an acknowledgement that is due; drained until `None`.
    pub fn transmit(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        todo!()
    }
    /// The timer: false when the request has been given up.
    pub fn expire(&mut self, ctx: &mut Ctx<'_>) -> bool {
        todo!()
    }
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }
}
