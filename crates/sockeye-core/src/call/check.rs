//! What must always be true of a host between two of its steps: asked by simulations, never on the way of a packet.

use crate::host::Host;
use crate::socket::flow::FlowKind;
use crate::socket::table::Role;
use alloc::format;
use alloc::string::String;

/// Invariants.
impl Host {
    /// The first invariant that is broken, in words: each flow is found by its addresses, its timer stands where its
    /// deadline is, its socket knows it; each connection is sound.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        let mut timers = 0;
        for (id, flow) in &self.flows {
            let name = || format!("{} -> {}", flow.local, flow.remote);
            if flow.listed && self.demux.flow(&flow.key()) != Some(id) {
                return Err(format!("{}: not found by its addresses", name()));
            }
            // One in line to send is settled when it has had its turn.
            let (timer, deadline) = (flow.timer.map(|(_, at)| at), flow.deadline());
            if !flow.sending && timer != deadline {
                return Err(format!("{}: its timer is at {timer:?}, its deadline {deadline:?}", name()));
            }
            timers += usize::from(flow.timer.is_some());
            match &flow.kind {
                FlowKind::Connection { connection, socket } => {
                    connection.check(&self.engine.limits).map_err(|what| format!("{}: {what}", name()))?;
                    let owned = socket.and_then(|s| self.sockets.get(s)).map(|s| s.role());
                    let mutual = matches!(owned, Some(Some(Role::Connection { flow, .. })) if *flow == id);
                    if socket.is_some() && !mutual {
                        return Err(format!("{}: its socket does not know it", name()));
                    }
                }
                FlowKind::Request { listener, .. } => {
                    let socket = self.sockets.get(*listener).and_then(|s| s.listener());
                    if socket.is_none_or(|listener| !listener.requests.contains(&id)) {
                        return Err(format!("{}: its listener does not know it", name()));
                    }
                }
                FlowKind::TimeWait(_) => {}
            }
        }
        match self.wheel.len() == timers {
            true => Ok(()),
            false => Err(format!("{} timers for {timers} flows that have one", self.wheel.len())),
        }
    }

    /// Whether nothing is left of any connection or datagram: no flow, no packet, no piece of one.
    pub fn is_quiet(&self) -> bool {
        self.flows.is_empty()
            && !self.wants_transmit()
            && self.wheel.is_empty()
            && self.reassembly.deadline().is_none()
    }
}
