//! Socket options: one [`table`] that says of each option what it is here, and the code of those that have an
//! effect, by level: [`socket`], [`ip`], [`tcp`].
//!
//! *Effective*: it does what Linux's does. *Stored*: kept and given back; it has nothing to act on here, or
//! the layer above reads it (control messages). *Refused*: ENOPROTOOPT, or what Linux says where it lacks the
//! option; nothing is accepted that would change what programs see and does not.

pub(crate) mod ip;
mod kept;
mod lite;
mod multicast;
mod raw;
mod seldom;
pub(crate) mod socket;
pub mod table;
pub(crate) mod tcp;
mod timeout;
mod value;

use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, IfIndex, Kind, OptionValue, SocketId};
use crate::socket::saved_syn::TCP_SAVED_SYN;
use crate::socket::table::Socket;
use crate::time::Instant;
use crate::wire::protocol;
use alloc::boxed::Box;
use core::net::IpAddr;
use seldom::Seldom;
use smallvec::SmallVec;
use table::{Entry, Group, Support};

/// The options of a socket, but for TCP's (see [`crate::tcp::Settings`]).
#[derive(Clone, Debug)]
pub(crate) struct SocketOptions {
    pub reuse_addr: bool,
    pub reuse_port: bool,
    pub broadcast: bool,
    pub v6only: bool,
    pub freebind: bool,
    pub transparent: bool,
    pub bind_no_port: bool,
    pub multicast_all: bool,
    pub multicast_loop4: bool,
    pub multicast_loop6: bool,
    pub receive_errors4: bool,
    pub receive_errors6: bool,
    pub mtu_discover4: u8,
    pub mtu_discover6: u8,
    pub tos: u8,
    pub traffic_class: u8,
    pub multicast_ttl: u8,
    pub multicast_hops: u8,
    pub ttl: Option<u8>,
    pub hop_limit: Option<u8>,
    pub device: Option<IfIndex>,
    /// `SO_RCVBUF` of a datagram socket, as getsockopt shows it, in bytes.
    pub receive_buffer: u32,
    /// `SO_SNDBUF` likewise.
    pub send_buffer: u32,
    /// What few have.
    pub seldom: Option<Box<Seldom>>,
    pub stored: SmallVec<[(i32, i32, OptionValue); 1]>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            reuse_addr: false,
            reuse_port: false,
            broadcast: false,
            v6only: false,
            freebind: false,
            transparent: false,
            bind_no_port: false,
            multicast_all: true,
            multicast_loop4: true,
            multicast_loop6: true,
            receive_errors4: false,
            receive_errors6: false,
            mtu_discover4: PMTUDISC_WANT,
            mtu_discover6: PMTUDISC_WANT,
            tos: 0,
            traffic_class: 0,
            multicast_ttl: 1,
            multicast_hops: 1,
            ttl: None,
            hop_limit: None,
            device: None,
            receive_buffer: 212_992,
            send_buffer: 212_992,
            seldom: None,
            stored: SmallVec::new(),
        }
    }
}

impl SocketOptions {
    /// Whether a datagram to a group is heard by the host's own members.
    pub(crate) fn loops(&self, to: IpAddr) -> bool {
        if to.is_ipv4() { self.multicast_loop4 } else { self.multicast_loop6 }
    }

    /// Whether a datagram must not be cut into pieces.
    pub(crate) fn keeps_whole(&self, to: IpAddr) -> bool {
        let discover = if to.is_ipv4() { self.mtu_discover4 } else { self.mtu_discover6 };
        matches!(discover, PMTUDISC_DO | PMTUDISC_PROBE)
    }

    /// Whether errors are queued (`IP_RECVERR`).
    pub(crate) fn wants_errors(&self, to: IpAddr) -> bool {
        if to.is_ipv4() { self.receive_errors4 } else { self.receive_errors6 }
    }

    /// `IP_LOCAL_PORT_RANGE`.
    pub(crate) fn port_range(&self) -> (u16, u16) {
        self.seldom.as_deref().map_or((0, 0), |seldom| seldom.port_range)
    }

    /// `IP_UNICAST_IF`, `IPV6_UNICAST_IF`.
    pub(crate) fn unicast_interface(&self, to: IpAddr) -> Option<IfIndex> {
        let seldom = self.seldom.as_deref()?;
        if to.is_ipv4() { seldom.unicast_if4 } else { seldom.unicast_if6 }
    }

    /// The least TTL or hop limit of segments from `remote`.
    pub(crate) fn min_ttl(&self, remote: IpAddr) -> u8 {
        self.seldom.as_deref().map_or(0, |s| if remote.is_ipv4() { s.min_ttl } else { s.min_hops })
    }

    /// `IP_MULTICAST_IF`, `IPV6_MULTICAST_IF`.
    pub(crate) fn multicast_interface(&self, to: IpAddr) -> Option<IfIndex> {
        let seldom = self.seldom.as_deref()?;
        if to.is_ipv4() { seldom.multicast_if4 } else { seldom.multicast_if6 }
    }
}

/// Options.
impl Host {
    /// setsockopt(2), with Linux's numbers and lengths.
    pub fn setsockopt(
        &mut self,
        id: SocketId,
        level: i32,
        name: i32,
        value: &[u8],
        now: Instant,
    ) -> Result<()> {
        if self.set_unix_option(id, level, name, value)? {
            return Ok(());
        }
        let entry = self.find_option(id, level, name).map_err(|unknown| {
            // sk_setsockopt, tcp_setsockopt and udp_lib_setsockopt look at the length before they look at the name.
            let own = self.sockets.get(id).is_some_and(|socket| match level {
                table::SOL_SOCKET => true,
                table::IPPROTO_TCP => socket.is_tcp(),
                table::IPPROTO_UDP | table::IPPROTO_UDPLITE => socket.is_udp(),
                _ => false,
            });
            if own && value.len() < 4 { Errno::EINVAL } else { unknown }
        })?;
        match entry.support {
            Support::Effective => match entry.group {
                Group::Socket => self.set_socket_option(id, name, value, now),
                Group::Ip => self.set_ip_option(id, name, value),
                Group::Ipv6 => self.set_ipv6_option(id, name, value),
                Group::Tcp => self.set_tcp_option(id, name, value, now),
                Group::Udp if level == table::IPPROTO_UDP => self.set_udp_option(id, name, value, now),
                Group::Udp => self.set_lite_option(id, name, value),
                Group::Raw => self.set_raw_option(id, level, name, value),
            },
            Support::Stored { len, .. } => {
                let mut value = value::exact(value, len, level == table::IPPROTO_IP)?;
                let socket = self.socket_mut(id)?;
                if len == 4 {
                    value = value::of_int(socket.keepable(level, name, value::int(&value)?)?);
                }
                socket.options.store(level, name, value);
                Ok(())
            }
            Support::Flag { .. } => {
                let value = match level {
                    table::IPPROTO_IP => value::int_or_byte(value)?,
                    _ if value.len() < 4 && kept::is_lenient(level, name) => 0,
                    _ => value::int(value)?,
                };
                let socket = self.socket_mut(id)?;
                let value = socket.keepable(level, name, value)?;
                socket.options.store(level, name, value::of_bool(value != 0));
                Ok(())
            }
            Support::ReadOnly | Support::Refused(_)
                if matches!(level, table::SOL_SOCKET | table::IPPROTO_TCP)
                    && !(level == table::IPPROTO_TCP && name == TCP_ULP)
                    && value.len() < 4 =>
            {
                Err(Errno::EINVAL)
            }
            Support::ReadOnly => Err(Errno::ENOPROTOOPT),
            Support::Refused(errno) => Err(errno),
        }
    }

    /// getsockopt(2); the value is cut to `max_len` as Linux cuts it.
    pub fn getsockopt(
        &mut self,
        id: SocketId,
        level: i32,
        name: i32,
        max_len: usize,
        now: Instant,
    ) -> Result<OptionValue> {
        if !self.socket_ref(id)?.passes_level(level) {
            return Err(Errno::EOPNOTSUPP);
        }
        if let Some(mut value) = self.get_unix_option(id, name)? {
            value.truncate(max_len);
            return Ok(value);
        }
        let entry = self.find_option(id, level, name)?;
        if (level, name) == (table::IPPROTO_TCP, TCP_SAVED_SYN) {
            return self.take_saved_syn(id, max_len);
        }
        let mut value = match entry.support {
            Support::Effective | Support::ReadOnly => match entry.group {
                Group::Socket => self.get_socket_option(id, name)?,
                Group::Ip => self.get_ip_option(id, name)?,
                Group::Ipv6 => self.get_ipv6_option(id, name)?,
                Group::Tcp => self.get_tcp_option(id, name, now)?,
                Group::Udp => {
                    match seldom::SeldomName::of_udp(name).filter(|_| level == table::IPPROTO_UDP) {
                        Some(name) => self.get_seldom_option(id, name)?,
                        None => self.get_lite_option(id, name)?,
                    }
                }
                Group::Raw => self.get_raw_option(id, level, name)?,
            },
            Support::Stored { len, default } => {
                let stored = self.socket_ref(id)?.options.stored(level, name);
                stored.cloned().unwrap_or_else(|| value::padded(default, len))
            }
            Support::Flag { default, .. } => {
                let stored = self.socket_ref(id)?.options.stored(level, name);
                stored.cloned().unwrap_or_else(|| value::of_bool(default))
            }
            Support::Refused(errno) => return Err(errno),
        };
        // ip_getsockopt gives a small integer as one byte to who has room for less than an int.
        let small = matches!(&value[..], [_, 0, 0, 0]);
        if matches!(entry.group, Group::Ip)
            && name != ip::IP_MULTICAST_IF
            && small
            && (1..4).contains(&max_len)
        {
            value.truncate(1);
        }
        value.truncate(max_len);
        Ok(value)
    }

    fn find_option(&self, id: SocketId, level: i32, name: i32) -> Result<&'static Entry> {
        let socket = self.socket_ref(id)?;
        let fits = match level {
            table::IPPROTO_TCP => socket.is_tcp(),
            table::IPPROTO_UDP | table::IPPROTO_UDPLITE => socket.is_udp(),
            table::IPPROTO_IPV6 => socket.domain == Domain::Inet6,
            table::IPPROTO_IP => socket.domain == Domain::Inet || socket.kind != Kind::Raw,
            table::SOL_RAW => socket.has_raw_option(name),
            table::IPPROTO_ICMPV6 => socket.kind == Kind::Raw && socket.domain == Domain::Inet6,
            _ => true,
        };
        let entry = table::find(level, name).filter(|_| fits);
        // An unknown level is one that the protocol does not pass on.
        entry.ok_or(Errno::ENOPROTOOPT)
    }
}

impl Socket {
    /// Whether getsockopt passes a level on, or to IPv4's ip_getsockopt, which says EOPNOTSUPP to a level that
    /// is not its own; setsockopt and IPv6 say ENOPROTOOPT.
    fn passes_level(&self, level: i32) -> bool {
        if self.domain == Domain::Unix {
            return level == table::SOL_SOCKET;
        }
        let own = match (self.kind, self.protocol) {
            (Kind::Stream, _) => table::IPPROTO_TCP,
            (Kind::Datagram, own @ (protocol::UDP | protocol::UDPLITE)) => i32::from(own),
            (Kind::Datagram | Kind::SeqPacket, _) => table::SOL_SOCKET,
            (Kind::Raw, _) => table::SOL_RAW,
        };
        // UDP and UDP-Lite pass on each other's level as well.
        let lite = self.is_udp() && matches!(level, table::IPPROTO_UDP | table::IPPROTO_UDPLITE);
        self.domain == Domain::Inet6 || lite || [table::SOL_SOCKET, table::IPPROTO_IP, own].contains(&level)
    }
}

impl SocketOptions {
    pub(crate) fn store(&mut self, level: i32, name: i32, value: OptionValue) {
        match self.stored.iter_mut().find(|(l, n, _)| (*l, *n) == (level, name)) {
            Some((_, _, old)) => *old = value,
            None => self.stored.push((level, name, value)),
        }
    }

    /// Takes what was stored.
    pub(crate) fn unstore(&mut self, level: i32, name: i32) -> Option<OptionValue> {
        let at = self.stored.iter().position(|(l, n, _)| (*l, *n) == (level, name))?;
        Some(self.stored.swap_remove(at).2)
    }

    pub(crate) fn stored(&self, level: i32, name: i32) -> Option<&OptionValue> {
        self.stored.iter().find(|(l, n, _)| (*l, *n) == (level, name)).map(|(_, _, value)| value)
    }
}

/// Its value is a name.
const TCP_ULP: i32 = 31;
const PMTUDISC_WANT: u8 = 1;
const PMTUDISC_DO: u8 = 2;
const PMTUDISC_PROBE: u8 = 3;
