//! The hosts, the links and the order in which they have their turns.
//!
//! A packet that a host sends by an interface is carried to the link there: an ideal one delivers it at once, any
//! other one draws its fate and keeps it until it arrives. Which link comes next is known from a heap of arrival
//! times; hosts are asked for their own deadlines.

use crate::identity::Tracker;
use crate::impair::Fate;
use crate::link::{Counts, Direction, Outcome, Path};
use crate::tap::{Tap, Taps};
use crate::view::View;
use alloc::collections::{BTreeSet, BinaryHeap, VecDeque};
use alloc::vec::Vec;
use bytes::Bytes;
use core::cmp::Reverse;
use sockeye_core::host::{Host, IfIndex};
use sockeye_core::{Instant, Packet};

/// A host of a lab.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(usize);

/// A link of a lab.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(usize);

impl LinkId {
    /// Its place in the order in which links were made, from 0.
    pub fn number(self) -> usize {
        self.0
    }
}

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port {
    pub host: HostId,
    pub interface: IfIndex,
}

/// Packets that one host may send before the others have their turn.
const BURST_PACKETS: usize = 256;
/// Packets that wait to leave the lab; beyond, they are dropped.
const OUTSIDE_PACKETS_MAX: usize = 65_536;
/// Turns of all hosts in one [`Lab::settle`].
const ROUNDS_MAX: usize = 64;

/// Where an interface leads.
#[derive(Clone, Copy, Debug)]
enum Plug {
    /// To a link: its number, and which of its ends that is.
    Link(usize, usize),
    /// Out of the lab: to a device of the owner's.
    Outside,
}

/// A packet of a lab in every run: the number of its link, and its identity there (see [`crate::identity`]).
pub type PacketName = (usize, u64);

/// Hosts and the links between them.
#[derive(Debug, Default)]
pub struct Lab {
    hosts: Vec<Host>,
    /// Switched off: neither sends nor receives.
    down: Vec<bool>,
    links: Vec<Link>,
    /// By host and interface.
    plugs: Vec<Vec<Option<Plug>>>,
    /// Packets that have left by interfaces that lead out.
    outside: VecDeque<(Port, Packet)>,
    /// Which packets are lost, instead of those that were drawn.
    losses: Option<BTreeSet<PacketName>>,
    /// When which direction of which link has something to deliver; entries may be out of date.
    arrivals: BinaryHeap<Reverse<(Instant, usize, usize)>>,
    seed: u64,
    taps: Taps,
    /// Reused between calls: packets on their way out of one host.
    outbox: Vec<(IfIndex, Packet)>,
    unlinked_packets: u64,
}

/// Two ends, or one that leads back to itself.
#[derive(Debug)]
struct Link {
    ends: [Port; 2],
    /// From the end of that number on.
    ways: [Direction<Packet>; 2],
    tracker: Tracker,
}

impl Lab {
    /// No hosts, and seed 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// No hosts; what links do follows from `seed`.
    pub fn with_seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Adds a host.
    pub fn add(&mut self, host: Host) -> HostId {
        self.hosts.push(host);
        self.down.push(false);
        self.plugs.push(Vec::new());
        HostId(self.hosts.len() - 1)
    }

    /// Joins two interfaces by an ideal link.
    pub fn join(&mut self, a: Port, b: Port) -> LinkId {
        self.join_by(a, b, [Path::default(); 2])
    }

    /// Joins two interfaces by a link: the first path leads from `a` to `b`, the second back. An interface that was
    /// joined before leaves its old link.
    pub fn join_by(&mut self, a: Port, b: Port, paths: [Path; 2]) -> LinkId {
        let number = self.links.len();
        let seed = self.seed.wrapping_add(2 * number as u64);
        let ways = [Direction::new(paths[0], seed), Direction::new(paths[1], seed.wrapping_add(1))];
        self.links.push(Link { ends: [a, b], ways, tracker: Tracker::default() });
        self.plug(b, Plug::Link(number, 1));
        self.plug(a, Plug::Link(number, 0));
        LinkId(number)
    }

    /// A link that leads from an interface back to itself: what a host with
    /// [`linked_loopback`](sockeye_core::HostConfig::linked_loopback) needs at its `lo`.
    pub fn join_loop(&mut self, port: Port, path: Path) -> LinkId {
        self.join_by(port, port, [path, path])
    }

    /// Makes an interface lead out of the lab: what is sent by it is given by [`Lab::next_outside`], and whoever owns
    /// the device delivers to the host itself.
    pub fn join_outside(&mut self, port: Port) {
        self.plug(port, Plug::Outside);
    }

    /// The oldest packet that has left the lab, and by which interface.
    pub fn next_outside(&mut self) -> Option<(Port, Packet)> {
        self.outside.pop_front()
    }

    fn plug(&mut self, port: Port, end: Plug) {
        let plugs = &mut self.plugs[port.host.0];
        let index = port.interface.0 as usize;
        if plugs.len() <= index {
            plugs.resize(index + 1, None);
        }
        plugs[index] = Some(end);
    }

    /// Changes what a direction of a link is like; 0 leads from its first end to its second, 1 back.
    pub fn set_path(&mut self, link: LinkId, way: usize, path: Path) {
        self.links[link.0].ways[way].set_path(path);
    }

    /// Cuts a direction of a link, or mends it.
    pub fn set_partitioned(&mut self, link: LinkId, way: usize, partitioned: bool) {
        self.links[link.0].ways[way].set_partitioned(partitioned);
    }

    /// From now on exactly these packets are lost, whatever was drawn; None draws again. The other draws stay.
    pub fn set_losses(&mut self, losses: Option<BTreeSet<PacketName>>) {
        self.losses = losses;
    }

    /// What became of the packets of a direction; an ideal one does not count.
    pub fn counts(&self, link: LinkId, way: usize) -> Counts {
        self.links[link.0].ways[way].counts()
    }

    /// A host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// A host, to be called.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// Puts another host in the place of one, as after a restart: its sockets are gone, its links are there.
    pub fn replace(&mut self, id: HostId, host: Host) -> Host {
        core::mem::replace(&mut self.hosts[id.0], host)
    }

    /// Switches a host off or on: while it is off it neither sends, nor receives, nor are its timers run.
    pub fn set_down(&mut self, id: HostId, down: bool) {
        self.down[id.0] = down;
    }

    /// Packets dropped because their interface had no link, or too many waited to leave the lab.
    pub fn unlinked_packets(&self) -> u64 {
        self.unlinked_packets
    }

    /// From now on each packet on a link is told of; see [`Lab::next_tap`].
    pub fn watch(&mut self) {
        self.taps.on = true;
    }

    /// The oldest packet that was not told of yet.
    pub fn next_tap(&mut self) -> Option<Tap> {
        self.taps.pop()
    }

    /// Packets that nobody asked for in time.
    pub fn taps_missed(&self) -> u64 {
        self.taps.missed
    }

    /// Runs due timers and carries packets until all is quiet, or the bound is reached: true if more is left.
    pub fn settle(&mut self, now: Instant) -> bool {
        self.deliver_due(now);
        for (host, _) in self.hosts.iter_mut().zip(&self.down).filter(|(_, down)| !**down) {
            if host.next_deadline().is_some_and(|at| at <= now) {
                host.advance(now);
            }
        }
        (0..ROUNDS_MAX).all(|_| self.round(now))
    }

    /// One turn of each host; says whether anything moved.
    fn round(&mut self, now: Instant) -> bool {
        let mut moved = false;
        for index in 0..self.hosts.len() {
            if self.down[index] || !self.hosts[index].wants_transmit() {
                continue;
            }
            moved |= self.hosts[index].transmit(now, BURST_PACKETS, &mut self.outbox);
            moved |= !self.outbox.is_empty();
            let mut outbox = core::mem::take(&mut self.outbox);
            for (interface, packet) in outbox.drain(..) {
                self.carry(Port { host: HostId(index), interface }, packet, now);
            }
            self.outbox = outbox;
        }
        moved | self.deliver_due(now)
    }

    /// Hands over what has arrived by `now`; says whether anything has.
    fn deliver_due(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(&Reverse((at, link, way))) = self.arrivals.peek()
            && at <= now
        {
            self.arrivals.pop();
            let Link { ends, ways, .. } = &mut self.links[link];
            let to = ends[1 - way];
            while let Some(packet) = ways[way].receive(now) {
                moved = true;
                if !self.down[to.host.0] {
                    self.hosts[to.host.0].deliver(to.interface, packet, now);
                }
            }
            if let Some(next) = ways[way].next_deadline() {
                self.arrivals.push(Reverse((next, link, way)));
            }
        }
        moved
    }

    fn carry(&mut self, from: Port, packet: Packet, now: Instant) {
        let plug = self.plugs[from.host.0].get(from.interface.0 as usize).copied().flatten();
        let (number, way) = match plug {
            Some(Plug::Link(number, way)) => (number, way),
            Some(Plug::Outside) if self.outside.len() < OUTSIDE_PACKETS_MAX => {
                return self.outside.push_back((from, packet));
            }
            Some(Plug::Outside) | None => {
                self.unlinked_packets += 1;
                return;
            }
        };
        let link = &mut self.links[number];
        let direction = &mut link.ways[way];
        if direction.is_ideal() {
            let to = link.ends[1 - way];
            if self.taps.on {
                let (fate, path, outcome) = (Fate::default(), *direction.path(), Outcome::Arrives(now));
                let packet = packet.clone();
                self.taps.push(Tap {
                    at: now,
                    link: LinkId(number),
                    from,
                    packet,
                    identity: 0,
                    resent: 0,
                    fate,
                    outcome,
                    path,
                });
            }
            if !self.down[to.host.0] {
                self.hosts[to.host.0].deliver(to.interface, packet, now);
            }
            return;
        }
        let (identity, resent) = View::of(&packet).map_or((0, 0), |view| link.tracker.identify(&view));
        let mut fate = direction.draw(identity);
        if let Some(losses) = &self.losses {
            (fate.lost, fate.in_burst) = (losses.contains(&(number, identity)), false);
        }
        let sent = fate.corrupted.map_or_else(|| packet.clone(), |bit| with_wrong_bit(&packet, bit));
        let first = direction.next_deadline();
        let outcome = direction.send_to(fate, sent, packet.len(), now);
        if let Some(next) = direction.next_deadline()
            && first.is_none_or(|first| next < first)
        {
            self.arrivals.push(Reverse((next, number, way)));
        }
        if self.taps.on {
            let path = *direction.path();
            self.taps.push(Tap {
                at: now,
                link: LinkId(number),
                from,
                packet,
                identity,
                resent,
                fate,
                outcome,
                path,
            });
        }
    }

    /// When [`Lab::settle`] must be called next, exactly.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        let up = self.hosts.iter_mut().zip(&self.down).filter(|(_, down)| !**down);
        let hosts = up.filter_map(|(host, _)| host.next_deadline());
        let links = self.arrivals.peek().map(|Reverse((at, ..))| *at);
        hosts.chain(links).min()
    }
}

/// A copy with one bit turned round; only this makes one piece of a packet's bytes.
fn with_wrong_bit(packet: &Packet, bit: u32) -> Packet {
    let mut bytes = Vec::with_capacity(packet.len());
    packet.write_to(&mut bytes);
    let bit = bit as usize % (bytes.len().max(1) * 8);
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    Packet::from_bytes(Bytes::from(bytes))
}
