//! The listener: its accept queue and its half-open requests.
//!
//! Backlog as on Linux: the accept queue is full when it is longer than the backlog, so a backlog of 1 admits
//! two; a SYN that finds it full is dropped, and so is the last ACK of a handshake (the request stays, its
//! SYN|ACK is sent again).

use super::flow::FlowId;
use crate::host::SocketId;
use crate::time::Instant;
use alloc::collections::{BTreeSet, VecDeque};

/// What listen(2) makes of a socket.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    pub backlog: u32,
    /// Connections to be accepted, the oldest first.
    pub queue: VecDeque<SocketId>,
    /// Half-open ones.
    pub requests: BTreeSet<FlowId>,
    /// Connections that were given away before their handshake was over (RFC 7413).
    pub open_early: u32,
    /// When a SYN was last answered by a cookie.
    pub flooded_at: Option<Instant>,
}

impl Listener {
    /// `sk_acceptq_is_full`.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() > self.backlog as usize
    }
}
