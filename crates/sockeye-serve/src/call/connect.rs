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
use crate::sys::socket;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use sockeye_core::host::{Domain, SocketId};
use sockeye_core::{Errno, Readiness};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Sockets of the machine's name services: our resolver answers instead of them.
const NAME_SERVICES: [&str; 6] = [
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/nscd/socket",
    "/var/run/nscd/socket",
    "/run/avahi-daemon/socket",
    "/var/run/avahi-daemon/socket",
    "/var/run/systemd/resolve/io.systemd.Resolve",
];

/// Stands where an outcome is asked for and no address is looked at.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How a TCP connect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Established,
    /// The host has the error: for `SO_ERROR`, or for the next connect.
    Failed,
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
            Kind::Stream(stream) => match address::for_connect(stream.family, &bytes) {
                Ok(Parsed::Unspecified) => self.disconnect_stream(call, key, copy),
                Ok(Parsed::Address(to)) => self.connect_stream(call, key, copy, to),
                // The address is looked at only where there is something to connect.
                Err(_) if bytes.len() >= 2 && !self.host_ref().is_idle(stream.id) => {
                    self.connect_stream(call, key, copy, ANY)
                }
                Err(errno) => Err(errno),
            },
            Kind::Datagram(datagrams) => match address::for_datagrams(datagrams.family, &bytes) {
                // ip6_datagram_connect: an AF_INET address is not even looked up where there is only IPv6.
                Ok(Parsed::Address(to)) if to.is_ipv4() && self.is_v6only(key) => {
                    self.bind_implicitly(key, &copy).and(Err(Errno::EAFNOSUPPORT))
                }
                Ok(Parsed::Unspecified) => self.disconnect_datagrams(key, &copy),
                Ok(Parsed::Address(to)) => self.connect_datagrams(key, &copy, to),
                // Too short to have a family; else the port is taken before the address is looked at.
                Err(errno) if bytes.len() < 2 => Err(errno),
                Err(errno) => self.bind_implicitly(key, &copy).and(Err(errno)),
            },
            Kind::Netlink(_) => Ok(Outcome::Value(0)),
        }
    }

    /// `IPV6_V6ONLY` of an IPv6 socket.
    fn is_v6only(&mut self, key: Key) -> bool {
        let info = self.socket_id(key).and_then(|id| self.host_ref().info(id, self.now));
        info.is_some_and(|info| info.v6only && info.domain == Domain::Inet6)
    }

    fn connect_stream(&mut self, call: &Call, key: Key, copy: OwnedFd, to: SocketAddr) -> Answer {
        let nonblocking = self.is_nonblocking(&copy);
        let id = self.socket_id(key).ok_or(Errno::EBADF)?;
        self.listener_died = false;
        match self.connect_or_collect(id, to) {
            Err(Errno::EINPROGRESS) => {}
            Err(Errno::EALREADY) if !nonblocking => return Ok(self.hold_connect(call, key, Arc::new(copy))),
            // Connected before, and told now.
            Ok(()) => return Ok(Outcome::Value(0)),
            // Failed before, and told now: as good as new.
            Err(errno) if self.host_ref().is_idle(id) => {
                if self.stream(key).is_some_and(|s| !matches!(s.phase, Phase::Fresh)) {
                    self.set_phase(key, Phase::Spent);
                }
                // The carrier may have been given the error before.
                let given = self.stream(key).and_then(|s| s.error.take());
                self.usable_carrier(call, key, copy)?;
                return Err(if errno == Errno::ECONNABORTED { given.unwrap_or(errno) } else { errno });
            }
            Err(errno) => return Err(errno),
        }
        let copy = Arc::new(self.usable_carrier(call, key, copy)?);
        self.set_phase(key, Phase::Connecting(Connecting { filler: None }));
        if !(self.direct && self.connect_direct(key, id, &copy)) {
            self.connecting = true;
            self.settle();
            self.connecting = false;
            if self.connect_state(id) == Progress::Established {
                self.join_or_break(key, id, &copy, nonblocking)?;
            }
        }
        match self.connect_state(id) {
            // No program had that listener any more; it is gone now, and whoever else has the port is asked.
            Progress::Failed if self.listener_died => {
                let _ = self.connect_result(id, to);
                let joined = self.stream(key).is_none_or(|s| s.is_joined());
                self.set_phase(key, if joined { Phase::Spent } else { Phase::Fresh });
                self.connect_stream(call, key, Arc::into_inner(copy).ok_or(Errno::ECONNREFUSED)?, to)
            }
            Progress::Established if nonblocking => Err(Errno::EINPROGRESS),
            Progress::Failed if !nonblocking => {
                let shut = self.stream(key).is_some_and(|s| s.read_shut || s.write_shut);
                self.set_phase(key, if shut { Phase::Spent } else { Phase::Fresh });
                self.tell_outcome(call, key, copy, to)
            }
            Progress::Established => self.tell_outcome(call, key, copy, to),
            Progress::Failed => {
                self.fail_carrier(key, &copy);
                Err(Errno::EINPROGRESS)
            }
            Progress::Pending if nonblocking => {
                self.fill(key, &copy)?;
                Err(Errno::EINPROGRESS)
            }
            Progress::Pending => Ok(self.hold_connect(call, key, copy)),
        }
    }

    /// Joins the carrier of an established connection; where that cannot be (no descriptors) the connection goes.
    fn join_or_break(
        &mut self,
        key: Key,
        id: SocketId,
        copy: &OwnedFd,
        nonblocking: bool,
    ) -> Result<(), Errno> {
        let now = self.now;
        self.connected(key, copy, nonblocking).inspect_err(|_| {
            let _ = self.host().disconnect(id, now);
            self.set_phase(key, Phase::Spent);
        })
    }

    /// What a connect that has ended came to. One that failed leaves a socket as good as new, also where it was shut, or
    /// was connected for a moment.
    fn tell_outcome(&mut self, call: &Call, key: Key, copy: Arc<OwnedFd>, to: SocketAddr) -> Answer {
        let id = self.socket_id(key).ok_or(Errno::EBADF)?;
        let answer = self.connect_result(id, to);
        if answer.is_err()
            && self.host_ref().is_idle(id)
            && let Some(copy) = Arc::into_inner(copy)
        {
            if self.stream(key).is_some_and(|s| s.is_joined()) {
                self.set_phase(key, Phase::Spent);
            }
            self.usable_carrier(call, key, copy)?;
        }
        answer
    }

    /// What a connect that has ended came to; the host takes note that it was told.
    fn connect_result(&mut self, id: SocketId, to: SocketAddr) -> Answer {
        let now = self.now;
        match self.host().connect(id, to, now) {
            Ok(()) => Ok(Outcome::Value(0)),
            // Established with a listener that no program had any more: there was nobody to connect to.
            Err(Errno::ECONNRESET) if self.listener_died => Err(Errno::ECONNREFUSED),
            Err(errno) => Err(errno),
        }
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
        let ready = self.host_ref().readiness(id);
        if ready.contains(Readiness::ERR) {
            Progress::Failed
        } else if ready.intersects(Readiness::OUT | Readiness::RDHUP) {
            Progress::Established
        } else {
            Progress::Pending
        }
    }

    fn hold_connect(&mut self, call: &Call, key: Key, copy: Arc<OwnedFd>) -> Outcome {
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
            Progress::Failed if self.has_filler(key) => self.filler_failed(key),
            Progress::Failed => {
                self.set_phase(key, Phase::Fresh);
                let answer = self.connect_result(id, ANY);
                self.release_connects(key, answer);
            }
        }
    }

    fn finish_held_connect(&mut self, key: Key, held: HeldKey) {
        let Some(copy) = self.held.get(held).map(|h| Arc::clone(&h.copy)) else { return };
        let Some(id) = self.socket_id(key) else { return };
        let joined = self.connected(key, &copy, false);
        let answer = joined.and_then(|()| self.connect_result(id, ANY));
        self.release_connects(key, answer);
    }

    /// The same where the carrier was joined before.
    pub(crate) fn finish_joined_connect(&mut self, key: Key) {
        let Some(id) = self.socket_id(key) else { return };
        let answer = self.connect_result(id, ANY);
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
        // An error that the carrier showed and a plain call took is not told again.
        let shown = self.stream(key).is_some_and(|s| matches!(s.phase, Phase::Spent) && !s.write_shut);
        if shown && socket::option(copy.as_fd(), libc::SO_ERROR).is_ok_and(|e| e == 0) {
            let _ = self.host().take_error(id);
        }
        self.host().disconnect(id, now)?;
        self.settle();
        let unused = self
            .stream(key)
            .is_some_and(|s| matches!(s.phase, Phase::Fresh) && !s.read_shut && !s.write_shut);
        if !unused {
            self.set_phase(key, Phase::Spent);
            self.usable_carrier(call, key, copy)?;
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
            (stream.named, stream.error) = (false, None);
            (stream.write_shut, stream.read_shut) = (false, false);
        }
        Ok(fresh)
    }

    /// Makes a carrier show a failed non-blocking connect: writable, ERR and HUP, the error in `SO_ERROR`.
    fn fail_carrier(&mut self, key: Key, copy: &OwnedFd) {
        if let Ok(end) = self.join(copy) {
            let _ = rustix::net::send(copy, &[0], rustix::net::SendFlags::DONTWAIT);
            drop(end);
            raise_writable_edge(copy);
        }
        if let Some(stream) = self.stream(key) {
            (stream.phase, stream.error) = (Phase::Spent, None);
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
