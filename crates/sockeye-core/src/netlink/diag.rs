//! `NETLINK_SOCK_DIAG` (sock_diag(7)): the host's sockets, as ss(8) asks for them.
//!
//! In: `struct inet_diag_req_v2` of TCP, UDP, UDP-Lite or raw sockets, for all (a dump, perhaps with a filter program)
//! or for one by its addresses. Out: a `struct inet_diag_msg` for each, with the attributes that were asked for. Inode
//! and user are not the host's to know: the layer above says them of each socket ([`Owner`]).

use super::{Answer, bytecode};
use crate::errno::Errno;
use crate::host::{Domain, Host, Kind, SocketInfo};
use crate::options::ip::{IP_TOS, IPV6_TCLASS};
use crate::options::socket::{SO_RCVBUF, SO_SNDBUF};
use crate::options::table::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET};
use crate::options::tcp::{CONGESTION_NAME_LEN, TCP_CONGESTION, TCP_INFO, info_bytes, state_number};
use crate::tcp::{State, TimerKind};
use crate::time::Instant;
use crate::wire::netlink::{MessageWriter, find_attribute};
use crate::wire::{protocol, to_v6};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

/// What the layer above knows of who has a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// As `/proc/PID/fd` shows it; 0 for nobody's.
    pub inode: u32,
    pub uid: u32,
}

/// Says who has the socket with this word of [`Host::set_owner_tag`]; None for one that is not to be seen.
pub type Owners<'a> = &'a dyn Fn(u64) -> Option<Owner>;

/// `struct inet_diag_req_v2`, checked.
struct Query<'a> {
    domain: Domain,
    kind: Kind,
    protocol: u8,
    /// Which attributes are wanted: bit n - 1 for attribute n.
    extensions: u8,
    /// Which states: bit n for state n of Linux.
    states: u32,
    local: SocketAddr,
    remote: SocketAddr,
    filter: &'a [u8],
}

/// One socket that was found.
struct Found {
    info: SocketInfo,
    owner: Owner,
}

impl Host {
    /// Answers the messages of one `NETLINK_SOCK_DIAG` request: the datagrams for the program, in order.
    pub fn netlink_diag(
        &mut self,
        request: &[u8],
        port: u32,
        owners: Owners<'_>,
        now: Instant,
    ) -> Vec<Vec<u8>> {
        super::answer_each(request, port, |answer, body| self.answer_diag(answer, body, owners, now))
    }

    fn answer_diag(&mut self, answer: &mut Answer, body: &[u8], owners: Owners<'_>, now: Instant) {
        let request = answer.request;
        let query = match request.kind {
            SOCK_DIAG_BY_FAMILY => Query::parse(body),
            SOCK_DESTROY => Err(Errno::EPERM),
            _ => Err(Errno::EINVAL),
        };
        let query = match query {
            Ok(query) => query,
            Err(errno) => return answer.error(Some(errno), body),
        };
        let found = self.find_all(&query, owners, now);
        if request.flags & super::NLM_F_DUMP != 0 {
            if !bytecode::is_sound(query.filter) {
                return answer.error(Some(Errno::EINVAL), body);
            }
            for found in found.iter().filter(|found| query.wants(&found.info)) {
                self.describe(answer.message(SOCK_DIAG_BY_FAMILY, true), &query, found, now);
            }
            return answer.done();
        }
        match found.iter().find(|found| query.names(&found.info)) {
            Some(found) => self.describe(answer.message(SOCK_DIAG_BY_FAMILY, false), &query, found, now),
            None => answer.error(Some(Errno::ENOENT), body),
        }
    }

    /// All of the query's family and protocol: listeners first, as Linux dumps them.
    fn find_all(&self, query: &Query<'_>, owners: Owners<'_>, now: Instant) -> Vec<Found> {
        let own = self.sockets().filter_map(|id| self.info(id, now)).filter_map(|info| {
            // Waiting to be accepted: nobody has it yet.
            let owner =
                if info.parent.is_some() && info.owner_tag == 0 { Some(Owner::default()) } else { None };
            let owner = owner.or_else(|| owners(info.owner_tag))?;
            Some(Found { info, owner })
        });
        let unowned = self.unowned(now).into_iter().map(|info| Found { info, owner: Owner::default() });
        let wanted = |found: &Found| query.is_of(&found.info);
        let mut all: Vec<_> = own.chain(unowned).filter(wanted).collect();
        all.sort_by_key(|found| found.info.state != State::Listen);
        all
    }

    fn describe(&mut self, mut message: MessageWriter<'_>, query: &Query<'_>, found: &Found, now: Instant) {
        let Found { info, owner } = found;
        let family = if info.domain == Domain::Inet { AF_INET } else { AF_INET6 };
        let remote = info.remote.unwrap_or(unspecified(info.domain));
        let inode = info.inode as u32;
        let (timer, left) = info.timer.unwrap_or((TimerKind::None, Duration::ZERO));
        let left_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        let retransmits = info.tcp.as_ref().map_or(0, |tcp| tcp.retransmits);
        message
            .bytes(&[family, state_number(info.state), timer as u8, retransmits])
            .bytes(&port_of(info, info.local).to_be_bytes())
            .bytes(&remote.port().to_be_bytes())
            .bytes(&padded(info.local.ip()))
            .bytes(&padded(remote.ip()))
            .bytes(&0u32.to_ne_bytes())
            // The cookie.
            .bytes(&u64::from(inode).to_ne_bytes());
        for word in [left_ms, info.recv_q as u32, info.send_q as u32, owner.uid, owner.inode] {
            message.bytes(&word.to_ne_bytes());
        }
        self.attributes(&mut message, query, info, now);
        message.finish();
    }

    fn attributes(
        &mut self,
        message: &mut MessageWriter<'_>,
        query: &Query<'_>,
        info: &SocketInfo,
        now: Instant,
    ) {
        let wants = |kind: u16| query.extensions & 1 << (kind - 1) != 0;
        let mut option = |level, name| {
            let value = self.getsockopt(info.id?, level, name, 4, now).ok()?;
            value.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
        };
        // What has no socket any more, or none yet, is not charged for memory.
        if wants(MEMINFO) && !matches!(info.state, State::TimeWait | State::SynReceived) {
            let words = [info.recv_q as u32, info.send_q as u32, 0, info.send_q as u32];
            message.attribute(MEMINFO, words.map(u32::to_ne_bytes).as_flattened());
        }
        if wants(SKMEMINFO) && info.id.is_some() {
            let [receive, send] =
                [SO_RCVBUF, SO_SNDBUF].map(|name| option(SOL_SOCKET, name).unwrap_or(0) as u32);
            let listens = info.state == State::Listen;
            let [waiting, queued] = if listens { [0; 2] } else { [info.recv_q as u32, info.send_q as u32] };
            // rmem, rcvbuf, wmem, sndbuf, fwd, wmem_queued, optmem, backlog, drops.
            let words = [waiting, receive, queued, send, 0, queued, 0, 0, 0];
            message.attribute(SKMEMINFO, words.map(u32::to_ne_bytes).as_flattened());
        }
        if let Some(tos) = option(IPPROTO_IP, IP_TOS).filter(|_| wants(TOS)) {
            message.attribute(TOS, &[tos as u8]);
        }
        if let Some(class) = option(IPPROTO_IPV6, IPV6_TCLASS).filter(|_| wants(TCLASS)) {
            message.attribute(TCLASS, &[class as u8]);
        }
        message.attribute(SHUTDOWN, &[0]);
        if info.kind == Kind::Raw {
            message.attribute(PROTOCOL, &[info.protocol]);
        }
        if info.domain == Domain::Inet6 && matches!(info.state, State::Listen | State::Closed) {
            message.attribute(SKV6ONLY, &[u8::from(info.v6only)]);
        }
        let figures = match info.id {
            Some(id) if info.kind == Kind::Stream => {
                self.getsockopt(id, IPPROTO_TCP, TCP_INFO, usize::MAX, now).ok()
            }
            _ => info.tcp.as_ref().map(|tcp| info_bytes(tcp)),
        };
        if let Some(figures) = figures.filter(|_| wants(INFO)) {
            message.attribute(INFO, &figures);
        }
        let name = info
            .id
            .and_then(|id| self.getsockopt(id, IPPROTO_TCP, TCP_CONGESTION, CONGESTION_NAME_LEN, now).ok());
        if let Some(name) = name.filter(|_| wants(CONG) && info.kind == Kind::Stream) {
            let end = name.iter().position(|b| *b == 0).map_or(name.len(), |at| at + 1);
            message.attribute(CONG, &name[..end]);
        }
    }
}

impl<'a> Query<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Errno> {
        let fixed: &[u8; QUERY_LEN] = body.first_chunk().ok_or(Errno::EINVAL)?;
        // What Linux has no module for: Unix, packet and netlink sockets are not the host's.
        let domain = match fixed[0] {
            AF_INET => Domain::Inet,
            AF_INET6 => Domain::Inet6,
            _ => return Err(Errno::ENOENT),
        };
        let (kind, protocol) = match fixed[1] {
            protocol::TCP => (Kind::Stream, protocol::TCP),
            of @ (protocol::UDP | protocol::UDPLITE) => (Kind::Datagram, of),
            // Which raw protocol, or all.
            IPPROTO_RAW => (Kind::Raw, fixed[3]),
            _ => return Err(Errno::ENOENT),
        };
        let port = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let addr = |at: usize| address(domain, fixed[at..at + 16].first_chunk().expect("sixteen bytes"));
        Ok(Self {
            domain,
            kind,
            protocol,
            extensions: fixed[2],
            states: u32::from_ne_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            local: SocketAddr::new(addr(12), port(8)),
            remote: SocketAddr::new(addr(28), port(10)),
            filter: find_attribute(&body[QUERY_LEN..], REQ_BYTECODE).unwrap_or_default(),
        })
    }

    fn is_of(&self, info: &SocketInfo) -> bool {
        let any_raw = self.kind == Kind::Raw && (self.protocol == 0 || self.protocol == IPPROTO_RAW);
        info.kind == self.kind
            && info.domain == self.domain
            && (any_raw || info.protocol == self.protocol)
            // A stream that was never bound is in none of Linux's tables.
            && (info.kind != Kind::Stream || info.state != State::Closed)
            && (info.kind != Kind::Datagram || info.local.port() != 0)
    }

    /// A dump's choice.
    fn wants(&self, info: &SocketInfo) -> bool {
        let fits = |asked: u16, is: u16| asked == 0 || asked == is;
        let remote = info.remote.unwrap_or(unspecified(info.domain));
        self.states & 1 << state_number(info.state) != 0
            && fits(self.local.port(), port_of(info, info.local))
            && fits(self.remote.port(), remote.port())
            && bytecode::accepts(self.filter, port_of(info, info.local), info.local.ip(), remote)
    }

    /// Whether the addresses name it: a connection's both, else the bound one.
    fn names(&self, info: &SocketInfo) -> bool {
        let local = SocketAddr::new(info.local.ip(), port_of(info, info.local));
        let bound = info.local.ip().is_unspecified() || info.local.ip() == self.local.ip();
        match info.remote {
            Some(remote) => local == self.local && remote == self.remote,
            None => local.port() == self.local.port() && bound,
        }
    }
}

/// A raw socket's port is its protocol (`inet_num`).
fn port_of(info: &SocketInfo, local: SocketAddr) -> u16 {
    if info.kind == Kind::Raw { u16::from(info.protocol) } else { local.port() }
}

fn unspecified(domain: Domain) -> SocketAddr {
    match domain {
        Domain::Inet | Domain::Unix => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        Domain::Inet6 => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    }
}

/// An address as the message has it: four bytes and twelve zeros, or sixteen.
fn padded(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(v4) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            bytes
        }
        v6 => to_v6(v6).octets(),
    }
}

fn address(domain: Domain, bytes: &[u8; 16]) -> IpAddr {
    match domain {
        Domain::Inet | Domain::Unix => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
        Domain::Inet6 => IpAddr::from(*bytes),
    }
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
/// Length of `struct inet_diag_req_v2`.
const QUERY_LEN: usize = 56;
const REQ_BYTECODE: u16 = 1;

// INET_DIAG_*.
const MEMINFO: u16 = 1;
const INFO: u16 = 2;
const CONG: u16 = 4;
const TOS: u16 = 5;
const TCLASS: u16 = 6;
const SKMEMINFO: u16 = 7;
const SHUTDOWN: u16 = 8;
const PROTOCOL: u16 = 10;
const SKV6ONLY: u16 = 11;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_RAW: u8 = 255;
