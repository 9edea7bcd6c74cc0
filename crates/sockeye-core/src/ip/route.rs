//! Routes: which addresses are the host's, and by which way others are reached.
//!
//! In: a destination, and the interface if a socket is bound to one. Out: the path, its MTU and the source
//! address that goes with it. The table is small and sorted by prefix length; the host's own addresses, which
//! are asked for with each packet, are hashed.

use crate::config::HostConfig;
use crate::host::IfIndex;
use crate::iface::Interface;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;

/// Where packets go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Path {
    /// To this host, inside it: they never become bytes.
    Loopback,
    /// Out by an interface.
    Out(IfIndex),
}

impl Path {
    /// The interface that a receiver on this path sees.
    pub fn interface(self) -> IfIndex {
        match self {
            Self::Loopback => IfIndex::LO,
            Self::Out(interface) => interface,
        }
    }
}

/// What is known of the way to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// The way.
    pub path: Path,
    /// The source address that goes with it.
    pub source: IpAddr,
    /// Largest IP packet on it, in bytes.
    pub mtu: u32,
}

/// An entry of the table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where to.
    pub destination: IpNet,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// By which interface.
    pub interface: IfIndex,
}

/// Interfaces and routes of a host.
#[derive(Debug)]
pub struct Routing {
    interfaces: Vec<Interface>,
    table: Vec<Entry>,
    local: HashMap<IpAddr, IfIndex, FixedState>,
    broadcast: HashSet<IpAddr, FixedState>,
    /// The way to the host itself: inside, or by a link (see [`HostConfig::linked_loopback`]).
    own_path: Path,
    /// Path MTUs learnt from ICMP (RFC 1191, RFC 8201).
    path_mtus: HashMap<IpAddr, u32, FixedState>,
}

impl Routing {
    /// Interfaces and routes of the configuration; a route by an unknown interface is left out.
    pub fn new(config: &HostConfig) -> Self {
        let interfaces = Interface::all(config);
        let mut local = HashMap::default();
        let mut broadcast = HashSet::default();
        let mut table = Vec::new();
        for interface in &interfaces {
            for net in &interface.addresses {
                local.entry(net.addr()).or_insert(interface.index);
                if !interface.is_loopback() {
                    table.push(Entry { destination: net.trunc(), gateway: None, interface: interface.index });
                }
                // RFC 3021: a /31 has none.
                if let IpNet::V4(net) = net
                    && net.prefix_len() < 31
                {
                    broadcast.insert(IpAddr::V4(net.broadcast()));
                }
            }
        }
        for route in &config.routes {
            if let Some(interface) = interfaces.iter().find(|i| i.name == route.interface) {
                let destination = route.destination.trunc();
                table.push(Entry { destination, gateway: route.gateway, interface: interface.index });
            }
        }
        // Stable: among equal prefixes the one that was configured first counts.
        table.sort_by_key(|entry| core::cmp::Reverse(entry.destination.prefix_len()));
        let own_path = match config.linked_loopback {
            Some(_) => Path::Out(IfIndex::LO),
            None => Path::Loopback,
        };
        Self { interfaces, table, local, broadcast, own_path, path_mtus: HashMap::default() }
    }

    /// All interfaces, `lo` first.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The table, longest prefixes first.
    pub fn table(&self) -> &[Entry] {
        &self.table
    }

    /// An interface by its index.
    pub fn interface(&self, index: IfIndex) -> Option<&Interface> {
        self.interfaces.get((index.0 as usize).checked_sub(1)?)
    }

    /// Whether an address is the host's own. All of 127.0.0.0/8 is.
    pub fn is_local(&self, addr: IpAddr) -> bool {
        match addr {
            IpAddr::V4(v4) if v4.is_loopback() => true,
            addr => self.local.contains_key(&addr),
        }
    }

    /// Whether an address is a broadcast address of a network of the host's.
    pub fn is_broadcast(&self, addr: IpAddr) -> bool {
        addr == IpAddr::V4(Ipv4Addr::BROADCAST) || self.broadcast.contains(&addr)
    }

    /// Whether a packet can come from an address: it is neither the wildcard nor one of many.
    pub fn is_source(&self, addr: IpAddr) -> bool {
        !addr.is_unspecified() && !addr.is_multicast() && !self.is_broadcast(addr)
    }

    /// Whether an address is a group's, or all hosts' of the link.
    pub fn is_group(&self, addr: IpAddr) -> bool {
        addr.is_multicast() || addr == IpAddr::V4(Ipv4Addr::BROADCAST)
    }

    /// The interface that has an address of the host's.
    pub fn interface_of(&self, addr: IpAddr) -> Option<IfIndex> {
        match addr {
            IpAddr::V4(v4) if v4.is_loopback() => Some(IfIndex::LO),
            addr => self.local.get(&addr).copied(),
        }
    }

    /// Whether packets come in by an interface whose senders may use any address.
    pub fn is_gate(&self, interface: IfIndex) -> bool {
        self.interface(interface).is_some_and(|i| i.trusted_gate)
    }

    /// The gate that a path leads by, if it does.
    pub fn gate_of(&self, path: Path) -> Option<IfIndex> {
        match path {
            Path::Out(interface) if self.is_gate(interface) => Some(interface),
            _ => None,
        }
    }

    /// The way to `dst`; with `device`, by that interface only.
    pub fn lookup(&self, dst: IpAddr, device: Option<IfIndex>) -> Option<Route> {
        match device {
            Some(device) if device != IfIndex::LO => self.lookup_by(dst, device),
            Some(_) if dst.is_multicast() => {
                let lo = self.interfaces.first().and_then(|lo| lo.source_for(dst));
                lo.map(|source| self.own_route(source))
            }
            _ if self.is_local(dst) => Some(self.own_route(self.own_source(dst))),
            _ => self.lookup_table(dst),
        }
    }

    /// The way to the host itself.
    pub fn own_path(&self) -> Path {
        self.own_path
    }

    /// The way to the host itself, speaking as `source`.
    pub fn own_route(&self, source: IpAddr) -> Route {
        Route { path: self.own_path, source, mtu: self.interfaces[0].mtu }
    }

    /// The route of connections that are pinned to an interface, whatever their peer's address.
    pub fn by_interface(&self, interface: IfIndex, source: IpAddr) -> Option<Route> {
        let mtu = self.interface(interface)?.mtu;
        Some(Route { path: Path::Out(interface), source, mtu })
    }

    /// Remembers that packets to `dst` must not be longer.
    pub fn learn_mtu(&mut self, dst: IpAddr, mtu: u32) {
        if self.path_mtus.len() >= PATH_MTUS_MAX {
            self.path_mtus.clear();
        }
        self.path_mtus.insert(dst, mtu);
    }

    fn lookup_by(&self, dst: IpAddr, device: IfIndex) -> Option<Route> {
        let interface = self.interface(device)?;
        self.route(dst, interface)
    }

    fn lookup_table(&self, dst: IpAddr) -> Option<Route> {
        let entry = self.table.iter().find(|entry| {
            // The limited broadcast follows the default route, and so does what is on no network.
            entry.destination.contains(&dst)
        })?;
        self.route(dst, self.interface(entry.interface)?)
    }

    fn route(&self, dst: IpAddr, interface: &Interface) -> Option<Route> {
        let unspecified = || match dst {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        // An interface without an address of the family sends from another's, as Linux chooses.
        let source = interface
            .source_for(dst)
            .or_else(|| self.interfaces.iter().rev().find_map(|i| i.source_for(dst)))
            .unwrap_or_else(unspecified);
        let mtu = self.path_mtus.get(&dst).map_or(interface.mtu, |mtu| interface.mtu.min(*mtu));
        Some(Route { path: Path::Out(interface.index), source, mtu })
    }

    /// To 127.0.0.0/8 one speaks as 127.0.0.1, to another own address as that address.
    fn own_source(&self, dst: IpAddr) -> IpAddr {
        match dst {
            IpAddr::V4(v4) if v4.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            dst => dst,
        }
    }
}

impl Route {
    /// The way to the host itself that stays inside, whatever `lo` is.
    pub fn loopback(source: IpAddr) -> Self {
        Self { path: Path::Loopback, source, mtu: crate::iface::LO_MTU }
    }

    /// What TCP may put into a segment on this way: the MTU without the fixed headers.
    pub fn segment_max(&self) -> u16 {
        let headers = if self.source.is_ipv4() { 40 } else { 60 };
        (self.mtu.min(0xffff) - headers) as u16
    }
}

const PATH_MTUS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{InterfaceConfig, RouteConfig};
    use alloc::string::String;

    fn routing() -> Routing {
        let nets = ["10.0.0.2/24", "fd00::2/64"].map(|net| net.parse().unwrap());
        let route = RouteConfig {
            destination: "0.0.0.0/0".parse().unwrap(),
            gateway: Some("10.0.0.1".parse().unwrap()),
            interface: String::from("eth0"),
        };
        Routing::new(&HostConfig {
            interfaces: Vec::from([InterfaceConfig::new("eth0", nets.to_vec())]),
            routes: Vec::from([route]),
            ..HostConfig::default()
        })
    }

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn own_addresses_are_loopback() {
        let routing = routing();
        for (to, from) in
            [("127.0.0.9", "127.0.0.1"), ("10.0.0.2", "10.0.0.2"), ("::1", "::1"), ("fd00::2", "fd00::2")]
        {
            let route = routing.lookup(addr(to), None).unwrap();
            assert_eq!((route.path, route.source), (Path::Loopback, addr(from)));
        }
    }

    #[test]
    fn others_go_by_the_longest_prefix() {
        let routing = routing();
        let eth0 = Path::Out(IfIndex(2));
        assert_eq!(routing.lookup(addr("10.0.0.7"), None).unwrap().path, eth0);
        assert_eq!(routing.lookup(addr("8.8.8.8"), None).unwrap().source, addr("10.0.0.2"));
        assert_eq!(routing.lookup(addr("2001:db8::1"), None), None);
        assert_eq!(routing.lookup(addr("fd00::7"), None).unwrap().segment_max(), 1440);
    }

    #[test]
    fn broadcast_addresses_are_known() {
        let routing = routing();
        for (to, is) in [("10.0.0.255", true), ("255.255.255.255", true), ("10.0.0.254", false)] {
            assert_eq!(routing.is_broadcast(addr(to)), is, "{to}");
        }
    }
}
