//! sendto(2), sendmsg(2) and sendmmsg(2), as far as they are notified.
//!
//! A datagram with an address goes straight into the host. A stream's bytes always go through the carrier, so
//! that their order with plain writes is kept.

use super::message::{HEADER_LEN, Header, MESSAGE_MAX};
use super::{Answer, Call, Memory, Outcome};
use crate::address::{self, Parsed};
use crate::held::{HeldKey, Wait};
use crate::served::{Key, Kind, Phase};
use crate::server::Server;
use rustix::net::{SendFlags, send};
use sockeye_core::host::SendControl;
use sockeye_core::{Errno, Payload};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Longest datagram that is looked at (udp_sendmsg, raw_sendmsg).
const LENGTH_MAX: usize = 65_535;

impl Server {
    pub(super) fn call_sendto(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let mut header = Header::plain(call.args[1], call.args[2], call.args[4]);
        header.name_len = call.int(5);
        if header.name != 0 && self.stream(key).is_some() {
            // TCP has no use for the address, but the system call reads it.
            Memory::new(call, self.listener.as_fd()).address(header.name, header.name_len)?;
        }
        self.send_message(call, key, copy, &header, call.int(3))
    }

    pub(super) fn call_sendmsg(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let header = Header::read(&Memory::new(call, self.listener.as_fd()), call.args[1])?;
        if self.stream(key).is_some() && call.int(2) & libc::MSG_OOB == 0 {
            // TCP has no use for a name or control messages; the carrier ignores a name as well.
            return if header.name == 0 && self.stream(key).is_some_and(|s| s.is_carried()) {
                Ok(Outcome::Proceed)
            } else {
                self.send_message(call, key, copy, &header, call.int(2))
            };
        }
        self.send_message(call, key, copy, &header, call.int(2))
    }

    pub(super) fn call_sendmmsg(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        if self.stream(key).is_some() {
            return Ok(Outcome::Proceed);
        }
        let count = call.args[2].min(crate::abi::IOVEC_MAX as u64);
        let mut sent = 0;
        for index in 0..count {
            let at = call.args[1] + index * (HEADER_LEN + 8);
            match self.send_one_of_many(call, key, &copy, at) {
                Ok(n) => {
                    let memory = Memory::new(call, self.listener.as_fd());
                    memory.write(at + HEADER_LEN, &(n as u32).to_ne_bytes())?;
                    sent += 1;
                }
                Err(errno) if sent == 0 => return Err(errno),
                Err(_) => break,
            }
        }
        Ok(Outcome::Value(sent))
    }

    fn send_one_of_many(&mut self, call: &Call, key: Key, copy: &OwnedFd, at: u64) -> Result<i64, Errno> {
        let header = Header::read(&Memory::new(call, self.listener.as_fd()), at)?;
        match self.send_datagram(call, key, copy, &header, call.int(3))? {
            Outcome::Value(n) => Ok(n),
            _ => Err(Errno::EAGAIN),
        }
    }

    fn send_message(&mut self, call: &Call, key: Key, copy: OwnedFd, header: &Header, flags: i32) -> Answer {
        match &self.served[key].kind {
            Kind::Stream(_) => self.send_stream(call, key, Arc::new(copy), header, flags),
            Kind::Datagram(_) | Kind::Netlink(_) if flags & libc::MSG_OOB != 0 => Err(Errno::EOPNOTSUPP),
            Kind::Datagram(_) => self.send_datagram(call, key, &copy, header, flags),
            Kind::Netlink(_) => {
                let memory = Memory::new(call, self.listener.as_fd());
                let request = header.gather(&memory, MESSAGE_MAX)?;
                self.netlink_request(key, &request);
                Ok(Outcome::Value(request.len() as i64))
            }
        }
    }

    fn send_stream(
        &mut self,
        call: &Call,
        key: Key,
        copy: Arc<OwnedFd>,
        header: &Header,
        flags: i32,
    ) -> Answer {
        if flags & libc::MSG_FASTOPEN != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if flags & libc::MSG_OOB != 0
            && self.stream(key).is_some_and(|s| matches!(s.phase, Phase::Direct { .. }))
        {
            return Ok(Outcome::Proceed);
        }
        if self.stream(key).is_some_and(|s| !s.is_carried()) {
            return broken(call, flags);
        }
        let bytes = header.gather(&Memory::new(call, self.listener.as_fd()), MESSAGE_MAX)?;
        let sent = if flags & libc::MSG_OOB != 0 {
            self.send_urgent(key, &bytes)
        } else {
            send(&copy, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
        };
        match sent {
            Ok(n) => Ok(Outcome::Value(n as i64)),
            Err(rustix::io::Errno::AGAIN) => {
                if flags & libc::MSG_DONTWAIT != 0 || self.is_nonblocking(&copy) {
                    return Err(Errno::EAGAIN);
                }
                let deadline = self.timeout_of(key, libc::SO_SNDTIMEO);
                self.hold(call, key, copy, Wait::Send, deadline);
                Ok(Outcome::Held)
            }
            // An unconnected TCP socket says EPIPE, a connected one whose end is shut as well.
            Err(rustix::io::Errno::PIPE | rustix::io::Errno::NOTCONN) => broken(call, flags),
            Err(e) => Err(Errno(e.raw_os_error() as u16)),
        }
    }

    /// Urgent data goes past the carrier, so what is in the carrier goes first; without room for that, none has come
    /// for this either.
    fn send_urgent(&mut self, key: Key, bytes: &[u8]) -> Result<usize, rustix::io::Errno> {
        self.carry_in(key, false);
        let stream = self.stream(key).ok_or(rustix::io::Errno::BADF)?;
        let id = stream.id;
        match &stream.phase {
            Phase::Linked(link) if link.in_blocked => return Err(rustix::io::Errno::AGAIN),
            Phase::Linked(_) => {}
            _ => return Err(rustix::io::Errno::PIPE),
        }
        let now = self.now;
        let sent = self.host().send_urgent(id, bytes, now);
        self.settle();
        sent.map_err(|errno| rustix::io::Errno::from_raw_os_error(i32::from(errno.0)))
    }

    /// A held stream send looks whether the carrier has room again.
    pub(crate) fn retry_send(&mut self, held: HeldKey) {
        let Some(entry) = self.held.get(held) else { return };
        let call = entry.call;
        let key = entry.key;
        let copy = Arc::clone(&entry.copy);
        let header = if call.nr == libc::SYS_sendto {
            Ok(Header::plain(call.args[1], call.args[2], call.args[4]))
        } else {
            Header::read(&Memory::new(&call, self.listener.as_fd()), call.args[1])
        };
        let flags = if call.nr == libc::SYS_sendto { call.int(3) } else { call.int(2) };
        let answer = header.and_then(|h| self.send_stream(&call, key, copy, &h, flags | libc::MSG_DONTWAIT));
        if answer != Err(Errno::EAGAIN) {
            self.release(held, answer);
        }
    }

    fn send_datagram(
        &mut self,
        call: &Call,
        key: Key,
        copy: &OwnedFd,
        header: &Header,
        flags: i32,
    ) -> Answer {
        // What plain sends have put into the carrier comes first.
        self.datagrams_in(key);
        let Some(datagrams) = self.datagrams(key) else { return Err(Errno::EBADF) };
        let (id, family) = (datagrams.id, datagrams.family);
        let memory = Memory::new(call, self.listener.as_fd());
        let name = if header.name == 0 { None } else { Some(memory.address(header.name, header.name_len)?) };
        let controls = header.controls(&memory)?;
        // From now on datagrams can come for it, whatever becomes of this one.
        self.bind_implicitly(key, copy)?;
        if header.len() > LENGTH_MAX {
            return Err(Errno::EMSGSIZE);
        }
        let to = match name.map(|name| address::for_send(family, &name)).transpose()? {
            Some(Parsed::Address(to)) => Some(to),
            Some(Parsed::Unspecified) | None => None,
        };
        let control = SendControl { more: flags & libc::MSG_MORE != 0, ..SendControl::read(&controls)? };
        // What the carrier shows has to come first, in its place among the checks.
        if self.datagrams(key).is_some_and(|d| d.error.is_some())
            && let Some(errno) = self.take_datagram_error(key, copy)
        {
            self.host().return_error(id, errno);
        }
        let now = self.now;
        let bytes = match header.gather(&Memory::new(call, self.listener.as_fd()), LENGTH_MAX) {
            Ok(bytes) => bytes,
            Err(errno) => return self.host().may_send_to(id, header.len(), to, &control).and(Err(errno)),
        };
        let payload = Payload::from(bytes::Bytes::from(bytes));
        let sent = self.host().send_to(id, payload, to, &control, now)?;
        self.settle();
        Ok(Outcome::Value(sent as i64))
    }
}

/// EPIPE, with its signal unless that was declined.
fn broken(call: &Call, flags: i32) -> Answer {
    if flags & libc::MSG_NOSIGNAL == 0 {
        crate::sys::launch::signal_thread(call.tid, libc::SIGPIPE);
    }
    Err(Errno::EPIPE)
}
