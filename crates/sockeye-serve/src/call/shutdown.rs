//! shutdown(2).

use super::{Answer, Call, Outcome};
use crate::held::Wait;
use crate::served::{Key, Kind, Phase};
use crate::server::Server;
use rustix::net::{Shutdown, shutdown};
use sockeye_core::Errno;
use sockeye_core::host::{Shutdown as HostShutdown, SocketId};
use std::os::fd::OwnedFd;

impl Server {
    pub(super) fn call_shutdown(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let how = match call.int(1) {
            libc::SHUT_RD => HostShutdown::Read,
            libc::SHUT_WR => HostShutdown::Write,
            libc::SHUT_RDWR => HostShutdown::Both,
            _ => return Err(Errno::EINVAL),
        };
        match &self.served[key].kind {
            Kind::Stream(_) => self.shutdown_stream(call, key, copy, how),
            Kind::Datagram(datagrams) => {
                let (id, now) = (datagrams.id, self.now);
                // What plain sends have put into the carrier was sent before the end.
                self.datagrams_in(key);
                let answer = self.host().shutdown(id, how, now);
                // Linux wakes readers of an unconnected socket too, although it answers ENOTCONN.
                let _ = shutdown(&copy, carrier_side(how));
                self.wake_receivers(key);
                answer.map(|()| Outcome::Value(0))
            }
            Kind::Netlink(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    fn shutdown_stream(&mut self, call: &Call, key: Key, copy: OwnedFd, how: HostShutdown) -> Answer {
        let now = self.now;
        let Kind::Stream(stream) = &self.served[key].kind else { return Err(Errno::EBADF) };
        let id = stream.id;
        match stream.phase {
            Phase::Linked(_) if self.host_ref().is_ended(id) => {
                return self.shutdown_unjoined(key, &copy, id, how);
            }
            Phase::Linked(_) => {}
            Phase::Direct { .. } => {
                self.host().shutdown(id, how, now)?;
                let _ = shutdown(&copy, carrier_side(how));
                if let Some(stream) = self.stream(key) {
                    stream.write_shut |= how != HostShutdown::Read;
                    stream.read_shut |= how != HostShutdown::Write;
                }
                self.settle();
                return Ok(Outcome::Value(0));
            }
            Phase::Listening(_) => return self.shutdown_listener(call, key, copy, how),
            Phase::Connecting(_) => {
                let answer = self.host().shutdown(id, how, now);
                self.settle();
                return answer.map(|()| Outcome::Value(0));
            }
            Phase::Spent | Phase::Fresh => return self.shutdown_unjoined(key, &copy, id, how),
        }
        if how != HostShutdown::Write {
            if let Some(stream) = self.stream(key) {
                stream.read_shut = true;
            }
            let _ = self.host().shutdown(id, HostShutdown::Read, now);
            let _ = shutdown(&copy, Shutdown::Read);
        }
        if how != HostShutdown::Read {
            if let Some(stream) = self.stream(key) {
                stream.write_shut = true;
            }
            let _ = shutdown(&copy, Shutdown::Write);
            // What was written before goes first; the end follows it.
            self.carry_in(key, true);
        }
        self.settle();
        self.wake_receivers(key);
        Ok(Outcome::Value(0))
    }

    /// A stream without a connection says ENOTCONN, but is shut all the same: poll shows it, and a later
    /// connection begins so. One whose directions have both ended may still be connected for Linux.
    fn shutdown_unjoined(&mut self, key: Key, copy: &OwnedFd, id: SocketId, how: HostShutdown) -> Answer {
        let now = self.now;
        let answer = self.host().shutdown(id, how, now);
        if self.host_ref().is_idle(id) || self.host_ref().is_ended(id) {
            let _ = shutdown(copy, carrier_side(how));
            if let Some(stream) = self.stream(key) {
                stream.read_shut |= how != HostShutdown::Write;
                stream.write_shut |= how != HostShutdown::Read;
            }
        }
        answer.map(|()| Outcome::Value(0))
    }

    /// Shutting the receiving side of a listener ends it: Linux makes it a closed socket again, so the number
    /// gets a fresh carrier. The old one is shut for whoever polls it, or has it by another number.
    fn shutdown_listener(&mut self, call: &Call, key: Key, copy: OwnedFd, how: HostShutdown) -> Answer {
        let now = self.now;
        let id = self.socket_id(key).ok_or(Errno::EBADF)?;
        self.host().shutdown(id, how, now)?;
        if how == HostShutdown::Write {
            return Ok(Outcome::Value(0));
        }
        let _ = shutdown(&copy, Shutdown::Both);
        self.set_phase(key, Phase::Spent);
        while let Some(held) = self.waiter(key, Wait::Accept) {
            self.release(held, Err(Errno::EINVAL));
        }
        self.settle();
        self.usable_carrier(call, key, copy)?;
        Ok(Outcome::Value(0))
    }
}

fn carrier_side(how: HostShutdown) -> Shutdown {
    match how {
        HostShutdown::Read => Shutdown::Read,
        HostShutdown::Write => Shutdown::Write,
        HostShutdown::Both => Shutdown::Both,
    }
}
