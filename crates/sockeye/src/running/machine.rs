//! A host of a running lab: its names, its lives, and who waits for its sockets.

use super::wait::{Waiters, Wakes, Way};
use slotmap::SecondaryMap;
use sockeye_core::host::{Event, Host, HostConfig};
use sockeye_core::{Readiness, SocketId};
use sockeye_lab::HostId;
use std::net::IpAddr;

/// A host, from its first start on.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: HostId,
    /// Its name first, then its aliases.
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) config: HostConfig,
    pub(crate) seed: u64,
    /// How often it has crashed: sockets of an earlier life are gone.
    pub(crate) life: u64,
    pub(crate) is_up: bool,
    pub(crate) waiters: SecondaryMap<SocketId, Waiters>,
}

impl Machine {
    pub(crate) fn name(&self) -> &str {
        &self.names[0]
    }

    /// Whether it is called so; names compare without case.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The host as it is after a start: nothing open, other random numbers than in its last life.
    pub(crate) fn fresh(&self) -> Host {
        Host::new(self.config.clone(), self.seed ^ self.life.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Hands the events of its host to those who wait.
    pub(crate) fn tell(&mut self, host: &mut Host, wakes: &mut Wakes) {
        wakes.rights.append(&mut host.take_unix_discarded());
        while let Some(event) = host.next_event() {
            match event {
                Event::Acceptable { listener, .. } => {
                    if let Some(waiters) = self.waiters.get_mut(listener) {
                        waiters.wake(Way::Read, false, wakes);
                    }
                }
                Event::Ready(id) => {
                    let Some(waiters) = self.waiters.get_mut(id) else { continue };
                    let ready = host.readiness(id);
                    let ended = ready.intersects(END);
                    if ended || ready.contains(Readiness::IN) {
                        waiters.wake(Way::Read, ended, wakes);
                    }
                    if ended || ready.contains(Readiness::OUT) {
                        waiters.wake(Way::Write, ended, wakes);
                    }
                }
            }
        }
    }
}

/// What everyone who waits must know.
const END: Readiness = Readiness::ERR.union(Readiness::HUP).union(Readiness::RDHUP).union(Readiness::PRI);
