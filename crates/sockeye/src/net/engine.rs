//! The door for layers above this crate that speak an interface of their own, as the C library does: calls of the engine
//! itself on a [`Socket`], waiting or not, and watching several sockets at once.
//!
//! In: a call as a closure, or a waker. Out: its answer; what a socket is ready for, and a wake-up whenever that may have
//! changed. Asking and registering happen under the lab's lock, so that no wake-up falls between.

use super::{Kind, Net, Socket};
use sockeye_core::host::{Host, SocketId};
use sockeye_core::{Errno, Instant, Readiness};
use std::io;
use std::sync::Arc;
use std::task::Waker;

pub use super::sleep::Sleep;
pub use crate::running::wait::Way;

impl Socket {
    /// Makes a call of the engine that does not wait; `WouldBlock` is an answer.
    ///
    /// # Errors
    /// What the call says, as the error number of the platform; `EBADF` after the host has crashed.
    pub fn with<R>(&self, f: impl FnOnce(&mut Host, SocketId, Instant) -> Result<R, Errno>) -> io::Result<R> {
        self.call(f)
    }

    /// Makes a call of the engine, and makes it again whenever the socket is ready, until it no longer says `EAGAIN`; as
    /// long as `SO_RCVTIMEO` or `SO_SNDTIMEO` allow, and not at all where the socket does not block.
    ///
    /// # Errors
    /// What the call says; `WouldBlock` when the time is over.
    pub fn with_waiting<R>(
        &self,
        way: Way,
        f: impl FnMut(&mut Host, SocketId, Instant) -> Result<R, Errno>,
    ) -> io::Result<R> {
        self.block(way, None, f)
    }

    /// Two Unix-domain sockets that are each other's peer.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`, `ENFILE` beyond the host's limit, `ENETDOWN` while the host is down.
    pub fn unix_pair(net: &Net, kind: Kind, protocol: u8) -> io::Result<[Self; 2]> {
        net.make(|host| host.unix_pair(kind, protocol).map(|(one, other)| [one, other]))
    }

    /// accept(2), whatever the family of its addresses.
    ///
    /// # Errors
    /// As [`Socket::accept`].
    pub fn accept_unnamed(&self) -> io::Result<Self> {
        let id = self.block(Way::Read, None, |host, id, _| host.accept(id))?;
        Ok(self.adopt(id))
    }

    /// The same for a thread that sleeps in a way of its own.
    ///
    /// # Errors
    /// As [`Socket::accept`], and those of its sleep.
    pub fn accept_sleeping(&self, sleeper: &dyn Sleep) -> io::Result<Self> {
        let id = self.block_by(Some(sleeper), Way::Read, None, |host, id, _| host.accept(id))?;
        Ok(self.adopt(id))
    }

    /// The number of `other`, if it is a socket of the same host.
    pub fn id_of(&self, other: &Self) -> Option<SocketId> {
        other.inner.id_beside(&self.inner)
    }

    /// How many handles keep this socket open.
    pub fn handles(&self) -> usize {
        Arc::strong_count(&self.inner)
    }

    /// As [`Socket::with_waiting`], for a thread that sleeps in a way of its own.
    ///
    /// # Errors
    /// The same, and those of its sleep.
    pub fn with_sleeping<R>(
        &self,
        sleeper: &dyn Sleep,
        way: Way,
        f: impl FnMut(&mut Host, SocketId, Instant) -> Result<R, Errno>,
    ) -> io::Result<R> {
        self.block_by(Some(sleeper), way, None, f)
    }

    /// Whether calls answer `WouldBlock` instead of waiting.
    pub fn nonblocking(&self) -> bool {
        self.is_nonblocking()
    }

    /// What poll(2) would say, and a wake-up of `waker`, once, when it may have changed. `number` tells watchers apart: it
    /// is never 0, and each watcher has its own.
    pub fn watch(&self, number: u64, waker: &Waker) -> Readiness {
        self.register_watcher(number, waker)
    }

    /// Ends [`Socket::watch`].
    pub fn unwatch(&self, number: u64) {
        self.forget(Way::Read, number);
        self.forget(Way::Write, number);
    }
}
