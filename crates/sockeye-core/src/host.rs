//! The host: three ways in, three ways out.
//!
//! In: a **call** (the methods named after system calls), packets ([`Host::deliver`]), the clock
//! ([`Host::advance`]). Out: packets ([`Host::transmit`]), the next deadline ([`Host::next_deadline`]) and
//! events ([`Host::next_event`]). A host does no I/O, reads no clock and never blocks; this is the contract
//! that the layers above build on.
#![allow(unused_variables, clippy::ptr_arg)]

pub use crate::config::{HostConfig, HostLimits, InterfaceConfig, RouteConfig};
pub use crate::counters::Counters;
use crate::errno::{Errno, Result};
use crate::readiness::Readiness;
use crate::tcp::State;
use crate::time::Instant;
use crate::{Packet, Payload};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};
use smallvec::SmallVec;

slotmap::new_key_type! {
    /// A socket of a host. Keys are never used again.
    pub struct SocketId;
}

/// Index of an interface as the BSD API counts them: `lo` is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IfIndex(pub u32);

impl IfIndex {
    /// The loopback interface, which every host has.
    pub const LO: Self = Self(1);
}

/// The address family of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Domain {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`.
    Inet6,
}

/// `SOCK_STREAM` is TCP, `SOCK_DGRAM` is UDP or (protocol ICMP/ICMPv6) ping, `SOCK_RAW` is raw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Datagram,
    /// `SOCK_RAW`.
    Raw,
}

/// The directions of shutdown(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown {
    /// `SHUT_RD`.
    Read,
    /// `SHUT_WR`.
    Write,
    /// `SHUT_RDWR`.
    Both,
}

/// What a host tells its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something of [`Host::readiness`] may have changed (told once until `next_event` gives it).
    Ready(SocketId),
    /// A connection has entered a listener's accept queue. It stays there until [`Host::accept`] takes it.
    Acceptable {
        /// The listening socket.
        listener: SocketId,
        /// The connection that waits.
        child: SocketId,
    },
}

/// A datagram as `recv_from` gives it.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// The whole payload; the caller cuts it to its buffer (`MSG_TRUNC`).
    pub payload: Payload,
    /// Who sent it, in the socket's own family (v4 is mapped on a v6 socket).
    pub from: SocketAddr,
    /// Where it was sent to (`IP_PKTINFO`).
    pub to: IpAddr,
    /// The interface it came in by.
    pub interface: IfIndex,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// When it came (`SO_TIMESTAMP`).
    pub arrived: Instant,
}

/// What goes with a datagram that is sent (control messages); all optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct SendControl {
    /// The source address (`IP_PKTINFO`).
    pub source: Option<IpAddr>,
    /// The interface to leave by (`IP_PKTINFO`).
    pub interface: Option<IfIndex>,
    /// `IP_TTL`, `IPV6_HOPLIMIT`.
    pub ttl: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub tos: Option<u8>,
}

/// An entry of a socket's error queue (`IP_RECVERR`, `MSG_ERRQUEUE`).
#[derive(Clone, Debug)]
pub struct QueuedError {
    /// `ee_errno`.
    pub errno: Errno,
    /// `ee_origin`: 1 local, 2 ICMP, 3 ICMPv6.
    pub origin: u8,
    /// `ee_type`: the ICMP type.
    pub icmp_type: u8,
    /// `ee_code`: the ICMP code.
    pub icmp_code: u8,
    /// `ee_info`: the MTU, for a packet that was too big.
    pub info: u32,
    /// Who sent the ICMP message (`SO_EE_OFFENDER`), if one did.
    pub offender: Option<IpAddr>,
    /// Where the datagram at fault was going.
    pub destination: SocketAddr,
    /// What is known of the datagram's payload.
    pub payload: Payload,
}

/// An option's value, in the byte order of the machine, as getsockopt(2) gives it.
pub type OptionValue = SmallVec<[u8; 16]>;

/// What `ss` shows of a socket, or of a connection that no program holds any more.
#[derive(Clone, Debug)]
pub struct SocketInfo {
    /// The socket; none for a request, an orphan and TIME-WAIT.
    pub id: Option<SocketId>,
    /// A number for life, as Linux's socket inode; 0 without a socket.
    pub inode: u64,
    /// `SOCK_STREAM` and so on.
    pub kind: Kind,
    /// 6 for TCP, 17 for UDP, ...
    pub protocol: u8,
    /// The family it was made in.
    pub domain: Domain,
    /// TCP's state; UDP is `Established` when connected, else `Closed`, as Linux has it.
    pub state: State,
    /// The local address; unspecified and port 0 when unbound.
    pub local: SocketAddr,
    /// The peer, if there is one.
    pub remote: Option<SocketAddr>,
    /// Bytes to be read; of a listener, connections to be accepted.
    pub recv_q: usize,
    /// Bytes sent or to be sent and not acknowledged; of a listener, the backlog.
    pub send_q: usize,
    /// `IPV6_V6ONLY`.
    pub v6only: bool,
    /// The listener in whose accept queue it waits, or whose request it is.
    pub parent: Option<SocketId>,
    /// TCP's figures, of a connection.
    pub tcp: Option<alloc::boxed::Box<crate::tcp::TcpInfo>>,
    /// The word of the layer above.
    pub owner_tag: u64,
}

/// One machine's sockets and protocols.
#[derive(Debug)]
pub struct Host {
    config: HostConfig,
    counters: Counters,
}

/// A host's birth and its ways in and out.
impl Host {
    /// A host with `lo` and the configured interfaces. All randomness follows from `seed`.
    pub fn new(config: HostConfig, seed: u64) -> Self {
        todo!()
    }
    /// A packet has come in by an interface: an IPv4 or IPv6 packet, its bytes as payload or headers pulled.
    pub fn deliver(&mut self, interface: IfIndex, packet: Packet, now: Instant) {
        todo!()
    }
    /// Drains what sockets have to send, at most `budget` packets, in order. Packets for the host itself are
    /// delivered inside this call (and count); the others are appended to `out`. True if more is left.
    pub fn transmit(&mut self, now: Instant, budget: usize, out: &mut Vec<(IfIndex, Packet)>) -> bool {
        todo!()
    }
    /// The clock: runs whatever timers are due at `now`.
    pub fn advance(&mut self, now: Instant) {
        todo!()
    }
    /// When [`Host::advance`] must be called next, exactly.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        todo!()
    }
    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        todo!()
    }
    /// Every count that the host keeps.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
    /// The configuration it was made with.
    pub fn config(&self) -> &HostConfig {
        &self.config
    }
}

/// Making and ending sockets.
impl Host {
    /// socket(2).
    pub fn socket(&mut self, domain: Domain, kind: Kind, protocol: u8) -> Result<SocketId> {
        todo!()
    }
    /// close(2) of the last descriptor. `id` is dead afterwards; a connection finishes as an orphan inside.
    pub fn close(&mut self, id: SocketId, now: Instant) {
        todo!()
    }
    /// Ends a connection with RST. `id` is dead afterwards.
    pub fn abort(&mut self, id: SocketId, now: Instant) {
        todo!()
    }
    /// shutdown(2).
    pub fn shutdown(&mut self, id: SocketId, how: Shutdown, now: Instant) -> Result<()> {
        todo!()
    }
    /// Whether the socket lives.
    pub fn contains(&self, id: SocketId) -> bool {
        todo!()
    }
}

/// Names and connections.
impl Host {
    /// bind(2).
    pub fn bind(&mut self, id: SocketId, addr: SocketAddr) -> Result<()> {
        todo!()
    }
    /// listen(2). An unbound socket gets an ephemeral port.
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<()> {
        todo!()
    }
    /// connect(2): EINPROGRESS for a TCP handshake under way, `Ok` for a datagram socket.
    pub fn connect(&mut self, id: SocketId, addr: SocketAddr, now: Instant) -> Result<()> {
        todo!()
    }
    /// connect(2) with `AF_UNSPEC`: a datagram socket forgets its peer, a connection is reset and the socket
    /// can be used again.
    pub fn disconnect(&mut self, id: SocketId, now: Instant) -> Result<()> {
        todo!()
    }
    /// accept(2): takes the oldest connection of the queue; EAGAIN when there is none.
    pub fn accept(&mut self, id: SocketId) -> Result<SocketId> {
        todo!()
    }
    /// The accept queue, oldest first.
    pub fn accept_queue(&self, id: SocketId) -> impl Iterator<Item = SocketId> + '_ {
        core::iter::empty()
    }
    /// Puts an accepted connection back at the queue's front.
    pub fn unaccept(&mut self, listener: SocketId, child: SocketId) {
        todo!()
    }
    /// getsockname(2); unspecified and port 0 when unbound.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        todo!()
    }
    /// getpeername(2).
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        todo!()
    }
    /// Who holds a port of a protocol (6 TCP, 17 UDP): the sockets that can stand in a bind's way.
    pub fn port_holders(&self, protocol: u8, port: u16) -> SmallVec<[SocketId; 4]> {
        todo!()
    }
    /// Makes a wildcard-bound UDP socket or TCP listener receive what programs of this host send to its port
    /// at any address, also a non-local one, unless another socket of the host serves that address and port.
    /// It takes no part in bind conflicts any more. Accepted connections and [`Datagram::to`] show the
    /// original destination, which [`SendControl::source`] may then be.
    pub fn intercept(&mut self, id: SocketId) -> Result<()> {
        todo!()
    }
}

/// Streams of bytes.
impl Host {
    /// send(2) on a stream, or on a connected datagram socket.
    pub fn send(&mut self, id: SocketId, data: &[u8], now: Instant) -> Result<usize> {
        todo!()
    }
    /// As [`Host::send`], by reference; what does not fit is left to the caller (the count says).
    pub fn send_chunk(&mut self, id: SocketId, chunk: Bytes, now: Instant) -> Result<usize> {
        todo!()
    }
    /// Room in a stream's send buffer, at most `max` bytes, to be filled in place and committed.
    pub fn send_reserve(&mut self, id: SocketId, max: usize) -> Result<&mut [u8]> {
        todo!()
    }
    /// The first `n` bytes of the room reserved last are data now.
    pub fn send_commit(&mut self, id: SocketId, n: usize, now: Instant) {
        todo!()
    }
    /// recv(2) on a stream, or on a datagram socket (the rest of the datagram is lost). 0 is end of file.
    pub fn recv(&mut self, id: SocketId, buf: &mut [u8], peek: bool, now: Instant) -> Result<usize> {
        todo!()
    }
    /// What a stream has received, in place; take it with [`Host::consume`]. Empty is end of file; EAGAIN,
    /// ENOTCONN or the pending error otherwise.
    pub fn recv_slices(&mut self, id: SocketId) -> Result<SmallVec<[&[u8]; 8]>> {
        todo!()
    }
    /// The program has taken `n` bytes.
    pub fn consume(&mut self, id: SocketId, n: usize, now: Instant) {
        todo!()
    }
    /// `SIOCINQ`: bytes to be read; of a datagram socket the next datagram's.
    pub fn queued_in(&self, id: SocketId) -> Result<usize> {
        todo!()
    }
    /// `SIOCOUTQ`: bytes not acknowledged or not sent.
    pub fn queued_out(&self, id: SocketId) -> Result<usize> {
        todo!()
    }
}

/// Datagrams.
impl Host {
    /// sendto(2), sendmsg(2) of a datagram; without `to`, to the connected peer.
    pub fn send_to(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: Option<SocketAddr>,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        todo!()
    }
    /// recvfrom(2), recvmsg(2): the next datagram, or the pending error once, or EAGAIN.
    pub fn recv_from(&mut self, id: SocketId, peek: bool, now: Instant) -> Result<Datagram> {
        todo!()
    }
    /// The next datagram's length, without taking it.
    pub fn next_datagram_len(&self, id: SocketId) -> Option<usize> {
        todo!()
    }
    /// recvmsg(2) with `MSG_ERRQUEUE`: the oldest queued error.
    pub fn recv_error(&mut self, id: SocketId) -> Result<QueuedError> {
        todo!()
    }
}

/// Options, readiness and what is to be seen.
impl Host {
    /// setsockopt(2), with Linux's numbers and lengths.
    pub fn setsockopt(
        &mut self,
        id: SocketId,
        level: i32,
        name: i32,
        value: &[u8],
        now: Instant,
    ) -> Result<()> {
        todo!()
    }
    /// getsockopt(2); the value is cut to `max_len` as Linux cuts it.
    pub fn getsockopt(
        &mut self,
        id: SocketId,
        level: i32,
        name: i32,
        max_len: usize,
        now: Instant,
    ) -> Result<OptionValue> {
        todo!()
    }
    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&mut self, id: SocketId) -> Option<Errno> {
        todo!()
    }
    /// What poll(2) would say.
    pub fn readiness(&self, id: SocketId) -> Readiness {
        todo!()
    }
    /// What `ss` shows of a socket.
    pub fn info(&self, id: SocketId, now: Instant) -> Option<SocketInfo> {
        todo!()
    }
    /// Every socket, in creation order.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        core::iter::empty()
    }
    /// Connections that no program holds: requests, orphans, TIME-WAIT; in creation order.
    pub fn unowned(&self, now: Instant) -> Vec<SocketInfo> {
        todo!()
    }
    /// Keeps a word for the layer above.
    pub fn set_owner_tag(&mut self, id: SocketId, tag: u64) {
        todo!()
    }
    /// The word of [`Host::set_owner_tag`]; 0 at first. An accepted connection has 0.
    pub fn owner_tag(&self, id: SocketId) -> u64 {
        todo!()
    }
    /// Answers the messages of one `NETLINK_ROUTE` request: a list of datagrams for the program. `port` is
    /// the program's netlink port (`nl_pid`).
    pub fn netlink_route(&self, request: &[u8], port: u32) -> Vec<Vec<u8>> {
        todo!()
    }
}
