//! accept(2) and accept4(2).

use super::{Answer, Call, Memory, Outcome, Progress};
use crate::address;
use crate::held::Wait;
use crate::served::{Key, Phase};
use crate::server::{Server, is_readable};
use crate::sys::seccomp;
use rustix::net::{SocketFlags, acceptfrom_with};
use sockeye_core::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// The queue of a listening carrier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue<'a> {
    pub(crate) copy: &'a OwnedFd,
    /// The open file may be blocking: it is looked at before it is asked.
    pub(crate) blocking: bool,
}

fn flags(call: &Call) -> i32 {
    if call.nr == libc::SYS_accept4 { call.int(3) } else { 0 }
}

impl Server {
    pub(super) fn call_accept(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        if flags(call) & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        match self.stream(key).map(|s| &s.phase) {
            Some(Phase::Listening(_)) => {}
            Some(_) => return Err(Errno::EINVAL),
            None => return Err(Errno::EOPNOTSUPP),
        }
        let blocking = !self.is_nonblocking(&copy);
        match self.try_accept(call, key, Some(Queue { copy: &copy, blocking })) {
            Progress::Done(answer) => answer,
            Progress::Wait if !blocking => Err(Errno::EAGAIN),
            Progress::Wait => {
                let deadline = self.timeout_of(key, libc::SO_RCVTIMEO);
                self.hold(call, key, Arc::new(copy), Wait::Accept, deadline);
                Ok(Outcome::Held)
            }
        }
    }

    /// Gives the oldest connection to a call, if there is one. `queue` is the listening carrier's, where a copy
    /// is at hand (a held call's carrier has nothing queued).
    pub(crate) fn try_accept(&mut self, call: &Call, listener: Key, queue: Option<Queue<'_>>) -> Progress {
        let nonblocking = flags(call) & libc::SOCK_NONBLOCK != 0;
        if let Some((child, carrier)) = self.parked(listener) {
            self.next_queued(queue, nonblocking);
            return Progress::Done(self.deliver_accepted(call, listener, child, carrier));
        }
        let Some(id) = self.socket_id(listener) else { return Progress::Done(Err(Errno::EINVAL)) };
        if self.host_ref().accept_queue(id).next().is_none() && queue.is_some_and(|q| q.blocking) {
            // Nothing of ours is queued; what else is there only a program that polls would stumble over.
            return Progress::Wait;
        }
        let queued = self.next_queued(queue, nonblocking);
        let Ok(child_id) = self.host().accept(id) else { return Progress::Wait };
        let child = crate::served::key(self.host_ref().owner_tag(child_id));
        let carrier = match queued {
            Some((key, carrier)) if key == child => Ok(carrier),
            other => match self.early_carrier(listener, child, other) {
                Some(carrier) => Ok(carrier),
                None => self.joined_pair(child, nonblocking),
            },
        };
        Progress::Done(match carrier {
            Ok(carrier) => self.deliver_accepted(call, listener, child, carrier),
            Err(errno) => {
                self.host().unaccept(id, child_id);
                Err(errno)
            }
        })
    }

    fn parked(&mut self, listener: Key) -> Option<(Key, OwnedFd)> {
        match &mut self.stream(listener)?.phase {
            Phase::Listening(listening) => listening.parked.pop_front(),
            _ => None,
        }
    }

    /// The two queues can differ in order where descriptors were short: what came early is kept, and the carrier
    /// of `child` given if it came early itself.
    fn early_carrier(&mut self, listener: Key, child: Key, came: Option<(Key, OwnedFd)>) -> Option<OwnedFd> {
        let Some(Phase::Listening(listening)) = self.stream(listener).map(|s| &mut s.phase) else {
            return None;
        };
        listening.early.extend(came);
        let at = listening.early.iter().position(|(key, _)| *key == child)?;
        Some(listening.early.swap_remove(at).1)
    }

    /// Whether a connection has still to be given to a program.
    fn is_unaccepted(&mut self, key: Key) -> bool {
        matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Linked(link)) if !link.accepted)
            || matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Direct { .. }))
    }

    /// Takes the next connection out of the listening carrier's queue: ours, told by its name. Tokens name
    /// nothing, strangers nothing of ours: both are dropped.
    fn next_queued(&mut self, queue: Option<Queue<'_>>, nonblocking: bool) -> Option<(Key, OwnedFd)> {
        let Queue { copy, blocking } = queue?;
        loop {
            if blocking && !is_readable(copy) {
                return None;
            }
            let base = SocketFlags::CLOEXEC;
            let flags = if nonblocking { base | SocketFlags::NONBLOCK } else { base };
            let (carrier, address) = acceptfrom_with(copy, flags).ok()?;
            let key = address
                .and_then(|a| rustix::net::SocketAddrUnix::try_from(a).ok())
                .and_then(|a| self.names.arrival_key(a.abstract_name()?));
            if let Some(key) = key.filter(|key| self.is_unaccepted(*key)) {
                return Some((key, carrier));
            }
        }
    }

    /// Hands an accepted connection to the program, atomically; keeps it for the next call if this one is gone.
    fn deliver_accepted(&mut self, call: &Call, listener: Key, child: Key, carrier: OwnedFd) -> Answer {
        if call.args[1] != 0
            && let Err(errno) = self.write_peer(call, child)
        {
            // As on Linux: the connection is lost with the call that failed.
            self.forget(child);
            return Err(errno);
        }
        if self.served.get(child).is_some_and(|s| s.cookie == 0) {
            self.adopt(child, &carrier)?;
            let inherited = self.stream(listener).map_or_else(Vec::new, |s| s.carrier_options.clone());
            for (name, value) in inherited {
                let _ = crate::sys::socket::set_option_bytes(carrier.as_fd(), name, &value);
            }
        }
        let close_on_exec = flags(call) & libc::SOCK_CLOEXEC != 0;
        match seccomp::add_fd_and_answer(self.listener.as_fd(), call.id, carrier.as_fd(), close_on_exec) {
            Ok(number) => {
                self.accepted(child, &carrier, (call.tid, number));
                Ok(Outcome::Answered(i64::from(number)))
            }
            Err(e) => {
                if let Some(Phase::Listening(listening)) = self.stream(listener).map(|s| &mut s.phase) {
                    listening.parked.push_front((child, carrier));
                }
                self.token_connection(listener);
                match e.raw_os_error() {
                    Some(libc::EMFILE) => Err(Errno::EMFILE),
                    Some(libc::ENFILE) => Err(Errno::ENFILE),
                    _ => Ok(Outcome::Answered(-1)),
                }
            }
        }
    }

    fn accepted(&mut self, child: Key, carrier: &OwnedFd, hint: (u32, i32)) {
        if let Some(served) = self.served.get_mut(child) {
            served.hint = hint;
        }
        if matches!(self.stream(child).map(|s| &s.phase), Some(Phase::Direct { .. })) {
            let _ = self.watch.add_hang_up(carrier.as_fd(), child);
            return;
        }
        let mut reset = None;
        if let Some(stream) = self.stream(child)
            && let Phase::Linked(link) = &mut stream.phase
        {
            link.accepted = true;
            reset = stream.error;
        }
        match reset {
            Some(errno) => self.reset_program(child, errno),
            None => self.stream_ready(child),
        }
    }

    fn write_peer(&mut self, call: &Call, child: Key) -> Result<(), Errno> {
        let stream = self.stream(child).ok_or(Errno::ECONNABORTED)?;
        let (id, family) = (stream.id, stream.family);
        let peer = self.host_ref().peer_addr(id).or_else(|_| {
            // Reset while it waited: accept still gives it, with its last known peer.
            self.host_ref().info(id, self.now).and_then(|i| i.remote).ok_or(Errno::ECONNABORTED)
        })?;
        let raw = address::encode(family, peer);
        Memory::new(call, self.listener.as_fd()).write_address(call.args[1], call.args[2], raw.as_bytes())
    }
}
