//! The host: three ways in, three ways out.
//!
//! In: a **call** (the methods named after system calls), packets ([`Host::deliver`]), the clock
//! ([`Host::advance`]). Out: packets ([`Host::transmit`]), the next deadline ([`Host::next_deadline`]) and
//! events ([`Host::next_event`]). A host does no I/O, reads no clock and never blocks; this is the contract
//! that the layers above build on.

pub use crate::config::{HostConfig, HostLimits, InterfaceConfig, RouteConfig};
pub use crate::counters::Counters;
use crate::errno::Errno;
use crate::icmp::Budget;
use crate::ip::fragment::Reassembly;
use crate::ip::route::Routing;
use crate::raw::Raws;
use crate::rng::Rng;
use crate::socket::bind::Ports;
use crate::socket::demux::Demux;
use crate::socket::drain::Reply;
use crate::socket::ephemeral::Ephemeral;
use crate::socket::fast_open::Peers;
use crate::socket::flow::{Flow, FlowId};
use crate::socket::isn::Key;
use crate::socket::table::Socket;
use crate::tcp::{self, State};
use crate::time::Instant;
use crate::timer::Wheel;
use crate::{Packet, Payload};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use slotmap::SlotMap;
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
    /// `AF_UNIX`.
    Unix,
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
    /// `SOCK_SEQPACKET`, of the Unix domain alone.
    SeqPacket,
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
    /// The whole payload; the caller cuts it to its buffer (`MSG_TRUNC`). A raw socket's begins with the IP header
    /// on IPv4.
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
    /// It is a batch of datagrams of that length (`UDP_GRO`); 0 otherwise.
    pub segment: u16,
}

impl Datagram {
    /// The datagrams of a batch one by one; itself, where it is none.
    pub fn into_singles(mut self) -> impl Iterator<Item = Self> {
        let payload = core::mem::take(&mut self.payload);
        let segment = core::mem::take(&mut self.segment);
        crate::udp::cut(payload, segment).map(move |payload| Self { payload, ..self.clone() })
    }
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
    /// `UDP_SEGMENT`: the bytes are a batch of datagrams of that length.
    pub segment: Option<u16>,
    /// `MSG_MORE`: the datagram goes on.
    pub more: bool,
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
    pub tcp: Option<alloc::boxed::Box<tcp::TcpInfo>>,
    /// What a connection waits for, and how long still.
    pub timer: Option<(tcp::TimerKind, core::time::Duration)>,
    /// The word of the layer above.
    pub owner_tag: u64,
}

/// One machine's sockets and protocols.
#[derive(Debug)]
pub struct Host {
    pub(crate) config: HostConfig,
    pub(crate) routing: Routing,
    pub(crate) counters: Counters,
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) sockets: SlotMap<SocketId, Socket>,
    pub(crate) flows: SlotMap<FlowId, Flow>,
    pub(crate) demux: Demux,
    pub(crate) tcp_ports: Ports,
    pub(crate) udp_ports: Ports,
    /// UDP-Lite's ports and names, apart from UDP's.
    pub(crate) lite_ports: Ports,
    pub(crate) lite_names: Demux,
    /// Ping sockets' identifiers.
    pub(crate) ping_ports: Ports,
    pub(crate) raws: Raws,
    pub(crate) unix: crate::unix::UnixTable,
    /// How many sockets have a filter.
    pub(crate) filters: usize,
    pub(crate) ephemeral: Ephemeral,
    pub(crate) wheel: Wheel<FlowId>,
    pub(crate) events: VecDeque<Event>,
    /// Flows that have something to send, each once.
    pub(crate) senders: VecDeque<FlowId>,
    pub(crate) replies: VecDeque<Reply>,
    /// Whole packets that wait for transmit.
    pub(crate) packets: VecDeque<(IfIndex, Packet)>,
    pub(crate) reassembly: Reassembly,
    pub(crate) icmp_budget: Budget,
    /// Groups that sockets of the host have joined, and how many.
    pub(crate) groups: HashMap<IpAddr, u32, FixedState>,
    /// What is remembered of peers, for Fast Open.
    pub(crate) peers: Peers,
    pub(crate) inode_last: u64,
    pub(crate) flow_number_last: u64,
    pub(crate) time_waits: usize,
    pub(crate) orphans: usize,
}

/// What every entry into TCP is given, beside the time.
#[derive(Debug)]
pub(crate) struct Engine {
    pub rng: Rng,
    pub limits: tcp::Limits,
    pub counters: tcp::Counters,
    pub pool: tcp::Pool,
}

impl Engine {
    pub(crate) fn ctx(&mut self, now: Instant) -> tcp::Ctx<'_> {
        let Self { rng, limits, counters, pool } = self;
        tcp::Ctx { now, rng, limits, counters, pool }
    }
}

/// Secrets, drawn once.
#[derive(Debug)]
pub(crate) struct Keys {
    pub isn: Key,
    pub ports: Key,
}

/// A host's birth and its ways in and out.
impl Host {
    /// A host with `lo` and the configured interfaces. All randomness follows from `seed`.
    pub fn new(config: HostConfig, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let keys = Keys { isn: Key::draw(&mut rng), ports: Key::draw(&mut rng) };
        let mut limits = tcp::Limits { timestamp_key: rng.next_u64(), ..tcp::Limits::default() };
        let mut cookies = Rng::new(!seed);
        limits
            .fast_open_keys
            .push((u128::from(cookies.next_u64()) << 64 | u128::from(cookies.next_u64())).to_le_bytes());
        let ephemeral = Ephemeral::new(config.ephemeral_ports, &mut rng);
        let hash_seed = rng.next_u64();
        let (demux, lite_names) = (Demux::new(hash_seed), Demux::new(!hash_seed));
        Self {
            routing: Routing::new(&config),
            config,
            counters: Counters::default(),
            engine: Engine { rng, limits, counters: tcp::Counters::default(), pool: tcp::Pool::default() },
            keys,
            sockets: SlotMap::with_key(),
            flows: SlotMap::with_key(),
            demux,
            tcp_ports: Ports::default(),
            udp_ports: Ports::default(),
            lite_ports: Ports::default(),
            lite_names,
            ping_ports: Ports::default(),
            raws: Raws::default(),
            unix: crate::unix::UnixTable::default(),
            filters: 0,
            ephemeral,
            wheel: Wheel::default(),
            events: VecDeque::new(),
            senders: VecDeque::new(),
            replies: VecDeque::new(),
            packets: VecDeque::new(),
            reassembly: Reassembly::default(),
            icmp_budget: Budget::default(),
            groups: HashMap::default(),
            peers: Peers::default(),
            inode_last: 0,
            flow_number_last: 0,
            time_waits: 0,
            orphans: 0,
        }
    }

    /// A packet has come in by an interface: an IPv4 or IPv6 packet, its bytes as payload or headers pulled.
    pub fn deliver(&mut self, interface: IfIndex, packet: Packet, now: Instant) {
        self.ip_arrives(interface, packet, now);
    }

    /// Drains what sockets have to send, at most `budget` packets, in order. Packets for the host itself are
    /// delivered inside this call (and count); the others are appended to `out`. True if more is left.
    pub fn transmit(&mut self, now: Instant, budget: usize, out: &mut Vec<(IfIndex, Packet)>) -> bool {
        self.drain(now, budget, out)
    }

    /// The clock: runs whatever timers are due at `now`.
    pub fn advance(&mut self, now: Instant) {
        self.counters.ip_reasm_fails += self.reassembly.expire(now);
        let mut due = Vec::new();
        self.wheel.expire(now, |flow| due.push(flow));
        due.into_iter().for_each(|flow| self.flow_expires(flow, now));
    }

    /// When [`Host::advance`] must be called next, exactly.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        let (timers, pieces) = (self.wheel.next_deadline(), self.reassembly.deadline());
        timers.into_iter().chain(pieces).min()
    }

    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            match event {
                Event::Ready(id) => {
                    let Some(socket) = self.sockets.get_mut(id) else { continue };
                    socket.ready_told = false;
                }
                Event::Acceptable { listener, child } => {
                    if self.sockets.get(child).is_none_or(|child| child.parent != Some(listener)) {
                        continue;
                    }
                }
            }
            return Some(event);
        }
    }

    /// Whether [`Host::transmit`] has something to do.
    pub fn wants_transmit(&self) -> bool {
        !(self.packets.is_empty() && self.replies.is_empty() && self.senders.is_empty())
    }

    /// What IP, ICMP, UDP and the tables count.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What TCP's connections count.
    pub fn tcp_counters(&self) -> &tcp::Counters {
        &self.engine.counters
    }

    /// TCP's limits, for every connection.
    pub fn tcp_limits(&self) -> &tcp::Limits {
        &self.engine.limits
    }

    /// Changes TCP's limits, as sysctl(8) would: connections follow where Linux's do.
    pub fn set_tcp_limits(&mut self, limits: tcp::Limits) {
        self.engine.limits = limits;
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// Interfaces and routes.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }
}
