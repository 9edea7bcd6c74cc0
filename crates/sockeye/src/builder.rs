//! A lab before it runs: hosts, addresses, links, devices.
//!
//! In: what it is to be made of, in any order that names hosts before their links. Out: a lab in real time or in
//! simulated time. A host has its addresses on every interface (they are the host's, as with unnumbered
//! point-to-point links), and at each link a route to the addresses of whoever is at its other end.

use crate::lab_handle::Lab;
use crate::link::Link;
use crate::running::Running;
use crate::running::device::{Device, DeviceBell};
use crate::running::machine::Machine;
use crate::running::state::{FIRST_INTERFACE, Joined, Plugged, State, Time};
use crate::sim::{Observer, Simulation};
use crate::{Clock, HostConfig};
use ipnet::IpNet;
use slotmap::SecondaryMap;
use sockeye_core::Instant;
use sockeye_core::host::{Host, IfIndex, InterfaceConfig, RouteConfig};
use sockeye_core::rng::Rng;
use sockeye_lab::{PacketName, Port};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a lab is made of; see [`Lab::builder`] and [`Lab::simulated`].
///
/// Mistakes (an address that is none, a host that is not there) are kept and told by `build`.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    seed: u64,
    hosts: Vec<HostPlan>,
    links: Vec<LinkPlan>,
    captures: bool,
    watched: bool,
    records_losses: bool,
    losses: Option<BTreeSet<PacketName>>,
    observer: Option<Observer>,
    mistake: Option<String>,
}

#[derive(Default)]
struct HostPlan {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    own_link: Option<Link>,
    devices: Vec<(Box<dyn Device>, u32)>,
    changes: Vec<Change>,
}

/// What [`LabBuilder::configure`] is given.
type Change = Box<dyn FnOnce(&mut HostConfig)>;

impl fmt::Debug for HostPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostPlan").field("names", &self.names).field("addresses", &self.addresses).finish()
    }
}

#[derive(Debug)]
struct LinkPlan {
    ends: [String; 2],
    links: [Link; 2],
}

/// What kind of lab is built.
pub(crate) struct Built {
    pub(crate) lab: Lab,
    pub(crate) seed: u64,
}

impl Builder {
    /// One whose losses are recorded, and given where `losses` are; whoever builds it shows the lab to `observer`.
    pub(crate) fn observed(losses: Option<BTreeSet<PacketName>>, observer: Observer) -> Self {
        Self { watched: true, records_losses: true, losses, observer: Some(observer), ..Self::default() }
    }

    /// All randomness of the lab (losses, sequence numbers, ports) follows from it; 0 if it is not called.
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a host. Without an address of its own the first gets 10.0.0.1 and fd53:6f63:6b65::1, the second
    /// 10.0.0.2 and so on.
    pub(crate) fn host(mut self, name: &str) -> Self {
        if self.hosts.iter().any(|host| host.names.iter().any(|other| other.eq_ignore_ascii_case(name))) {
            self = self.noted(format!("two hosts are called '{name}'"));
        }
        self.hosts.push(HostPlan { names: vec![name.to_string()], ..HostPlan::default() });
        self
    }

    /// An address of the host added last; it may be called several times.
    pub(crate) fn address(self, address: &str) -> Self {
        match address.parse::<IpAddr>() {
            Ok(address) => self.last(|host| host.addresses.push(address)),
            Err(_) => self.noted(format!("'{address}' is no IP address")),
        }
    }

    /// Another name of the host added last.
    pub(crate) fn alias(self, name: &str) -> Self {
        self.last(|host| host.names.push(name.to_string()))
    }

    /// Makes `lo` of the host added last a link, so that what it sends to itself is late or lost as on any other.
    pub(crate) fn own_link(self, link: Link) -> Self {
        self.last(|host| host.own_link = Some(link))
    }

    /// Changes limits and the like of the host added last; interfaces and routes are added to what is set here.
    pub(crate) fn configure(self, change: impl FnOnce(&mut HostConfig) + 'static) -> Self {
        self.last(|host| host.changes.push(Box::new(change)))
    }

    /// Gives the host added last an interface with this device behind it, and the default routes by it. `mtu` is
    /// the largest IP packet in bytes, at least 1280.
    pub(crate) fn device(self, device: impl Device + 'static, mtu: u32) -> Self {
        self.last(|host| host.devices.push((Box::new(device), mtu.max(1280))))
    }

    /// Joins two hosts.
    pub(crate) fn link(self, a: &str, b: &str, link: Link) -> Self {
        self.link_each_way(a, b, link, link)
    }

    /// Joins two hosts by a link that differs by direction: the first leads from `a` to `b`. The smaller MTU counts.
    pub(crate) fn link_each_way(mut self, a: &str, b: &str, there: Link, back: Link) -> Self {
        self.links.push(LinkPlan { ends: [a, b].map(str::to_string), links: [there, back] });
        self
    }

    /// Joins every two hosts so far that are not joined yet.
    pub(crate) fn full_mesh(mut self, link: Link) -> Self {
        let names: Vec<String> = self.hosts.iter().map(|host| host.names[0].clone()).collect();
        for (n, a) in names.iter().enumerate() {
            for b in &names[n + 1..] {
                let is_joined = self.links.iter().any(|l| l.ends.contains(a) && l.ends.contains(b));
                if !is_joined {
                    let ends = [a.clone(), b.clone()];
                    self.links.push(LinkPlan { ends, links: [link; 2] });
                }
            }
        }
        self
    }

    /// Keeps every packet of the links, for [`Lab::capture`].
    pub(crate) fn capture(mut self) -> Self {
        (self.captures, self.watched) = (true, true);
        self
    }

    /// The first mistake counts.
    fn noted(mut self, mistake: String) -> Self {
        self.mistake.get_or_insert(mistake);
        self
    }

    fn last(mut self, f: impl FnOnce(&mut HostPlan)) -> Self {
        match self.hosts.last_mut() {
            Some(host) => f(host),
            None => return self.noted(String::from("no host has been added yet")),
        }
        self
    }

    pub(crate) fn build_real(self) -> io::Result<Lab> {
        let time = Time::Real(Clock::new());
        Ok(self.assemble(time, Running::in_real_time)?.lab)
    }

    pub(crate) fn build_simulated(self) -> io::Result<Built> {
        // One second: no time is ever before the engine's origin.
        self.assemble(Time::Simulated(Instant(1_000_000_000)), Running::in_simulated_time)
    }

    fn assemble(
        mut self,
        time: Time,
        run: impl FnOnce(State) -> std::sync::Arc<Running>,
    ) -> io::Result<Built> {
        self.check().map_err(|mistake| io::Error::new(io::ErrorKind::InvalidInput, mistake))?;
        let mut lab = sockeye_lab::Lab::with_seed(self.seed);
        lab.set_losses(self.losses.take());
        let mut state = State::new(lab, time);
        self.add_hosts(&mut state);
        let names = self.join(&mut state);
        if self.watched {
            state.trace.watch(&mut state.lab);
        }
        if self.captures {
            state.trace.begin_capture(&names);
        }
        if self.records_losses {
            state.trace.losses = Some(Vec::new());
        }
        let running = run(state);
        running.call(|state, _| {
            for plugged in &mut state.devices {
                plugged.device.start(DeviceBell::waker(running.shared()));
            }
        });
        // A device may have packets before it was given its waker.
        running.shared().device_rings();
        Ok(Built { lab: Lab::of(running), seed: self.seed })
    }

    /// Fills in addresses; says what is wrong.
    fn check(&mut self) -> Result<(), String> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        for (n, host) in self.hosts.iter_mut().enumerate() {
            if host.addresses.is_empty() {
                let number = u16::try_from(n + 1).map_err(|_| String::from("too many hosts"))?;
                let [high, low] = number.to_be_bytes();
                host.addresses.push(Ipv4Addr::new(10, 0, high, low).into());
                host.addresses.push(Ipv6Addr::new(0xfd53, 0x6f63, 0x6b65, 0, 0, 0, 0, number).into());
            }
        }
        let mut seen = BTreeSet::new();
        for address in self.hosts.iter().flat_map(|host| &host.addresses) {
            if !seen.insert(*address) {
                return Err(format!("two hosts have the address {address}"));
            }
        }
        for link in &self.links {
            let [a, b] = &link.ends;
            if a == b {
                return Err(format!("a link leads from '{a}' to itself: see own_link"));
            }
            if let Some(stranger) = link.ends.iter().find(|end| self.position(end).is_none()) {
                return Err(format!("a link leads to '{stranger}', which is no host"));
            }
        }
        Ok(())
    }

    fn position(&self, name: &str) -> Option<usize> {
        let is_called = |host: &HostPlan| host.names.iter().any(|own| own.eq_ignore_ascii_case(name));
        self.hosts.iter().position(is_called)
    }

    /// Makes the hosts, with an interface for each of their links and then for each device.
    fn add_hosts(&mut self, state: &mut State) {
        let mut rng = Rng::new(self.seed);
        for index in 0..self.hosts.len() {
            let mut config = HostConfig { name: self.hosts[index].names[0].clone(), ..HostConfig::default() };
            self.hosts[index].changes.drain(..).for_each(|change| change(&mut config));
            config.linked_loopback = self.hosts[index].own_link.map(|link| link.mtu);
            self.add_interfaces(index, &mut config);
            let host = &mut self.hosts[index];
            let seed = rng.next_u64();
            let id = state.lab.add(Host::new(config.clone(), seed));
            if let Some(link) = host.own_link {
                state.lab.join_loop(Port { host: id, interface: IfIndex::LO }, link.path);
            }
            let devices_from = config.interfaces.len() - host.devices.len();
            for (n, (device, _)) in host.devices.drain(..).enumerate() {
                let interface = IfIndex(FIRST_INTERFACE.0 + (devices_from + n) as u32);
                let port = Port { host: id, interface };
                state.lab.join_outside(port);
                state.devices.push(Plugged { device, port });
            }
            state.machines.push(Machine {
                id,
                names: host.names.clone(),
                addresses: host.addresses.clone(),
                config,
                seed,
                life: 0,
                is_up: true,
                waiters: SecondaryMap::new(),
            });
        }
    }

    fn add_interfaces(&self, index: usize, config: &mut HostConfig) {
        let host = &self.hosts[index];
        let own: Vec<IpNet> = host.addresses.iter().map(|address| IpNet::from(*address)).collect();
        let own_names = &host.names;
        let is_own = |end: &String| own_names.iter().any(|name| name.eq_ignore_ascii_case(end));
        let add = |config: &mut HostConfig, mtu: u32, destinations: Vec<IpNet>| {
            let name = format!("eth{}", config.interfaces.len());
            let interface = InterfaceConfig { mtu, ..InterfaceConfig::new(&name, own.clone()) };
            config.interfaces.push(interface);
            for destination in destinations {
                let interface = name.clone();
                config.routes.push(RouteConfig { destination, gateway: None, interface });
            }
        };
        for link in self.links.iter().filter(|link| link.ends.iter().any(is_own)) {
            let peer = link.ends.iter().find(|end| !is_own(end)).and_then(|end| self.position(end));
            let peer = &self.hosts[peer.expect("checked: both ends are hosts")];
            let destinations = peer.addresses.iter().map(|address| IpNet::from(*address)).collect();
            add(config, link.mtu(), destinations);
        }
        for (_, mtu) in &host.devices {
            let everywhere = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
            add(config, *mtu, everywhere.to_vec());
        }
        if config.interfaces.is_empty() {
            // A host alone has its addresses all the same.
            add(config, DEFAULT_MTU, vec![]);
        }
    }

    /// Joins the interfaces; gives the links' names in their order.
    fn join(&self, state: &mut State) -> Vec<String> {
        let own_links = self.hosts.iter().filter(|host| host.own_link.is_some());
        let mut names: Vec<String> = own_links.map(|host| format!("{}-lo", host.names[0])).collect();
        let mut used = vec![0; self.hosts.len()];
        for plan in &self.links {
            let hosts = [0, 1].map(|n| self.position(&plan.ends[n]).expect("checked: both ends are hosts"));
            let ports = hosts.map(|host| {
                used[host] += 1;
                Port { host: state.machines[host].id, interface: IfIndex(FIRST_INTERFACE.0 + used[host] - 1) }
            });
            let link = state.lab.join_by(ports[0], ports[1], plan.links.map(|link| link.path));
            state.links.push(Joined { hosts, link });
            names.push(plan.ends.join("-"));
        }
        names
    }
}

impl LinkPlan {
    fn mtu(&self) -> u32 {
        self.links[0].mtu.min(self.links[1].mtu)
    }
}

const DEFAULT_MTU: u32 = 1500;

/// A builder of a lab in real time.
#[derive(Debug)]
#[must_use]
pub struct LabBuilder(pub(crate) Builder);

/// A builder of a lab in simulated time.
#[derive(Debug)]
#[must_use]
pub struct SimulationBuilder(pub(crate) Builder);

impl LabBuilder {
    /// Starts the lab, with a thread of its own.
    ///
    /// # Errors
    /// `InvalidInput` with the first mistake of the description.
    pub fn build(self) -> io::Result<Lab> {
        self.0.build_real()
    }
}

impl SimulationBuilder {
    /// Makes the lab; its time stands until it is run.
    ///
    /// # Errors
    /// `InvalidInput` with the first mistake of the description.
    pub fn build(mut self) -> io::Result<Simulation> {
        let observer = self.0.observer.take();
        let built = self.0.build_simulated()?;
        Ok(Simulation::of(built.lab, built.seed, observer))
    }
}

/// The same description for both.
macro_rules! described {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*);)*) => {
        described!(@for LabBuilder $($(#[$doc])* $name($($arg: $kind),*);)*);
        described!(@for SimulationBuilder $($(#[$doc])* $name($($arg: $kind),*);)*);
    };
    (@for $builder:ident $($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*);)*) => {
        impl $builder {
            $($(#[$doc])* pub fn $name(self, $($arg: $kind),*) -> Self {
                Self(self.0.$name($($arg),*))
            })*
        }
    };
}

described! {
    /// All randomness of the lab (losses, sequence numbers, ports) follows from it.
    seed(seed: u64);
    /// Adds a host. Without an address of its own the first gets 10.0.0.1 and fd53:6f63:6b65::1, the second 10.0.0.2
    /// and so on.
    host(name: &str);
    /// An address of the host added last; it may be called several times.
    address(address: &str);
    /// Another name of the host added last.
    alias(name: &str);
    /// Makes `lo` of the host added last a link, so that what it sends to itself is late or lost as on any other.
    own_link(link: Link);
    /// Changes limits and the like of the host added last; interfaces and routes are added to what is set here.
    configure(change: impl FnOnce(&mut HostConfig) + 'static);
    /// Gives the host added last an interface with this device behind it, and the default routes by it. `mtu` is the
    /// largest IP packet in bytes, at least 1280.
    device(device: impl Device + 'static, mtu: u32);
    /// Joins two hosts.
    link(a: &str, b: &str, link: Link);
    /// Joins two hosts by a link that differs by direction: the first leads from `a` to `b`. The smaller MTU counts.
    link_each_way(a: &str, b: &str, there: Link, back: Link);
    /// Joins every two hosts so far that are not joined yet.
    full_mesh(link: Link);
    /// Keeps every packet of the links, for [`Lab::capture`].
    capture();
}
