//! bind(2) and listen(2).

use super::{Answer, Call, Memory, Outcome};
use crate::address;
use crate::served::{Key, Kind, Listening, Phase};
use crate::server::{Server, supervisor_error};
use rustix::net::{bind, listen};
use sockeye_core::Errno;
use sockeye_core::host::SocketId;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

/// Backlog of listening carriers: the kernel's bound. The program's own is kept by the host.
const CARRIER_BACKLOG: i32 = 4096;

impl Server {
    pub(super) fn call_bind(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let bytes = Memory::new(call, self.listener.as_fd()).address(call.args[1], call.int(2))?;
        let (id, family) = match &self.served[key].kind {
            Kind::Stream(stream) => (stream.id, stream.family),
            Kind::Datagram(datagrams) => (datagrams.id, datagrams.family),
            Kind::Netlink(_) => return self.bind_netlink(call, key, &bytes),
        };
        let addr = address::for_bind(family, &bytes)?;
        self.bind_or_collect(id, addr)?;
        if matches!(self.served[key].kind, Kind::Datagram(_)) {
            self.name_carrier(key, &copy)?;
        }
        Ok(Outcome::Value(0))
    }

    /// Binds; where the port seems taken, asks first whether its holder still lives.
    fn bind_or_collect(&mut self, id: SocketId, addr: SocketAddr) -> Result<(), Errno> {
        match self.host().bind(id, addr) {
            Err(Errno::EADDRINUSE) => {
                self.collect();
                self.settle();
                self.host().bind(id, addr)
            }
            other => other,
        }
    }

    /// A port for a datagram socket that has none, and the name by which datagrams for it find the carrier.
    pub(crate) fn bind_implicitly(&mut self, key: Key, copy: &OwnedFd) -> Result<(), Errno> {
        let id = self.socket_id(key).ok_or(Errno::EBADF)?;
        self.host().autobind(id)?;
        self.name_carrier(key, copy)
    }

    /// Gives a carrier its abstract name, once.
    pub(crate) fn name_carrier(&mut self, key: Key, copy: &OwnedFd) -> Result<(), Errno> {
        let name = self.names.carrier(key);
        let named = match &mut self.served[key].kind {
            Kind::Stream(stream) => &mut stream.named,
            Kind::Datagram(datagrams) => &mut datagrams.named,
            Kind::Netlink(_) => return Ok(()),
        };
        if !*named {
            bind(copy, &name).map_err(supervisor_error)?;
            *named = true;
        }
        Ok(())
    }

    pub(super) fn call_listen(&mut self, call: &Call) -> Answer {
        let Some((key, copy)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let Kind::Stream(stream) = &self.served[key].kind else { return Err(Errno::EOPNOTSUPP) };
        let id = stream.id;
        match stream.phase {
            Phase::Fresh | Phase::Listening(_) => {}
            Phase::Spent if self.host_ref().peer_addr(id).is_err() => {}
            _ => return Err(Errno::EINVAL),
        }
        match self.host().listen(id, call.int(1)) {
            Err(Errno::EADDRINUSE) => {
                self.collect();
                self.settle();
                self.host().listen(id, call.int(1))?;
            }
            other => other?,
        }
        if matches!(self.served[key].kind, Kind::Stream(ref s) if matches!(s.phase, Phase::Listening(_))) {
            return Ok(Outcome::Value(0));
        }
        // One that was shut could not be connected to; its listener is as good as any.
        let shut = self.stream(key).map_or((false, false), |s| (s.read_shut, s.write_shut));
        if shut.0 {
            self.set_phase(key, Phase::Spent);
        }
        let copy = self.usable_carrier(call, key, copy)?;
        self.name_carrier(key, &copy)?;
        listen(&copy, CARRIER_BACKLOG).map_err(supervisor_error)?;
        if let Some(stream) = self.stream(key) {
            stream.phase = Phase::Listening(Listening::default());
            (stream.read_shut, stream.write_shut) = shut;
        }
        Ok(Outcome::Value(0))
    }
}
