//! What the lab's lock guards.

use super::device::Device;
use super::machine::Machine;
use super::timers::Timers;
use super::wait::{Wakes, Way};
use crate::Clock;
use crate::trace::Trace;
use sockeye_core::host::{Host, IfIndex};
use sockeye_core::{Instant, Packet, SocketId};
use sockeye_lab::{Lab, LinkId, Port};
use std::fmt;
use std::time::Duration;

/// Whose time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    /// The machine's.
    Real(Clock),
    /// It stands until it is moved.
    Simulated(Instant),
}

/// A lab under way.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) lab: Lab,
    pub(crate) time: Time,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Vec<Joined>,
    pub(crate) timers: Timers,
    pub(crate) devices: Vec<Plugged>,
    pub(crate) trace: Trace,
    /// Hosts that have crashed or started since the executor looked.
    pub(crate) turns: Vec<Turn>,
    /// When the lab's thread wakes by itself.
    asleep_until: Instant,
    /// The engine stopped at a bound of work, not because all was quiet.
    unsettled: bool,
    wakes: Wakes,
}

/// A link between two hosts, by their places in the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    pub(crate) hosts: [usize; 2],
    pub(crate) link: LinkId,
}

/// A host's crash or start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Crashed(usize),
    Started(usize),
}

/// A device at its interface.
pub(crate) struct Plugged {
    pub(crate) device: Box<dyn Device>,
    pub(crate) port: Port,
}

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugged").field("port", &self.port).finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn new(lab: Lab, time: Time) -> Self {
        Self {
            lab,
            time,
            machines: Vec::new(),
            links: Vec::new(),
            timers: Timers::default(),
            devices: Vec::new(),
            trace: Trace::default(),
            turns: Vec::new(),
            asleep_until: Instant::ZERO,
            unsettled: false,
            wakes: Wakes::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        match self.time {
            Time::Real(clock) => clock.now(),
            Time::Simulated(now) => now,
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self.time, Time::Simulated(_))
    }

    /// A host and the engine behind it.
    pub(crate) fn host_mut(&mut self, machine: usize) -> &mut Host {
        self.lab.host_mut(self.machines[machine].id)
    }

    /// Carries packets, runs what is due, and says whom to wake.
    pub(crate) fn settle(&mut self, now: Instant) -> Wakes {
        self.unsettled = self.lab.settle(now);
        self.trace.follow(&mut self.lab);
        while let Some((port, packet)) = self.lab.next_outside() {
            self.send_to_device(port, &packet);
        }
        for machine in &mut self.machines {
            machine.tell(self.lab.host_mut(machine.id), &mut self.wakes);
        }
        while let Some(waker) = self.timers.expire(now) {
            self.wakes.wakers.push(waker);
        }
        std::mem::take(&mut self.wakes)
    }

    /// Rings the bell of one more sleeper, with the next settling.
    pub(crate) fn ring(&mut self, machine: usize, id: SocketId, way: Way) {
        if let Some(waiters) = self.machines[machine].waiters.get_mut(id) {
            waiters.wake(way, false, &mut self.wakes);
        }
    }

    /// When something is due that nobody's call brings about.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        if self.unsettled {
            return Some(Instant::ZERO);
        }
        self.lab.next_deadline().into_iter().chain(self.timers.next_deadline()).min()
    }

    /// Whether the lab's thread must be woken to sleep less; it is told once.
    pub(crate) fn deadline_is_earlier(&mut self) -> bool {
        if self.is_simulated() {
            return false;
        }
        let earlier = self.next_deadline().filter(|at| *at < self.asleep_until);
        self.asleep_until = earlier.unwrap_or(self.asleep_until);
        earlier.is_some()
    }

    /// How long the lab's thread may sleep; None is until it is woken.
    pub(crate) fn time_to_sleep(&mut self, now: Instant) -> Option<Duration> {
        let next = self.next_deadline().unwrap_or(NEVER);
        // A deadline that was set and cleared (a delayed acknowledgement, with each round trip) stays for once: waking
        // then in vain is cheaper than being woken for each that is set.
        let until = if self.asleep_until > now { next.min(self.asleep_until) } else { next };
        self.asleep_until = until;
        (until < NEVER).then(|| until.since(now))
    }

    fn send_to_device(&mut self, port: Port, packet: &Packet) {
        let Some(plugged) = self.devices.iter_mut().find(|plugged| plugged.port == port) else { return };
        let mut bytes = Vec::with_capacity(packet.len());
        packet.write_to(&mut bytes);
        plugged.device.send(&bytes);
    }

    /// Delivers what devices have.
    pub(crate) fn receive_from_devices(&mut self, now: Instant) {
        for Plugged { device, port } in &mut self.devices {
            let is_up = self.machines.iter().any(|machine| machine.id == port.host && machine.is_up);
            while let Some(bytes) = device.receive() {
                if is_up {
                    let packet = Packet::from_bytes(bytes.into());
                    self.lab.host_mut(port.host).deliver(port.interface, packet, now);
                }
            }
        }
    }

    /// The power goes: sockets are gone without a word, and so is what was on its way to it.
    pub(crate) fn crash(&mut self, index: usize) {
        let machine = &mut self.machines[index];
        if !std::mem::replace(&mut machine.is_up, false) {
            return;
        }
        machine.life += 1;
        let fresh = machine.fresh();
        for waiters in machine.waiters.values_mut() {
            waiters.wake_all(&mut self.wakes);
        }
        machine.waiters.clear();
        let id = machine.id;
        self.wakes.rights.append(&mut self.lab.host_mut(id).take_unix_rights());
        self.lab.replace(id, fresh);
        self.lab.set_down(id, true);
        self.turns.push(Turn::Crashed(index));
    }

    /// The power comes back.
    pub(crate) fn start(&mut self, index: usize) {
        let machine = &mut self.machines[index];
        if !std::mem::replace(&mut machine.is_up, true) {
            let id = machine.id;
            self.lab.set_down(id, false);
            self.turns.push(Turn::Started(index));
        }
    }

    /// The links between two hosts, each with the direction that leads from the first to the second.
    pub(crate) fn links_between(&self, from: usize, to: usize) -> Vec<(LinkId, usize)> {
        let ways = self.links.iter().filter_map(move |joined| match joined.hosts {
            [a, b] if [a, b] == [from, to] => Some((joined.link, 0)),
            [a, b] if [b, a] == [from, to] => Some((joined.link, 1)),
            _ => None,
        });
        ways.collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.machines.iter().position(|machine| machine.is_called(name))
    }
}

const NEVER: Instant = Instant(u64::MAX);

/// The first interface of a host beside `lo`.
pub(crate) const FIRST_INTERFACE: IfIndex = IfIndex(2);
