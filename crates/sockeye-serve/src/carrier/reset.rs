//! Showing a program the end that TCP would have shown it.
//!
//! A Unix socket whose other end closes with unread bytes reports ECONNRESET once, after whatever was queued, and
//! polls ERR|HUP: just what a TCP socket does on RST. So our end is closed with at least one byte unread, put
//! there through a copy of the program's descriptor when there is none. Errors other than ECONNRESET are
//! remembered and told where the call is notified (`SO_ERROR`).

use crate::held::Wait;
use crate::served::{Key, Phase};
use crate::server::Server;
use crate::sys::socket;
use rustix::net::{SendFlags, send};
use sockeye_core::Errno;
use std::os::fd::{AsFd, OwnedFd};

impl Server {
    /// The host's connection has ended with `errno`: ends the carrier likewise.
    pub(crate) fn reset_program(&mut self, key: Key, errno: Errno) {
        let copy = self.borrow_again(key);
        let Some(stream) = self.stream(key) else { return };
        stream.error = Some(errno);
        let Phase::Linked(link) = std::mem::replace(&mut stream.phase, Phase::Spent) else { return };
        if !link.accepted {
            // Still in the listening carrier's queue: closing our end is all that it takes once accepted.
            stream.phase = Phase::Linked(link);
            return self.reset_unaccepted(key);
        }
        let unread = rustix::io::ioctl_fionread(&link.end).unwrap_or(0);
        if unread == 0
            && let Some(copy) = copy
        {
            let _ = send(&copy, &[0], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
        drop(link);
        while let Some(held) = self.waiter(key, Wait::Receive).or_else(|| self.waiter(key, Wait::Send)) {
            self.release(held, Err(errno));
        }
    }

    /// A connection that nobody has accepted yet was reset: accept still gives it, as Linux does, and its first
    /// read tells.
    fn reset_unaccepted(&mut self, key: Key) {
        if let Some(stream) = self.stream(key)
            && let Phase::Linked(link) = &mut stream.phase
        {
            link.out_ended = true;
            let _ = rustix::net::shutdown(&link.end, rustix::net::Shutdown::Write);
        }
    }

    /// A copy of a program's descriptor outside of a call: looked for where it was seen last, then everywhere.
    pub(crate) fn borrow_again(&mut self, key: Key) -> Option<OwnedFd> {
        let served = self.served.get(key)?;
        let (hint, cookie) = (served.hint, served.cookie);
        let is_it = |server: &mut Self, tid: u32, number: i32| {
            let copy = server.finder.borrow(tid, number).ok()?;
            (socket::cookie(copy.as_fd()).ok()? == cookie).then_some(copy)
        };
        if let Some(copy) = is_it(self, hint.0, hint.1) {
            return Some(copy);
        }
        let inode = *self.watch.alive().ok()?.get(&key)?;
        let (pid, number) = crate::processes::holder_of(inode)?;
        is_it(self, pid, number)
    }
}
