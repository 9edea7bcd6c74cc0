//! A segment has come: whose it is.
//!
//! One hashed lookup gives the flow; else it is for a listener, or nobody's and answered with a reset
//! (RFC 9293, 3.10.7.1). What a segment does to a connection is TCP's; what follows from it for the tables is
//! in [`super::settle`].

use super::bind::{Binding, BoundAddr};
use super::demux::FlowKey;
use super::flow::{Fields, Flow, FlowId, FlowKind};
use super::table::{Body, Phase, Role, Socket};
use super::{isn, saved_syn};
use crate::host::{Domain, Event, Host, SocketId};
use crate::ip::input::{Meta, TTL_DEFAULT};
use crate::ip::route::{Path, Route};
use crate::tcp::{Connection, Request, RequestOutcome, Segment, State, TimeWaitOutcome, reset_reply};
use crate::time::Instant;
use crate::wire::protocol;
use crate::wire::tcp::{Flags, Seq};
use alloc::boxed::Box;
use core::net::SocketAddr;

impl Host {
    /// A segment for `meta.dst` from `meta.src`.
    pub(crate) fn segment_arrives(&mut self, meta: &Meta, mut segment: Segment) {
        segment.header.ecn = meta.tos & ECN_BITS;
        let local = SocketAddr::new(meta.dst, segment.header.dst_port);
        let remote = SocketAddr::new(meta.src, segment.header.src_port);
        let key = FlowKey::new(local, remote, meta.gate);
        match self.demux.flow(&key) {
            Some(flow) => self.flow_hears(flow, meta, segment),
            None => self.listener_hears(meta, local, remote, segment, None),
        }
    }

    fn flow_hears(&mut self, id: FlowId, meta: &Meta, mut segment: Segment) {
        if self.filters > 0
            && let Some(socket) = self.flows[id].filtering()
        {
            let Some(left) = self.filter_segment(socket, meta, segment) else { return };
            segment = left;
        }
        let flow = &mut self.flows[id];
        if meta.ttl < flow.min_ttl {
            self.counters.tcp_min_ttl_drops += 1;
            return;
        }
        match &mut flow.kind {
            FlowKind::Connection { connection, .. } => {
                let opening = connection.state() == State::SynSent;
                connection.arrive(segment, &mut self.engine.ctx(meta.now));
                if opening {
                    self.learn_from_opening(id);
                }
                self.settle(id, meta.now);
            }
            FlowKind::Request { .. } => self.request_hears(id, segment, meta.now),
            FlowKind::TimeWait(_) => self.time_wait_hears(id, meta, segment),
        }
    }

    fn request_hears(&mut self, id: FlowId, segment: Segment, now: Instant) {
        let FlowKind::Request { request, listener } = &mut self.flows[id].kind else { unreachable!() };
        let listener = *listener;
        let Body::Stream { settings: Some(settings), role: Role::Listener(queue) } =
            &self.sockets[listener].body
        else {
            unreachable!("a request's listener listens")
        };
        let room = !queue.is_full();
        match request.arrive(segment, room, settings, &mut self.engine.ctx(now)) {
            RequestOutcome::Keep => self.settle_request(id),
            RequestOutcome::Established(connection) => self.promote(id, listener, connection, now),
            RequestOutcome::Dropped => self.remove_request(id),
            RequestOutcome::Reset(reset) => {
                let Flow { local, remote, path, .. } = self.flows[id];
                self.reply(path, local, remote, reset);
                self.remove_request(id);
            }
        }
    }

    fn time_wait_hears(&mut self, id: FlowId, meta: &Meta, segment: Segment) {
        let Flow { local, remote, path, .. } = self.flows[id];
        let FlowKind::TimeWait(time_wait) = &mut self.flows[id].kind else { unreachable!() };
        match time_wait.arrive(&segment, &mut self.engine.ctx(meta.now)) {
            TimeWaitOutcome::Ignore => self.sync_timer(id),
            TimeWaitOutcome::Ack(ack) => {
                self.reply(path, local, remote, ack);
                self.sync_timer(id);
            }
            // RFC 6191: a new SYN takes the place, if there is somebody to hear it.
            TimeWaitOutcome::Reuse(iss_min) => {
                if self.find_listener(meta, local, remote).is_some() {
                    self.remove_flow(id);
                    self.listener_hears(meta, local, remote, segment, Some(iss_min));
                }
            }
            TimeWaitOutcome::Gone => self.remove_flow(id),
        }
    }

    fn find_listener(&self, meta: &Meta, local: SocketAddr, remote: SocketAddr) -> Option<SocketId> {
        let key = FlowKey::new(local, remote, meta.gate);
        self.demux
            .listener(local, &key, |id| self.fits(id, meta))
            .or_else(|| self.demux.intercept(protocol::TCP, local.port()).filter(|_| meta.is_own()))
    }

    /// RFC 9293, 3.10.7.2: a reset is ignored, an acknowledgement reset, a SYN makes a request.
    fn listener_hears(
        &mut self,
        meta: &Meta,
        local: SocketAddr,
        remote: SocketAddr,
        segment: Segment,
        iss_min: Option<Seq>,
    ) {
        let flags = segment.header.flags;
        let listener = self.find_listener(meta, local, remote);
        if let Some(listener) = listener
            && self.take_cookie(meta, listener, (local, remote), &segment)
        {
            return;
        }
        let Some(listener) = listener.filter(|_| !flags.intersects(Flags::ACK | Flags::RST)) else {
            self.engine.counters.in_segs += 1;
            if let Some(reset) = reset_reply(&segment) {
                self.engine.counters.out_segs += 1;
                self.engine.counters.out_rsts += 1;
                self.reply(meta.path, local, remote, reset);
            }
            return;
        };
        if !flags.contains(Flags::SYN) || flags.contains(Flags::FIN) {
            return;
        }
        if meta.ttl < self.sockets[listener].options.min_ttl(remote.ip()) {
            self.counters.tcp_min_ttl_drops += 1;
            return;
        }
        let Some(segment) = self.filter_segment(listener, meta, segment) else { return };
        let queue = self.sockets[listener].listener().expect("who listens has a queue");
        let (is_full, is_flooded) = (queue.is_full(), iss_min.is_none() && self.is_flooded(listener));
        if is_full || is_flooded && self.engine.limits.syn_cookies == 0 {
            self.counters.listen_overflows += u64::from(is_full);
            self.counters.listen_drops += 1;
            return;
        }
        if is_flooded {
            return self.answer_by_cookie(meta, listener, (local, remote), &segment);
        }
        self.open_request(meta, listener, local, remote, segment, iss_min);
    }

    fn open_request(
        &mut self,
        meta: &Meta,
        listener: SocketId,
        local: SocketAddr,
        remote: SocketAddr,
        syn: Segment,
        iss_min: Option<Seq>,
    ) {
        let Some(route) = self.way_back(meta) else {
            self.counters.ip_out_no_routes += 1;
            return;
        };
        let iss = isn::initial(&self.keys.isn, local, remote, meta.now);
        let iss = iss_min.filter(|min| iss.lt(*min)).unwrap_or(iss);
        let socket = &self.sockets[listener];
        let fields = socket.flow_fields(remote.ip());
        let settings = socket.settings().expect("a listener is a stream");
        let decision = self.decide_opening(listener, local.ip(), remote.ip(), &syn);
        let mut ctx = self.engine.ctx(meta.now);
        let mut request = Request::new(&syn, local, remote, iss, route.segment_max(), settings, &mut ctx);
        request.saved_syn =
            (settings.save_syn > 0).then(|| saved_syn::headers(meta, &syn, settings.save_syn));
        if decision.accept {
            let connection = request.open_early(syn, decision.offer, settings, &mut ctx);
            return self.give_early(meta, listener, (route.path, fields), request, connection);
        }
        request.offer = decision.offer.map(Box::new);
        let kind = FlowKind::Request { request: Box::new(request), listener };
        let id = self.insert_flow(local, remote, route.path, meta.gate, fields, kind);
        self.sockets[listener].listener_mut().expect("it listens").requests.insert(id);
        self.settle_request(id);
    }

    /// A connection for the accept queue although its handshake is not over (RFC 7413, 4.2.2).
    fn give_early(
        &mut self,
        meta: &Meta,
        listener: SocketId,
        (path, fields): (Path, Fields),
        request: Request,
        connection: Box<Connection>,
    ) {
        let (local, remote) = (request.local(), request.remote());
        let kind = FlowKind::Request { request: Box::new(request), listener };
        let id = self.insert_flow(local, remote, path, meta.gate, fields, kind);
        self.flows[id].opener = Some(listener);
        self.sockets[listener].listener_mut().expect("it listens").open_early += 1;
        self.promote(id, listener, connection, meta.now);
    }

    /// The way on which a connection that comes in is answered: the host's own loopback, the gate it came in
    /// by, else what the table says.
    pub(super) fn way_back(&self, meta: &Meta) -> Option<Route> {
        match meta.gate {
            _ if meta.path == Path::Loopback => Some(Route::loopback(meta.dst)),
            _ if meta.is_own() => Some(self.routing.own_route(meta.dst)),
            Some(gate) => self.routing.by_interface(gate, meta.dst),
            None => self.routing.lookup(meta.src, None),
        }
    }

    /// The handshake is done: a socket of its own for the accept queue.
    pub(super) fn promote(
        &mut self,
        id: FlowId,
        listener: SocketId,
        mut connection: Box<Connection>,
        now: Instant,
    ) {
        let child = self.make_child(listener, id);
        let flow = &mut self.flows[id];
        let parent = &self.sockets[listener];
        let (read, write) = (parent.shut_read, parent.shut_write);
        if read || write {
            // sk_shutdown is inherited; tcp_rcv_state_process sends the FIN.
            if read {
                connection.shutdown_read();
            }
            let _ = if write { connection.shutdown_write(&mut self.engine.ctx(now)) } else { Ok(()) };
        }
        flow.kind = FlowKind::Connection { connection, socket: Some(child) };
        let binding = Binding { addr: BoundAddr::One(flow.local.ip()), listening: false, ..parent.binding() };
        if !parent.intercepts {
            flow.hold = Some(self.tcp_ports.take(flow.local.port(), binding));
        }
        let queue = self.sockets[listener].listener_mut().expect("it listens");
        queue.requests.remove(&id);
        queue.queue.push_back(child);
        self.events.push_back(Event::Acceptable { listener, child });
        self.settle(id, now);
    }

    fn make_child(&mut self, listener: SocketId, flow: FlowId) -> SocketId {
        let domain = self.sockets[listener].domain;
        let child = self.insert_socket(domain, crate::host::Kind::Stream, protocol::TCP);
        let parent = &self.sockets[listener];
        let mut options = parent.options.clone();
        // tcp_v4_syn_recv_sock, tcp_v6_syn_recv_sock: what the client's packets had left.
        match domain {
            Domain::Inet => options.multicast_ttl = TTL_DEFAULT,
            Domain::Inet6 => options.multicast_hops = TTL_DEFAULT,
            Domain::Unix => {}
        }
        let role = Role::Connection { flow, phase: Phase::Connected };
        let body = Body::Stream { settings: None, role };
        let inode = self.sockets[child].inode;
        self.sockets[child] = Socket {
            options,
            local: self.flows[flow].local,
            addr_locked: true,
            parent: Some(listener),
            body,
            ..Socket::new(inode, domain, crate::host::Kind::Stream, protocol::TCP)
        };
        self.inherit_filter(child, listener);
        self.inherit_saved_syn(child, flow);
        child
    }
}

/// The two bits of the type of service that RFC 3168 uses.
const ECN_BITS: u8 = 3;
