//! Packets that leave: the IP header, pieces if the MTU asks for them, and the queue of what waits to be
//! transmitted.

use super::fragment;
use crate::Packet;
use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex};
use crate::packet::HEADER_ROOM;
use crate::packet::Payload;
use crate::wire::ipv4::{self, Ipv4Header};
use crate::wire::ipv6::{self, Fragment, Ipv6Header};
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a sender says of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: u8,
    pub ttl: u8,
    pub tos: u8,
    pub interface: IfIndex,
    /// It must not be cut (`IP_PMTUDISC_DO`, and all of TCP).
    pub whole: bool,
    /// The path's MTU, which may be less than the interface's.
    pub mtu: u32,
}

impl Host {
    /// Puts an IP header in front of a packet and queues it; EMSGSIZE when it must not be cut and is too long.
    pub(crate) fn ip_send(&mut self, out: &Outgoing, packet: Packet) -> Result<()> {
        if self.packets.len() >= self.config.limits.output_packets_max {
            self.counters.ip_out_discards += 1;
            return Ok(());
        }
        self.counters.ip_out_requests += 1;
        let header = if out.src.is_ipv4() { ipv4::HEADER_LEN } else { ipv6::HEADER_LEN };
        match packet.len() + header <= out.mtu as usize {
            true => self.ip_queue(out, packet, 0, false, None),
            false if out.whole => return Err(Errno::EMSGSIZE),
            false => self.ip_send_pieces(out, packet),
        }
        Ok(())
    }

    /// Queues a packet that has its IP header already.
    pub(crate) fn ip_send_made(&mut self, interface: IfIndex, packet: Packet) {
        if self.packets.len() >= self.config.limits.output_packets_max {
            self.counters.ip_out_discards += 1;
            return;
        }
        self.counters.ip_out_requests += 1;
        self.packets.push_back((interface, packet));
    }

    fn ip_send_pieces(&mut self, out: &Outgoing, packet: Packet) {
        let headers =
            if out.src.is_ipv4() { ipv4::HEADER_LEN } else { ipv6::HEADER_LEN + ipv6::FRAGMENT_LEN };
        let id = self.next_packet_id();
        for (offset, more, piece) in fragment::cut(packet.into_payload(), out.mtu as usize - headers) {
            self.counters.ip_frag_creates += 1;
            self.ip_queue(out, Packet::new(piece), offset, more, Some(id));
        }
    }

    fn ip_queue(&mut self, out: &Outgoing, mut packet: Packet, offset: usize, more: bool, id: Option<u32>) {
        match (out.src, out.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let header = self.ipv4_header(out, src, dst, offset, more, id);
                header.put(&mut packet);
            }
            (src, dst) => {
                let (src, dst) = (crate::wire::to_v6(src), crate::wire::to_v6(dst));
                ipv6_header(out, src, dst, id.map(|id| Fragment { offset, more, id })).put(&mut packet);
            }
        }
        self.packets.push_back((out.interface, packet));
    }

    fn ipv4_header(
        &mut self,
        out: &Outgoing,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        fragment_offset: usize,
        more_fragments: bool,
        id: Option<u32>,
    ) -> Ipv4Header {
        Ipv4Header {
            src,
            dst,
            protocol: out.protocol,
            ttl: out.ttl,
            tos: out.tos,
            // RFC 6864: only what is or may be cut needs an identification.
            id: id.unwrap_or(0) as u16,
            dont_fragment: id.is_none(),
            more_fragments,
            fragment_offset,
        }
    }

    fn next_packet_id(&mut self) -> u32 {
        self.engine.rng.next_u32()
    }
}

fn ipv6_header(out: &Outgoing, src: Ipv6Addr, dst: Ipv6Addr, fragment: Option<Fragment>) -> Ipv6Header {
    Ipv6Header {
        src,
        dst,
        protocol: out.protocol,
        hop_limit: out.ttl,
        traffic_class: out.tos,
        flow_label: 0,
        fragment,
    }
}

impl Packet {
    /// Everything in it as payload; the header bytes are copied, the rest referred to.
    pub(crate) fn into_payload(self) -> Payload {
        debug_assert!(self.header().len() <= HEADER_ROOM);
        if self.header().is_empty() {
            return self.payload;
        }
        let mut whole = Payload::from(Bytes::copy_from_slice(self.header()));
        self.payload.into_slices().for_each(|slice| whole.push(slice));
        whole
    }
}
