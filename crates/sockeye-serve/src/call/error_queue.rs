//! recvmsg(2) with `MSG_ERRQUEUE`: what came back of a datagram (`IP_RECVERR`, ip(7) and ipv6(7)).

use super::message::Header;
use super::{Answer, Call, Memory, Outcome};
use crate::address::{self, Family};
use crate::served::Key;
use crate::server::Server;
use sockeye_core::Errno;
use sockeye_core::host::QueuedError;
use std::net::SocketAddr;
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
        let control = match family {
            Family::Inet => (libc::IPPROTO_IP, libc::IP_RECVERR, extended(&error, family)),
            Family::Inet6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR, extended(&error, family)),
        };
        header.finish(&memory, name.as_bytes(), &[control], libc::MSG_ERRQUEUE | truncated)?;
        Ok(Outcome::Value(written as i64))
    }
}

/// `struct sock_extended_err` and the address of who sent the message; zeros where nobody did.
fn extended(error: &QueuedError, family: Family) -> Vec<u8> {
    let mut bytes = u32::from(error.errno.0).to_ne_bytes().to_vec();
    bytes.extend([error.origin, error.icmp_type, error.icmp_code, 0]);
    bytes.extend(error.info.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    match error.offender {
        Some(offender) => bytes.extend(address::encode(family, SocketAddr::new(offender, 0)).as_bytes()),
        None => bytes.resize(bytes.len() + if family == Family::Inet { 16 } else { 28 }, 0),
    }
    bytes
}
