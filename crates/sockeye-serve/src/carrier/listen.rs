//! Bringing connections to listening carriers.
//!
//! A listening carrier is a real listening Unix socket, and each connection that enters the host's accept queue
//! connects to it once, from a name that tells which one it is: poll, epoll and prefork wake natively. The
//! connection stays in the host's queue until a program accepts it, so that the host's backlog is the true one.

use crate::call::accept::Queue;
use crate::call::{Outcome, Progress};
use crate::held::Wait;
use crate::served::{Key, Kind, Link, Phase, Stream};
use crate::server::{Server, supervisor_error};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, socketpair};
use sockeye_core::Errno;
use sockeye_core::host::SocketId;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

impl Server {
    /// A connection has entered the accept queue of `listener`.
    pub(crate) fn connection_arrived(&mut self, listener: Key, child: SocketId) {
        self.release_dead_waiters(listener);
        let Some(stream) = self.stream(listener) else { return };
        let family = stream.family;
        let child_key = self.serve(Kind::Stream(Stream::new(child, family)));
        self.host().set_owner_tag(child, crate::served::token(child_key));
        self.observe_arrival(child_key);
        let direct = self.arrive_directly(listener, child_key, child);
        if direct || self.connecting && self.waiter(listener, Wait::Accept).is_some() {
            self.deferred.push((listener, child_key));
            return;
        }
        self.offer(listener, child_key);
    }

    /// Gives a connection to a held accept, or makes the listening carrier readable for it.
    fn offer(&mut self, listener: Key, child: Key) {
        if !self.give_to_waiter(listener, child) {
            self.announce(listener, child);
        }
    }

    /// The connect that was being run has been answered: its program runs on while the accept is.
    pub(crate) fn offer_deferred(&mut self) {
        for (listener, child) in std::mem::take(&mut self.deferred) {
            self.offer(listener, child);
        }
    }

    /// Makes a listening carrier readable for a connection that waits in the host's queue.
    pub(crate) fn announce(&mut self, listener: Key, child: Key) {
        if !matches!(self.stream(child).map(|s| &s.phase), Some(Phase::Fresh)) {
            // Accepted meanwhile, or gone.
            return;
        }
        match self.connect_arrival(listener, child) {
            Ok(()) => self.stream_ready(child),
            Err(Errno::ECONNREFUSED) => {
                // Nobody has the listener any more: its queue is reset with it.
                self.listener_died = true;
                self.drop_listener(listener);
            }
            // No descriptors left: the connection waits in the host's queue, and we try again.
            Err(_) => {
                if self.stranded.is_empty() {
                    self.examine_at = self.now + crate::held::EXAMINE_EVERY;
                }
                self.stranded.push((listener, child));
            }
        }
    }

    /// Ends a listener and all that waits in its queue.
    pub(crate) fn drop_listener(&mut self, listener: Key) {
        let Some(id) = self.socket_id(listener) else { return };
        let queue: Vec<SocketId> = self.host_ref().accept_queue(id).collect();
        let children: Vec<Key> =
            queue.into_iter().map(|c| crate::served::key(self.host_ref().owner_tag(c))).collect();
        self.forget(listener);
        for child in children {
            self.forget(child);
        }
    }

    /// Answers a held accept with the new connection straight away.
    fn give_to_waiter(&mut self, listener: Key, child: Key) -> bool {
        while let Some(held) = self.waiter(listener, Wait::Accept) {
            let call = self.held[held].call;
            // Only a direct arrival has connected to the listening carrier by itself.
            let copy = self.direct.then(|| Arc::clone(&self.held[held].copy));
            let queue = copy.as_deref().map(|copy| Queue { copy, blocking: true });
            match self.try_accept(&call, listener, queue) {
                Progress::Done(answer) => {
                    let taken = matches!(answer, Ok(Outcome::Answered(n)) if n >= 0);
                    self.release(held, answer);
                    if taken {
                        return true;
                    }
                }
                Progress::Wait => break,
            }
        }
        // Parked for the next one by a call that had gone meanwhile: it has its token.
        !matches!(self.stream(child).map(|s| &s.phase), Some(Phase::Fresh))
    }

    /// Connects a socket of ours to the listening carrier, named for the connection.
    fn connect_arrival(&mut self, listener: Key, child: Key) -> Result<(), Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let end =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(supervisor_error)?;
        bind(&end, &self.names.arrival(child)).map_err(supervisor_error)?;
        match connect(&end, &self.names.carrier(listener)) {
            Ok(()) => {}
            Err(rustix::io::Errno::CONNREFUSED) => return Err(Errno::ECONNREFUSED),
            Err(e) => return Err(supervisor_error(e)),
        }
        self.reactor.add_end(end.as_fd(), child).map_err(supervisor_error)?;
        if let Some(stream) = self.stream(child) {
            stream.phase = Phase::Linked(Link::new(end, false));
        }
        Ok(())
    }

    /// Makes a listening carrier readable again, for a connection that was accepted but not delivered.
    pub(crate) fn token_connection(&mut self, listener: Key) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        if let Ok(token) = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None) {
            let _ = connect(&token, &self.names.carrier(listener));
        }
    }

    /// A carrier made and joined at once, for a connection that waits in no listening carrier.
    pub(crate) fn joined_pair(&mut self, child: Key, nonblocking: bool) -> Result<OwnedFd, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None);
        let (carrier, end) = pair.map_err(supervisor_error)?;
        if !nonblocking {
            rustix::io::ioctl_fionbio(&carrier, false).map_err(supervisor_error)?;
        }
        self.reactor.add_end(end.as_fd(), child).map_err(supervisor_error)?;
        if let Some(stream) = self.stream(child) {
            stream.phase = Phase::Linked(Link::new(end, false));
        }
        Ok(carrier)
    }
}
