//! What Linux asks of the values of options that are kept and have nothing to act on here, and which options are
//! refused for a kind of socket before their value is looked at.

use super::multicast::{IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP};
use super::table::{self, Group, Support};
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, Kind, SocketId};
use crate::socket::table::{Role, Socket};

impl Host {
    /// What setsockopt says before it reads the value, of which there are `len` bytes.
    ///
    /// # Errors
    /// ENOPROTOOPT for an option that the socket does not have; EINVAL for too short a structure.
    pub fn may_set(&self, id: SocketId, level: i32, name: i32, len: usize) -> Result<()> {
        if !self.socket_ref(id)?.is_own_level(level) {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.has_unix_option(id, name) {
            return Ok(());
        }
        let entry = self.find_option(id, level, name)?;
        match (entry.group, entry.support) {
            (Group::Ip, Support::ReadOnly) => Err(Errno::ENOPROTOOPT),
            (Group::Ip, _)
                if matches!(name, IP_ADD_MEMBERSHIP | IP_DROP_MEMBERSHIP)
                    && self.socket_ref(id)?.kind == Kind::Stream =>
            {
                Err(Errno::EPROTO)
            }
            (Group::Ip, _) if MEMBERSHIPS.contains(&name) && len < MEMBERSHIP_LEN_MIN => Err(Errno::EINVAL),
            (Group::Ip, _) if name == IP_MULTICAST_IF && self.socket_ref(id)?.kind == Kind::Stream => {
                Err(Errno::EINVAL)
            }
            _ => Ok(()),
        }
    }

    /// What getsockopt says before it reads the length.
    ///
    /// # Errors
    /// EOPNOTSUPP for a level that the socket does not pass on; ENOPROTOOPT for an option that it does not have.
    pub fn may_get(&self, id: SocketId, level: i32, name: i32) -> Result<()> {
        if !self.socket_ref(id)?.passes_level(level) {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.has_unix_option(id, name) {
            return Ok(());
        }
        self.find_option(id, level, name).map(drop)
    }
}

impl Socket {
    /// The value that is kept where `value` was set.
    ///
    /// # Errors
    /// EINVAL where Linux says so.
    pub(super) fn keepable(&self, level: i32, name: i32, value: i32) -> Result<i32> {
        let stream = self.kind == Kind::Stream;
        match (level, name) {
            // Accepted and without an effect since Linux 2.2.
            (table::SOL_SOCKET, SO_BSDCOMPAT) => Ok(0),
            (table::SOL_SOCKET, SO_BUSY_POLL) if value < 0 => Err(Errno::EINVAL),
            (table::SOL_SOCKET, SO_BUSY_POLL_BUDGET) if !(0..=0xffff).contains(&value) => Err(Errno::EINVAL),
            (table::IPPROTO_IP, IP_RECVERR_RFC4884)
            | (table::IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS | TCP_INQ)
                if !(0..=1).contains(&value) =>
            {
                Err(Errno::EINVAL)
            }
            (table::IPPROTO_IP, IP_RECVFRAGSIZE) if stream => Err(Errno::EINVAL),
            (table::IPPROTO_TCP, TCP_THIN_DUPACK) if (0..=1).contains(&value) => Ok(0),
            (table::IPPROTO_TCP, TCP_THIN_DUPACK) => Err(Errno::EINVAL),
            (table::IPPROTO_TCP, TCP_FASTOPEN) => {
                let connected = matches!(self.role(), Some(Role::Connection { .. }));
                if value < 0 || connected { Err(Errno::EINVAL) } else { Ok(value.min(SOMAXCONN)) }
            }
            _ => Ok(value),
        }
    }

    /// Whether an option of `SOL_RAW` is one of this socket's family.
    pub(super) fn has_raw_option(&self, name: i32) -> bool {
        self.kind == Kind::Raw && (name == ICMP_FILTER || self.domain == Domain::Inet6)
    }
}

/// Whether fewer bytes than an int stand for zero, as where Linux does not look at the length.
pub(super) fn is_lenient(level: i32, name: i32) -> bool {
    level == table::IPPROTO_IPV6 && matches!(name, IPV6_DONTFRAG | IPV6_AUTOFLOWLABEL)
}

/// `IP_ADD_MEMBERSHIP` to `MCAST_MSFILTER`: structures, the shortest being `struct ip_mreq`.
const MEMBERSHIPS: core::ops::RangeInclusive<i32> = 35..=48;
const MEMBERSHIP_LEN_MIN: usize = 8;
/// `net.core.somaxconn`.
const SOMAXCONN: i32 = 4096;

const SO_BSDCOMPAT: i32 = 14;
const TCP_INQ: i32 = 36;
const SO_BUSY_POLL: i32 = 46;
const SO_BUSY_POLL_BUDGET: i32 = 70;
const IP_RECVFRAGSIZE: i32 = 25;
const IP_RECVERR_RFC4884: i32 = 26;
const IP_MULTICAST_IF: i32 = 32;
const ICMP_FILTER: i32 = 1;
const IPV6_DONTFRAG: i32 = 62;
const IPV6_AUTOFLOWLABEL: i32 = 70;
const TCP_THIN_LINEAR_TIMEOUTS: i32 = 16;
const TCP_THIN_DUPACK: i32 = 17;
const TCP_FASTOPEN: i32 = 23;
