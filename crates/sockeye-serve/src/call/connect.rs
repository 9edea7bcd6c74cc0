//! connect(2).
//!
//! Where the outcome is known inside the call (a peer in the same lab answers at once) the carrier is joined, or
//! the error answered, and nothing else is needed. Otherwise a blocking call is held, and a non-blocking one gets
//! a carrier that looks unconnected (carrier/filler.rs).

use super::{Answer, Call, Memory, Outcome};
use crate::address::{self, Parsed};
use crate::carrier::link::raise_writable_edge;
use crate::held::{HeldKey, Wait};
use crate::served::{Connecting, Key, Kind, Phase};
use crate::server::Server;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use sockeye_core::host::SocketId;
use sockeye_core::{Errno, Readiness};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

/// Sockets of the machine's name services: our resolver answers instead of them.
const NAME_SERVICES: [&str; 6] = [
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/nscd/socket",
    "/var/run/nscd/socket",
    "/run/avahi-daemon/socket",
    "/var/run/avahi-daemon/socket",
    "/var/run/systemd/resolve/io.systemd.Resolve",
];

/// How a TCP connect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Established,
    Failed(Errno),
    Pending,
}

impl Server {
    pub(super) fn call_connect(&mut self, call: &Call) -> Answer {
        let memory = Memory::new(call, self.listener.as_fd());
        let bytes = memory.address(call.args[1], call.int(2));
        if bytes.as_ref().is_ok_and(|b| names_service(b)) {
            return Err(Errno::ENOENT);
        }
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let bytes = bytes?;
        match &self.served[key].kind {
            Kind::Stream(stream) => match address::for_connect(stream.family, &bytes)? {
                Parsed::Unspecified => self.disconnect_stream(call, key, copy),
                Parsed::Address(to) => self.connect_stream(call, key, copy, to),
            },
            Kind::Datagram(datagrams) => match address::for_connect(datagrams.family, &bytes)? {
                Parsed::Unspecified => self.disconnect_datagrams(key, &copy),
                Parsed::Address(to) => self.connect_datagrams(key, &copy, to),
            },
            Kind::Netlink(_) => Ok(Outcome::Value(0)),
        }
    }

    fn connect_stream(&mut self, call: &Call, key: Key, copy: OwnedFd, to: SocketAddr) -> Answer {
        let nonblocking = self.is_nonblocking(&copy);
        let id = match self.stream(key).map(|s| (s.id, &s.phase)) {
            Some((_, Phase::Connecting(_))) if nonblocking => return Err(Errno::EALREADY),
            Some((_, Phase::Connecting(_))) => return Ok(self.hold_connect(call, key, copy)),
            Some((_, Phase::Linked(_) | Phase::Direct { .. } | Phase::Listening(_))) => {
                return Err(Errno::EISCONN);
            }
            Some((id, _)) => id,
            None => return Err(Errno::EBADF),
        };
        if let Some(errno) = self.untold_failure(key, id) {
            return Err(errno);
        }
        self.listener_died = false;
        match self.connect_or_collect(id, to) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno),
        }
        let copy = self.usable_carrier(call, key, copy)?;
        if let Some(stream) = self.stream(key) {
            stream.phase = Phase::Connecting(Connecting { filler: None });
            (stream.write_shut, stream.read_shut) = (false, false);
        }
        if self.direct && self.connect_direct(key, id, &copy) {
            return if nonblocking { Err(Errno::EINPROGRESS) } else { Ok(Outcome::Value(0)) };
        }
        self.settle();
        match self.connect_state(id) {
            Progress::Established => {
                self.connected(key, &copy, nonblocking)?;
                if nonblocking { Err(Errno::EINPROGRESS) } else { Ok(Outcome::Value(0)) }
            }
            Progress::Failed(errno) if !nonblocking => {
                self.set_phase(key, Phase::Fresh);
                Err(errno)
            }
            Progress::Failed(errno) => {
                self.fail_carrier(key, &copy, errno);
                Err(Errno::EINPROGRESS)
            }
            Progress::Pending if nonblocking => {
                self.fill(key, &copy)?;
                Err(Errno::EINPROGRESS)
            }
            Progress::Pending => Ok(self.hold_connect(call, key, copy)),
        }
    }

    /// The error of a non-blocking connect that `SO_ERROR` has not told yet: Linux tells it here.
    fn untold_failure(&mut self, key: Key, id: SocketId) -> Option<Errno> {
        let connected = self.host_ref().peer_addr(id).is_ok();
        let stream = self.stream(key)?;
        if matches!(stream.phase, Phase::Spent) && !connected { stream.error.take() } else { None }
    }

    fn connect_or_collect(&mut self, id: SocketId, to: SocketAddr) -> Result<(), Errno> {
        let now = self.now;
        match self.host().connect(id, to, now) {
            Err(Errno::EADDRINUSE | Errno::EADDRNOTAVAIL) => {
                self.collect();
                self.settle();
                self.host().connect(id, to, now)
            }
            other => other,
        }
    }

    fn connect_state(&mut self, id: SocketId) -> Progress {
        if let Some(errno) = self.host().take_error(id) {
            // Established with a listener that no program had any more: there was nobody to connect to.
            let refused = errno == Errno::ECONNRESET && self.listener_died;
            return Progress::Failed(if refused { Errno::ECONNREFUSED } else { errno });
        }
        let open = self.host_ref().readiness(id).intersects(Readiness::OUT | Readiness::RDHUP);
        if open && self.host_ref().peer_addr(id).is_ok() { Progress::Established } else { Progress::Pending }
    }

    fn hold_connect(&mut self, call: &Call, key: Key, copy: OwnedFd) -> Outcome {
        let deadline = self.timeout_of(key, libc::SO_SNDTIMEO);
        self.hold(call, key, copy, Wait::Connect, deadline);
        Outcome::Held
    }

    /// The host has news of a connect whose outcome was open.
    pub(crate) fn connect_progress(&mut self, key: Key) {
        let Some(id) = self.socket_id(key) else { return };
        let waiting = self.waiter(key, Wait::Connect);
        if waiting.is_none() && !self.has_filler(key) {
            // Inside connect_stream, which looks itself.
            return;
        }
        match self.connect_state(id) {
            Progress::Pending => {}
            Progress::Established => match waiting {
                Some(held) if !self.has_filler(key) => self.finish_held_connect(key, held),
                _ => self.filler_connected(key),
            },
            Progress::Failed(errno) => {
                if self.has_filler(key) {
                    self.filler_failed(key, errno);
                } else {
                    self.set_phase(key, Phase::Fresh);
                }
                self.release_connects(key, Err(errno));
            }
        }
    }

    fn finish_held_connect(&mut self, key: Key, held: HeldKey) {
        let Some(copy) = self.held.get(held).and_then(|h| rustix::io::fcntl_dupfd_cloexec(&h.copy, 3).ok())
        else {
            return;
        };
        let answer = self.connected(key, &copy, false).map(|()| Outcome::Value(0));
        self.release_connects(key, answer);
    }

    /// Answers every call that waits for the same connect.
    pub(crate) fn release_connects(&mut self, key: Key, answer: Answer) {
        while let Some(held) = self.waiter(key, Wait::Connect) {
            self.release(held, answer);
        }
    }

    /// connect(2) with AF_UNSPEC on a stream: the connection is reset, the number can be used again.
    fn disconnect_stream(&mut self, call: &Call, key: Key, copy: OwnedFd) -> Answer {
        let Some(id) = self.socket_id(key) else { return Err(Errno::EBADF) };
        let now = self.now;
        self.host().disconnect(id, now)?;
        self.settle();
        let fresh = matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Fresh));
        if !fresh {
            self.set_phase(key, Phase::Spent);
            self.usable_carrier(call, key, copy)?;
            self.set_phase(key, Phase::Fresh);
        }
        Ok(Outcome::Value(0))
    }

    pub(crate) fn set_phase(&mut self, key: Key, phase: Phase) {
        if let Some(stream) = self.stream(key) {
            stream.phase = phase;
        }
    }

    /// A carrier that can be connected or listened on: this one, or, where it is spent, a fresh one put at the
    /// same number. Copies of the number (dup, fork) keep the old one: a documented limit.
    pub(crate) fn usable_carrier(&mut self, call: &Call, key: Key, copy: OwnedFd) -> Result<OwnedFd, Errno> {
        if !matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Spent)) {
            return Ok(copy);
        }
        let flags = if self.is_nonblocking(&copy) {
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK
        } else {
            SocketFlags::CLOEXEC
        };
        let fresh = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .map_err(crate::server::supervisor_error)?;
        let close_on_exec = crate::processes::close_on_exec(call.tid, call.int(0));
        crate::sys::seccomp::replace_fd(
            self.listener.as_fd(),
            call.id,
            fresh.as_fd(),
            call.int(0) as u32,
            close_on_exec,
        )
        .map_err(|_| Errno::EBADF)?;
        let old = self.served[key].cookie;
        self.cookies.remove(&old);
        self.adopt(key, &fresh)?;
        if let Some(stream) = self.stream(key) {
            stream.phase = Phase::Fresh;
            stream.named = false;
        }
        Ok(fresh)
    }

    /// Makes a carrier show a failed non-blocking connect: writable, ERR and HUP, the error in `SO_ERROR`.
    fn fail_carrier(&mut self, key: Key, copy: &OwnedFd, errno: Errno) {
        if let Ok(end) = self.join(copy) {
            let _ = rustix::net::send(copy, &[0], rustix::net::SendFlags::DONTWAIT);
            drop(end);
            raise_writable_edge(copy);
        }
        if let Some(stream) = self.stream(key) {
            stream.phase = Phase::Spent;
            stream.error = Some(errno);
        }
    }
}

fn names_service(bytes: &[u8]) -> bool {
    bytes.starts_with(&(libc::AF_UNIX as u16).to_ne_bytes()) && {
        let path = &bytes[2..];
        let end = path.iter().position(|b| *b == 0).unwrap_or(path.len());
        NAME_SERVICES.iter().any(|s| s.as_bytes() == &path[..end])
    }
}
