//! Interfaces: names, addresses, MTUs. Layer 3 only for now; Ethernet, ARP and neighbour discovery will stand
//! here, between [`crate::ip`] and the packets that leave.

use crate::config::{HostConfig, InterfaceConfig};
use crate::host::IfIndex;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The MTU of `lo`, as on Linux.
pub const LO_MTU: u32 = 65536;

/// An interface of a host.
#[derive(Clone, Debug)]
pub struct Interface {
    /// `lo`, `eth0`, ...
    pub name: String,
    /// Its index; `lo` is 1.
    pub index: IfIndex,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Its link address.
    pub mac: Option<[u8; 6]>,
    /// Addresses with their networks.
    pub addresses: Vec<IpNet>,
    /// See [`InterfaceConfig::trusted_gate`].
    pub trusted_gate: bool,
}

impl Interface {
    /// `lo`, then the configured ones.
    pub fn all(config: &HostConfig) -> Vec<Self> {
        let lo = Self {
            name: String::from("lo"),
            index: IfIndex::LO,
            mtu: config.linked_loopback.map_or(LO_MTU, |mtu| mtu.max(LINK_MTU_MIN)),
            mac: None,
            addresses: Vec::from([
                IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8)),
                IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
            ]),
            trusted_gate: false,
        };
        let rest = config.interfaces.iter().zip(2..).map(|(config, index)| Self::new(config, IfIndex(index)));
        core::iter::once(lo).chain(rest).collect()
    }

    fn new(config: &InterfaceConfig, index: IfIndex) -> Self {
        Self {
            name: config.name.clone(),
            index,
            // RFC 791 and RFC 8200 ask for less and more; below, nothing can be cut to fit.
            mtu: config.mtu.max(MTU_MIN),
            mac: config.mac,
            addresses: config.addresses.clone(),
            trusted_gate: config.trusted_gate,
        }
    }

    /// Whether it is `lo`.
    pub fn is_loopback(&self) -> bool {
        self.index == IfIndex::LO
    }

    /// The address to send from to `dst`: one of the same network, or the first of the family.
    pub fn source_for(&self, dst: IpAddr) -> Option<IpAddr> {
        let same_family = || self.addresses.iter().filter(|net| net.addr().is_ipv4() == dst.is_ipv4());
        same_family()
            .find(|net| net.contains(&dst))
            .or_else(|| same_family().find(|net| !is_link_local(net.addr())))
            .or_else(|| same_family().next())
            .map(IpNet::addr)
    }
}

fn is_link_local(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}

/// RFC 8200, 5: the least on which IPv6 works.
const LINK_MTU_MIN: u32 = 1280;
/// Linux's least MTU of IPv4.
const MTU_MIN: u32 = 68;
