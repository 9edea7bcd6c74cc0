//! A datagram is sent: whose address it gets, which way it goes, and what comes back at once.

use super::{PAYLOAD_MAX_V4, PAYLOAD_MAX_V6, cut};
use crate::Packet;
use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex, Kind, SendControl, SocketId};
use crate::ip::input::{Meta, TTL_DEFAULT};
use crate::ip::output::Outgoing;
use crate::ip::route::{Path, Route};
use crate::packet::Payload;
use crate::socket::table::Socket;
use crate::time::Instant;
use crate::wire::protocol;
use crate::wire::udp::UdpHeader;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

impl Host {
    /// Sends to `to` from a socket that has a port. Both addresses are unmapped.
    pub(crate) fn udp_send(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: SocketAddr,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        let len = payload.len();
        let route = self.udp_way(id, len, to, control)?;
        let protocol = self.sockets[id].protocol;
        let from = SocketAddr::new(route.source, self.sockets[id].local.port());
        let mut meta = Meta::own(from.ip(), to.ip(), protocol, now);
        meta.coverage = self.sockets[id].options.lite_sent(protocol, len);
        meta.segment = self.batch_of(id, len, to, control, route.mtu)?;
        (meta.ttl, meta.tos) = self.sockets[id].header_fields(to.ip(), control);
        meta.is_group = to.ip().is_multicast() || self.routing.is_broadcast(to.ip());
        let loops = meta.is_group && self.sockets[id].options.loops(to.ip());
        let (heard_here, way_home) = self.ways_home(route.path, loops);
        self.counters.udp_out_datagrams += 1;
        if heard_here {
            self.udp_seen_by_raw(&meta, from, to, &payload);
        }
        if heard_here && !self.udp_arrives(&meta, from, to, payload.clone()) {
            self.unreachable_seen_by_raw(&meta, from, to, &payload);
            self.refuse_datagram(protocol, from, to, payload);
            return Ok(len);
        }
        for way in [Some(route), way_home].into_iter().flatten() {
            if let Path::Out(interface) = way.path {
                for piece in cut(payload.clone(), meta.segment) {
                    self.udp_send_out(id, &meta, interface, way.mtu, from, to, piece)?;
                }
            }
        }
        Ok(len)
    }

    /// The way of `len` bytes, and all that Linux checks before it looks at them, in its order.
    pub(crate) fn udp_way(
        &mut self,
        id: SocketId,
        len: usize,
        to: SocketAddr,
        control: &SendControl,
    ) -> Result<Route> {
        let route = self.datagram_route(id, self.sockets[id].protocol, to, control)?;
        let max = if to.is_ipv4() { PAYLOAD_MAX_V4 } else { PAYLOAD_MAX_V6 };
        if len > max {
            return Err(Errno::EMSGSIZE);
        }
        self.sockets[id].may_queue().map(|()| route)
    }

    /// How a datagram reaches the host's own sockets beside the way that it takes: whether inside, and by which
    /// link (where `lo` is one, what is sent to a group returns by it).
    pub(crate) fn ways_home(&self, path: Path, loops: bool) -> (bool, Option<Route>) {
        let returns = loops && path.interface() != IfIndex::LO;
        match self.routing.own_path() {
            Path::Loopback => (path == Path::Loopback || returns, None),
            Path::Out(_) => {
                let unused = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
                (path == Path::Loopback, returns.then(|| self.routing.own_route(unused)))
            }
        }
    }

    /// A datagram inside the host becomes bytes if a raw socket watches.
    fn udp_seen_by_raw(&mut self, meta: &Meta, from: SocketAddr, to: SocketAddr, payload: &Payload) {
        if !self.raws.of(from.is_ipv6(), meta.protocol).is_empty() {
            self.raw_arrives(meta, &udp_packet(meta, from, to, payload));
        }
    }

    /// So does the message that nobody has its port, which nobody else needs.
    fn unreachable_seen_by_raw(&mut self, meta: &Meta, from: SocketAddr, to: SocketAddr, payload: &Payload) {
        let icmp = if from.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
        if !self.raws.of(from.is_ipv6(), icmp).is_empty() {
            self.icmp_port_unreachable_seen(meta, icmp, &udp_packet(meta, from, to, payload));
        }
    }

    #[allow(clippy::too_many_arguments)] // the parts of one datagram
    fn udp_send_out(
        &mut self,
        id: SocketId,
        meta: &Meta,
        interface: IfIndex,
        mtu: u32,
        from: SocketAddr,
        to: SocketAddr,
        payload: Payload,
    ) -> Result<()> {
        let whole = self.sockets[id].options.keeps_whole(to.ip());
        let (src, dst) = (from.ip(), to.ip());
        let out = Outgoing {
            src,
            dst,
            protocol: meta.protocol,
            ttl: meta.ttl,
            tos: meta.tos,
            interface,
            whole,
            mtu,
        };
        let mut packet = Packet::new(payload);
        let header = UdpHeader { src_port: from.port(), dst_port: to.port() };
        match meta.protocol {
            protocol::UDPLITE => header.put_lite(&mut packet, src, dst, meta.coverage.unwrap_or(0)),
            _ => header.put(&mut packet, src, dst),
        }
        self.ip_send(&out, packet)
    }

    /// The way of a datagram and its source address. Checks what Linux checks on the way: EACCES for a
    /// broadcast that was not asked for, ENETUNREACH without route, EINVAL for a source that is not ours.
    pub(crate) fn datagram_route(
        &self,
        id: SocketId,
        protocol: u8,
        to: SocketAddr,
        control: &SendControl,
    ) -> Result<Route> {
        let socket = &self.sockets[id];
        if self.routing.is_broadcast(to.ip()) && !socket.options.broadcast {
            return Err(Errno::EACCES);
        }
        let source = self.chosen_source(socket, to.ip(), control)?;
        let preferred = match to.ip().is_multicast() {
            true => socket.options.multicast_interface(to.ip()),
            // Of datagram and raw sockets alone.
            false if socket.kind != Kind::Stream => socket.options.unicast_interface(to.ip()),
            false => None,
        };
        let scope = match to {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(IfIndex(v6.scope_id())),
            _ => None,
        };
        // Linux: who has an address sends to groups and to all by its interface.
        let of_source = source.filter(|_| to.is_ipv4() && self.routing.is_group(to.ip()));
        let of_source = of_source.and_then(|source| self.routing.interface_of(source));
        let device = control.interface.or(socket.options.device).or(preferred).or(scope).or(of_source);
        let route = self.routing.lookup(to.ip(), device);
        let intercepted = self.demux.intercept(protocol, to.port()).is_some_and(|other| other != id);
        let mut route = match route {
            // The resolver is no host on a link: nothing is lost on the way to it and back.
            Some(route) if self.sockets[id].intercepts => Route::loopback(route.source),
            Some(route) if route.path == Path::Loopback || !intercepted => route,
            Some(route) => Route::loopback(route.source),
            None if intercepted => Route::loopback(loopback_of(to.ip())),
            None => return Err(Errno::ENETUNREACH),
        };
        if let Some(source) = source {
            // A loopback source does not leave the host (Linux: EINVAL of the route lookup).
            let leaves = route.path.interface() != IfIndex::LO;
            if source.is_loopback() && leaves && !self.may_have_any_source(socket) {
                return Err(Errno::EINVAL);
            }
            route.source = source;
        }
        Ok(route)
    }

    /// The source that the program chose, by control message or bind.
    fn chosen_source(&self, socket: &Socket, to: IpAddr, control: &SendControl) -> Result<Option<IpAddr>> {
        let chosen = control.source.map(|s| s.to_canonical()).filter(|s| !s.is_unspecified());
        if let Some(chosen) = chosen {
            let allowed =
                self.routing.is_local(chosen) || socket.intercepts || self.may_have_any_source(socket);
            return if allowed { Ok(Some(chosen)) } else { Err(Errno::EINVAL) };
        }
        let local = socket.local.ip();
        match self.routing.is_source(local) {
            // Also of `::ffff:0.0.0.0`, the wildcard of v4 alone.
            _ if local.is_ipv4() && to.is_ipv6() => Err(Errno::EAFNOSUPPORT),
            true if local.is_ipv4() != to.is_ipv4() && !socket.addr_locked => Ok(None),
            true if local.is_ipv4() != to.is_ipv4() => Err(Errno::ENETUNREACH),
            usable => Ok(usable.then_some(local)),
        }
    }

    /// Whether a socket may speak as somebody else.
    pub(crate) fn may_have_any_source(&self, socket: &Socket) -> bool {
        self.config.any_source || socket.options.transparent || socket.options.freebind
    }
}

impl Socket {
    /// Time to live and type of service of a datagram.
    pub(crate) fn header_fields(&self, to: IpAddr, control: &SendControl) -> (u8, u8) {
        let options = &self.options;
        let (ttl, tos) = match (to.is_ipv4(), to.is_multicast()) {
            (true, true) => (options.multicast_ttl, options.tos),
            (true, false) => (options.ttl.unwrap_or(TTL_DEFAULT), options.tos),
            (false, true) => (options.multicast_hops, options.traffic_class),
            (false, false) => (options.hop_limit.unwrap_or(TTL_DEFAULT), options.traffic_class),
        };
        (control.ttl.unwrap_or(ttl), control.tos.unwrap_or(tos))
    }
}

fn udp_packet(meta: &Meta, from: SocketAddr, to: SocketAddr, payload: &Payload) -> Packet {
    let mut packet = Packet::new(payload.clone());
    UdpHeader { src_port: from.port(), dst_port: to.port() }.put(&mut packet, meta.src, meta.dst);
    packet
}

/// The loopback address of a family.
pub(crate) fn loopback_of(addr: IpAddr) -> IpAddr {
    match addr {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}
