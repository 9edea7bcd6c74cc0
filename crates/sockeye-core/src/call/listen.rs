//! listen and accept.

use crate::errno::{Errno, Result};
use crate::host::{Host, SocketId};
use crate::socket::bind::Rule;
use crate::socket::table::{Body, Role, Socket};

/// Listeners.
impl Host {
    /// listen(2). An unbound socket gets an ephemeral port. Called again, it changes the backlog.
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<()> {
        // As unsigned: a negative backlog is the largest.
        let backlog = (backlog as u32).min(self.config.limits.somaxconn);
        let socket = self.socket_mut(id)?;
        match &mut socket.body {
            Body::Unix(_) => self.unix_listen(id, backlog),
            Body::Datagram(_) => Err(Errno::EOPNOTSUPP),
            Body::Stream { role: Role::Connection { .. }, .. } => Err(Errno::EINVAL),
            Body::Stream { role: Role::Listener(listener), .. } => {
                listener.backlog = backlog;
                Ok(())
            }
            Body::Stream { role: Role::Idle, .. } => self.start_listening(id, backlog),
        }
    }

    /// The port is asked for again, now as a listener's: sharing by `SO_REUSEADDR` ends here.
    fn start_listening(&mut self, id: SocketId, backlog: u32) -> Result<()> {
        if self.sockets[id].hold.is_none() {
            let port = self.sockets[id].local.port();
            self.take_port(id, port)?;
        }
        let hold = self.sockets[id].hold.take().expect("a bound socket holds its port");
        self.tcp_ports.give_back(hold);
        let socket = &mut self.sockets[id];
        let idle = socket.binding();
        socket.set_role(Self::new_listener(backlog));
        let listening = socket.binding();
        if self.tcp_ports.conflicts(hold.port, listening, Rule::TcpNamed) {
            let socket = &mut self.sockets[id];
            socket.set_role(Role::Idle);
            socket.hold = Some(self.tcp_ports.take(hold.port, idle));
            return Err(Errno::EADDRINUSE);
        }
        let socket = &mut self.sockets[id];
        socket.hold = Some(self.tcp_ports.take(hold.port, listening));
        let name = (socket.bound_addr(), socket.local.port());
        self.demux.insert_listener(name, id);
        self.tune_listener(id, backlog);
        self.tell_ready(id);
        Ok(())
    }

    /// accept(2): takes the oldest connection of the queue; EAGAIN when there is none.
    pub fn accept(&mut self, id: SocketId) -> Result<SocketId> {
        let socket = self.socket_mut(id)?;
        if socket.unix().is_some() {
            return self.unix_accept(id);
        }
        if socket.inbox().is_some() {
            return Err(Errno::EOPNOTSUPP);
        }
        let listener = socket.listener_mut().ok_or(Errno::EINVAL)?;
        let child = listener.queue.pop_front().ok_or(Errno::EAGAIN)?;
        self.sockets[child].parent = None;
        Ok(child)
    }

    /// The accept queue, oldest first.
    pub fn accept_queue(&self, id: SocketId) -> impl Iterator<Item = SocketId> + '_ {
        let queue = self.sockets.get(id).and_then(Socket::listener).map(|listener| &listener.queue);
        queue.into_iter().flatten().copied()
    }

    /// Puts an accepted connection back at the queue's front.
    pub fn unaccept(&mut self, listener: SocketId, child: SocketId) {
        if !self.sockets.contains_key(child) {
            return;
        }
        let Some(queue) = self.sockets.get_mut(listener).and_then(Socket::listener_mut) else { return };
        queue.queue.push_front(child);
        self.sockets[child].parent = Some(listener);
        self.tell_ready(listener);
    }
}
