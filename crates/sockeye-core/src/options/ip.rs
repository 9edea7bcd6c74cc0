//! The options of `IPPROTO_IP` and `IPPROTO_IPV6` that have an effect.

use super::multicast::{IP_ADD_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_MSFILTER, ipv4_at};
use super::seldom::SeldomName;
use super::table::{IPPROTO_IP, IPPROTO_IPV6};
use super::value::{int, int_in, int_or_byte, of_bool, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex, Kind, OptionValue, SocketId};
use crate::ip::input::TTL_DEFAULT;
use core::net::{IpAddr, Ipv4Addr};

impl Host {
    pub(super) fn set_ip_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        match name {
            IP_HDRINCL => return self.set_raw_option(id, IPPROTO_IP, name, value),
            IP_MULTICAST_IF => return self.set_multicast_if(id, value),
            IP_ADD_MEMBERSHIP..=MCAST_MSFILTER => return self.set_membership(id, false, name, value),
            IP_MINTTL => return self.set_min_ttl(id, false, value),
            IP_UNICAST_IF => return self.set_unicast_if(id, false, value),
            IP_LOCAL_PORT_RANGE => return self.set_port_range(id, value),
            _ => {}
        }
        if value.is_empty() && WITH_A_VALUE.contains(&name) {
            return Err(Errno::EINVAL);
        }
        let value = int_or_byte(value)?;
        let on = value != 0;
        let stream = self.socket_ref(id)?.kind == Kind::Stream;
        let options = &mut self.socket_mut(id)?.options;
        match name {
            IP_TOS => options.tos = class_of(value, options.tos, stream),
            IP_MULTICAST_TTL if stream => return Err(Errno::EINVAL),
            IP_TTL => options.ttl = optional_byte(value, 1)?,
            IP_MTU_DISCOVER => options.mtu_discover4 = int_in(value, 0, PMTUDISC_MAX)? as u8,
            IP_RECVERR => options.receive_errors4 = on,
            IP_FREEBIND => options.freebind = on,
            IP_TRANSPARENT => options.transparent = on,
            IP_BIND_ADDRESS_NO_PORT => options.bind_no_port = on,
            IP_MULTICAST_TTL => options.multicast_ttl = optional_byte(value, 0)?.unwrap_or(1),
            IP_MULTICAST_LOOP => options.multicast_loop4 = on,
            IP_MULTICAST_ALL => options.multicast_all = int_in(value, 0, 1)? != 0,
            _ => unreachable!("the table sends only what is here"),
        }
        self.refresh_flow_fields(id);
        Ok(())
    }

    pub(super) fn get_ip_option(&mut self, id: SocketId, name: i32) -> Result<OptionValue> {
        match name {
            IP_HDRINCL => return self.get_raw_option(id, IPPROTO_IP, name),
            IP_MINTTL => return self.get_seldom_option(id, SeldomName::MinTtl { v6: false }),
            IP_UNICAST_IF => return self.get_seldom_option(id, SeldomName::UnicastIf { v6: false }),
            IP_LOCAL_PORT_RANGE => return self.get_seldom_option(id, SeldomName::PortRange),
            _ => {}
        }
        let socket = self.socket_ref(id)?;
        let options = &socket.options;
        Ok(match name {
            IP_TOS => of_int(i32::from(options.tos)),
            IP_TTL => of_int(i32::from(options.ttl.unwrap_or(TTL_DEFAULT))),
            IP_MTU_DISCOVER => of_int(i32::from(options.mtu_discover4)),
            IP_RECVERR => of_bool(options.receive_errors4),
            IP_MTU => of_int(self.path_mtu(id)?),
            IP_FREEBIND => of_bool(options.freebind),
            IP_TRANSPARENT => of_bool(options.transparent),
            IP_BIND_ADDRESS_NO_PORT => of_bool(options.bind_no_port),
            IP_MULTICAST_IF => OptionValue::from_slice(
                &self.multicast_if_address(options.seldom.as_deref().and_then(|s| s.multicast_if4)).octets(),
            ),
            IP_MULTICAST_TTL => of_int(i32::from(options.multicast_ttl)),
            IP_MULTICAST_LOOP => of_bool(options.multicast_loop4),
            IP_MULTICAST_ALL => of_bool(options.multicast_all),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    pub(super) fn set_ipv6_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        match name {
            IPV6_ADD_MEMBERSHIP => return self.set_membership6(id, true, value),
            IPV6_DROP_MEMBERSHIP => return self.set_membership6(id, false, value),
            MCAST_JOIN_GROUP..=MCAST_MSFILTER => return self.set_membership(id, true, name, value),
            IPV6_V6ONLY => return self.set_v6only(id, int(value)? != 0),
            IPV6_CHECKSUM | IPV6_HDRINCL => return self.set_raw_option(id, IPPROTO_IPV6, name, value),
            IPV6_MINHOPCOUNT => return self.set_min_ttl(id, true, value),
            IPV6_UNICAST_IF => return self.set_unicast_if(id, true, value),
            _ => {}
        }
        let stream = self.socket_ref(id)?.kind == Kind::Stream;
        if stream && matches!(name, IPV6_MULTICAST_IF | IPV6_MULTICAST_HOPS) {
            return Err(Errno::ENOPROTOOPT);
        }
        let value = int(value)?;
        let on = value != 0;
        let interface = if name == IPV6_MULTICAST_IF { self.device_numbered(value)? } else { None };
        let options = &mut self.socket_mut(id)?.options;
        match name {
            IPV6_UNICAST_HOPS => options.hop_limit = optional_byte(value, 0)?,
            IPV6_MULTICAST_IF => options.seldom.get_or_insert_default().multicast_if6 = interface,
            IPV6_MULTICAST_HOPS => options.multicast_hops = optional_byte(value, 0)?.unwrap_or(1),
            IPV6_MULTICAST_LOOP => options.multicast_loop6 = int_in(value, 0, 1)? != 0,
            IPV6_MTU_DISCOVER => options.mtu_discover6 = int_in(value, 0, PMTUDISC_MAX)? as u8,
            IPV6_RECVERR => options.receive_errors6 = on,
            IPV6_MULTICAST_ALL => options.multicast_all = on,
            IPV6_TCLASS => {
                let class = int_in(value, -1, 255)?.max(0);
                options.traffic_class = class_of(class, options.traffic_class, stream);
            }
            IPV6_TRANSPARENT => options.transparent = on,
            IPV6_FREEBIND => options.freebind = on,
            _ => unreachable!("the table sends only what is here"),
        }
        self.refresh_flow_fields(id);
        Ok(())
    }

    pub(super) fn get_ipv6_option(&mut self, id: SocketId, name: i32) -> Result<OptionValue> {
        match name {
            IPV6_CHECKSUM | IPV6_HDRINCL => return self.get_raw_option(id, IPPROTO_IPV6, name),
            IPV6_MINHOPCOUNT => return self.get_seldom_option(id, SeldomName::MinTtl { v6: true }),
            IPV6_UNICAST_IF => return self.get_seldom_option(id, SeldomName::UnicastIf { v6: true }),
            _ => {}
        }
        let options = &self.socket_ref(id)?.options;
        Ok(match name {
            IPV6_UNICAST_HOPS => of_int(i32::from(options.hop_limit.unwrap_or(TTL_DEFAULT))),
            IPV6_MULTICAST_IF => {
                of_int(options.seldom.as_deref().and_then(|s| s.multicast_if6).map_or(0, |i| i.0 as i32))
            }
            IPV6_MULTICAST_HOPS => of_int(i32::from(options.multicast_hops)),
            IPV6_MULTICAST_LOOP => of_bool(options.multicast_loop6),
            IPV6_MTU_DISCOVER => of_int(i32::from(options.mtu_discover6)),
            IPV6_MTU => of_int(self.path_mtu(id)?),
            IPV6_RECVERR => of_bool(options.receive_errors6),
            IPV6_V6ONLY => of_bool(options.v6only),
            IPV6_MULTICAST_ALL => of_bool(options.multicast_all),
            IPV6_TCLASS => of_int(i32::from(options.traffic_class)),
            IPV6_TRANSPARENT => of_bool(options.transparent),
            IPV6_FREEBIND => of_bool(options.freebind),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// Once bound it is too late: EINVAL.
    fn set_v6only(&mut self, id: SocketId, on: bool) -> Result<()> {
        let socket = self.socket_ref(id)?;
        let bound = socket.local.port() != 0 && !self.is_over(id);
        // A raw socket is bound to its protocol from birth.
        if bound || socket.kind == Kind::Raw {
            return Err(Errno::EINVAL);
        }
        self.sockets[id].options.v6only = on;
        Ok(())
    }

    /// The header fields of a connection follow its socket's.
    pub(super) fn refresh_flow_fields(&mut self, id: SocketId) {
        let socket = &self.sockets[id];
        let Some(flow) = socket.flow().and_then(|flow| self.flows.get_mut(flow)) else { return };
        let fields = socket.flow_fields(flow.remote.ip());
        (flow.ttl, flow.tos, flow.min_ttl) = (fields.ttl, fields.tos, fields.min_ttl);
    }

    /// `IP_MTU`: of the way to the peer; ENOTCONN without one.
    fn path_mtu(&self, id: SocketId) -> Result<i32> {
        let socket = self.socket_ref(id)?;
        let peer = match socket.flow() {
            Some(flow) => Some(self.flows[flow].remote),
            None => socket.inbox().and_then(|inbox| inbox.peer),
        };
        let peer = peer.ok_or(Errno::ENOTCONN)?;
        let route = self.routing.lookup(peer.ip(), socket.options.device).ok_or(Errno::ENOTCONN)?;
        let most = if peer.is_ipv4() { i32::from(u16::MAX) } else { i32::MAX };
        Ok((route.mtu as i32).min(most))
    }

    /// `struct in_addr`, `ip_mreq` or `ip_mreqn`.
    fn set_multicast_if(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        if self.socket_ref(id)?.kind == Kind::Stream {
            return Err(Errno::EINVAL);
        }
        let interface = match value.len() {
            0..4 => return Err(Errno::EINVAL),
            12.. => self.interface_of(ipv4_at(value, 4)?, int(&value[8..])?)?,
            8.. => self.interface_of(ipv4_at(value, 4)?, 0)?,
            _ => self.interface_of(ipv4_at(value, 0)?, 0)?,
        };
        self.seldom(id)?.multicast_if4 = interface;
        Ok(())
    }

    pub(super) fn interface_of(&self, address: Ipv4Addr, index: i32) -> Result<Option<IfIndex>> {
        if index != 0 || address.is_unspecified() {
            return self.device_numbered(index);
        }
        let has = |net: &ipnet::IpNet| net.addr() == IpAddr::V4(address);
        let interface = self.routing.interfaces().iter().find(|i| i.addresses.iter().any(has));
        interface.map(|i| Some(i.index)).ok_or(Errno::EADDRNOTAVAIL)
    }

    fn multicast_if_address(&self, interface: Option<IfIndex>) -> Ipv4Addr {
        let source = interface
            .and_then(|index| self.routing.interface(index))
            .and_then(|i| i.source_for(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        match source {
            Some(IpAddr::V4(address)) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// A class or type of service; the two bits of congestion notification (RFC 3168) are TCP's own.
fn class_of(value: i32, before: u8, stream: bool) -> u8 {
    let value = value as u8;
    if stream { value & !ECN_MASK | before & ECN_MASK } else { value }
}

/// -1 for the default, else a byte.
fn optional_byte(value: i32, min: i32) -> Result<Option<u8>> {
    match value {
        -1 => Ok(None),
        value => Ok(Some(int_in(value, min, 255)? as u8)),
    }
}

/// Options of `IPPROTO_IP` for which no value is not zero.
const WITH_A_VALUE: [i32; 5] =
    [IP_FREEBIND, IP_TRANSPARENT, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_MULTICAST_ALL];
const ECN_MASK: u8 = 3;
/// `IP_PMTUDISC_OMIT`.
const PMTUDISC_MAX: i32 = 5;

pub(crate) const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_HDRINCL: i32 = 3;
const IP_MTU_DISCOVER: i32 = 10;
const IP_RECVERR: i32 = 11;
const IP_MTU: i32 = 14;
const IP_FREEBIND: i32 = 15;
const IP_TRANSPARENT: i32 = 19;
const IP_MINTTL: i32 = 21;
const IP_UNICAST_IF: i32 = 50;
const IP_LOCAL_PORT_RANGE: i32 = 51;
const IPV6_MINHOPCOUNT: i32 = 73;
const IPV6_UNICAST_IF: i32 = 76;
const IP_BIND_ADDRESS_NO_PORT: i32 = 24;
pub(super) const IP_MULTICAST_IF: i32 = 32;
const IP_MULTICAST_TTL: i32 = 33;
const IP_MULTICAST_LOOP: i32 = 34;
const IP_MULTICAST_ALL: i32 = 49;
const IPV6_CHECKSUM: i32 = 7;
const IPV6_UNICAST_HOPS: i32 = 16;
const IPV6_MULTICAST_IF: i32 = 17;
const IPV6_MULTICAST_HOPS: i32 = 18;
const IPV6_MULTICAST_LOOP: i32 = 19;
const IPV6_ADD_MEMBERSHIP: i32 = 20;
const IPV6_DROP_MEMBERSHIP: i32 = 21;
const IPV6_MTU_DISCOVER: i32 = 23;
const IPV6_MTU: i32 = 24;
const IPV6_RECVERR: i32 = 25;
const IPV6_V6ONLY: i32 = 26;
const IPV6_MULTICAST_ALL: i32 = 29;
const IPV6_HDRINCL: i32 = 36;
pub(crate) const IPV6_TCLASS: i32 = 67;
const IPV6_TRANSPARENT: i32 = 75;
const IPV6_FREEBIND: i32 = 78;
