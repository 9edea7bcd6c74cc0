//! Flows: whatever has four values. A connection, a half-open request, a TIME-WAIT.
//!
//! A flow's id stays when a request becomes a connection, so the demultiplexer, the timer wheel and the queue
//! of senders know one kind of key. A connection's socket is a [`SocketId`] beside it; an orphan has none.

use super::bind::Hold;
use super::demux::FlowKey;
use crate::host::{IfIndex, SocketId};
use crate::ip::route::Path;
use crate::tcp::{Connection, Request, TimeWait};
use crate::time::Instant;
use crate::timer::TimerId;
use alloc::boxed::Box;
use core::net::SocketAddr;

slotmap::new_key_type! {
    /// A flow of a host.
    pub(crate) struct FlowId;
}

/// What a host keeps of four values.
#[derive(Debug)]
pub(crate) struct Flow {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// How its segments go.
    pub path: Path,
    /// The gate by which it came in.
    pub gate: Option<IfIndex>,
    /// Its hold on the local port.
    pub hold: Option<Hold>,
    pub timer: Option<(TimerId, Instant)>,
    /// It stands in the queue of senders.
    pub sending: bool,
    /// It stands in the demultiplexer.
    pub listed: bool,
    /// Counts flows up, for an order in which they can be shown.
    pub number: u64,
    pub ttl: u8,
    pub tos: u8,
    /// The least TTL or hop limit of what it hears (`IP_MINTTL`).
    pub min_ttl: u8,
    /// The listener that counts it among those that are open early.
    pub opener: Option<SocketId>,
    pub kind: FlowKind,
}

/// What the packets of a connection have in their IP header, and the least TTL or hop limit of those it hears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub ttl: u8,
    pub tos: u8,
    pub min_ttl: u8,
}

/// The kinds.
#[derive(Debug)]
pub(crate) enum FlowKind {
    Connection { connection: Box<Connection>, socket: Option<SocketId> },
    Request { request: Box<Request>, listener: SocketId },
    TimeWait(Box<TimeWait>),
}

impl Flow {
    pub(crate) fn key(&self) -> FlowKey {
        FlowKey::new(self.local, self.remote, self.gate)
    }

    pub(crate) fn connection(&self) -> Option<&Connection> {
        match &self.kind {
            FlowKind::Connection { connection, .. } => Some(connection),
            _ => None,
        }
    }

    pub(crate) fn connection_mut(&mut self) -> Option<&mut Connection> {
        match &mut self.kind {
            FlowKind::Connection { connection, .. } => Some(connection),
            _ => None,
        }
    }

    pub(crate) fn socket(&self) -> Option<SocketId> {
        match self.kind {
            FlowKind::Connection { socket, .. } => socket,
            _ => None,
        }
    }

    /// The socket whose filter its segments pass.
    pub(crate) fn filtering(&self) -> Option<SocketId> {
        match self.kind {
            FlowKind::Request { listener, .. } => Some(listener),
            _ => self.socket(),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.kind {
            FlowKind::Connection { connection, .. } => connection.deadline(),
            FlowKind::Request { request, .. } => request.deadline(),
            FlowKind::TimeWait(time_wait) => Some(time_wait.deadline()),
        }
    }
}
