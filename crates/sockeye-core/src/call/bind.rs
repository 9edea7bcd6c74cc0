//! bind, getsockname, getpeername: names.

use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, IfIndex, Kind, SocketId};
use crate::socket::bind::{Binding, Ports, Rule};
use crate::socket::demux::Demux;
use crate::socket::table::{Body, Role, Socket, unspecified};
use crate::tcp::State;
use crate::wire::{protocol, unmap};
use core::net::{IpAddr, SocketAddr};
use smallvec::SmallVec;

/// Names.
impl Host {
    /// bind(2).
    pub fn bind(&mut self, id: SocketId, addr: SocketAddr) -> Result<()> {
        let socket = self.socket_ref(id)?;
        check_family(socket, addr)?;
        if socket.kind == Kind::Raw {
            return self.bind_raw(id, addr);
        }
        let asked = addr;
        let addr = unmap(addr);
        if asked != addr && socket.options.v6only {
            return Err(Errno::EINVAL);
        }
        let unused = socket.local.port() == 0 && socket.role().is_none_or(|role| matches!(role, Role::Idle));
        let free = unused || self.is_over(id);
        // inet6_bind looks at the socket first, inet_bind at the address.
        if !free && socket.domain == Domain::Inet6 {
            return Err(Errno::EINVAL);
        }
        self.check_bind_address(socket, addr)?;
        if !free {
            return Err(Errno::EINVAL);
        }
        let device = scope_of(addr).or(socket.options.device);
        let socket = &mut self.sockets[id];
        let before = (socket.local, socket.options.device, socket.options.v6only);
        socket.local = SocketAddr::new(addr.ip(), 0);
        socket.options.device = device;
        // inet6_bind: who has one address of IPv6 is for IPv6 only.
        socket.options.v6only |= addr.is_ipv6() && !addr.ip().is_unspecified();
        let later = addr.port() == 0 && self.sockets[id].options.bind_no_port;
        if !later && let Err(errno) = self.take_port(id, addr.port()) {
            let socket = &mut self.sockets[id];
            (socket.local, socket.options.device, socket.options.v6only) = before;
            return Err(errno);
        }
        let socket = &mut self.sockets[id];
        socket.port_shown = 0;
        socket.addr_locked = !addr.ip().is_unspecified();
        socket.port_locked = addr.port() != 0;
        Ok(())
    }

    /// A connection that has ended and given its port back leaves a socket that may be bound (`TCP_CLOSE`, no
    /// `inet_num`), although connect has still to tell of the end. In TIME-WAIT the socket is a closed one already.
    pub(crate) fn is_over(&self, id: SocketId) -> bool {
        let socket = &self.sockets[id];
        self.is_ended(id) && !socket.port_locked && socket.hold.is_none()
    }

    /// raw_bind and rawv6_bind: an address only, which may change as long as there is no peer.
    fn bind_raw(&mut self, id: SocketId, addr: SocketAddr) -> Result<()> {
        let socket = &self.sockets[id];
        if socket.inbox().is_some_and(|inbox| inbox.peer.is_some()) {
            return Err(Errno::EINVAL);
        }
        if addr != unmap(addr) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.check_bind_address(socket, addr)?;
        let socket = &mut self.sockets[id];
        socket.options.device = scope_of(addr).or(socket.options.device);
        socket.local = SocketAddr::new(addr.ip(), 0);
        socket.addr_locked = !addr.ip().is_unspecified();
        Ok(())
    }

    /// inet_bind and inet6_bind: the address is the host's, or one for everybody.
    fn check_bind_address(&self, socket: &Socket, addr: SocketAddr) -> Result<()> {
        let ip = addr.ip();
        if socket.is_tcp() && ip.is_ipv6() && ip.is_multicast() {
            return Err(Errno::EINVAL);
        }
        if let SocketAddr::V6(v6) = addr
            && v6.ip().is_unicast_link_local()
            && v6.scope_id() == 0
            && socket.options.device.is_none()
        {
            return Err(Errno::EINVAL);
        }
        let exists = ip.is_unspecified()
            || self.routing.is_local(ip)
            || ip.is_multicast()
            || self.routing.is_broadcast(ip)
            || self.may_have_any_source(socket);
        if exists { Ok(()) } else { Err(Errno::EADDRNOTAVAIL) }
    }

    /// Takes a port for a socket whose address is set; 0 lets the host choose. EADDRINUSE when it cannot.
    pub(crate) fn take_port(&mut self, id: SocketId, port: u16) -> Result<()> {
        let socket = &self.sockets[id];
        let binding = socket.binding();
        let is_tcp = socket.is_tcp();
        let port = match port {
            0 => {
                let rule = if is_tcp { Rule::TcpChosen } else { Rule::Udp };
                let ports = match socket.protocol {
                    protocol::TCP => &self.tcp_ports,
                    protocol::UDP => &self.udp_ports,
                    protocol::UDPLITE => &self.lite_ports,
                    _ => &self.ping_ports,
                };
                let free = |port| !ports.conflicts(port, binding, rule);
                self.ephemeral
                    .for_bind(socket.options.port_range(), &mut self.engine.rng, free)
                    .ok_or(Errno::EADDRINUSE)?
            }
            port => {
                let rule = if is_tcp { Rule::TcpNamed } else { Rule::Udp };
                if self.ports_of(id).conflicts(port, binding, rule) {
                    return Err(Errno::EADDRINUSE);
                }
                port
            }
        };
        let hold = self.ports_of(id).take(port, binding);
        let socket = &mut self.sockets[id];
        socket.hold = Some(hold);
        socket.local.set_port(port);
        if !is_tcp {
            self.list_datagram(id);
        }
        Ok(())
    }

    /// A port for a socket that needs one and has none (`inet_autobind`): every connect and send of a datagram
    /// socket begins so, before its arguments are looked at.
    ///
    /// # Errors
    /// EAGAIN when no port is free.
    pub fn autobind(&mut self, id: SocketId) -> Result<()> {
        let socket = self.socket_ref(id)?;
        match socket.local.port() {
            _ if socket.kind == Kind::Raw => Ok(()),
            0 => self.take_port(id, 0).map_err(|_| Errno::EAGAIN),
            _ => Ok(()),
        }
    }

    /// Brings a socket's hold up to date after its flags or address have changed.
    pub(crate) fn rebind(&mut self, id: SocketId) {
        let binding = self.sockets[id].binding();
        if let Some(hold) = self.sockets[id].hold {
            let hold = self.ports_of(id).change(hold, binding);
            self.sockets[id].hold = Some(hold);
        } else if let Some(flow) = self.sockets[id].flow()
            && let Some(hold) = self.flows[flow].hold
        {
            let binding = Binding { explicit: hold.binding.explicit, ..binding };
            self.flows[flow].hold = Some(self.tcp_ports.change(hold, binding));
        }
    }

    pub(crate) fn ports_of(&mut self, id: SocketId) -> &mut Ports {
        match self.sockets[id].protocol {
            protocol::TCP => &mut self.tcp_ports,
            protocol::UDP => &mut self.udp_ports,
            protocol::UDPLITE => &mut self.lite_ports,
            _ => &mut self.ping_ports,
        }
    }

    /// Lets datagrams find the socket: by its four values when it is connected, else by its name.
    pub(crate) fn list_datagram(&mut self, id: SocketId) {
        let socket = &self.sockets[id];
        let name = (socket.bound_addr(), socket.local.port());
        match socket.peer_key() {
            _ if socket.kind == Kind::Raw => {}
            _ if socket.is_ping() => self.raws.insert_ping(socket.domain, name.1, id),
            _ if socket.intercepts => self.demux.insert_intercept(protocol::UDP, name.1, id),
            Some(key) => self.names_mut(id).insert_connected(key, id),
            None => self.names_mut(id).insert_datagram(name, id),
        }
    }

    /// Where the datagram sockets of a protocol stand by name and peer.
    pub(crate) fn names(&self, protocol: u8) -> &Demux {
        if protocol == protocol::UDPLITE { &self.lite_names } else { &self.demux }
    }

    fn names_mut(&mut self, id: SocketId) -> &mut Demux {
        match self.sockets[id].protocol {
            protocol::UDPLITE => &mut self.lite_names,
            _ => &mut self.demux,
        }
    }

    /// The way back from [`Host::list_datagram`]; before the name or the peer changes.
    pub(crate) fn unlist_datagram(&mut self, id: SocketId) {
        let socket = &self.sockets[id];
        let name = (socket.bound_addr(), socket.local.port());
        match socket.peer_key() {
            _ if socket.kind == Kind::Raw => {}
            _ if socket.is_ping() => self.raws.remove_ping(socket.domain, name.1, id),
            _ if socket.intercepts => self.demux.remove_intercept(protocol::UDP, name.1, id),
            Some(key) => self.names_mut(id).remove_connected(&key, id),
            None => self.names_mut(id).remove_datagram(name, id),
        }
    }

    /// Makes a wildcard-bound UDP socket or TCP listener receive what programs of this host send to its port
    /// at any address, also a non-local one, unless another socket of the host serves that address and port.
    /// It takes no part in bind conflicts any more. Accepted connections and [`crate::host::Datagram::to`]
    /// show the original destination, which [`crate::host::SendControl::source`] may then be.
    ///
    /// # Errors
    /// EINVAL when it is neither or not bound to a wildcard.
    pub fn intercept(&mut self, id: SocketId) -> Result<()> {
        let socket = self.socket_ref(id)?;
        let name = (socket.bound_addr(), socket.local.port());
        let (is_tcp, listens) = (socket.is_tcp(), socket.listener().is_some());
        if !socket.local.ip().is_unspecified() || name.1 == 0 || !socket.is_udp() && !listens {
            return Err(Errno::EINVAL);
        }
        if is_tcp {
            self.demux.remove_listener(name, id);
            self.demux.insert_intercept(protocol::TCP, name.1, id);
            self.sockets[id].intercepts = true;
        } else {
            self.unlist_datagram(id);
            self.sockets[id].intercepts = true;
            self.list_datagram(id);
        }
        self.release_port(id);
        Ok(())
    }

    /// getsockname(2); unspecified and port 0 when unbound.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        let socket = self.socket_ref(id)?;
        let mut local = socket.local;
        if local.port() == 0 {
            local.set_port(socket.port_shown);
        }
        Ok(socket.show(local))
    }

    /// getpeername(2).
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        let socket = self.socket_ref(id)?;
        let peer = match &socket.body {
            Body::Datagram(inbox) => inbox.peer.filter(|peer| peer.port() != 0),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                let flow = &self.flows[*flow];
                let state = flow.connection().map(|connection| connection.state());
                state.filter(|s| !matches!(s, State::Closed | State::SynSent)).map(|_| flow.remote)
            }
            Body::Stream { .. } | Body::Unix(_) => None,
        };
        peer.map(|peer| socket.show(peer)).ok_or(Errno::ENOTCONN)
    }

    /// Who holds a port of a protocol (6 TCP, 17 UDP): the sockets that can stand in a bind's way. For
    /// messages: it looks at all sockets.
    pub fn port_holders(&self, protocol: u8, port: u16) -> SmallVec<[SocketId; 4]> {
        self.sockets().filter(|id| self.sockets[*id].holds(protocol, port)).collect()
    }

    /// What disconnecting leaves of the name: what bind gave.
    pub(crate) fn reset_name(&mut self, id: SocketId) {
        let socket = &mut self.sockets[id];
        if !socket.addr_locked {
            let port = socket.local.port();
            socket.local = SocketAddr::new(unspecified(socket.domain).ip(), port);
        }
        if socket.port_locked {
            return self.rebind(id);
        }
        // inet_put_port forgets the number, not what getsockname shows; __udp_disconnect forgets both.
        socket.port_shown = match socket.kind {
            Kind::Stream => socket.local.port(),
            Kind::Datagram | Kind::SeqPacket => 0,
            Kind::Raw => u16::from(socket.protocol),
        };
        socket.local.set_port(0);
        self.release_port(id);
    }
}

impl Socket {
    fn holds(&self, protocol: u8, port: u16) -> bool {
        self.protocol == protocol && self.local.port() == port && !self.intercepts
    }
}

/// EAFNOSUPPORT for an address of the wrong family; AF_INET on a v6 socket is one, mapped is the way.
pub(super) fn check_family(socket: &Socket, addr: SocketAddr) -> Result<()> {
    let fits = match socket.domain {
        Domain::Inet => addr.is_ipv4(),
        Domain::Inet6 => addr.is_ipv6(),
        Domain::Unix => false,
    };
    if fits { Ok(()) } else { Err(Errno::EAFNOSUPPORT) }
}

/// The interface that a link-local address names.
pub(super) fn scope_of(addr: SocketAddr) -> Option<IfIndex> {
    match addr {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() != 0 => {
            Some(IfIndex(v6.scope_id()))
        }
        _ => None,
    }
}

/// Whether an address is 0.0.0.0 or `::`, mapped too.
pub(super) fn is_wildcard(addr: IpAddr) -> bool {
    addr.is_unspecified()
}
