//! Whom a packet is for: one hashed question for four values, and few for a local address.
//!
//! In: sockets and flows as they take and leave names. Out: the flow of four values, the listener or the UDP
//! socket of a local name. It decides nothing about states. The maps are for lookup only, never iterated.

use super::bind::BoundAddr;
use super::flow::FlowId;
use crate::host::{IfIndex, SocketId};
use crate::wire::to_v6;
use core::net::{IpAddr, SocketAddr};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// The four values, in the form that hashes fast.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FlowKey {
    local: u128,
    remote: u128,
    /// Both ports, and the gate's interface: whoever comes in by a gate may have any address, also one that
    /// stands for somebody else here.
    ports_gate: u64,
}

impl FlowKey {
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr, gate: Option<IfIndex>) -> Self {
        let gate = gate.map_or(0, |i| i.0);
        Self {
            local: to_v6(local.ip()).to_bits(),
            remote: to_v6(remote.ip()).to_bits(),
            ports_gate: u64::from(local.port()) << 48 | u64::from(remote.port()) << 32 | u64::from(gate),
        }
    }

    /// A hash for spreading over `SO_REUSEPORT` groups.
    pub(crate) fn spread(&self, state: &FixedState) -> u32 {
        use core::hash::BuildHasher;
        state.hash_one(self) as u32
    }
}

type Sharers = SmallVec<[SocketId; 2]>;
type Names = HashMap<(BoundAddr, u16), Sharers, FixedState>;

/// The maps of a host.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    flows: HashMap<FlowKey, FlowId, FixedState>,
    listeners: Names,
    datagrams: Names,
    connected: HashMap<FlowKey, Sharers, FixedState>,
    intercepts: HashMap<(u8, u16), SocketId, FixedState>,
    hasher: FixedState,
}

impl Demux {
    /// Maps whose hashes an outsider cannot foresee.
    pub(crate) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self {
            flows: HashMap::with_hasher(hasher),
            listeners: HashMap::with_hasher(hasher),
            datagrams: HashMap::with_hasher(hasher),
            connected: HashMap::with_hasher(hasher),
            intercepts: HashMap::with_hasher(hasher),
            hasher,
        }
    }

    pub(crate) fn flow(&self, key: &FlowKey) -> Option<FlowId> {
        self.flows.get(key).copied()
    }

    pub(crate) fn insert_flow(&mut self, key: FlowKey, flow: FlowId) {
        self.flows.insert(key, flow);
    }

    /// Takes a flow out, if it is still the one that stands there.
    pub(crate) fn remove_flow(&mut self, key: &FlowKey, flow: FlowId) {
        if self.flows.get(key) == Some(&flow) {
            self.flows.remove(key);
        }
    }

    pub(crate) fn insert_listener(&mut self, name: (BoundAddr, u16), id: SocketId) {
        self.listeners.entry(name).or_default().push(id);
    }

    pub(crate) fn remove_listener(&mut self, name: (BoundAddr, u16), id: SocketId) {
        remove(&mut self.listeners, &name, id);
    }

    pub(crate) fn insert_datagram(&mut self, name: (BoundAddr, u16), id: SocketId) {
        self.datagrams.entry(name).or_default().push(id);
    }

    pub(crate) fn remove_datagram(&mut self, name: (BoundAddr, u16), id: SocketId) {
        remove(&mut self.datagrams, &name, id);
    }

    pub(crate) fn insert_connected(&mut self, key: FlowKey, id: SocketId) {
        self.connected.entry(key).or_default().push(id);
    }

    pub(crate) fn remove_connected(&mut self, key: &FlowKey, id: SocketId) {
        remove(&mut self.connected, key, id);
    }

    pub(crate) fn insert_intercept(&mut self, protocol: u8, port: u16, id: SocketId) {
        self.intercepts.insert((protocol, port), id);
    }

    pub(crate) fn remove_intercept(&mut self, protocol: u8, port: u16, id: SocketId) {
        if self.intercept(protocol, port) == Some(id) {
            self.intercepts.remove(&(protocol, port));
        }
    }

    pub(crate) fn intercept(&self, protocol: u8, port: u16) -> Option<SocketId> {
        self.intercepts.get(&(protocol, port)).copied()
    }

    /// The listener for a SYN to `local`.
    pub(crate) fn listener(
        &self,
        local: SocketAddr,
        key: &FlowKey,
        fits: impl Fn(SocketId) -> Fit,
    ) -> Option<SocketId> {
        self.by_name(&self.listeners, local, key, fits)
    }

    /// The UDP socket for a datagram to `local`: who is connected to the sender comes first, then who has the
    /// very address, then who has all.
    pub(crate) fn datagram(
        &self,
        local: SocketAddr,
        key: &FlowKey,
        fits: impl Fn(SocketId) -> Fit,
    ) -> Option<SocketId> {
        let connected = self.connected.get(key).and_then(|sharers| self.choose(sharers, key, &fits));
        connected.or_else(|| self.by_name(&self.datagrams, local, key, fits))
    }

    /// All UDP sockets that have `local` or its wildcards: the receivers of a multicast.
    pub(crate) fn datagram_group(&self, local: SocketAddr) -> impl Iterator<Item = SocketId> + '_ {
        names(local.ip())
            .into_iter()
            .filter_map(move |addr| self.datagrams.get(&(addr, local.port())))
            .flatten()
            .copied()
    }

    fn by_name(
        &self,
        map: &Names,
        local: SocketAddr,
        key: &FlowKey,
        fits: impl Fn(SocketId) -> Fit,
    ) -> Option<SocketId> {
        names(local.ip())
            .into_iter()
            .filter_map(|addr| map.get(&(addr, local.port())))
            .find_map(|sharers| self.choose(sharers, key, &fits))
    }

    /// Among sockets of one name: a group with `SO_REUSEPORT` shares by a hash of the four values, otherwise
    /// the last that came has it, as Linux finds it first in its chain.
    fn choose(&self, sharers: &Sharers, key: &FlowKey, fits: impl Fn(SocketId) -> Fit) -> Option<SocketId> {
        if let [only] = sharers[..] {
            return (fits(only) != Fit::No).then_some(only);
        }
        let group: Sharers = sharers.iter().copied().filter(|id| fits(*id) == Fit::Group).collect();
        if !group.is_empty() {
            let nth = (u64::from(key.spread(&self.hasher)) * group.len() as u64) >> 32;
            return Some(group[nth as usize]);
        }
        let score = |id: &SocketId| if let Fit::Yes(score) = fits(*id) { Some(score) } else { None };
        let scored = sharers.iter().filter_map(|id| Some((score(id)?, *id)));
        // The last of the best: max_by_key gives it.
        scored.max_by_key(|(score, _)| *score).map(|(_, id)| id)
    }
}

/// Whether a socket with the right name may have a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fit {
    /// It is bound to another interface, or the like.
    No,
    /// It may; of several the one with the highest score, of equals the last (compute_score).
    Yes(u8),
    /// It may, as one of a `SO_REUSEPORT` group.
    Group,
}

/// The names under which a receiver of packets to `addr` can stand, the most special first.
fn names(addr: IpAddr) -> [BoundAddr; 3] {
    match addr {
        IpAddr::V4(_) => [BoundAddr::One(addr), BoundAddr::Any4, BoundAddr::AnyDual],
        IpAddr::V6(_) => [BoundAddr::One(addr), BoundAddr::Any6, BoundAddr::AnyDual],
    }
}

fn remove<K: core::hash::Hash + Eq>(map: &mut HashMap<K, Sharers, FixedState>, key: &K, id: SocketId) {
    let Some(sharers) = map.get_mut(key) else { return };
    sharers.retain(|other| *other != id);
    if sharers.is_empty() {
        map.remove(key);
    }
}
