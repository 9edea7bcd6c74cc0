//! UDP (RFC 768): datagrams between ports.
//!
//! [`send`] brings a datagram to its way: to a socket of this host it goes directly, without bytes being made
//! of it, as long as nobody watches; else it becomes a packet. [`arrive`] finds who hears it. [`batch`] puts parts
//! together and cuts batches. An [`Inbox`] is
//! what a datagram socket keeps: its peer, what has come, and the errors that came back.

mod arrive;
mod batch;
mod send;

pub(crate) use arrive::hears_group;
pub(crate) use batch::{Corked, cut};
pub(crate) use send::loopback_of;

use crate::host::{Datagram, QueuedError};
use crate::ip::multicast::Membership;
use crate::raw::RawOptions;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// The longest payload over IPv4 (65535 less both headers).
pub(crate) const PAYLOAD_MAX_V4: usize = 65507;
/// The longest payload over IPv6 (65535 less the UDP header).
pub(crate) const PAYLOAD_MAX_V6: usize = 65527;

/// The receiving side of a datagram socket.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Whom it is connected to; v4-mapped addresses stand here as v4.
    pub peer: Option<SocketAddr>,
    pub queue: VecDeque<Datagram>,
    /// What the queue is charged with: memory pinned, as Linux's truesize counts it.
    pub charged: usize,
    pub errors: VecDeque<QueuedError>,
    /// Groups that were joined, each by an interface.
    pub groups: Vec<Membership>,
    /// Of a raw socket.
    pub raw: RawOptions,
    /// Datagrams that found the queue full (`SO_RXQ_OVFL`, `ss -m`).
    pub drops: u64,
}

impl Inbox {
    /// Queues a datagram if `limit` (`SO_RCVBUF`) is not passed yet; says whether it did.
    pub(crate) fn push(&mut self, datagram: Datagram, limit: usize, count_max: usize) -> bool {
        // As Linux: one more is let in as long as what is there is within the limit.
        if self.charged > limit || self.queue.len() >= count_max {
            self.drops += 1;
            return false;
        }
        self.charged += truesize(datagram.payload.len());
        self.queue.push_back(datagram);
        true
    }

    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        let datagram = self.queue.pop_front()?;
        self.charged -= truesize(datagram.payload.len());
        Some(datagram)
    }
}

/// What Linux charges for a datagram: an skb, its data rounded up as kmalloc does, and the shared info.
fn truesize(len: usize) -> usize {
    const SKB: usize = 256;
    const SHARED_INFO: usize = 320;
    const HEADROOM: usize = 64;
    SKB + (len + HEADROOM + SHARED_INFO).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_datagrams_are_charged_as_on_linux() {
        assert_eq!(truesize(1), 768);
        assert_eq!(truesize(1000), 2304);
    }
}
