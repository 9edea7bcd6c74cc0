//! A carrier that is connected to us but looks as if it were still connecting.
//!
//! A connecting TCP socket is not writable, and a write on it says EAGAIN. A Unix socket looks the same when its
//! send buffer is as small as it gets and full; so it is joined, filled with bytes that nobody will see, and
//! emptied again when the connection is there: draining makes the very EPOLLOUT edge that programs wait for.

use crate::held::Wait;
use crate::served::{Connecting, Filler, Key, Link, Phase};
use crate::server::{Server, supervisor_error};
use crate::sys::socket;
use rustix::net::{SendFlags, send};
use sockeye_core::Errno;
use std::os::fd::{AsFd, OwnedFd};

const FILLING: [u8; 4096] = [0; 4096];

impl Server {
    /// Joins and fills the carrier of a connect whose outcome is open.
    pub(crate) fn fill(&mut self, key: Key, copy: &OwnedFd) -> Result<(), Errno> {
        let end = self.join(copy)?;
        let send_buffer = socket::option(copy.as_fd(), libc::SO_SNDBUF).unwrap_or(212_992) / 2;
        let _ = socket::set_option(copy.as_fd(), libc::SO_SNDBUF, 0);
        let mut bytes = 0;
        for size in [4096, 512, 64, 1] {
            while let Ok(n) = send(copy, &FILLING[..size], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                bytes += n;
            }
        }
        self.reactor.add_end(end.as_fd(), key).map_err(supervisor_error)?;
        self.set_phase(
            key,
            Phase::Connecting(Connecting { filler: Some(Filler { end, bytes, send_buffer }) }),
        );
        Ok(())
    }

    pub(crate) fn has_filler(&mut self, key: Key) -> bool {
        matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Connecting(Connecting { filler: Some(_) })))
    }

    fn take_filler(&mut self, key: Key) -> Option<Filler> {
        match &mut self.stream(key)?.phase {
            Phase::Connecting(connecting) => connecting.filler.take(),
            _ => None,
        }
    }

    /// The connection is there: empties the carrier and joins it with the host's TCP.
    pub(crate) fn filler_connected(&mut self, key: Key) {
        let Some(filler) = self.take_filler(key) else { return };
        if let Some(copy) = self.borrow_again(key) {
            let _ = socket::set_option(copy.as_fd(), libc::SO_SNDBUF, filler.send_buffer);
        }
        let mut left = filler.bytes;
        let mut scrap = [0; 4096];
        while left > 0 {
            let size = left.min(scrap.len());
            match rustix::io::read(&filler.end, &mut scrap[..size]) {
                Ok(n) if n > 0 => left -= n,
                _ => break,
            }
        }
        self.set_phase(key, Phase::Linked(Link::new(filler.end, true)));
        if self.waiter(key, Wait::Connect).is_some() {
            self.finish_joined_connect(key);
        }
        self.stream_ready(key);
        self.carry_in(key, true);
    }

    /// The connection failed: our end goes with the filling unread, so that the carrier shows ERR and HUP.
    pub(crate) fn filler_failed(&mut self, key: Key) {
        drop(self.take_filler(key));
        self.set_phase(key, Phase::Spent);
        for wait in [Wait::Receive, Wait::Connect] {
            while let Some(held) = self.waiter(key, wait) {
                let id = self.socket_id(key);
                let error = id.and_then(|id| self.host().take_error(id)).unwrap_or(Errno::ECONNABORTED);
                self.release(held, Err(error));
            }
        }
    }
}
