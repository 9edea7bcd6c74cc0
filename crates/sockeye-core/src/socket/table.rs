//! What a socket is, and the helpers that every call begins with.

use super::bind::{Binding, BoundAddr, Hold};
use super::demux::FlowKey;
use super::flow::FlowId;
use super::listener::Listener;
use crate::errno::{Errno, Result};
use crate::filter::Attached;
use crate::host::{Domain, Event, Host, Kind, SocketId};
use crate::options::SocketOptions;
use crate::tcp::Settings;
use crate::udp::Inbox;
use crate::unix::UnixSocket;
use crate::wire::{protocol, to_v6};
use alloc::boxed::Box;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// A socket of a host.
#[derive(Debug)]
pub(crate) struct Socket {
    /// For life, as Linux's socket inode; counts up.
    pub inode: u64,
    pub domain: Domain,
    pub kind: Kind,
    pub protocol: u8,
    pub options: SocketOptions,
    /// v4-mapped addresses stand here as v4; unspecified and port 0 when unbound.
    pub local: SocketAddr,
    /// The address was given by bind (`SOCK_BINDADDR_LOCK`): a disconnect keeps it.
    pub addr_locked: bool,
    /// The same of the port.
    pub port_locked: bool,
    /// The port that a stream had and gave back: getsockname shows it until there is another (`inet_sport`).
    /// Of a raw socket its protocol.
    pub port_shown: u16,
    /// Its hold on the port, while no flow has it.
    pub hold: Option<Hold>,
    pub owner_tag: u64,
    /// A `Ready` event waits to be taken.
    pub ready_told: bool,
    /// The listener in whose accept queue it waits.
    pub parent: Option<SocketId>,
    /// See [`Host::intercept`].
    pub intercepts: bool,
    pub error: Option<Errno>,
    pub filter: Option<Box<Attached>>,
    pub shut_read: bool,
    pub shut_write: bool,
    pub body: Body,
}

/// What depends on the kind.
#[derive(Debug)]
pub(crate) enum Body {
    /// The settings are here for a connection to come; while there is one it has them.
    Stream {
        settings: Option<Box<Settings>>,
        role: Role,
    },
    Datagram(Box<Inbox>),
    Unix(Box<UnixSocket>),
}

/// What a stream socket is at the moment (`sock->state` and `sk->sk_state` of Linux together).
#[derive(Debug)]
pub(crate) enum Role {
    /// Neither listening nor connected.
    Idle,
    Listener(Box<Listener>),
    Connection {
        flow: FlowId,
        phase: Phase,
    },
}

/// How far the program knows of its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// connect said EINPROGRESS and has not been asked again.
    Connecting,
    Connected,
    /// It was shut before its failure was told (`SS_DISCONNECTING`): only `AF_UNSPEC` makes it usable again.
    Dissolving,
}

impl Socket {
    pub(crate) fn new(inode: u64, domain: Domain, kind: Kind, protocol: u8) -> Self {
        let body = match kind {
            _ if domain == Domain::Unix => Body::Unix(Box::new(UnixSocket::new())),
            Kind::Stream => Body::Stream { settings: Some(Box::default()), role: Role::Idle },
            Kind::Datagram | Kind::Raw | Kind::SeqPacket => Body::Datagram(Box::default()),
        };
        Self {
            inode,
            domain,
            kind,
            protocol,
            // Raw sockets have no ports: any number may be bound alike.
            options: SocketOptions { reuse_addr: kind == Kind::Raw, ..SocketOptions::default() },
            local: unspecified(domain),
            addr_locked: false,
            port_locked: false,
            port_shown: 0,
            hold: None,
            owner_tag: 0,
            ready_told: false,
            parent: None,
            intercepts: false,
            error: None,
            filter: None,
            shut_read: false,
            shut_write: false,
            body,
        }
    }

    pub(crate) fn role(&self) -> Option<&Role> {
        match &self.body {
            Body::Stream { role, .. } => Some(role),
            Body::Datagram(_) | Body::Unix(_) => None,
        }
    }

    pub(crate) fn set_role(&mut self, new: Role) {
        match &mut self.body {
            Body::Stream { role, .. } => *role = new,
            Body::Datagram(_) | Body::Unix(_) => unreachable!("only a stream of TCP has a role"),
        }
    }

    pub(crate) fn listener(&self) -> Option<&Listener> {
        match &self.body {
            Body::Stream { role: Role::Listener(listener), .. } => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn listener_mut(&mut self) -> Option<&mut Listener> {
        match &mut self.body {
            Body::Stream { role: Role::Listener(listener), .. } => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn flow(&self) -> Option<FlowId> {
        match self.body {
            Body::Stream { role: Role::Connection { flow, .. }, .. } => Some(flow),
            _ => None,
        }
    }

    pub(crate) fn settings(&self) -> Option<&Settings> {
        match &self.body {
            Body::Stream { settings, .. } => settings.as_deref(),
            Body::Datagram(_) | Body::Unix(_) => None,
        }
    }

    pub(crate) fn settings_mut(&mut self) -> Option<&mut Settings> {
        match &mut self.body {
            Body::Stream { settings, .. } => settings.as_deref_mut(),
            Body::Datagram(_) | Body::Unix(_) => None,
        }
    }

    /// Gives the settings to a connection, or (with `Some`) takes them back from it.
    pub(crate) fn swap_settings(&mut self, with: Option<Box<Settings>>) -> Option<Box<Settings>> {
        match &mut self.body {
            Body::Stream { settings, .. } => core::mem::replace(settings, with),
            Body::Datagram(_) | Body::Unix(_) => None,
        }
    }

    pub(crate) fn inbox(&self) -> Option<&Inbox> {
        match &self.body {
            Body::Datagram(inbox) => Some(inbox),
            Body::Stream { .. } | Body::Unix(_) => None,
        }
    }

    pub(crate) fn inbox_mut(&mut self) -> Option<&mut Inbox> {
        match &mut self.body {
            Body::Datagram(inbox) => Some(inbox),
            Body::Stream { .. } | Body::Unix(_) => None,
        }
    }

    /// Whether it has, or has lent to a connection, the settings of a stream of TCP.
    pub(crate) fn is_tcp_like(&self) -> bool {
        matches!(self.body, Body::Stream { .. })
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.protocol == protocol::TCP && self.kind == Kind::Stream
    }

    pub(crate) fn is_udp(&self) -> bool {
        self.kind == Kind::Datagram && self.domain != Domain::Unix && !self.is_ping()
    }

    /// A datagram socket of ICMP.
    pub(crate) fn is_ping(&self) -> bool {
        self.kind == Kind::Datagram && matches!(self.protocol, protocol::ICMP | protocol::ICMPV6)
    }

    pub(crate) fn bound_addr(&self) -> BoundAddr {
        BoundAddr::new(self.local.ip(), self.options.v6only)
    }

    /// What the others see of its hold on a port.
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            addr: self.bound_addr(),
            reuse: self.options.reuse_addr,
            reuseport: self.options.reuse_port,
            listening: matches!(self.role(), Some(Role::Listener(_))),
            device: self.options.device.map_or(0, |i| i.0),
            explicit: true,
            dual: self.domain == Domain::Inet6 && !self.options.v6only,
        }
    }

    /// The four values of a connected datagram socket; none while it is connected to port 0, which is any.
    pub(crate) fn peer_key(&self) -> Option<FlowKey> {
        let peer = self.inbox()?.peer.filter(|peer| peer.port() != 0);
        peer.map(|peer| FlowKey::new(self.local, peer, None))
    }

    /// Whether a datagram socket is connected.
    pub(crate) fn has_peer(&self) -> bool {
        self.inbox().is_some_and(|inbox| inbox.peer.is_some())
    }

    /// Whether it is connected, if only to an address with port 0, and that is not `from`.
    pub(crate) fn is_deaf_to(&self, from: IpAddr) -> bool {
        self.inbox().and_then(|inbox| inbox.peer).is_some_and(|peer| peer.ip() != from)
    }

    /// An address as this socket's program sees it: v4 is mapped on a v6 socket.
    pub(crate) fn show(&self, addr: SocketAddr) -> SocketAddr {
        show(self.domain, addr)
    }
}

/// `0.0.0.0:0` or `[::]:0`.
pub(crate) fn unspecified(domain: Domain) -> SocketAddr {
    match domain {
        // What stands where an Internet socket has its address; a Unix-domain one has a name instead.
        Domain::Inet | Domain::Unix => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        Domain::Inet6 => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}

/// An address in a family's form.
pub(crate) fn show(domain: Domain, addr: SocketAddr) -> SocketAddr {
    match (domain, addr) {
        (Domain::Inet6, SocketAddr::V4(v4)) => {
            SocketAddr::V6(SocketAddrV6::new(to_v6(IpAddr::V4(*v4.ip())), v4.port(), 0, 0))
        }
        _ => addr,
    }
}

/// The same of a bare address.
pub(crate) fn show_ip(domain: Domain, addr: IpAddr) -> IpAddr {
    match domain {
        Domain::Inet | Domain::Unix => addr,
        Domain::Inet6 => IpAddr::V6(to_v6(addr)),
    }
}

impl Host {
    /// The socket, or EBADF.
    pub(crate) fn socket_ref(&self, id: SocketId) -> Result<&Socket> {
        self.sockets.get(id).ok_or(Errno::EBADF)
    }

    /// The same, to be changed.
    pub(crate) fn socket_mut(&mut self, id: SocketId) -> Result<&mut Socket> {
        self.sockets.get_mut(id).ok_or(Errno::EBADF)
    }

    /// Makes a socket; the caller has checked what it is.
    pub(crate) fn insert_socket(&mut self, domain: Domain, kind: Kind, protocol: u8) -> SocketId {
        self.inode_last += 1;
        let mut socket = Socket::new(self.inode_last, domain, kind, protocol);
        if let Some(settings) = socket.settings_mut() {
            settings.congestion = self.engine.limits.congestion;
        }
        self.sockets.insert(socket)
    }

    /// Tells the owner that readiness may have changed, once until it looks.
    pub(crate) fn tell_ready(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !core::mem::replace(&mut socket.ready_told, true) {
            self.events.push_back(Event::Ready(id));
        }
    }

    /// An error for a socket, shown once.
    pub(crate) fn set_error(&mut self, id: SocketId, errno: Errno) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.error = Some(errno);
        self.tell_ready(id);
    }
}
