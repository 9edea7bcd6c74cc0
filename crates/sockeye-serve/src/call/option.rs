//! getsockopt(2) and setsockopt(2).
//!
//! The host answers; a few options also change what the carrier does with calls that are not notified (timeouts
//! and the low-water mark of plain reads and writes), so they are set on both.

use super::{Answer, Call, Memory, Outcome};
use crate::served::{Key, Kind, Phase};
use crate::server::Server;
use crate::sys::socket;
use rustix::fs::OFlags;
use sockeye_core::filter::Instruction;
use sockeye_core::{Errno, Instant};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Longest option value that is read from a program, in bytes.
const VALUE_MAX: usize = 64 * 1024;
/// Options of `SOL_SOCKET` that the carrier carries out for plain calls.
#[rustfmt::skip]
const ALSO_CARRIER: [i32; 5] = [
    libc::SO_RCVTIMEO, libc::SO_SNDTIMEO, libc::SO_RCVLOWAT, libc::SO_PEEK_OFF, libc::SO_OOBINLINE,
];

/// Options that the direct path could not carry out: set before connect or listen, they forbid it.
#[rustfmt::skip]
const ENGINE_ONLY: [(i32, i32); 11] = [
    (libc::SOL_SOCKET, libc::SO_LINGER), (libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    (libc::SOL_SOCKET, libc::SO_TIMESTAMP), (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
    (libc::SOL_SOCKET, libc::SO_TIMESTAMPING), (libc::SOL_TCP, libc::TCP_DEFER_ACCEPT),
    (libc::SOL_TCP, TCP_NOTSENT_LOWAT), (libc::SOL_TCP, libc::TCP_USER_TIMEOUT), (libc::SOL_TCP, TCP_INQ),
    (libc::SOL_TCP, libc::TCP_CONGESTION), (libc::SOL_SOCKET, libc::SO_RCVBUF),
];
const TCP_NOTSENT_LOWAT: i32 = 25;
const TCP_INQ: i32 = 36;

impl Server {
    pub(super) fn call_setsockopt(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let (level, name) = (call.int(1), call.int(2));
        let len = usize::try_from(call.int(4)).map_err(|_| Errno::EINVAL)?;
        let value = Memory::new(call, self.listener.as_fd()).bytes(call.args[3], len.min(VALUE_MAX));
        let Some(id) = self.socket_id(key) else { return self.set_netlink_option(level, name) };
        // Whether the option exists is asked before its value is read.
        let value = match value {
            Ok(value) => value,
            Err(errno) => return self.host().may_set(id, level, name, len).and(Err(errno)),
        };
        let now = self.now;
        if (level, name) == (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER) {
            let program = self.filter_argument(call, &value)?;
            self.host().attach_filter(id, &program)?;
            return Ok(Outcome::Value(0));
        }
        if level == libc::SOL_UDP {
            // What was sent plainly before goes as it was then.
            self.datagrams_in(key);
        }
        self.host().setsockopt(id, level, name, &value, now)?;
        if ENGINE_ONLY.contains(&(level, name))
            && let Some(stream) = self.stream(key)
        {
            stream.engine_only = true;
        }
        if level == libc::SOL_SOCKET && ALSO_CARRIER.contains(&name) {
            let _ = socket::set_option_bytes(copy.as_fd(), name, &value);
            if let Some(stream) = self.stream(key) {
                stream.carrier_options.retain(|(n, _)| *n != name);
                stream.carrier_options.push((name, value));
            }
        }
        Ok(Outcome::Value(0))
    }

    pub(super) fn call_getsockopt(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let (level, name) = (call.int(1), call.int(2));
        if let Some(id) = self.socket_id(key) {
            self.host().may_get(id, level, name)?;
        }
        let memory = Memory::new(call, self.listener.as_fd());
        let room = match memory.int(call.args[4])? {
            // IPv6 takes the length for an unsigned one.
            -1 if level == libc::IPPROTO_IPV6 => 4,
            room => usize::try_from(room).map_err(|_| Errno::EINVAL)?,
        };
        if level == libc::SOL_SOCKET && name == libc::SO_ERROR {
            let errno = self.so_error(key, &copy);
            let value = i32::from(errno.map_or(0, |e| e.0)).to_ne_bytes();
            return self.write_option(call, &value[..room.min(4)]);
        }
        let Some(id) = self.socket_id(key) else {
            let value = self.netlink_option(level, name)?;
            return self.write_option(call, &value[..room.min(value.len())]);
        };
        let now = self.now;
        if level == libc::SOL_TCP && name == libc::TCP_INFO {
            self.carry_in(key, false);
        }
        let mut value = self.host().getsockopt(id, level, name, room, now)?;
        if (level, name) == (libc::SOL_SOCKET, libc::SO_PEEK_OFF) {
            // The carrier counts what plain calls have peeked at; what stands for "off" it does not know.
            let counted = socket::option(copy.as_fd(), name).ok().filter(|offset| *offset >= 0);
            if let Some(offset) = counted.filter(|_| value.last().is_some_and(|top| top & 0x80 == 0)) {
                value = offset.to_ne_bytes().as_slice().into();
            }
        }
        self.write_option(call, &value[..value.len().min(room)])
    }

    /// The program of `SO_ATTACH_FILTER`: `struct sock_fprog`, a count and where the instructions are.
    fn filter_argument(&self, call: &Call, value: &[u8]) -> Result<Vec<Instruction>, Errno> {
        if value.len() != 16 {
            return Err(Errno::EINVAL);
        }
        let count = usize::from(u16::from_ne_bytes([value[0], value[1]]));
        let address = u64::from_ne_bytes(value[8..16].try_into().expect("eight bytes"));
        let memory = Memory::new(call, self.listener.as_fd());
        let bytes = memory.bytes(address, count * 8)?;
        Ok(bytes
            .chunks_exact(8)
            .map(|b| Instruction::from_bytes(b.try_into().expect("eight bytes")))
            .collect())
    }

    fn write_option(&self, call: &Call, value: &[u8]) -> Answer {
        let memory = Memory::new(call, self.listener.as_fd());
        memory.write(call.args[3], value)?;
        memory.write(call.args[4], &(value.len() as i32).to_ne_bytes())?;
        Ok(Outcome::Value(0))
    }

    /// `SO_ERROR`: the pending error, once. Where the carrier shows the error to plain calls, whoever comes
    /// first takes it.
    fn so_error(&mut self, key: Key, copy: &OwnedFd) -> Option<Errno> {
        if self.datagrams(key).is_some() {
            return self.take_datagram_error(key, copy);
        }
        let at_carrier = socket::option(copy.as_fd(), libc::SO_ERROR).unwrap_or(0);
        let id = self.socket_id(key)?;
        let from_host = self.host().take_error(id);
        match &mut self.served.get_mut(key)?.kind {
            Kind::Stream(stream) => {
                let remembered = stream.error.take().or(from_host);
                // One that was shut for sending cannot show it.
                let shows = matches!(stream.phase, Phase::Spent) && !stream.write_shut;
                let taken = shows && at_carrier == 0;
                remembered.filter(|_| !taken)
            }
            _ => from_host,
        }
    }

    /// The end of a blocking call by `SO_RCVTIMEO` or `SO_SNDTIMEO`; None without a timeout.
    pub(crate) fn timeout_of(&mut self, key: Key, name: i32) -> Option<Instant> {
        let (id, now) = (self.socket_id(key)?, self.now);
        let value = self.host().getsockopt(id, libc::SOL_SOCKET, name, 16, now).ok()?;
        let word = |at: usize| Some(i64::from_ne_bytes(value.get(at..at + 8)?.try_into().ok()?));
        let timeout =
            Duration::from_secs(word(0)?.try_into().ok()?) + Duration::from_micros(word(8)?.try_into().ok()?);
        (!timeout.is_zero()).then(|| now + timeout)
    }

    /// Whether the open file is non-blocking (`O_NONBLOCK`, shared by all its descriptors).
    pub(crate) fn is_nonblocking(&self, copy: &OwnedFd) -> bool {
        rustix::fs::fcntl_getfl(copy).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
    }
}
