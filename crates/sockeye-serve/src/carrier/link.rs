//! Joining a carrier with an end of ours.

use crate::served::{Key, Link, Phase};
use crate::server::{Server, supervisor_error};
use crate::sys::socket;
use rustix::net::{SocketFlags, accept_with, connect, sockopt};
use sockeye_core::Errno;
use std::os::fd::{AsFd, OwnedFd};

impl Server {
    /// Connects a fresh carrier to our junction and gives our end.
    pub(crate) fn join(&mut self, copy: &OwnedFd) -> Result<OwnedFd, Errno> {
        connect(copy, &self.names.lab()).map_err(supervisor_error)?;
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let end = match accept_with(&self.junction, flags) {
                Ok(end) => end,
                Err(e) => {
                    self.empty_junction();
                    return Err(supervisor_error(e));
                }
            };
            // A connect that we make on a copy carries our own credentials. Whoever else found the name is
            // dropped.
            if sockopt::socket_peercred(&end).is_ok_and(|c| c.pid == self.own_pid) {
                return Ok(end);
            }
        }
    }

    /// No descriptor was left for our end: what waits at the junction must not be taken for the next one's. One
    /// descriptor is kept back for this.
    fn empty_junction(&mut self) {
        self.reserve = None;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while accept_with(&self.junction, flags).is_ok() {}
        self.reserve = rustix::io::fcntl_dupfd_cloexec(&self.junction, 3).ok();
    }

    /// The connection of `key` is established: joins its carrier with the host's TCP.
    pub(crate) fn connected(&mut self, key: Key, copy: &OwnedFd, nonblocking: bool) -> Result<(), Errno> {
        let end = self.join(copy)?;
        self.reactor.add_end(end.as_fd(), key).map_err(supervisor_error)?;
        if let Some(stream) = self.stream(key) {
            stream.phase = Phase::Linked(Link::new(end, true));
        }
        if nonblocking {
            raise_writable_edge(copy);
        }
        self.stream_ready(key);
        Ok(())
    }
}

/// Makes an edge-triggered epoll report EPOLLOUT on a carrier: setting the send buffer calls its write-space
/// hook, which nothing else does on connecting.
pub(crate) fn raise_writable_edge(copy: &OwnedFd) {
    if let Ok(doubled) = socket::option(copy.as_fd(), libc::SO_SNDBUF) {
        let _ = socket::set_option(copy.as_fd(), libc::SO_SNDBUF, doubled / 2);
    }
}
