//! What follows from a change of a flow for the tables: events, timers, the queue of senders, TIME-WAIT, the
//! end.
//!
//! [`Host::settle`] is called after everything that happens to a connection. Flows come into being, and go,
//! here only.

use super::flow::{Fields, Flow, FlowId, FlowKind};
use super::table::Socket;
use crate::host::{Host, IfIndex, SocketId};
use crate::ip::input::TTL_DEFAULT;
use crate::ip::route::Path;
use crate::tcp::TimeWait;
use crate::time::Instant;
use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

impl Host {
    /// Brings the tables up to date with a connection.
    pub(crate) fn settle(&mut self, id: FlowId, now: Instant) {
        let flow = &mut self.flows[id];
        let FlowKind::Connection { connection, socket } = &mut flow.kind else { return };
        let (socket, time_wait) = (*socket, connection.take_time_wait());
        if !flow.sending && connection.wants_transmit() {
            flow.sending = true;
            self.senders.push_back(id);
        }
        let (ready, finished) = (connection.take_ready(), connection.is_finished());
        if flow.opener.is_some() && !connection.counts_as_early() {
            self.is_early_no_more(id);
        }
        if let Some(time_wait) = time_wait {
            self.enter_time_wait(id, time_wait);
        }
        if ready && let Some(socket) = socket {
            self.tell_ready(socket);
        }
        if finished {
            self.finish(id, socket);
        } else {
            self.sync_timer(id);
        }
        let _ = now;
    }

    /// The same of a request.
    pub(crate) fn settle_request(&mut self, id: FlowId) {
        self.queue_sender(id);
        self.sync_timer(id);
    }

    pub(crate) fn queue_sender(&mut self, id: FlowId) {
        let flow = &mut self.flows[id];
        if !core::mem::replace(&mut flow.sending, true) {
            self.senders.push_back(id);
        }
    }

    /// Sets the wheel to a flow's deadline.
    pub(crate) fn sync_timer(&mut self, id: FlowId) {
        let flow = &mut self.flows[id];
        let deadline = flow.deadline();
        if flow.timer.map(|(_, at)| at) == deadline {
            return;
        }
        if let Some((timer, _)) = flow.timer.take() {
            self.wheel.clear(timer);
        }
        flow.timer = deadline.map(|at| (self.wheel.set(id, at), at));
    }

    pub(crate) fn insert_flow(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        path: Path,
        gate: Option<IfIndex>,
        Fields { ttl, tos, min_ttl }: Fields,
        kind: FlowKind,
    ) -> FlowId {
        self.flow_number_last += 1;
        let number = self.flow_number_last;
        let flow = Flow {
            local,
            remote,
            path,
            gate,
            hold: None,
            timer: None,
            sending: false,
            listed: true,
            number,
            ttl,
            tos,
            min_ttl,
            opener: None,
            kind,
        };
        let key = flow.key();
        let id = self.flows.insert(flow);
        self.demux.insert_flow(key, id);
        id
    }

    /// The four values stay taken by the small type; the connection itself may still have data for its
    /// program, and the last ACK to send.
    fn enter_time_wait(&mut self, id: FlowId, time_wait: TimeWait) {
        let flow = &mut self.flows[id];
        flow.listed = false;
        let hold = flow.hold.take();
        let Flow { local, remote, path, gate, ttl, tos, min_ttl, .. } = *flow;
        if self.time_waits >= self.config.limits.time_waits_max {
            self.counters.tcp_time_wait_overflow += 1;
            let key = self.flows[id].key();
            self.demux.remove_flow(&key, id);
            self.flows[id].hold = hold;
            return;
        }
        self.time_waits += 1;
        let kind = FlowKind::TimeWait(Box::new(time_wait));
        let waiting = self.insert_flow(local, remote, path, gate, Fields { ttl, tos, min_ttl }, kind);
        self.flows[waiting].hold = hold;
        self.sync_timer(waiting);
    }

    /// A connection is closed and has nothing more to send: its name is free again. What a program still
    /// holds stays until it is closed.
    fn finish(&mut self, id: FlowId, socket: Option<SocketId>) {
        let Some(socket) = socket else { return self.remove_flow(id) };
        self.unlist(id);
        let flow = &mut self.flows[id];
        if let Some((timer, _)) = flow.timer.take() {
            self.wheel.clear(timer);
        }
        let Some(hold) = flow.hold.take() else { return };
        // inet_put_port: a port that bind gave stays with the socket.
        if self.sockets[socket].port_locked {
            self.sockets[socket].hold = Some(hold);
        } else {
            self.tcp_ports.give_back(hold);
        }
    }

    fn unlist(&mut self, id: FlowId) {
        let flow = &mut self.flows[id];
        if core::mem::replace(&mut flow.listed, false) {
            let key = flow.key();
            self.demux.remove_flow(&key, id);
        }
    }

    /// Forgets a flow, whatever it is.
    pub(crate) fn remove_flow(&mut self, id: FlowId) {
        self.unlist(id);
        let Some(flow) = self.flows.remove(id) else { return };
        if let Some((timer, _)) = flow.timer {
            self.wheel.clear(timer);
        }
        if let Some(hold) = flow.hold {
            self.tcp_ports.give_back(hold);
        }
        match flow.kind {
            FlowKind::TimeWait(_) => self.time_waits -= 1,
            FlowKind::Connection { socket: None, .. } => self.orphans -= 1,
            _ => {}
        }
    }

    /// The same of a request, which its listener knows.
    pub(crate) fn remove_request(&mut self, id: FlowId) {
        if let FlowKind::Request { listener, .. } = self.flows[id].kind
            && let Some(queue) = self.sockets.get_mut(listener).and_then(Socket::listener_mut)
        {
            queue.requests.remove(&id);
        }
        self.remove_flow(id);
    }

    /// The program lets go of a connection: it goes on as an orphan until TCP is done with it.
    pub(crate) fn orphan(&mut self, id: FlowId, now: Instant) {
        let flow = &mut self.flows[id];
        let FlowKind::Connection { connection, socket } = &mut flow.kind else {
            unreachable!("a socket's flow is a connection")
        };
        *socket = None;
        self.orphans += 1;
        if self.orphans > self.config.limits.orphans_max {
            self.counters.tcp_abort_on_memory += 1;
            connection.abort(&mut self.engine.ctx(now));
        }
        self.settle(id, now);
    }

    /// Whatever timer of a flow is due.
    pub(crate) fn flow_expires(&mut self, id: FlowId, now: Instant) {
        let Some(flow) = self.flows.get_mut(id) else { return };
        flow.timer = None;
        match &mut flow.kind {
            FlowKind::Connection { connection, .. } => {
                connection.expire(&mut self.engine.ctx(now));
                self.settle(id, now);
            }
            FlowKind::Request { request, .. } => match request.expire(&mut self.engine.ctx(now)) {
                true => self.settle_request(id),
                false => self.remove_request(id),
            },
            FlowKind::TimeWait(time_wait) => match time_wait.deadline() <= now {
                true => self.remove_flow(id),
                false => self.sync_timer(id),
            },
        }
    }
}

impl Socket {
    /// What the packets of a connection have, and must have.
    pub(crate) fn flow_fields(&self, remote: IpAddr) -> Fields {
        let options = &self.options;
        let (ttl, tos) = match remote {
            IpAddr::V4(_) => (options.ttl, options.tos),
            IpAddr::V6(_) => (options.hop_limit, options.traffic_class),
        };
        Fields { ttl: ttl.unwrap_or(TTL_DEFAULT), tos, min_ttl: options.min_ttl(remote) }
    }
}
