//! Membership of groups in all its forms (ip(7), RFC 3678): the old requests by address, those that are one for
//! both families, and lists of sources.
//!
//! In: a request's bytes. Out: a call of [`crate::ip::multicast`]. Addresses in a `sockaddr` of the wrong family
//! are EADDRNOTAVAIL, but EINVAL for a group of IPv4, as Linux has it.

use super::value::int;
use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex, Kind, SocketId};
use crate::ip::multicast::Mode;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Host {
    /// `IP_ADD_MEMBERSHIP` to `MCAST_MSFILTER`, at either level.
    pub(super) fn set_membership(
        &mut self,
        id: SocketId,
        is_ipv6: bool,
        name: i32,
        value: &[u8],
    ) -> Result<()> {
        match name {
            // Linux: a connection is no member of anything.
            IP_ADD_MEMBERSHIP | IP_DROP_MEMBERSHIP if self.socket_ref(id)?.kind == Kind::Stream => {
                Err(Errno::EPROTO)
            }
            IP_ADD_MEMBERSHIP | IP_DROP_MEMBERSHIP => {
                let index = if value.len() >= 12 { int(&value[8..])? } else { 0 };
                let (group, address) = (ipv4_at(value, 0)?, ipv4_at(value, 4)?);
                let interface = self.interface_of(address, index)?;
                self.join_or_leave(id, name == IP_ADD_MEMBERSHIP, group.into(), interface)
            }
            IP_UNBLOCK_SOURCE..=IP_DROP_SOURCE_MEMBERSHIP => {
                let (group, source) = (ipv4_at(value, 0)?, ipv4_at(value, 8)?);
                let interface = self.interface_of(ipv4_at(value, 4)?, 0)?;
                self.change_source(id, name, group.into(), interface, source.into())
            }
            IP_MSFILTER => {
                let (group, mode) = (ipv4_at(value, 0)?, mode_at(value, 8)?);
                let interface = self.interface_of(ipv4_at(value, 4)?, 0)?;
                let sources = listed(value, 12, 16, 4, |at| Ok(ipv4_at(value, at)?.into()))?;
                self.set_sources(id, group.into(), interface, (mode, sources))
            }
            MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP => {
                let group = group_at(value, is_ipv6)?;
                let interface = self.device_numbered(int(value)?)?;
                self.join_or_leave(id, name == MCAST_JOIN_GROUP, group, interface)
            }
            MCAST_MSFILTER => {
                let (group, mode) = (group_at(value, is_ipv6)?, mode_at(value, ADDRESS_AT + STORAGE_LEN)?);
                let interface = self.device_numbered(int(value)?)?;
                let count_at = ADDRESS_AT + STORAGE_LEN + 4;
                let at = |at| address_at(value, at, is_ipv6);
                let sources = listed(value, count_at, count_at + 4, STORAGE_LEN, at)?;
                self.set_sources(id, group, interface, (mode, sources))
            }
            _ => {
                let source = address_at(value, ADDRESS_AT + STORAGE_LEN, is_ipv6)?;
                let group = address_at(value, ADDRESS_AT, is_ipv6)?;
                let interface = self.device_numbered(int(value)?)?;
                self.change_source(id, name, group, interface, source)
            }
        }
    }

    /// `struct ipv6_mreq`: the group and the index of the interface.
    pub(super) fn set_membership6(&mut self, id: SocketId, join: bool, value: &[u8]) -> Result<()> {
        let group: [u8; 16] = *value.first_chunk().ok_or(Errno::EINVAL)?;
        let index = int(&value[16..])?;
        if join && self.socket_ref(id)?.kind == Kind::Stream {
            return Err(Errno::EPROTO);
        }
        let interface = self.device_numbered(index)?;
        self.join_or_leave(id, join, IpAddr::V6(Ipv6Addr::from(group)), interface)
    }

    fn join_or_leave(
        &mut self,
        id: SocketId,
        join: bool,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<()> {
        match join {
            true => self.join_group(id, group, interface),
            false => self.leave_group(id, group, interface),
        }
    }

    fn change_source(
        &mut self,
        id: SocketId,
        name: i32,
        group: IpAddr,
        interface: Option<IfIndex>,
        source: IpAddr,
    ) -> Result<()> {
        match name {
            IP_ADD_SOURCE_MEMBERSHIP | MCAST_JOIN_SOURCE_GROUP => {
                self.join_source(id, group, interface, source)
            }
            IP_BLOCK_SOURCE | MCAST_BLOCK_SOURCE => self.block_source(id, group, interface, source),
            IP_UNBLOCK_SOURCE | MCAST_UNBLOCK_SOURCE => {
                self.remove_source(id, group, interface, (Mode::Exclude, source))
            }
            _ => self.remove_source(id, group, interface, (Mode::Include, source)),
        }
    }
}

/// The group of a `struct group_req` and its kin.
fn group_at(value: &[u8], is_ipv6: bool) -> Result<IpAddr> {
    let group = address_at(value, ADDRESS_AT, is_ipv6);
    group.map_err(|errno| if is_ipv6 { errno } else { Errno::EINVAL })
}

/// The address of a `struct sockaddr_storage`; EINVAL when it is not all there.
fn address_at(value: &[u8], at: usize, is_ipv6: bool) -> Result<IpAddr> {
    let storage = value.get(at..at + STORAGE_LEN).ok_or(Errno::EINVAL)?;
    let family = u16::from_ne_bytes([storage[0], storage[1]]);
    match family {
        AF_INET if !is_ipv6 => Ok(ipv4_at(storage, 4)?.into()),
        AF_INET6 if is_ipv6 => {
            let bytes: [u8; 16] = *storage[8..].first_chunk().expect("it is long enough");
            Ok(Ipv6Addr::from(bytes).into())
        }
        _ => Err(Errno::EADDRNOTAVAIL),
    }
}

/// A list whose length in entries stands at `count_at`; EINVAL when it is not all there.
fn listed(
    value: &[u8],
    count_at: usize,
    first: usize,
    len: usize,
    entry: impl Fn(usize) -> Result<IpAddr>,
) -> Result<Vec<IpAddr>> {
    let count = int(value.get(count_at..).unwrap_or_default())? as u32 as usize;
    if count > value.len() / len {
        return Err(Errno::EINVAL);
    }
    (0..count).map(|n| entry(first + n * len)).collect()
}

fn mode_at(value: &[u8], at: usize) -> Result<Mode> {
    match int(value.get(at..).unwrap_or_default())? {
        0 => Ok(Mode::Exclude),
        1 => Ok(Mode::Include),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn ipv4_at(value: &[u8], at: usize) -> Result<Ipv4Addr> {
    let bytes: [u8; 4] = *value.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Errno::EINVAL)?;
    Ok(Ipv4Addr::from(bytes))
}

/// Behind the interface's index, aligned.
const ADDRESS_AT: usize = 8;
/// `sizeof(struct sockaddr_storage)`.
const STORAGE_LEN: usize = 128;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

pub(super) const IP_ADD_MEMBERSHIP: i32 = 35;
pub(super) const IP_DROP_MEMBERSHIP: i32 = 36;
const IP_UNBLOCK_SOURCE: i32 = 37;
const IP_BLOCK_SOURCE: i32 = 38;
const IP_ADD_SOURCE_MEMBERSHIP: i32 = 39;
const IP_DROP_SOURCE_MEMBERSHIP: i32 = 40;
const IP_MSFILTER: i32 = 41;
pub(super) const MCAST_JOIN_GROUP: i32 = 42;
const MCAST_BLOCK_SOURCE: i32 = 43;
const MCAST_UNBLOCK_SOURCE: i32 = 44;
const MCAST_LEAVE_GROUP: i32 = 45;
const MCAST_JOIN_SOURCE_GROUP: i32 = 46;
pub(super) const MCAST_MSFILTER: i32 = 48;
