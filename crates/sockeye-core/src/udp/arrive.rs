//! A datagram has come: who hears it.

use super::{Inbox, cut};
use crate::host::{Datagram, Domain, Host, SocketId};
use crate::icmp::Unreachable;
use crate::ip::input::Meta;
use crate::packet::Payload;
use crate::socket::demux::{Fit, FlowKey};
use crate::socket::table::Socket;
use crate::time::Instant;
use crate::wire::unmap;
use core::net::SocketAddr;

impl Host {
    /// Gives a datagram to its receiver; false when nobody has the port.
    pub(crate) fn udp_arrives(
        &mut self,
        meta: &Meta,
        from: SocketAddr,
        to: SocketAddr,
        payload: Payload,
    ) -> bool {
        if meta.is_group {
            return self.udp_arrives_for_group(meta, from, to, &payload);
        }
        let receiver = self.udp_receiver(meta, from, to);
        match receiver {
            Some(id) => {
                self.udp_queue(id, meta, from, to, payload);
                true
            }
            None => {
                self.counters.udp_no_ports += 1;
                false
            }
        }
    }

    /// A datagram that was given to a socket whose program turned out to be gone arrives once more at `port`: for
    /// whoever has it now; else its sender, if it is one of this host, hears that nobody has. What was for a group is
    /// lost: the others of the group have had it.
    pub fn arrive_again(&mut self, datagram: &Datagram, protocol: u8, port: u16, now: Instant) {
        let (from, to) = (unmap(datagram.from), SocketAddr::new(datagram.to.to_canonical(), port));
        let meta = Meta {
            ttl: datagram.ttl,
            tos: datagram.tos,
            segment: datagram.segment,
            ..Meta::own(from.ip(), to.ip(), protocol, now)
        };
        if to.ip().is_multicast() || self.routing.is_broadcast(to.ip()) {
            return;
        }
        if !self.udp_arrives(&meta, from, to, datagram.payload.clone()) {
            self.refuse_datagram(protocol, from, to, datagram.payload.clone());
        }
    }

    /// Nobody has the port: not the sender hears of it but who would hear the answer (__udp4_lib_err looks it up anew).
    pub(super) fn refuse_datagram(
        &mut self,
        protocol: u8,
        from: SocketAddr,
        to: SocketAddr,
        payload: Payload,
    ) {
        if let Some(id) = self.datagram_between(protocol, from, to) {
            self.datagram_error(id, to, &Unreachable::port(to.ip()), payload);
        }
    }

    fn udp_receiver(&self, meta: &Meta, from: SocketAddr, to: SocketAddr) -> Option<SocketId> {
        let key = FlowKey::new(to, from, None);
        self.names(meta.protocol)
            .datagram(to, &key, |id| self.fits(id, meta))
            .or_else(|| self.demux.intercept(meta.protocol, to.port()).filter(|_| meta.is_own()))
    }

    /// The socket that a datagram from `local` to `remote` may have been sent by: who hears of its fate.
    pub(crate) fn datagram_between(
        &self,
        protocol: u8,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Option<SocketId> {
        let key = FlowKey::new(local, remote, None);
        self.names(protocol).datagram(local, &key, |id| match self.sockets[id].is_deaf_to(remote.ip()) {
            true => Fit::No,
            false => Fit::Yes(0),
        })
    }

    /// Whether a socket with the right name hears what comes by this interface.
    pub(crate) fn fits(&self, id: SocketId, meta: &Meta) -> Fit {
        let socket = &self.sockets[id];
        match socket.options.device {
            Some(device) if device != meta.interface => Fit::No,
            _ if socket.is_deaf_to(meta.src) => Fit::No,
            _ if socket.options.reuse_port => Fit::Group,
            // IPv4's own before IPv6's, who is connected (here: to any port) before who is not.
            _ => Fit::Yes(u8::from(socket.domain == Domain::Inet) + 2 * u8::from(socket.has_peer())),
        }
    }

    /// Multicast and broadcast: every socket that has the name hears it; of a group, its members.
    fn udp_arrives_for_group(
        &mut self,
        meta: &Meta,
        from: SocketAddr,
        to: SocketAddr,
        payload: &Payload,
    ) -> bool {
        if to.ip().is_multicast() && !self.is_in_group(to.ip()) {
            return true;
        }
        let hears = |id: &SocketId| {
            let socket = &self.sockets[*id];
            self.fits(*id, meta) != Fit::No && hears_group(socket, meta, to)
        };
        let receivers: alloc::vec::Vec<_> =
            self.names(meta.protocol).datagram_group(to).filter(hears).collect();
        for id in &receivers {
            self.udp_queue(*id, meta, from, to, payload.clone());
        }
        // Nobody is told that a group has no listener (RFC 1122, 4.1.3.1).
        true
    }

    fn udp_queue(&mut self, id: SocketId, meta: &Meta, from: SocketAddr, to: SocketAddr, payload: Payload) {
        // As Linux: who has asked for a coverage does not want less, and all of it if that was 0.
        let refused = |least: u16, covered: u16| least == 0 || covered < least;
        let least = self.sockets[id].options.seldom.as_deref().and_then(|seldom| seldom.lite_coverage[1]);
        if least.zip(meta.coverage).is_some_and(|(least, covered)| refused(least, covered)) {
            self.counters.udp_in_errors += 1;
            return;
        }
        let taken_whole = self.sockets[id].options.seldom.as_deref().is_some_and(|seldom| seldom.batches);
        if meta.segment != 0 && !taken_whole {
            let single = Meta { segment: 0, ..*meta };
            for piece in cut(payload, meta.segment) {
                self.udp_queue(id, &single, from, to, piece);
            }
            return;
        }
        let Some(payload) = self.filter_udp(id, meta, (from, to), payload) else { return };
        match self.queue_datagram(id, meta, from, to, payload) {
            true => self.counters.udp_in_datagrams += 1,
            false => self.counters.udp_rcvbuf_errors += 1,
        }
    }

    /// Puts a datagram into a socket's inbox and wakes it; false when there is no room.
    pub(crate) fn queue_datagram(
        &mut self,
        id: SocketId,
        meta: &Meta,
        from: SocketAddr,
        to: SocketAddr,
        payload: Payload,
    ) -> bool {
        let count_max = self.config.limits.datagrams_max;
        let socket = &mut self.sockets[id];
        let (domain, limit) = (socket.domain, socket.options.receive_buffer as usize);
        let datagram = Datagram {
            payload,
            from: crate::socket::table::show(domain, from),
            to: crate::socket::table::show_ip(domain, to.ip()),
            interface: meta.interface,
            ttl: meta.ttl,
            tos: meta.tos,
            arrived: meta.now,
            segment: meta.segment,
        };
        let inbox: &mut Inbox = socket.inbox_mut().expect("a datagram socket has an inbox");
        let taken = inbox.push(datagram, limit, count_max);
        if taken {
            self.tell_ready(id);
        }
        taken
    }
}

/// A member hears its group, from the sources that it wants; so does, as on Linux, who is none but has
/// `IP_MULTICAST_ALL` on (the default), if anybody on the host is a member.
pub(crate) fn hears_group(socket: &Socket, meta: &Meta, to: SocketAddr) -> bool {
    if !to.ip().is_multicast() {
        return true;
    }
    let inbox = socket.inbox().expect("a datagram socket has an inbox");
    let membership = inbox.groups.iter().find(|m| m.group == to.ip() && meta.hears_on(m.interface));
    membership.map_or(socket.options.multicast_all, |m| m.lets_in(meta.src))
}
