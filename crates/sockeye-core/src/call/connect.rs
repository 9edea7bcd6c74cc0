//! connect and its undoing.
//!
//! A stream's connect answers EINPROGRESS; asked again it gives the outcome as Linux does: EALREADY while the
//! handshake lasts, `Ok` once when it is done, the error once when it failed (after which a new connect may be
//! tried), EISCONN later.

use super::bind::{check_family, is_wildcard, scope_of};
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, SendControl, SocketId};
use crate::ip::route::Route;
use crate::socket::bind::{Binding, BoundAddr};
use crate::socket::demux::FlowKey;
use crate::socket::flow::{Flow, FlowId, FlowKind};
use crate::socket::isn;
use crate::socket::table::{Body, Phase, Role};
use crate::tcp::{Connection, State};
use crate::time::Instant;
use crate::udp::loopback_of;
use crate::wire::tcp::Seq;
use crate::wire::{protocol, unmap};
use alloc::boxed::Box;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connections.
impl Host {
    /// connect(2): EINPROGRESS for a TCP handshake under way, `Ok` for a datagram socket.
    pub fn connect(&mut self, id: SocketId, addr: SocketAddr, now: Instant) -> Result<()> {
        match &self.socket_ref(id)?.body {
            Body::Unix(_) => Err(Errno::EINVAL),
            Body::Datagram(_) => self.connect_datagram(id, addr),
            Body::Stream { role: Role::Listener(_), .. } => Err(Errno::EISCONN),
            Body::Stream { role: Role::Connection { phase: Phase::Connected, .. }, .. } => {
                Err(Errno::EISCONN)
            }
            Body::Stream { role: Role::Connection { phase: Phase::Dissolving, .. }, .. } => {
                Err(Errno::EINVAL)
            }
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                let flow = *flow;
                self.connect_outcome(id, flow, now)
            }
            Body::Stream { role: Role::Idle, .. } => match self.connect_stream(id, addr, now) {
                Err(Errno::EINPROGRESS) => self.connect_to_open(id, now),
                other => other,
            },
        }
    }

    /// What became of a connect under way.
    fn connect_outcome(&mut self, id: SocketId, flow: FlowId, now: Instant) -> Result<()> {
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        match connection.state() {
            State::SynSent if connection.is_deferred() => Err(Errno::EISCONN),
            State::SynSent | State::SynReceived => Err(Errno::EALREADY),
            State::Closed => {
                let error = connection.take_error().unwrap_or(Errno::ECONNABORTED);
                self.disconnect(id, now)?;
                Err(error)
            }
            _ => {
                self.sockets[id].set_role(Role::Connection { flow, phase: Phase::Connected });
                Ok(())
            }
        }
    }

    pub(super) fn connect_stream(&mut self, id: SocketId, addr: SocketAddr, now: Instant) -> Result<()> {
        check_family(self.socket_ref(id)?, addr)?;
        let remote = self.destination(id, addr)?;
        if remote.ip().is_multicast() || self.routing.is_broadcast(remote.ip()) {
            return Err(Errno::ENETUNREACH);
        }
        let route = self.stream_route(id, remote)?;
        let (local, reused) = self.connect_name(id, remote, route, now)?;
        let mut iss = isn::initial(&self.keys.isn, local, remote, now);
        if let Some((flow, iss_min)) = reused {
            self.remove_flow(flow);
            self.counters.tcp_time_waits_recycled += 1;
            iss = if iss.lt(iss_min) { iss_min } else { iss };
        }
        self.open_connection(id, local, remote, route, iss, now);
        Err(Errno::EINPROGRESS)
    }

    /// The destination meant by an address: mapped is v4, the wildcard is the host itself.
    pub(crate) fn destination(&self, id: SocketId, addr: SocketAddr) -> Result<SocketAddr> {
        let socket = &self.sockets[id];
        let mut to = unmap(addr);
        let v4_in_v6 = socket.domain == Domain::Inet6 && to.is_ipv4();
        if v4_in_v6 && socket.options.v6only {
            return Err(Errno::ENETUNREACH);
        }
        if is_wildcard(to.ip()) {
            let own = socket.local.ip();
            to.set_ip(match own {
                own if own.is_ipv4() && to.is_ipv6() => IpAddr::V4(Ipv4Addr::LOCALHOST),
                own if self.routing.is_source(own) && own.is_ipv4() && to.is_ipv4() => own,
                _ => loopback_of(to.ip()),
            });
        }
        Ok(to)
    }

    fn stream_route(&self, id: SocketId, remote: SocketAddr) -> Result<Route> {
        let route = self.datagram_route(id, protocol::TCP, remote, &SendControl::default());
        // TCP knows no broadcasts, so no EACCES for one.
        route.map_err(|errno| if errno == Errno::EACCES { Errno::ENETUNREACH } else { errno })
    }

    /// The local name of a connection, and the TIME-WAIT whose place it takes.
    fn connect_name(
        &mut self,
        id: SocketId,
        remote: SocketAddr,
        route: Route,
        now: Instant,
    ) -> Result<(SocketAddr, Option<(FlowId, Seq)>)> {
        let port = self.sockets[id].local.port();
        let hash = self.keys.ports.hash(SocketAddr::new(route.source, 0), remote);
        let gate = self.routing.gate_of(route.path);
        let own = self.sockets[id].options.port_range();
        let mut reused = None;
        let Self { ephemeral, tcp_ports, demux, flows, .. } = self;
        let mut free = |port| {
            let local = SocketAddr::new(route.source, port);
            let Some(flow) = demux.flow(&FlowKey::new(local, remote, gate)) else { return true };
            reused = reusable(&flows[flow], now).map(|iss_min| (flow, iss_min));
            reused.is_some()
        };
        let port = match port {
            0 => ephemeral.for_connect(own, hash, |port| tcp_ports.free_for_connect(port) && free(port)),
            port => free(port).then_some(port),
        };
        let port = port.ok_or(Errno::EADDRNOTAVAIL)?;
        Ok((SocketAddr::new(route.source, port), reused))
    }

    fn open_connection(
        &mut self,
        id: SocketId,
        local: SocketAddr,
        remote: SocketAddr,
        route: Route,
        iss: Seq,
        now: Instant,
    ) {
        let socket = &mut self.sockets[id];
        let settings = socket.swap_settings(None).expect("a stream without connection has settings");
        let explicit = socket.local.port() != 0;
        let binding = Binding { addr: BoundAddr::One(local.ip()), explicit, ..socket.binding() };
        let hold = match socket.hold.take() {
            Some(hold) => self.tcp_ports.change(hold, binding),
            None => self.tcp_ports.take(local.port(), binding),
        };
        let fields = socket.flow_fields(remote.ip());
        socket.local = local;
        let shut = (socket.shut_read, socket.shut_write);
        let mut ctx = self.engine.ctx(now);
        let mut connection =
            Connection::connect(local, remote, iss, route.segment_max(), &settings, &mut ctx);
        // As on Linux: what was shut before stays shut, and no FIN tells of it.
        connection.begin_shut(shut.0, shut.1);
        let kind = FlowKind::Connection { connection: Box::new(connection), socket: Some(id) };
        let gate = self.routing.gate_of(route.path);
        let flow = self.insert_flow(local, remote, route.path, gate, fields, kind);
        self.flows[flow].hold = Some(hold);
        self.sockets[id].set_role(Role::Connection { flow, phase: Phase::Connecting });
        self.settle(flow, now);
    }

    /// ip4_datagram_connect: names the peer, and the source if bind has not.
    fn connect_datagram(&mut self, id: SocketId, addr: SocketAddr) -> Result<()> {
        // inet_dgram_connect: a port first, whatever the address is.
        self.autobind(id)?;
        let socket = &self.sockets[id];
        if socket.domain == Domain::Inet && addr.is_ipv6() {
            return Err(Errno::EAFNOSUPPORT);
        }
        let remote = self.destination(id, addr)?;
        let unbound = SendControl::default();
        let protocol = self.sockets[id].protocol;
        let route = self.datagram_route(id, protocol, remote, &unbound)?;
        self.unlist_datagram(id);
        let device = scope_of(addr);
        let socket = &mut self.sockets[id];
        if socket.local.ip().is_unspecified() {
            let port = socket.local.port();
            socket.local = SocketAddr::new(route.source, port);
        }
        socket.options.device = socket.options.device.or(device);
        socket.inbox_mut().expect("a datagram socket has an inbox").peer = Some(remote);
        self.rebind(id);
        self.list_datagram(id);
        self.tell_ready(id);
        Ok(())
    }

    /// connect(2) with `AF_UNSPEC`: a datagram socket forgets its peer, a connection is reset and the socket
    /// can be used again.
    pub fn disconnect(&mut self, id: SocketId, now: Instant) -> Result<()> {
        match &mut self.socket_mut(id)?.body {
            Body::Unix(_) => return self.unix_disconnect(id),
            Body::Datagram(_) => {
                self.unlist_datagram(id);
                self.sockets[id].inbox_mut().expect("a datagram socket has an inbox").peer = None;
                self.sockets[id].error = None;
                self.reset_name(id);
                if self.sockets[id].local.port() != 0 {
                    self.list_datagram(id);
                }
            }
            Body::Stream { role: Role::Idle, .. } => {
                let socket = &mut self.sockets[id];
                (socket.shut_read, socket.shut_write) = (false, false);
                self.reset_name(id);
            }
            Body::Stream { role: Role::Listener(_), .. } => {
                self.stop_listening(id, now);
                let socket = &mut self.sockets[id];
                (socket.shut_read, socket.shut_write) = (false, false);
                self.reset_name(id);
            }
            Body::Stream { role: role @ Role::Connection { .. }, .. } => {
                let Role::Connection { flow, .. } = core::mem::replace(role, Role::Idle) else {
                    unreachable!()
                };
                self.disconnect_stream(id, flow, now);
            }
        }
        self.tell_ready(id);
        Ok(())
    }

    fn disconnect_stream(&mut self, id: SocketId, flow: FlowId, now: Instant) {
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        self.sockets[id].swap_settings(Some(Box::new(connection.settings().clone())));
        // tcp_disconnect: what was open is reset, and says so; an error that was not told stays.
        let closed = connection.state() == State::Closed;
        let open =
            !matches!(connection.state(), State::Closed | State::TimeWait | State::Closing | State::LastAck);
        let error = connection.take_error().or(open.then_some(Errno::ECONNRESET));
        connection.abort(&mut self.engine.ctx(now));
        // The connection's port goes back to the socket before the orphan can end.
        if let Some(hold) = self.flows[flow].hold.take() {
            self.sockets[id].hold = Some(hold);
        }
        self.orphan(flow, now);
        let socket = &mut self.sockets[id];
        (socket.shut_read, socket.shut_write, socket.error) = (false, false, error);
        // A port that was given to a socket whose connection had ended is not taken from it (tcp_disconnect).
        if !closed || socket.hold.is_none() {
            self.reset_name(id);
        }
    }
}

/// The least iss of a connection that takes a TIME-WAIT's place: tcp_tw_reuse is 2 by default on Linux, for
/// loopback only.
fn reusable(flow: &Flow, now: Instant) -> Option<Seq> {
    match &flow.kind {
        FlowKind::TimeWait(time_wait) if flow.local.ip().is_loopback() => time_wait.may_reuse(now),
        _ => None,
    }
}
