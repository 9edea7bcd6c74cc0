//! Packets on their way to a filter: their bytes, and what is left of them afterwards.

use super::View;
use crate::Packet;
use crate::host::{Host, SocketId};
use crate::icmp::put_ip_header;
use crate::ip::input::Meta;
use crate::packet::Payload;
use crate::tcp::Segment;
use crate::wire::tcp::Flags;
use crate::wire::udp::{self, UdpHeader};
use crate::wire::{ipv4, ipv6, segment};
use alloc::vec::Vec;
use core::net::SocketAddr;

impl Host {
    /// How many bytes of a packet may come in to a socket, counted from its protocol's header (from the IP
    /// header, if `from_ip`); none to drop it. `packet` is asked for its bytes only if there is a filter.
    fn filter_limit(
        &mut self,
        id: SocketId,
        meta: &Meta,
        from_ip: bool,
        packet: impl FnOnce() -> Packet,
    ) -> Option<usize> {
        let attached = self.sockets[id].filter.as_ref();
        let Some(program) = attached.and_then(|attached| attached.program.clone()) else {
            return Some(usize::MAX);
        };
        let mut packet = packet();
        put_ip_header(meta, &mut packet);
        let mut whole = Vec::new();
        packet.write_to(&mut whole);
        let header = if meta.src.is_ipv4() { ipv4::HEADER_LEN } else { ipv6::HEADER_LEN };
        let start = if from_ip { 0 } else { header };
        let limit = program.run(View { whole: &whole, start, interface: meta.interface.0 });
        if limit == 0 {
            self.counters.socket_filter_drops += 1;
        }
        (limit > 0).then_some(limit as usize)
    }

    /// What a filter leaves of a UDP datagram; its header always stays.
    pub(crate) fn filter_udp(
        &mut self,
        id: SocketId,
        meta: &Meta,
        (from, to): (SocketAddr, SocketAddr),
        mut payload: Payload,
    ) -> Option<Payload> {
        if self.filters > 0 {
            let bytes = payload.clone();
            let limit = self.filter_limit(id, meta, false, || {
                let mut packet = Packet::new(bytes);
                UdpHeader { src_port: from.port(), dst_port: to.port() }.put(&mut packet, meta.src, meta.dst);
                packet
            })?;
            payload.truncate(limit.saturating_sub(udp::HEADER_LEN));
        }
        Some(payload)
    }

    /// The same of a segment. What was cut off comes again, and is cut off again: as on Linux.
    pub(crate) fn filter_segment(
        &mut self,
        id: SocketId,
        meta: &Meta,
        mut whole: Segment,
    ) -> Option<Segment> {
        if self.filters > 0 {
            let copy = whole.clone();
            let limit = self.filter_limit(id, meta, false, || segment::put(copy, meta.src, meta.dst))?;
            let left = limit.saturating_sub(whole.header.len());
            if left < whole.payload.len() {
                whole.payload.truncate(left);
                // What follows the cut has not come.
                whole.header.flags.remove(Flags::FIN);
            }
        }
        Some(whole)
    }

    /// How much of a packet a raw or ping socket gets; raw IPv4's is counted from the IP header.
    pub(crate) fn filter_raw(
        &mut self,
        id: SocketId,
        meta: &Meta,
        from_ip: bool,
        transport: &Packet,
    ) -> Option<usize> {
        if self.filters == 0 {
            return Some(usize::MAX);
        }
        self.filter_limit(id, meta, from_ip, || transport.clone())
    }
}
