//! Groups: which sockets have joined which, by which interface, and from whom they want to hear (RFC 3678).
//!
//! In: joins, leaves and source filters. Out: whether a socket hears a packet for a group. A membership excludes
//! the sources it lists, or includes only them; one without a list is open to all. No report is sent (IGMP,
//! MLD): links carry every group.

use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex, SocketId};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A socket's membership of a group.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub group: IpAddr,
    pub interface: IfIndex,
    mode: Mode,
    /// None until there was a source; a list that became empty still holds its mode, as on Linux.
    sources: Option<Vec<IpAddr>>,
}

/// What a list of sources means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// `MCAST_EXCLUDE`: all but these.
    Exclude,
    /// `MCAST_INCLUDE`: these only.
    Include,
}

impl Membership {
    /// ip_mc_sf_allow.
    pub(crate) fn lets_in(&self, source: IpAddr) -> bool {
        let listed = self.sources.as_ref().is_some_and(|sources| sources.contains(&source));
        listed == (self.mode == Mode::Include)
    }

    fn add_source(&mut self, source: IpAddr) -> Result<()> {
        let max = if source.is_ipv4() { SOURCES_MAX_V4 } else { SOURCES_MAX_V6 };
        let sources = self.sources.get_or_insert_default();
        if sources.contains(&source) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if sources.len() >= max {
            return Err(Errno::ENOBUFS);
        }
        sources.push(source);
        Ok(())
    }
}

impl Host {
    /// `IP_ADD_MEMBERSHIP`, `MCAST_JOIN_GROUP`, ...: on the interface, else on the one that leads to the group.
    pub(crate) fn join_group(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<()> {
        self.join(id, group, interface, Mode::Exclude)
    }

    fn join(&mut self, id: SocketId, group: IpAddr, interface: Option<IfIndex>, mode: Mode) -> Result<()> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let interface = self.group_interface(group, interface)?;
        let inbox = self.socket_mut(id)?.inbox_mut().ok_or(Errno::EPROTO)?;
        if inbox.groups.iter().any(|m| (m.group, m.interface) == (group, interface)) {
            return Err(Errno::EADDRINUSE);
        }
        if inbox.groups.len() >= GROUPS_MAX {
            return Err(Errno::ENOBUFS);
        }
        inbox.groups.push(Membership { group, interface, mode, sources: None });
        *self.groups.entry(group).or_default() += 1;
        Ok(())
    }

    /// `IP_DROP_MEMBERSHIP`, `MCAST_LEAVE_GROUP`, ...
    pub(crate) fn leave_group(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<()> {
        let inbox = self.socket_mut(id)?.inbox_mut().ok_or(Errno::EPROTO)?;
        let member = |m: &Membership| m.group == group && interface.is_none_or(|asked| asked == m.interface);
        let at = inbox.groups.iter().position(member).ok_or(Errno::EADDRNOTAVAIL)?;
        inbox.groups.remove(at);
        self.uncount_group(group);
        Ok(())
    }

    /// `IP_ADD_SOURCE_MEMBERSHIP`, `MCAST_JOIN_SOURCE_GROUP`: also the group itself, if it is not joined yet.
    pub(crate) fn join_source(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
        source: IpAddr,
    ) -> Result<()> {
        match self.join(id, group, interface, Mode::Include) {
            Ok(()) | Err(Errno::EADDRINUSE) => self.add_source(id, group, interface, (Mode::Include, source)),
            Err(errno) => Err(errno),
        }
    }

    /// `IP_BLOCK_SOURCE`, `MCAST_BLOCK_SOURCE`.
    pub(crate) fn block_source(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
        source: IpAddr,
    ) -> Result<()> {
        self.add_source(id, group, interface, (Mode::Exclude, source))
    }

    /// A membership without a list may still change its mode.
    fn add_source(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
        (mode, source): (Mode, IpAddr),
    ) -> Result<()> {
        let membership = self.membership(id, group, interface)?;
        if membership.sources.is_some() && membership.mode != mode {
            return Err(Errno::EINVAL);
        }
        membership.mode = mode;
        membership.add_source(source)
    }

    /// The way back from a source's join (`Include`) or block: the last one included takes the group with it.
    pub(crate) fn remove_source(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
        (mode, source): (Mode, IpAddr),
    ) -> Result<()> {
        let membership = self.membership(id, group, interface)?;
        let sources = membership.sources.as_mut().ok_or(Errno::EADDRNOTAVAIL)?;
        if membership.mode != mode {
            return Err(Errno::EINVAL);
        }
        let at = sources.iter().position(|other| *other == source).ok_or(Errno::EADDRNOTAVAIL)?;
        sources.remove(at);
        let is_over = mode == Mode::Include && sources.is_empty();
        if is_over { self.leave_group(id, group, interface) } else { Ok(()) }
    }

    /// `IP_MSFILTER`, `MCAST_MSFILTER`: another list. To include nobody is to leave.
    pub(crate) fn set_sources(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
        (mode, sources): (Mode, Vec<IpAddr>),
    ) -> Result<()> {
        let max = if group.is_ipv4() { SOURCES_MAX_V4 } else { SOURCES_MAX_V6 };
        if sources.len() > max {
            return Err(Errno::ENOBUFS);
        }
        if mode == Mode::Include && sources.is_empty() {
            return self.leave_group(id, group, interface);
        }
        let membership = self.membership(id, group, interface)?;
        membership.mode = mode;
        membership.sources = (!sources.is_empty()).then_some(sources);
        Ok(())
    }

    /// EINVAL for who is no member.
    fn membership(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<&mut Membership> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let interface = self.group_interface(group, interface)?;
        let inbox = self.socket_mut(id)?.inbox_mut().ok_or(Errno::EPROTO)?;
        let mut groups = inbox.groups.iter_mut();
        groups.find(|m| (m.group, m.interface) == (group, interface)).ok_or(Errno::EINVAL)
    }

    pub(crate) fn leave_groups(&mut self, id: SocketId) {
        let groups = self.sockets[id].inbox_mut().map(|inbox| core::mem::take(&mut inbox.groups));
        groups.into_iter().flatten().for_each(|membership| self.uncount_group(membership.group));
    }

    /// Whether the host hears a group at all: all systems' always (RFC 1112, RFC 4291).
    pub(crate) fn is_in_group(&self, group: IpAddr) -> bool {
        match group {
            IpAddr::V4(ALL_SYSTEMS) | IpAddr::V6(ALL_NODES | ALL_NODES_OF_INTERFACE) => true,
            group => self.groups.contains_key(&group),
        }
    }

    fn uncount_group(&mut self, group: IpAddr) {
        let count = self.groups.get_mut(&group).expect("a joined group is counted");
        *count -= 1;
        if *count == 0 {
            self.groups.remove(&group);
        }
    }

    fn group_interface(&self, group: IpAddr, interface: Option<IfIndex>) -> Result<IfIndex> {
        match interface {
            Some(index) => self.routing.interface(index).map(|i| i.index).ok_or(Errno::ENODEV),
            None => {
                let route = self.routing.lookup(group, None);
                route.map(|route| route.path.interface()).ok_or(Errno::ENODEV)
            }
        }
    }
}

/// `net.ipv4.igmp_max_memberships`.
const GROUPS_MAX: usize = 20;
/// `net.ipv4.igmp_max_msf`.
const SOURCES_MAX_V4: usize = 10;
/// `net.ipv6.mld_max_msf`.
const SOURCES_MAX_V6: usize = 64;
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_OF_INTERFACE: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1);
