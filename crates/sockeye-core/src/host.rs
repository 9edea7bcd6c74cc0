//! The host: three ways in, three ways out.
//!
//! This is the contract that the layers above build on.

use crate::time::Instant;
use crate::Payload;
use core::net::{IpAddr, SocketAddr};
use smallvec::SmallVec;

slotmap::new_key_type! {
    /// A socket of a host. Keys are never used again.
    pub struct SocketId;
}

/// Index of an interface as the BSD API counts them: `lo` is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IfIndex(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Domain { Inet, Inet6 }

/// `SOCK_STREAM` is Tcp, `SOCK_DGRAM` is Udp or (protocol ICMP/ICMPv6) Ping, `SOCK_RAW` is Raw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind { Stream, Datagram, Raw }

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown { Read, Write, Both }

/// What a host tells its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something of `Host::readiness` may have changed (told once until `next_event` gives it).
    Ready(SocketId),
    /// A connection has entered a listener's accept queue. It stays there until `accept` takes it.
    Acceptable { listener: SocketId, child: SocketId },
}

/// A datagram as `recv_from` gives it.
#[derive(Clone, Debug)]
pub struct Datagram {
    pub payload: Payload,
    pub from: SocketAddr,
    /// Where it was sent to (`IP_PKTINFO`).
    pub to: IpAddr,
    pub interface: IfIndex,
    pub ttl: u8,
    pub tos: u8,
    pub arrived: Instant,
}

/// What goes with a datagram that is sent (control messages); all optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct SendControl {
    pub source: Option<IpAddr>,
    pub interface: Option<IfIndex>,
    pub ttl: Option<u8>,
    pub tos: Option<u8>,
}

pub type OptionValue = SmallVec<[u8; 16]>;
