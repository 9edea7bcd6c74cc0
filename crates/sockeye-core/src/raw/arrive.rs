//! Copies of packets for raw sockets, and errors about packets that they sent.

use super::RawOptions;
use crate::Packet;
use crate::host::{Host, SocketId};
use crate::icmp::{Unreachable, put_ip_header};
use crate::ip::input::Meta;
use crate::packet::Payload;
use crate::socket::demux::Fit;
use crate::udp::hears_group;
use crate::wire::checksum::Checksum;
use crate::wire::protocol;
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};

impl Host {
    /// A packet without its IP header has reached the host; says whether a raw socket is there for it.
    /// IPv4's sockets see the header again, IPv6's do not (raw(7), RFC 3542 3).
    pub(crate) fn raw_arrives(&mut self, meta: &Meta, packet: &Packet) -> bool {
        let holders = self.raws.of(meta.src.is_ipv6(), meta.protocol);
        if holders.is_empty() {
            return false;
        }
        let hearers: Vec<_> = holders.iter().copied().filter(|id| self.raw_hears(*id, meta)).collect();
        if hearers.is_empty() {
            return false;
        }
        let mut transport = Vec::new();
        packet.write_to(&mut transport);
        let mut seen = packet.clone();
        if meta.src.is_ipv4() {
            put_ip_header(meta, &mut seen);
        }
        let mut bytes = Vec::new();
        seen.write_to(&mut bytes);
        let bytes = Bytes::from(bytes);
        let (from, to) = (SocketAddr::new(meta.src, 0), SocketAddr::new(meta.dst, 0));
        for id in hearers {
            let inbox = self.sockets[id].inbox().expect("a raw socket has an inbox");
            if !inbox.raw.lets_through(meta, &transport) {
                continue;
            }
            let Some(limit) = self.filter_raw(id, meta, meta.src.is_ipv4(), packet) else { continue };
            let payload = Payload::from(bytes.slice(..limit.min(bytes.len())));
            if !self.queue_datagram(id, meta, from, to, payload) {
                self.counters.raw_rcvbuf_errors += 1;
            }
        }
        true
    }

    /// raw_v4_match: address, peer, interface, and membership if it is for a group.
    fn raw_hears(&self, id: SocketId, meta: &Meta) -> bool {
        let socket = &self.sockets[id];
        let inbox = socket.inbox().expect("a raw socket has an inbox");
        let own = socket.local.ip();
        let named = own.is_unspecified() || own == meta.dst;
        let from_peer = inbox.peer.is_none_or(|peer| peer.ip() == meta.src);
        let group = !meta.dst.is_multicast() || self.is_in_group(meta.dst);
        let to = SocketAddr::new(meta.dst, 0);
        named && from_peer && group && self.fits(id, meta) != Fit::No && hears_group(socket, meta, to)
    }

    /// An ICMP error about a packet of a protocol that raw sockets may have sent (raw_err).
    pub(crate) fn raw_error(
        &mut self,
        (src, dst, protocol): (IpAddr, IpAddr, u8),
        error: &Unreachable,
        rest: &[u8],
    ) {
        let concerned = |id: &SocketId| {
            let socket = &self.sockets[*id];
            let (own, peer) = (socket.local.ip(), socket.inbox().and_then(|inbox| inbox.peer));
            (own.is_unspecified() || own == src) && peer.is_none_or(|peer| peer.ip() == dst)
        };
        let holders = self.raws.of(src.is_ipv6(), protocol);
        let concerned: Vec<_> = holders.iter().copied().filter(concerned).collect();
        for id in concerned {
            let payload = Payload::from(Bytes::copy_from_slice(rest));
            self.datagram_error(id, SocketAddr::new(dst, 0), error, payload);
        }
    }
}

impl RawOptions {
    /// The filters of ICMP's types, and the checksum of `IPV6_CHECKSUM`.
    fn lets_through(&self, meta: &Meta, transport: &[u8]) -> bool {
        let is_ipv6 = meta.src.is_ipv6();
        let is_icmp = meta.protocol == if is_ipv6 { protocol::ICMPV6 } else { protocol::ICMP };
        if is_icmp && transport.first().is_some_and(|kind| self.blocks(is_ipv6, *kind)) {
            return false;
        }
        if is_ipv6 && self.checksum_at.is_some() {
            let mut sum = Checksum::pseudo(meta.src, meta.dst, meta.protocol, transport.len());
            sum.add(transport);
            return sum.finish() == 0;
        }
        true
    }
}
