//! The one host of `sockeye run`: `lo` and `eth0`, IPv4 and IPv6, closed towards the machine.
//!
//! With published ports a second host stands outside: the gate. Clients of the machine come from there with
//! their true addresses, over an ideal link.

use sockeye_core::host::{Host, HostConfig, IfIndex, InterfaceConfig, RouteConfig};
use sockeye_lab::link::Path;
use sockeye_lab::{HostId, Lab, Port};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of `eth0`.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The IPv6 address of `eth0` (a unique local address, RFC 4193).
pub const ADDRESS6: Ipv6Addr = Ipv6Addr::new(0xfd53, 0x6f63, 0x6b65, 0, 0, 0, 0, 1);
/// The link address of `eth0`: locally administered.
const MAC: [u8; 6] = [0x02, 0x53, 0x6f, 0x63, 0x6b, 0x01];
/// The interface that looks outside, on either host.
const OUTSIDE: IfIndex = IfIndex(2);

/// A lab of one host, with the gate beside it when ports are published.
#[derive(Debug)]
pub struct Standard {
    /// The hosts and links, sans-IO.
    pub lab: Lab,
    /// Where the programs are.
    pub host: HostId,
    /// Where clients of published ports come from.
    pub gate: Option<HostId>,
    /// The interface of the host at each link, in their order.
    pub links: Vec<&'static str>,
}

/// The link on which the host's traffic to itself goes.
#[derive(Clone, Copy, Debug)]
pub struct OwnLink {
    /// What it is like, in each direction.
    pub path: Path,
    /// Largest IP packet on it, in bytes.
    pub mtu: u32,
}

/// Makes the lab. All randomness follows from `seed`; without `own_link` what the host sends to itself stays inside.
pub fn lab(name: &str, seed: u64, published: bool, own_link: Option<OwnLink>) -> Standard {
    let mut lab = Lab::with_seed(seed);
    let addresses =
        vec!["10.0.0.1/24".parse().expect("a network"), "fd53:6f63:6b65::1/64".parse().expect("a network")];
    let mut eth0 = InterfaceConfig::new("eth0", addresses);
    eth0.mac = Some(MAC);
    eth0.trusted_gate = published;
    let linked_loopback = own_link.map(|link| link.mtu);
    let config =
        HostConfig { name: name.into(), interfaces: vec![eth0], linked_loopback, ..HostConfig::default() };
    let host = lab.add(Host::new(config, seed));
    let mut links = vec![];
    if let Some(OwnLink { path, .. }) = own_link {
        lab.join_loop(Port { host, interface: IfIndex::LO }, path);
        links.push("lo");
    }
    let gate = published.then(|| {
        let gate = lab.add(Host::new(gate_config(), seed.wrapping_add(1)));
        lab.join(Port { host, interface: OUTSIDE }, Port { host: gate, interface: OUTSIDE });
        links.push("eth0");
        gate
    });
    Standard { lab, host, gate, links }
}

fn gate_config() -> HostConfig {
    let mut eth0 = InterfaceConfig::new("eth0", vec!["10.0.0.254/24".parse().expect("a network")]);
    eth0.trusted_gate = true;
    let route = |destination: &str| RouteConfig {
        destination: destination.parse().expect("a network"),
        gateway: None,
        interface: "eth0".into(),
    };
    HostConfig {
        name: "gate".into(),
        interfaces: vec![eth0],
        routes: vec![route("0.0.0.0/0"), route("::/0")],
        any_source: true,
        ..HostConfig::default()
    }
}

/// Both addresses of `eth0`.
pub fn addresses() -> [IpAddr; 2] {
    [ADDRESS.into(), ADDRESS6.into()]
}
