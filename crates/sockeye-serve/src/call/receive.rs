//! recvfrom(2), recvmsg(2) and recvmmsg(2), as far as they are notified.
//!
//! What is in the carrier comes first, since poll has told of it; then the host's own queue.

use super::message::{HEADER_LEN, Header, MESSAGE_MAX};
use super::{Answer, Call, Memory, Outcome, Progress};
use crate::address;
use crate::held::{HeldKey, Wait};
use crate::names::Origin;
use crate::served::{Key, Kind, Phase};
use crate::server::{Server, is_shut};
use rustix::net::{RecvFlags, recv};
use sockeye_core::wire::control::Control;
use sockeye_core::{Errno, Payload};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Port ids that netlink sockets get by themselves start here.
pub(crate) const EPHEMERAL_NETLINK_PORT: u32 = 0x8000_0000;

/// A datagram on its way into a program's memory.
struct Found {
    bytes: Vec<u8>,
    /// The whole datagram's length.
    len: usize,
    origin: Option<Origin>,
}

impl Server {
    pub(super) fn call_recvfrom(&mut self, call: &Call) -> Answer {
        self.receive_call(call, call.int(3))
    }

    pub(super) fn call_recvmsg(&mut self, call: &Call) -> Answer {
        self.receive_call(call, call.int(2))
    }

    fn receive_call(&mut self, call: &Call, flags: i32) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        if self.stream(key).is_some_and(|s| s.is_carried()) && self.stream_needs_nothing(call, flags)? {
            return Ok(Outcome::Proceed);
        }
        match self.try_receive(call, key, &copy, flags) {
            Progress::Done(answer) => answer,
            Progress::Wait if flags & libc::MSG_DONTWAIT != 0 || self.is_nonblocking(&copy) => {
                Err(Errno::EAGAIN)
            }
            Progress::Wait => {
                let deadline = self.timeout_of(key, libc::SO_RCVTIMEO);
                self.hold(call, key, Arc::new(copy), Wait::Receive, deadline);
                Ok(Outcome::Held)
            }
        }
    }

    /// A recvmsg on a stream without name and control is the carrier's own business.
    fn stream_needs_nothing(&self, call: &Call, flags: i32) -> Result<bool, Errno> {
        let special = libc::MSG_OOB | libc::MSG_ERRQUEUE | libc::MSG_TRUNC;
        if call.nr != libc::SYS_recvmsg || flags & special != 0 {
            return Ok(false);
        }
        let header = Header::read(&Memory::new(call, self.listener.as_fd()), call.args[1])?;
        Ok(header.name == 0 && header.control_len == 0)
    }

    fn header_of(&self, call: &Call) -> Result<Header, Errno> {
        if call.nr == libc::SYS_recvfrom {
            return Ok(Header::plain(call.args[1], call.args[2], call.args[4]));
        }
        Header::read(&Memory::new(call, self.listener.as_fd()), call.args[1])
    }

    fn try_receive(&mut self, call: &Call, key: Key, copy: &OwnedFd, flags: i32) -> Progress {
        let header = match self.header_of(call) {
            Ok(header) => header,
            Err(errno) => return Progress::Done(Err(errno)),
        };
        let answer = match &self.served[key].kind {
            Kind::Stream(_) => self.receive_stream(call, key, copy, &header, flags),
            Kind::Datagram(_) if flags & libc::MSG_ERRQUEUE != 0 => {
                self.receive_error(call, key, copy, &header)
            }
            Kind::Datagram(_) => self.receive_datagram(call, key, copy, &header, flags),
            Kind::Netlink(_) => self.receive_netlink(call, copy, &header, flags),
        };
        let waits = flags & libc::MSG_ERRQUEUE == 0;
        if answer == Err(Errno::EAGAIN) && waits { Progress::Wait } else { Progress::Done(answer) }
    }

    /// A held receive looks again; says whether it was answered.
    pub(crate) fn retry_receive(&mut self, held: HeldKey) -> bool {
        let Some(entry) = self.held.get(held) else { return false };
        let (call, key) = (entry.call, entry.key);
        let copy = Arc::clone(&entry.copy);
        let flags = if call.nr == libc::SYS_recvmsg { call.int(2) } else { call.int(3) };
        let progress = if call.nr == libc::SYS_recvmmsg {
            let mut received = self.held[held].progress;
            let progress = self.receive_many(&call, key, &copy, &mut received);
            self.held[held].progress = received;
            progress
        } else {
            self.try_receive(&call, key, &copy, flags)
        };
        match progress {
            Progress::Done(answer) => {
                self.release(held, answer);
                true
            }
            Progress::Wait => false,
        }
    }

    fn receive_stream(
        &mut self,
        call: &Call,
        key: Key,
        copy: &OwnedFd,
        header: &Header,
        flags: i32,
    ) -> Answer {
        if flags & libc::MSG_OOB != 0 {
            // Urgent data waits in the carrier; without a peer there is none.
            let joined = matches!(&self.served[key].kind, Kind::Stream(stream) if stream.is_joined());
            return if joined { Ok(Outcome::Proceed) } else { Err(Errno::EINVAL) };
        }
        if flags & libc::MSG_ERRQUEUE != 0 {
            return Err(Errno::EAGAIN);
        }
        let mut buffer = vec![0; header.len().min(MESSAGE_MAX)];
        let peek = if flags & libc::MSG_PEEK != 0 { RecvFlags::PEEK } else { RecvFlags::empty() };
        let n = match recv(copy, &mut *buffer, RecvFlags::DONTWAIT | peek) {
            Ok((n, _)) => n,
            // Without a connection; its end comes first if the program has made one.
            Err(rustix::io::Errno::INVAL)
                if self.stream(key).is_some_and(|s| s.read_shut && matches!(s.phase, Phase::Fresh)) =>
            {
                0
            }
            Err(rustix::io::Errno::INVAL) => return Err(Errno::ENOTCONN),
            Err(e) => return Err(Errno(e.raw_os_error() as u16)),
        };
        let memory = Memory::new(call, self.listener.as_fd());
        if flags & libc::MSG_TRUNC == 0 {
            header.scatter(&memory, &buffer[..n])?;
        }
        if call.nr == libc::SYS_recvfrom {
            // TCP names nobody: the length says that the address is empty.
            if call.args[5] != 0 {
                memory.write(call.args[5], &0i32.to_ne_bytes())?;
            }
        } else {
            let control = self.inq_control(key, copy);
            let memory = Memory::new(call, self.listener.as_fd());
            header.finish(&memory, &[], control.as_slice(), 0)?;
        }
        Ok(Outcome::Value(n as i64))
    }

    fn receive_datagram(
        &mut self,
        call: &Call,
        key: Key,
        copy: &OwnedFd,
        header: &Header,
        flags: i32,
    ) -> Answer {
        let found = match self.next_datagram(key, copy, header.len(), flags & libc::MSG_PEEK != 0) {
            // After the end of receiving who does not want to wait reads EAGAIN, as before it; who does, 0.
            Err(Errno::EAGAIN)
                if flags & libc::MSG_DONTWAIT == 0 && is_shut(copy) && !self.is_nonblocking(copy) =>
            {
                Found { bytes: vec![], len: 0, origin: None }
            }
            other => other?,
        };
        let memory = Memory::new(call, self.listener.as_fd());
        let written = header.scatter(&memory, &found.bytes)?;
        let family = self.datagrams(key).ok_or(Errno::EBADF)?.family;
        let name = found.origin.map(|o| address::encode(family, o.from));
        let name = name.as_ref().map_or(&[][..], address::Raw::as_bytes);
        let truncated = found.len > written;
        let memory = Memory::new(call, self.listener.as_fd());
        if call.nr == libc::SYS_recvfrom {
            if call.args[4] != 0 {
                memory.write_address(call.args[4], call.args[5], name)?;
            }
        } else {
            let controls = found.origin.map_or_else(Vec::new, |o| self.receive_controls(key, &o));
            let out_flags = if truncated { libc::MSG_TRUNC } else { 0 };
            header.finish(&Memory::new(call, self.listener.as_fd()), name, &controls, out_flags)?;
        }
        // There is room in the carrier again; not here, where this may be one of its waiting calls.
        self.again.push(key);
        let len = if flags & libc::MSG_TRUNC != 0 { found.len } else { written };
        Ok(Outcome::Value(len as i64))
    }

    /// The next datagram: from the carrier, then from the host.
    fn next_datagram(&mut self, key: Key, copy: &OwnedFd, room: usize, peek: bool) -> Result<Found, Errno> {
        let datagrams = self.datagrams(key).ok_or(Errno::EBADF)?;
        let id = datagrams.id;
        if let Some(errno) = self.take_datagram_error(key, copy) {
            return Err(errno);
        }
        let mut buffer = vec![0; room.min(MESSAGE_MAX)];
        while let Ok(received) = crate::sys::message::receive(copy.as_fd(), &mut buffer, peek) {
            let origin = match self.names.origin_of(received.name()) {
                Some(origin) => Some(origin),
                None if self.names.is_end(received.name()) => self.peer_origin(key),
                // Not from us: somebody else has found the name. As if it had never come.
                None => continue,
            };
            buffer.truncate(received.len.min(room));
            return Ok(Found { bytes: buffer, len: received.len, origin });
        }
        let pending = match self.datagrams(key).and_then(|d| d.pending.pop_front()) {
            Some(datagram) => datagram,
            None => {
                let now = self.now;
                self.host().recv_from(id, false, now)?
            }
        };
        let mut bytes = pending.payload.to_vec();
        let (len, origin) = (bytes.len(), Origin::of(&pending));
        bytes.truncate(room);
        if peek && let Some(datagrams) = self.datagrams(key) {
            datagrams.pending.push_front(pending);
        }
        Ok(Found { bytes, len, origin: Some(origin) })
    }

    /// What a connected socket's datagrams come from.
    pub(crate) fn peer_origin(&mut self, key: Key) -> Option<Origin> {
        let id = self.socket_id(key)?;
        let host = self.host_ref();
        let (from, to) = (host.peer_addr(id).ok()?, host.local_addr(id).ok()?.ip());
        Some(Origin { from, to, interface: 1, ttl: 64, tos: 0, segment: 0 })
    }

    /// What a stream with `TCP_INQ` tells of what is left, in the carrier and behind it.
    fn inq_control(&mut self, key: Key, copy: &OwnedFd) -> Option<Control> {
        let id = self.socket_id(key)?;
        let carried = || rustix::io::ioctl_fionread(copy).map_or(0, |n| usize::try_from(n).unwrap_or(0));
        self.host_ref().inq_control(id, carried)
    }

    /// The control messages that the socket's options ask for.
    fn receive_controls(&mut self, key: Key, origin: &Origin) -> Vec<Control> {
        let Some(id) = self.socket_id(key) else { return vec![] };
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let datagram = origin.datagram(Payload::default(), self.now);
        self.host_ref().receive_controls(id, &datagram, wall)
    }

    pub(super) fn call_recvmmsg(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        if self.stream(key).is_some() {
            return Ok(Outcome::Proceed);
        }
        self.check_timeout(call)?;
        let mut received = 0;
        match self.receive_many(call, key, &copy, &mut received) {
            Progress::Done(answer) => answer,
            Progress::Wait if call.int(3) & libc::MSG_DONTWAIT != 0 || self.is_nonblocking(&copy) => {
                if received > 0 {
                    Ok(Outcome::Value(received))
                } else {
                    Err(Errno::EAGAIN)
                }
            }
            Progress::Wait if received > 0 && call.args[4] != 0 => Ok(Outcome::Value(received)),
            Progress::Wait => {
                let deadline = self.timeout_of(key, libc::SO_RCVTIMEO);
                let held = self.hold(call, key, Arc::new(copy), Wait::Receive, deadline);
                self.held[held].progress = received;
                Ok(Outcome::Held)
            }
        }
    }

    /// The time of recvmmsg(2). Linux looks at it after each message only; a call that has messages and is out
    /// of them ends here instead of waiting on, when a time was given.
    fn check_timeout(&self, call: &Call) -> Result<(), Errno> {
        if call.args[4] == 0 {
            return Ok(());
        }
        let raw = Memory::new(call, self.listener.as_fd()).bytes(call.args[4], 16)?;
        let word = |at: usize| i64::from_ne_bytes(raw[at..at + 8].try_into().expect("eight bytes"));
        if word(0) < 0 || !(0..1_000_000_000).contains(&word(8)) { Err(Errno::EINVAL) } else { Ok(()) }
    }

    /// Messages from number `received` on; waits for all of them unless MSG_WAITFORONE was asked for.
    fn receive_many(&mut self, call: &Call, key: Key, copy: &OwnedFd, received: &mut i64) -> Progress {
        let count = call.args[2].min(crate::abi::IOVEC_MAX as u64);
        for index in *received as u64..count {
            let at = call.args[1] + index * (HEADER_LEN + 8);
            let one =
                Call { nr: libc::SYS_recvmsg, args: [call.args[0], at, call.args[3], 0, 0, 0], ..*call };
            match self.try_receive(&one, key, copy, call.int(3)) {
                Progress::Done(Ok(Outcome::Value(n))) => {
                    let memory = Memory::new(call, self.listener.as_fd());
                    if let Err(errno) = memory.write(at + HEADER_LEN, &(n as u32).to_ne_bytes()) {
                        return Progress::Done(Err(errno));
                    }
                    *received += 1;
                }
                Progress::Done(Err(errno)) if *received == 0 => return Progress::Done(Err(errno)),
                Progress::Wait if *received == 0 || call.int(3) & libc::MSG_WAITFORONE == 0 => {
                    return Progress::Wait;
                }
                _ => break,
            }
        }
        Progress::Done(Ok(Outcome::Value(*received)))
    }

    fn receive_netlink(&mut self, call: &Call, copy: &OwnedFd, header: &Header, flags: i32) -> Answer {
        let mut buffer = vec![0; header.len().min(MESSAGE_MAX)];
        let peek = flags & libc::MSG_PEEK != 0;
        let received = crate::sys::message::receive(copy.as_fd(), &mut buffer, peek)
            .map_err(|e| Errno(e.raw_os_error().unwrap_or(libc::EAGAIN) as u16))?;
        let memory = Memory::new(call, self.listener.as_fd());
        let len = received.len.min(buffer.len());
        let written = header.scatter(&memory, &buffer[..len])?;
        let name = super::netlink::name(0);
        if call.nr == libc::SYS_recvfrom {
            if call.args[4] != 0 {
                memory.write_address(call.args[4], call.args[5], &name)?;
            }
        } else {
            let out_flags = if received.len > written { libc::MSG_TRUNC } else { 0 };
            header.finish(&memory, &name, &[], out_flags)?;
        }
        let told = if flags & libc::MSG_TRUNC != 0 { received.len } else { written };
        Ok(Outcome::Value(told as i64))
    }
}
