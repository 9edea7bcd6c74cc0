//! socket to close of Unix-domain sockets, in the order of af_unix.c.

use super::{UnixAddr, UnixRole, UnixSocket};
use crate::errno::{Errno, Result};
use crate::host::{Domain, Event, Host, Kind, Shutdown, SocketId};
use crate::socket::table::Socket;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Births, names and ends.
impl Host {
    /// socket(2) of the family: `protocol` is 0 or `PF_UNIX`, a raw socket is a datagram one.
    pub(crate) fn unix_socket(&mut self, kind: Kind, protocol: u8) -> Result<SocketId> {
        if protocol > 1 {
            return Err(Errno::EPROTONOSUPPORT);
        }
        if self.sockets.len() >= self.config.limits.sockets_max {
            return Err(Errno::ENFILE);
        }
        let kind = if kind == Kind::Raw { Kind::Datagram } else { kind };
        Ok(self.insert_socket(Domain::Unix, kind, 0))
    }

    /// socketpair(2): two sockets, each the other's peer.
    ///
    /// # Errors
    /// As [`Host::socket`].
    pub fn unix_pair(&mut self, kind: Kind, protocol: u8) -> Result<(SocketId, SocketId)> {
        let one = self.unix_socket(kind, protocol)?;
        let other = self.unix_socket(kind, protocol).inspect_err(|_| {
            self.sockets.remove(one);
        })?;
        for (id, peer) in [(one, other), (other, one)] {
            let unix = self.unix_mut(id);
            (unix.peer, unix.role, unix.peer_owner) = (Some(peer), UnixRole::Connected, unix.owner);
        }
        Ok((one, other))
    }

    pub(super) fn unix_of(&self, id: SocketId) -> Result<&UnixSocket> {
        self.socket_ref(id)?.unix().ok_or(Errno::EAFNOSUPPORT)
    }

    pub(super) fn unix_mut(&mut self, id: SocketId) -> &mut UnixSocket {
        self.sockets[id].unix_mut().expect("the caller has looked")
    }

    /// bind(2). `None` picks an abstract name, and does nothing where there is one.
    ///
    /// # Errors
    /// EADDRINUSE for a name that another has, or a path that another left; EINVAL where the socket has a name.
    pub fn unix_bind(&mut self, id: SocketId, name: Option<&UnixAddr>) -> Result<()> {
        let is_bound = self.unix_of(id)?.name.is_some();
        let kind = self.sockets[id].kind;
        let name = match name {
            None if is_bound => return Ok(()),
            None => self.unix.pick(kind)?,
            // A path is made before the socket is looked at, an abstract name after.
            Some(name) if is_bound => {
                let taken = name.as_path().is_some() && self.unix.find(kind, name).is_ok();
                return Err(if taken { Errno::EADDRINUSE } else { Errno::EINVAL });
            }
            Some(name) => name.clone(),
        };
        self.unix.take(kind, &name, id)?;
        self.unix_mut(id).name = Some(name);
        Ok(())
    }

    /// listen(2) of the family.
    pub(crate) fn unix_listen(&mut self, id: SocketId, backlog: u32) -> Result<()> {
        if self.sockets[id].kind == Kind::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        let unix = self.unix_mut(id);
        if unix.name.is_none() || unix.role == UnixRole::Connected {
            return Err(Errno::EINVAL);
        }
        // Clients get to see who it is that listens.
        unix.peer_owner = unix.owner;
        match &mut unix.role {
            UnixRole::Listener { backlog: old, .. } => *old = backlog,
            role => *role = UnixRole::Listener { backlog, queue: VecDeque::new() },
        }
        self.unix_wake_waiting(id);
        self.tell_ready(id);
        Ok(())
    }

    /// accept(2) of the family.
    pub(crate) fn unix_accept(&mut self, id: SocketId) -> Result<SocketId> {
        let socket = &mut self.sockets[id];
        if socket.kind == Kind::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        let is_shut = socket.shut_read;
        let UnixRole::Listener { queue, .. } = &mut socket.unix_mut().expect("the caller has looked").role
        else {
            return Err(Errno::EINVAL);
        };
        let child = queue.pop_front().ok_or(if is_shut { Errno::EINVAL } else { Errno::EAGAIN })?;
        self.sockets[child].parent = None;
        self.unix_wake_waiting(id);
        Ok(child)
    }

    /// connect(2): at once, or EAGAIN while the listener's queue is full (an event tells when to try again).
    ///
    /// # Errors
    /// ENOENT for a path that is not there, ECONNREFUSED where nobody listens, EPROTOTYPE for a socket of another kind,
    /// EISCONN, EINVAL for a listener; EPERM for a datagram socket that listens to another.
    pub fn unix_connect(&mut self, id: SocketId, name: &UnixAddr) -> Result<()> {
        self.unix_of(id)?;
        self.unix_autobind(id)?;
        match self.sockets[id].kind {
            Kind::Datagram => self.unix_connect_datagram(id, name),
            _ => self.unix_connect_stream(id, name),
        }
    }

    /// A name for who wants to be known by it (`SO_PASSCRED`).
    pub(super) fn unix_autobind(&mut self, id: SocketId) -> Result<()> {
        if self.unix_mut(id).pass_credentials { self.unix_bind(id, None) } else { Ok(()) }
    }

    /// The living socket of that kind behind a name.
    pub(super) fn unix_find(&self, kind: Kind, name: &UnixAddr) -> Result<SocketId> {
        let other = self.unix.find(kind, name)?;
        match self.sockets.get(other) {
            None => Err(Errno::ECONNREFUSED),
            Some(socket) if socket.kind != kind => Err(Errno::EPROTOTYPE),
            Some(_) => Ok(other),
        }
    }

    fn unix_connect_stream(&mut self, id: SocketId, name: &UnixAddr) -> Result<()> {
        let kind = self.sockets[id].kind;
        let listener = self.unix_find(kind, name)?;
        let is_shut = self.sockets[listener].shut_read;
        let UnixRole::Listener { backlog, queue } = &self.unix_mut(listener).role else {
            return Err(Errno::ECONNREFUSED);
        };
        if is_shut {
            return Err(Errno::ECONNREFUSED);
        }
        if queue.len() > *backlog as usize {
            self.unix_await(listener, id);
            return Err(Errno::EAGAIN);
        }
        match self.unix_mut(id).role {
            UnixRole::Idle => {}
            UnixRole::Connected => return Err(Errno::EISCONN),
            UnixRole::Listener { .. } => return Err(Errno::EINVAL),
        }
        let child = self.insert_socket(Domain::Unix, kind, 0);
        let (client_owner, server_owner) = (self.unix_mut(id).owner, self.unix_mut(listener).peer_owner);
        let (server_name, passes) = {
            let unix = self.unix_mut(listener);
            (unix.name.clone(), unix.pass_credentials)
        };
        let unix = self.unix_mut(child);
        unix.owner = server_owner;
        (unix.role, unix.peer, unix.name) = (UnixRole::Connected, Some(id), server_name);
        (unix.peer_owner, unix.pass_credentials) = (client_owner, passes);
        self.sockets[child].parent = Some(listener);
        let unix = self.unix_mut(id);
        (unix.role, unix.peer, unix.peer_owner) = (UnixRole::Connected, Some(child), server_owner);
        if let UnixRole::Listener { queue, .. } = &mut self.unix_mut(listener).role {
            queue.push_back(child);
        }
        self.events.push_back(Event::Acceptable { listener, child });
        self.tell_ready(listener);
        self.tell_ready(id);
        Ok(())
    }

    fn unix_connect_datagram(&mut self, id: SocketId, name: &UnixAddr) -> Result<()> {
        let other = self.unix_find(Kind::Datagram, name)?;
        if self.unix_of(other)?.peer.is_some_and(|peer| peer != id) {
            return Err(Errno::EPERM);
        }
        let old = self.unix_mut(id).peer.replace(other);
        self.unix_mut(id).role = UnixRole::Connected;
        if old.is_some_and(|old| old != other) {
            self.unix_part(id, old);
        }
        self.tell_ready(id);
        Ok(())
    }

    /// connect(2) with `AF_UNSPEC`, of a datagram socket.
    ///
    /// # Errors
    /// EINVAL for another kind.
    pub fn unix_disconnect(&mut self, id: SocketId) -> Result<()> {
        let unix = self.unix_of(id)?;
        if self.sockets[id].kind != Kind::Datagram {
            return Err(Errno::EINVAL);
        }
        let old = unix.peer;
        (self.unix_mut(id).peer, self.unix_mut(id).role) = (None, UnixRole::Idle);
        self.unix_part(id, old);
        self.tell_ready(id);
        Ok(())
    }

    /// unix_dgram_disconnected: what the old peer sent is gone, and it hears of it if it was connected back.
    fn unix_part(&mut self, id: SocketId, old: Option<SocketId>) {
        if self.unix_mut(id).queue.is_empty() {
            return;
        }
        self.unix_drop_queue(id);
        if let Some(old) = old.filter(|old| {
            self.sockets.get(*old).is_some_and(|s| s.unix().is_some_and(|u| u.peer == Some(id)))
        }) {
            self.set_error(old, Errno::ECONNRESET);
        }
    }

    /// getsockname(2).
    ///
    /// # Errors
    /// EAFNOSUPPORT of a socket of another family.
    pub fn unix_name(&self, id: SocketId) -> Result<Option<UnixAddr>> {
        Ok(self.unix_of(id)?.name.clone())
    }

    /// getpeername(2).
    ///
    /// # Errors
    /// ENOTCONN.
    pub fn unix_peer_name(&self, id: SocketId) -> Result<Option<UnixAddr>> {
        let unix = self.unix_of(id)?;
        let peer = unix.peer.ok_or(Errno::ENOTCONN)?;
        let alive = self.sockets.get(peer).and_then(Socket::unix);
        Ok(alive.map_or(&unix.peer_name, |peer| &peer.name).clone())
    }

    /// shutdown(2) of the family: never an error; the peer of a stream sees its other end.
    pub(crate) fn unix_shutdown(&mut self, id: SocketId, how: Shutdown) {
        let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
        let socket = &mut self.sockets[id];
        (socket.shut_read, socket.shut_write) = (socket.shut_read | read, socket.shut_write | write);
        let peer = socket.unix().and_then(|unix| unix.peer).filter(|_| socket.kind != Kind::Datagram);
        self.tell_ready(id);
        self.unix_wake_waiting(id);
        if let Some(peer) = peer.filter(|peer| self.sockets.contains_key(*peer)) {
            let socket = &mut self.sockets[peer];
            (socket.shut_read, socket.shut_write) = (socket.shut_read | write, socket.shut_write | read);
            self.tell_ready(peer);
        }
    }

    /// close(2) of the family, unix_release_sock. A connection that nobody accepted is reset.
    pub(crate) fn unix_close(&mut self, id: SocketId, is_embryo: bool) {
        let kind = self.sockets[id].kind;
        if let Some(parent) = self.sockets[id].parent.and_then(|parent| self.sockets.get_mut(parent))
            && let Some(UnixRole::Listener { queue, .. }) = parent.unix_mut().map(|unix| &mut unix.role)
        {
            queue.retain(|child| *child != id);
        }
        let unix = self.unix_mut(id);
        let (name, peer) = (unix.name.clone(), unix.peer);
        let role = core::mem::replace(&mut unix.role, UnixRole::Idle);
        let has_unread = !unix.queue.is_empty();
        if let Some(name) = &name {
            self.unix.give_back(kind, name, id);
        }
        if let Some(peer) = peer.and_then(|peer| self.sockets.get_mut(peer)) {
            let other = peer.unix_mut().expect("peers are of one family");
            if other.peer == Some(id) {
                other.peer_name = name;
            }
        }
        if let Some(peer) = peer.filter(|peer| kind != Kind::Datagram && self.sockets.contains_key(*peer)) {
            let socket = &mut self.sockets[peer];
            (socket.shut_read, socket.shut_write) = (true, true);
            if has_unread || is_embryo {
                socket.error = Some(Errno::ECONNRESET);
            }
            self.tell_ready(peer);
        }
        self.unix_drop_queue(id);
        if let UnixRole::Listener { queue, .. } = role {
            for child in queue {
                self.sockets[child].parent = None;
                self.unix_close(child, true);
            }
        }
        self.unix_wake_waiting(id);
        self.sockets.remove(id);
        self.unix_collect();
    }

    fn unix_drop_queue(&mut self, id: SocketId) {
        for mut message in core::mem::take(&mut self.unix_mut(id).queue) {
            self.unix.discarded.append(&mut message.rights);
            self.unix_uncharge(message.sender, message.charge);
        }
    }

    /// Room in a sender's buffer; who waits for it is told.
    pub(super) fn unix_uncharge(&mut self, sender: SocketId, charge: usize) {
        let Some(socket) = self.sockets.get_mut(sender) else { return };
        let Some(unix) = socket.unix_mut() else { return };
        unix.charged -= charge;
        if socket.unix_has_room() {
            self.tell_ready(sender);
        }
    }

    /// `id` waits until there is room at `other`.
    pub(super) fn unix_await(&mut self, other: SocketId, id: SocketId) {
        let waiting = &mut self.unix_mut(other).waiting;
        if !waiting.contains(&id) {
            waiting.push(id);
        }
    }

    pub(super) fn unix_wake_waiting(&mut self, id: SocketId) {
        let waiting: Vec<_> = core::mem::take(&mut self.unix_mut(id).waiting);
        waiting.into_iter().for_each(|waiter| self.tell_ready(waiter));
    }
}
