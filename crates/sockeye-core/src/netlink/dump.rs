//! The messages themselves: links, addresses, routes, as Linux describes its own.

use super::Answer;
use crate::errno::Errno;
use crate::host::{Host, IfIndex};
use crate::iface::Interface;
use crate::ip::route::Entry;
use crate::wire::netlink::{MessageWriter, find_attribute};
use core::net::IpAddr;
use ipnet::IpNet;

impl Host {
    pub(super) fn dump_links(&self, answer: &mut Answer) {
        for interface in self.routing.interfaces() {
            link(answer.message(RTM_NEWLINK, true), interface);
        }
    }

    pub(super) fn dump_addresses(&self, answer: &mut Answer, family: u8) {
        for wanted in [AF_INET, AF_INET6] {
            if family != 0 && family != wanted {
                continue;
            }
            for interface in self.routing.interfaces() {
                for net in interface.addresses.iter().filter(|net| family_of(net.addr()) == wanted) {
                    address(answer.message(RTM_NEWADDR, true), interface, *net);
                }
            }
        }
    }

    pub(super) fn dump_routes(&self, answer: &mut Answer, family: u8) {
        for entry in self.routing.table() {
            let of = family_of(entry.destination.addr());
            if family == 0 || family == of {
                let source = self
                    .routing
                    .interface(entry.interface)
                    .and_then(|i| i.source_for(entry.destination.addr()));
                route(answer.message(RTM_NEWROUTE, true), entry, source);
            }
        }
    }

    /// `RTM_GETLINK` of one: by the index in `struct ifinfomsg`, or by name.
    pub(super) fn one_link(&self, answer: &mut Answer, body: &[u8]) {
        let index = body.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |b| i32::from_ne_bytes(*b));
        let attributes = body.get(IFINFO_LEN..).unwrap_or_default();
        let name = find_attribute(attributes, IFLA_IFNAME)
            .map(|name| name.split(|b| *b == 0).next().unwrap_or(name));
        let found = self.routing.interfaces().iter().find(|interface| match (index, name) {
            (0, Some(name)) => interface.name.as_bytes() == name,
            (index, _) => interface.index == IfIndex(index as u32),
        });
        match found {
            Some(interface) => link(answer.message(RTM_NEWLINK, false), interface),
            None => answer.error(Some(Errno::ENODEV), body),
        }
    }

    /// `RTM_GETROUTE` of one: the way to an address, as `ip route get` asks.
    pub(super) fn one_route(&self, answer: &mut Answer, body: &[u8]) {
        let attributes = body.get(RTMSG_LEN..).unwrap_or_default();
        let Some(dst) = find_attribute(attributes, RTA_DST).and_then(read_address) else {
            return answer.error(Some(Errno::EINVAL), body);
        };
        let Some(found) = self.routing.lookup(dst, None) else {
            return answer.error(Some(Errno::ENETUNREACH), body);
        };
        let own = found.path.interface() == IfIndex::LO;
        let (table, kind) = if own { (RT_TABLE_LOCAL, RTN_LOCAL) } else { (RT_TABLE_MAIN, RTN_UNICAST) };
        let bits = if dst.is_ipv4() { 32 } else { 128 };
        let mut message = answer.message(RTM_NEWROUTE, false);
        message
            .bytes(&[family_of(dst), bits, 0, 0, table, 0, RT_SCOPE_UNIVERSE, kind])
            .bytes(&RTM_F_CLONED.to_ne_bytes())
            .word(RTA_TABLE, u32::from(table))
            .address(RTA_DST, dst)
            .word(RTA_OIF, found.path.interface().0)
            .address(RTA_PREFSRC, found.source)
            .finish();
    }
}

fn link(mut message: MessageWriter<'_>, interface: &Interface) {
    let lo = interface.is_loopback();
    let arp = if lo { ARPHRD_LOOPBACK } else { ARPHRD_ETHER };
    let flags =
        IFF_UP | IFF_RUNNING | IFF_LOWER_UP | if lo { IFF_LOOPBACK } else { IFF_BROADCAST | IFF_MULTICAST };
    let mac = interface.mac.unwrap_or_default();
    message
        .bytes(&[0, 0])
        .bytes(&arp.to_ne_bytes())
        .bytes(&interface.index.0.to_ne_bytes())
        .bytes(&flags.to_ne_bytes())
        .bytes(&0u32.to_ne_bytes())
        .string(IFLA_IFNAME, &interface.name)
        .word(IFLA_TXQLEN, 1000)
        .attribute(IFLA_OPERSTATE, &[if lo { OPER_UNKNOWN } else { OPER_UP }])
        .attribute(IFLA_LINKMODE, &[0])
        .word(IFLA_MTU, interface.mtu)
        .word(IFLA_GROUP, 0)
        .word(IFLA_PROMISCUITY, 0)
        .word(IFLA_NUM_TX_QUEUES, 1)
        .word(IFLA_NUM_RX_QUEUES, 1)
        .attribute(IFLA_CARRIER, &[1])
        .string(IFLA_QDISC, "noqueue")
        .attribute(IFLA_ADDRESS, &mac)
        .attribute(IFLA_BROADCAST, &[if lo { 0 } else { 0xff }; 6])
        .finish();
}

fn address(mut message: MessageWriter<'_>, interface: &Interface, net: IpNet) {
    let addr = net.addr();
    let scope = scope_of(addr);
    message
        .bytes(&[family_of(addr), net.prefix_len(), IFA_F_PERMANENT as u8, scope])
        .bytes(&interface.index.0.to_ne_bytes());
    message.address(IFA_ADDRESS, addr);
    if let IpNet::V4(v4) = net {
        message.address(IFA_LOCAL, addr);
        if !interface.is_loopback() && v4.prefix_len() < 31 {
            message.address(IFA_BROADCAST, IpAddr::V4(v4.broadcast()));
        }
        message.string(IFA_LABEL, &interface.name);
    }
    // struct ifa_cacheinfo: valid and preferred for ever, never changed.
    let [ever, now] = [u32::MAX.to_ne_bytes(), 0u32.to_ne_bytes()];
    message
        .word(IFA_FLAGS, IFA_F_PERMANENT)
        .attribute(IFA_CACHEINFO, [ever, ever, now, now].as_flattened())
        .finish();
}

fn route(mut message: MessageWriter<'_>, entry: &Entry, source: Option<IpAddr>) {
    let destination = entry.destination;
    let direct = entry.gateway.is_none();
    let (scope, protocol) = match (direct, destination) {
        (true, IpNet::V4(_)) => (RT_SCOPE_LINK, RTPROT_KERNEL),
        (true, IpNet::V6(_)) => (RT_SCOPE_UNIVERSE, RTPROT_KERNEL),
        (false, _) => (RT_SCOPE_UNIVERSE, RTPROT_BOOT),
    };
    message
        .bytes(&[family_of(destination.addr()), destination.prefix_len(), 0, 0])
        .bytes(&[RT_TABLE_MAIN, protocol, scope, RTN_UNICAST])
        .bytes(&0u32.to_ne_bytes())
        .word(RTA_TABLE, u32::from(RT_TABLE_MAIN));
    if destination.prefix_len() > 0 {
        message.address(RTA_DST, destination.network());
    }
    if let Some(gateway) = entry.gateway {
        message.address(RTA_GATEWAY, gateway);
    }
    if let Some(source) = source.filter(|_| direct && destination.addr().is_ipv4()) {
        message.address(RTA_PREFSRC, source);
    }
    message.word(RTA_OIF, entry.interface.0).finish();
}

fn read_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|b| IpAddr::from(*b)),
        16 => bytes.first_chunk::<16>().map(|b| IpAddr::from(*b)),
        _ => None,
    }
}

fn family_of(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn scope_of(addr: IpAddr) -> u8 {
    match addr {
        addr if addr.is_loopback() => RT_SCOPE_HOST,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => RT_SCOPE_LINK,
        _ => RT_SCOPE_UNIVERSE,
    }
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

const IFINFO_LEN: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_QDISC: u16 = 6;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKMODE: u16 = 17;
const IFLA_GROUP: u16 = 27;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFF_UP: u32 = 0x1;
const IFF_BROADCAST: u32 = 0x2;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;
const IFF_LOWER_UP: u32 = 0x1_0000;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
const OPER_UNKNOWN: u8 = 0;
const OPER_UP: u8 = 6;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_F_PERMANENT: u32 = 0x80;

const RTMSG_LEN: usize = 12;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const RTA_TABLE: u16 = 15;
const RT_TABLE_MAIN: u8 = 254;
const RT_TABLE_LOCAL: u8 = 255;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_HOST: u8 = 254;
const RTPROT_KERNEL: u8 = 2;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
const RTM_F_CLONED: u32 = 0x200;
