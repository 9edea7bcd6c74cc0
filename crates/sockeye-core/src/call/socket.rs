//! socket, close, shutdown: the life of a socket.

use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, Kind, Shutdown, SocketId};
use crate::raw::RawOptions;
use crate::socket::flow::FlowId;
use crate::socket::listener::Listener;
use crate::socket::table::{Body, Phase, Role, Socket};
use crate::tcp::State;
use crate::time::Instant;
use crate::wire::protocol;
use alloc::boxed::Box;

/// Making and ending sockets.
impl Host {
    /// socket(2). EPROTONOSUPPORT for a protocol that its kind does not have: TCP, UDP and UDP-Lite, ICMP of the family
    /// for datagrams (ping), any but 0 for raw.
    pub fn socket(&mut self, domain: Domain, kind: Kind, protocol: u8) -> Result<SocketId> {
        if domain == Domain::Unix {
            return self.unix_socket(kind, protocol);
        }
        let protocol = match (kind, protocol) {
            (Kind::Stream, 0 | protocol::TCP) => protocol::TCP,
            (Kind::Datagram, 0 | protocol::UDP) => protocol::UDP,
            (Kind::Datagram, protocol::UDPLITE) => protocol,
            (Kind::Datagram, protocol::ICMP) if domain == Domain::Inet => protocol,
            (Kind::Datagram, protocol::ICMPV6) if domain == Domain::Inet6 => protocol,
            (Kind::Raw, 1..) => protocol,
            _ => return Err(Errno::EPROTONOSUPPORT),
        };
        if self.sockets.len() >= self.config.limits.sockets_max {
            return Err(Errno::ENFILE);
        }
        let id = self.insert_socket(domain, kind, protocol);
        let limits = &self.config.limits;
        let (receive, send) = (limits.receive_buffer_max, limits.send_buffer_max);
        let options = &mut self.sockets[id].options;
        (options.receive_buffer, options.send_buffer) = (receive, send);
        if kind == Kind::Raw {
            self.raws.insert(domain, protocol, id);
            let socket = &mut self.sockets[id];
            socket.port_shown = u16::from(protocol);
            socket.inbox_mut().expect("a raw socket has an inbox").raw = RawOptions::new(domain, protocol);
        }
        Ok(id)
    }

    /// close(2) of the last descriptor. `id` is dead afterwards; a connection finishes as an orphan inside.
    pub fn close(&mut self, id: SocketId, now: Instant) {
        self.end(id, now, |host, flow| {
            let connection = host.flows[flow].connection_mut().expect("a socket's flow is a connection");
            connection.close(&mut host.engine.ctx(now));
        });
    }

    /// Ends a connection with RST. `id` is dead afterwards.
    pub fn abort(&mut self, id: SocketId, now: Instant) {
        self.end(id, now, |host, flow| {
            let connection = host.flows[flow].connection_mut().expect("a socket's flow is a connection");
            connection.abort(&mut host.engine.ctx(now));
        });
    }

    fn end(&mut self, id: SocketId, now: Instant, finish: impl FnOnce(&mut Self, FlowId)) {
        if !self.sockets.contains_key(id) {
            return;
        }
        if self.sockets[id].unix().is_some() {
            return self.unix_close(id, false);
        }
        if self.sockets[id].inbox().is_some() {
            self.leave_groups(id);
            self.unlist_datagram(id);
            let Socket { kind, domain, protocol, .. } = self.sockets[id];
            if kind == Kind::Raw {
                self.raws.remove(domain, protocol, id);
            }
        } else if self.sockets[id].listener().is_some() {
            self.stop_listening(id, now);
        }
        self.release_port(id);
        if let Some(parent) = self.sockets[id].parent
            && let Some(listener) = self.sockets[parent].listener_mut()
        {
            listener.queue.retain(|child| *child != id);
        }
        let mut socket = self.sockets.remove(id).expect("it was there");
        self.forget_filter(socket.filter.take());
        if let Some(flow) = socket.flow() {
            finish(self, flow);
            self.orphan(flow, now);
        }
    }

    /// A listener goes: requests are forgotten, connections that nobody accepted are reset.
    pub(crate) fn stop_listening(&mut self, id: SocketId, now: Instant) {
        let name = (self.sockets[id].bound_addr(), self.sockets[id].local.port());
        self.demux.remove_listener(name, id);
        self.demux.remove_intercept(protocol::TCP, name.1, id);
        let Body::Stream { role, .. } = &mut self.sockets[id].body else {
            unreachable!("a listener is a stream")
        };
        let Role::Listener(listener) = core::mem::replace(role, Role::Idle) else {
            unreachable!("it listens")
        };
        let Listener { queue, requests, .. } = *listener;
        requests.into_iter().for_each(|flow| self.remove_flow(flow));
        for child in queue {
            self.sockets[child].parent = None;
            self.abort(child, now);
        }
        self.rebind(id);
    }

    /// Gives the port back, if the socket itself holds it.
    pub(crate) fn release_port(&mut self, id: SocketId) {
        let Some(hold) = self.sockets[id].hold.take() else { return };
        self.ports_of(id).give_back(hold);
    }

    /// shutdown(2).
    pub fn shutdown(&mut self, id: SocketId, how: Shutdown, now: Instant) -> Result<()> {
        let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
        let socket = self.socket_mut(id)?;
        match &socket.body {
            Body::Unix(_) => {
                self.unix_shutdown(id, how);
                Ok(())
            }
            Body::Datagram(inbox) => {
                // Linux sets the bits and wakes whoever waits even when it says ENOTCONN.
                let is_connected = inbox.peer.is_some();
                socket.shut_read |= read;
                socket.shut_write |= write;
                self.tell_ready(id);
                if is_connected { Ok(()) } else { Err(Errno::ENOTCONN) }
            }
            Body::Stream { role: Role::Idle, .. } => {
                socket.shut_read |= read;
                socket.shut_write |= write;
                self.tell_ready(id);
                Err(Errno::ENOTCONN)
            }
            Body::Stream { role: Role::Listener(_), .. } => {
                if read {
                    // tcp_disconnect: a port that bind did not name is free from now on.
                    self.stop_listening(id, now);
                    let socket = &mut self.sockets[id];
                    (socket.shut_read, socket.shut_write) = (false, false);
                    self.reset_name(id);
                    self.tell_ready(id);
                }
                Ok(())
            }
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                let flow = *flow;
                self.shutdown_connection(id, flow, read, write, now)
            }
        }
    }

    fn shutdown_connection(
        &mut self,
        id: SocketId,
        flow: FlowId,
        read: bool,
        write: bool,
        now: Instant,
    ) -> Result<()> {
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        match connection.state() {
            // inet_shutdown disconnects who is still connecting.
            State::SynSent => return self.disconnect(id, now),
            // In TIME-WAIT Linux's socket is a closed one already.
            State::Closed | State::TimeWait => {
                if let Body::Stream { role: Role::Connection { phase, .. }, .. } = &mut self.sockets[id].body
                    && *phase == Phase::Connecting
                {
                    *phase = Phase::Dissolving;
                }
                return Err(Errno::ENOTCONN);
            }
            _ => {}
        }
        if read {
            connection.shutdown_read();
        }
        let result = if write { connection.shutdown_write(&mut self.engine.ctx(now)) } else { Ok(()) };
        if let Body::Stream { role: Role::Connection { phase, .. }, .. } = &mut self.sockets[id].body {
            *phase = Phase::Connected;
        }
        self.settle(flow, now);
        self.tell_ready(id);
        result
    }

    /// Whether the socket lives.
    pub fn contains(&self, id: SocketId) -> bool {
        self.sockets.contains_key(id)
    }

    /// A role's box, made anew.
    pub(crate) fn new_listener(backlog: u32) -> Role {
        Role::Listener(Box::new(Listener { backlog, ..Listener::default() }))
    }
}
