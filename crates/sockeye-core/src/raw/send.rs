//! What raw sockets send: a payload that gets an IP header, or a packet that has its own.

use crate::Packet;
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, IfIndex, SendControl, SocketId};
use crate::ip::input::Meta;
use crate::ip::output::Outgoing;
use crate::ip::route::{Path, Route};
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::checksum::Checksum;
use crate::wire::{ipv4, ipv6, protocol};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};

impl Host {
    /// raw_sendmsg and rawv6_sendmsg. `to` is unmapped; its port counts for nothing on IPv4 and must be the
    /// protocol, or 0, on IPv6.
    pub(crate) fn raw_send(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: SocketAddr,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        let socket = &self.sockets[id];
        let (domain, number) = (socket.domain, socket.protocol);
        let options = socket.inbox().expect("a raw socket has an inbox").raw.clone();
        let len = payload.len();
        if len > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE);
        }
        if domain == Domain::Inet6 {
            check_v6_destination(to, number)?;
        }
        if options.header_included {
            let route = self.datagram_route(id, number, SocketAddr::new(to.ip(), 0), control)?;
            return self.raw_send_made(domain, &payload, &route, now).map(|()| len);
        }
        // raw_probe_proto_opt looks at the message's type and code.
        if domain == Domain::Inet && number == protocol::ICMP && len < 2 {
            return Err(Errno::EFAULT);
        }
        let route = self.datagram_route(id, number, SocketAddr::new(to.ip(), 0), control)?;
        let payload = match options.checksum_at {
            Some(at) if domain == Domain::Inet6 => {
                summed(&payload, at as usize, (route.source, to.ip(), number))?
            }
            _ => payload,
        };
        let room = usize::from(u16::MAX) - if domain == Domain::Inet { ipv4::HEADER_LEN } else { 0 };
        if len > room {
            return Err(Errno::EMSGSIZE);
        }
        self.send_by(id, Packet::new(payload), (route, to.ip(), number), control, now)?;
        Ok(len)
    }

    /// Sends a packet that has no IP header yet: to this host, out, or for a group both.
    pub(super) fn send_by(
        &mut self,
        id: SocketId,
        packet: Packet,
        (route, dst, protocol): (Route, IpAddr, u8),
        control: &SendControl,
        now: Instant,
    ) -> Result<()> {
        let socket = &self.sockets[id];
        let mut meta = Meta::own(route.source, dst, protocol, now);
        (meta.ttl, meta.tos) = socket.header_fields(dst, control);
        meta.is_group = dst.is_multicast() || self.routing.is_broadcast(dst);
        let (whole, loops) = (socket.options.keeps_whole(dst), socket.options.loops(dst));
        let (heard_here, way_home) = self.ways_home(route.path, meta.is_group && loops);
        for way in [Some(route), way_home].into_iter().flatten() {
            let Path::Out(interface) = way.path else { continue };
            let out = Outgoing {
                src: route.source,
                dst,
                protocol,
                ttl: meta.ttl,
                tos: meta.tos,
                interface,
                whole,
                mtu: way.mtu,
            };
            self.ip_send(&out, packet.clone())?;
        }
        if heard_here {
            self.transport_arrives(&meta, packet);
        }
        Ok(())
    }

    /// A packet with its program's own header. raw_send_hdrinc fills in length, checksum, and what is zero of
    /// identification and source; IPv6's goes as it is.
    fn raw_send_made(
        &mut self,
        domain: Domain,
        payload: &Payload,
        route: &Route,
        now: Instant,
    ) -> Result<()> {
        let mut bytes = payload.to_vec();
        match domain {
            Domain::Inet => {
                let id = self.engine.rng.next_u32() as u16 | 1;
                ipv4::complete(&mut bytes, route.source, id).ok_or(Errno::EINVAL)?;
            }
            Domain::Inet6 if bytes.len() < ipv6::HEADER_LEN => return Err(Errno::EINVAL),
            Domain::Inet6 | Domain::Unix => {}
        }
        if bytes.len() > route.mtu as usize {
            return Err(Errno::EMSGSIZE);
        }
        let packet = Packet::from_bytes(Bytes::from(bytes));
        match route.path {
            Path::Loopback => self.ip_arrives(IfIndex::LO, packet, now),
            Path::Out(interface) => self.ip_send_made(interface, packet),
        }
        Ok(())
    }
}

/// EINVAL for another protocol's number where a port would stand, ENETUNREACH for an IPv4 address.
fn check_v6_destination(to: SocketAddr, number: u8) -> Result<()> {
    let wrong = to.port() != u16::from(number) && number != super::PROTOCOL_RAW || to.port() > 255;
    if to.port() != 0 && wrong {
        return Err(Errno::EINVAL);
    }
    if to.is_ipv4() { Err(Errno::ENETUNREACH) } else { Ok(()) }
}

/// The payload with its checksum at `at`; EINVAL when that is not inside.
fn summed(payload: &Payload, at: usize, (src, dst, number): (IpAddr, IpAddr, u8)) -> Result<Payload> {
    let mut bytes: Vec<u8> = payload.to_vec();
    let field = at..at + 2;
    bytes.get_mut(field.clone()).ok_or(Errno::EINVAL)?.fill(0);
    let mut sum = Checksum::pseudo(src, dst, number, bytes.len());
    sum.add(&bytes);
    let sum = match sum.finish() {
        0 if number == protocol::UDP => 0xffff,
        sum => sum,
    };
    bytes[field].copy_from_slice(&sum.to_be_bytes());
    Ok(Payload::from(Bytes::from(bytes)))
}
