//! Readiness, and what is to be seen of sockets (`ss`).

use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, Kind, SocketId, SocketInfo};
use crate::readiness::Readiness;
use crate::socket::demux::{Fit, FlowKey};
use crate::socket::flow::{Flow, FlowKind};
use crate::socket::table::{Body, Role, Socket, show};
use crate::tcp::{Connection, Stamp, Stamping, State, TimerKind};
use crate::time::Instant;
use crate::wire::protocol;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// What is to be seen.
impl Host {
    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&mut self, id: SocketId) -> Option<Errno> {
        let socket = self.sockets.get_mut(id)?;
        let error = socket.error.take();
        let flow = socket.flow();
        error.or_else(|| flow.and_then(|flow| self.flows[flow].connection_mut()?.take_error()))
    }

    /// Puts an error back that [`Host::take_error`] gave: it is pending as before.
    pub fn return_error(&mut self, id: SocketId, errno: Errno) {
        self.set_error(id, errno);
    }

    /// What poll(2) would say.
    pub fn readiness(&self, id: SocketId) -> Readiness {
        let Some(socket) = self.sockets.get(id) else { return Readiness::empty() };
        match &socket.body {
            Body::Unix(_) => self.unix_readiness(id),
            Body::Datagram(_) => socket.datagram_readiness(),
            Body::Stream { role: Role::Listener(listener), .. } => match listener.queue.is_empty() {
                true => Readiness::empty(),
                false => Readiness::IN,
            },
            Body::Stream { role: Role::Idle, .. } => socket.idle_readiness(),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                self.flows[*flow].connection().map_or(Readiness::empty(), Connection::readiness)
            }
        }
    }

    /// Whether a stream neither listens nor has a connection, not even one that failed and was not asked for.
    pub fn is_idle(&self, id: SocketId) -> bool {
        self.sockets.get(id).is_some_and(|socket| matches!(socket.role(), Some(Role::Idle)))
    }

    /// Whether a stream's connection has ended, as its program may see (`TCP_CLOSE`; in TIME-WAIT Linux's socket is a
    /// closed one already).
    pub fn is_ended(&self, id: SocketId) -> bool {
        let flow = self.sockets.get(id).and_then(Socket::flow);
        flow.is_some_and(|flow| match self.flows[flow].connection() {
            Some(connection) => matches!(connection.state(), State::Closed | State::TimeWait),
            None => true,
        })
    }

    /// What `ss` shows of a socket.
    pub fn info(&self, id: SocketId, now: Instant) -> Option<SocketInfo> {
        let socket = self.sockets.get(id)?;
        let mut info = socket.info(id);
        match &socket.body {
            Body::Unix(unix) => unix.show(&mut info),
            Body::Datagram(inbox) => {
                info.recv_q = inbox.charged;
                info.remote = inbox.peer.map(|peer| socket.show(peer));
                info.state = if inbox.peer.is_some() { State::Established } else { State::Closed };
            }
            Body::Stream { role: Role::Listener(listener), .. } => {
                (info.recv_q, info.send_q) = (listener.queue.len(), listener.backlog as usize);
                info.state = State::Listen;
            }
            Body::Stream { role: Role::Idle, .. } => {}
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                let flow = &self.flows[*flow];
                info.remote = Some(socket.show(flow.remote));
                if let Some(connection) = flow.connection() {
                    info.set_connection(connection, now);
                }
            }
        }
        Some(info)
    }

    /// Every socket, in creation order.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        let mut all: Vec<_> = self.sockets.iter().map(|(id, socket)| (socket.inode, id)).collect();
        all.sort_unstable_by_key(|(inode, _)| *inode);
        all.into_iter().map(|(_, id)| id)
    }

    /// Connections that no program holds: requests, orphans, TIME-WAIT; in creation order.
    pub fn unowned(&self, now: Instant) -> Vec<SocketInfo> {
        let mut all: Vec<_> = self.flows.values().filter(|flow| flow.socket().is_none()).collect();
        all.sort_unstable_by_key(|flow| flow.number);
        all.into_iter().map(|flow| self.flow_info(flow, now)).collect()
    }

    fn flow_info(&self, flow: &Flow, now: Instant) -> SocketInfo {
        let parent = match flow.kind {
            FlowKind::Request { listener, .. } => Some(listener),
            _ => None,
        };
        let domain = match parent {
            Some(listener) => self.sockets[listener].domain,
            None if flow.local.is_ipv4() => Domain::Inet,
            None => Domain::Inet6,
        };
        let mut info = SocketInfo {
            id: None,
            inode: 0,
            kind: Kind::Stream,
            protocol: protocol::TCP,
            domain,
            state: State::SynReceived,
            local: show(domain, flow.local),
            remote: Some(show(domain, flow.remote)),
            recv_q: 0,
            send_q: 0,
            v6only: false,
            parent,
            tcp: None,
            timer: None,
            owner_tag: 0,
        };
        match &flow.kind {
            FlowKind::Connection { connection, .. } => info.set_connection(connection, now),
            FlowKind::TimeWait(wait) => {
                info.state = State::TimeWait;
                info.timer = Some((TimerKind::TimeWait, wait.deadline().since(now)));
            }
            FlowKind::Request { request, .. } => {
                info.timer = request.deadline().map(|at| (TimerKind::Retransmit, at.since(now)));
            }
        }
        info
    }

    /// The socket that a packet of `protocol` from `remote` to `local` would reach, or that sent one the other way: a
    /// connection, else who listens or is bound there.
    pub fn socket_between(&self, protocol: u8, local: SocketAddr, remote: SocketAddr) -> Option<SocketId> {
        let key = FlowKey::new(local, remote, None);
        match protocol {
            protocol::TCP => {
                let flow = self.demux.flow(&key).and_then(|id| self.flows[id].socket());
                flow.or_else(|| self.demux.listener(local, &key, |_| Fit::Yes(0)))
            }
            protocol::UDP | protocol::UDPLITE => self.names(protocol).datagram(local, &key, |_| Fit::Yes(0)),
            _ => None,
        }
    }

    /// `SO_TIMESTAMPING` of a connection, for a layer above that has an error queue to tell the times in.
    ///
    /// # Errors
    /// EINVAL without a connection.
    pub fn set_stamping(&mut self, id: SocketId, wanted: Stamping) -> Result<()> {
        let flow = self.sockets.get(id).and_then(Socket::flow).ok_or(Errno::EINVAL)?;
        self.flows[flow].connection_mut().ok_or(Errno::EINVAL)?.set_stamping(wanted);
        Ok(())
    }

    /// The next time of [`Host::set_stamping`].
    pub fn take_stamp(&mut self, id: SocketId) -> Option<Stamp> {
        let flow = self.sockets.get(id)?.flow()?;
        self.flows[flow].connection_mut()?.take_stamp()
    }

    /// Keeps a word for the layer above.
    pub fn set_owner_tag(&mut self, id: SocketId, tag: u64) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.owner_tag = tag;
        }
    }

    /// The word of [`Host::set_owner_tag`]; 0 at first. An accepted connection has 0.
    pub fn owner_tag(&self, id: SocketId) -> u64 {
        self.sockets.get(id).map_or(0, |socket| socket.owner_tag)
    }
}

impl Socket {
    fn info(&self, id: SocketId) -> SocketInfo {
        SocketInfo {
            id: Some(id),
            inode: self.inode,
            kind: self.kind,
            protocol: self.protocol,
            domain: self.domain,
            state: State::Closed,
            local: self.show(self.local),
            remote: None,
            recv_q: 0,
            send_q: 0,
            v6only: self.options.v6only,
            parent: self.parent,
            tcp: None,
            timer: None,
            owner_tag: self.owner_tag,
        }
    }

    /// tcp_poll of a socket that was never connected, or is not any more.
    fn idle_readiness(&self) -> Readiness {
        let mut ready = Readiness::HUP | Readiness::OUT;
        ready.set(Readiness::ERR, self.error.is_some());
        ready.set(Readiness::IN | Readiness::RDHUP, self.shut_read);
        ready
    }
}

impl SocketInfo {
    fn set_connection(&mut self, connection: &Connection, now: Instant) {
        self.state = connection.state();
        (self.recv_q, self.send_q) = (connection.received(), connection.send_queued());
        self.tcp = Some(Box::new(connection.info(now)));
        self.timer = connection.timer(now);
    }
}
