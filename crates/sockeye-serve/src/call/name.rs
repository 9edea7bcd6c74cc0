//! getsockname(2) and getpeername(2).

use super::{Answer, Call, Memory, Outcome};
use crate::address;
use crate::served::{Kind, Phase, Stream};
use crate::server::Server;
use sockeye_core::Errno;
use std::os::fd::AsFd;

impl Server {
    pub(super) fn call_getsockname(&mut self, call: &Call) -> Answer {
        self.name_call(call, false)
    }

    pub(super) fn call_getpeername(&mut self, call: &Call) -> Answer {
        self.name_call(call, true)
    }

    fn name_call(&mut self, call: &Call, peer: bool) -> Answer {
        let Some((key, _)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        if peer && matches!(self.served[key].kind, Kind::Stream(Stream { phase: Phase::Direct { .. }, .. })) {
            // The program has seen its peer's end at once, perhaps before we did.
            self.hang_ups();
            self.settle();
        }
        let (id, family) = match &self.served[key].kind {
            Kind::Stream(stream) => (stream.id, stream.family),
            Kind::Datagram(datagrams) => (datagrams.id, datagrams.family),
            Kind::Netlink(netlink) => {
                let name = super::netlink::name(if peer { 0 } else { netlink.port });
                let memory = Memory::new(call, self.listener.as_fd());
                memory.write_address(call.args[1], call.args[2], &name)?;
                return Ok(Outcome::Value(0));
            }
        };
        let host = self.host_ref();
        let addr = if peer { host.peer_addr(id)? } else { host.local_addr(id)? };
        let raw = address::encode(family, addr);
        let memory = Memory::new(call, self.listener.as_fd());
        if call.args[1] == 0 && memory.int(call.args[2])? > 0 {
            return Err(Errno::EFAULT);
        }
        memory.write_address(call.args[1], call.args[2], raw.as_bytes())?;
        Ok(Outcome::Value(0))
    }
}
