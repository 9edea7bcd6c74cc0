//! recvmsg(2) with `MSG_ERRQUEUE`: what came back of a datagram (`IP_RECVERR`, ip(7) and ipv6(7)).

use super::message::Header;
use super::{Answer, Call, Memory, Outcome};
use crate::address;
use crate::served::Key;
use crate::server::Server;
use sockeye_core::Errno;
use std::os::fd::{AsFd, OwnedFd};

impl Server {
    /// The oldest error: the datagram's payload as far as it is known, where it went, and a control message.
    pub(super) fn receive_error(&mut self, call: &Call, key: Key, copy: &OwnedFd, header: &Header) -> Answer {
        let family = self.datagrams(key).ok_or(Errno::EBADF)?.family;
        let error = self.next_queued_error(key, copy)?;
        let memory = Memory::new(call, self.listener.as_fd());
        let payload = error.payload.to_vec();
        let written = header.scatter(&memory, &payload)?;
        let name = address::encode(family, error.destination);
        if call.nr == libc::SYS_recvfrom {
            if call.args[4] != 0 {
                memory.write_address(call.args[4], call.args[5], name.as_bytes())?;
            }
            return Ok(Outcome::Value(written as i64));
        }
        let truncated = if written < payload.len() { libc::MSG_TRUNC } else { 0 };
        let control = error.control(family);
        header.finish(&memory, name.as_bytes(), &[control], libc::MSG_ERRQUEUE | truncated)?;
        Ok(Outcome::Value(written as i64))
    }
}
