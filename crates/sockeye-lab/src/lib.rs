//! Many hosts, sans-IO: who is joined to whom, and packets carried between them.
//!
//! In: hosts, links, the clock. Out: a deadline, and whatever the hosts themselves tell. A lab has one clock and
//! does no I/O; its owner calls [`Lab::settle`] after every change and at every deadline.
//!
//! ```text
//!    Host a --- interface 2 ]=== link (ideal) ===[ interface 2 --- Host b
//! ```
//!
//! Links are ideal so far: packets arrive at once and in order. A packet that leaves by an interface without a
//! link is dropped and counted.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod impair;
pub mod link;

use alloc::vec::Vec;
use sockeye_core::host::{Host, IfIndex};
use sockeye_core::{Instant, Packet};

/// A host of a lab.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(usize);

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port {
    pub host: HostId,
    pub interface: IfIndex,
}

/// Packets that one host may send before the others have their turn.
const BURST_PACKETS: usize = 256;
/// Turns of all hosts in one [`Lab::settle`].
const ROUNDS_MAX: usize = 64;

/// Hosts and the links between them.
#[derive(Debug, Default)]
pub struct Lab {
    hosts: Vec<Host>,
    links: Vec<(Port, Port)>,
    /// Reused between calls: packets on their way out of one host.
    outbox: Vec<(IfIndex, Packet)>,
    unlinked_packets: u64,
}

impl Lab {
    /// No hosts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host.
    pub fn add(&mut self, host: Host) -> HostId {
        self.hosts.push(host);
        HostId(self.hosts.len() - 1)
    }

    /// Joins two interfaces by an ideal link.
    pub fn join(&mut self, a: Port, b: Port) {
        self.links.push((a, b));
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// A host, to be called.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// Packets dropped because their interface had no link.
    pub fn unlinked_packets(&self) -> u64 {
        self.unlinked_packets
    }

    /// Runs due timers and carries packets until all is quiet, or the bound is reached: true if more is left.
    pub fn settle(&mut self, now: Instant) -> bool {
        for host in &mut self.hosts {
            if host.next_deadline().is_some_and(|at| at <= now) {
                host.advance(now);
            }
        }
        (0..ROUNDS_MAX).all(|_| self.round(now))
    }

    /// One turn of each host; says whether anything moved.
    fn round(&mut self, now: Instant) -> bool {
        let mut moved = false;
        for index in 0..self.hosts.len() {
            moved |= self.hosts[index].transmit(now, BURST_PACKETS, &mut self.outbox);
            moved |= !self.outbox.is_empty();
            let mut outbox = core::mem::take(&mut self.outbox);
            for (interface, packet) in outbox.drain(..) {
                self.carry(Port { host: HostId(index), interface }, packet, now);
            }
            self.outbox = outbox;
        }
        moved
    }

    fn carry(&mut self, from: Port, packet: Packet, now: Instant) {
        let other = self.links.iter().find_map(|&(a, b)| {
            if a == from {
                Some(b)
            } else if b == from {
                Some(a)
            } else {
                None
            }
        });
        match other {
            Some(to) => self.hosts[to.host.0].deliver(to.interface, packet, now),
            None => self.unlinked_packets += 1,
        }
    }

    /// When [`Lab::settle`] must be called next, exactly.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        self.hosts.iter_mut().filter_map(Host::next_deadline).min()
    }
}
