//! Packets that come in by an interface: checked, put together, given to their protocol.
//!
//! What stays inside the host does not come this way: TCP's segments and UDP's datagrams over loopback reach
//! [`crate::socket`] and [`crate::udp`] without becoming bytes, so nothing there is summed or parsed.

use super::fragment::Piece;
use super::route::Path;
use crate::Packet;
use crate::host::{Host, IfIndex};
use crate::time::Instant;
use crate::wire::ipv4::Ipv4Header;
use crate::wire::ipv6::Ipv6Header;
use crate::wire::udp::UdpHeader;
use crate::wire::{WireError, protocol, segment};
use core::net::{IpAddr, SocketAddr};

/// What IP knows of a packet, for the protocols above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: u8,
    pub ttl: u8,
    pub tos: u8,
    /// IPv4's identification, and whether it must not be cut: raw sockets and quotations show them.
    pub id: u16,
    pub dont_fragment: bool,
    /// The interface that it came by.
    pub interface: IfIndex,
    /// Of UDP-Lite: how many bytes from the header on the checksum covers, if not all.
    pub coverage: Option<u16>,
    /// The way on which an answer goes.
    pub path: Path,
    /// The same, if that is a gate.
    pub gate: Option<IfIndex>,
    /// Sent to a multicast or broadcast address.
    pub is_group: bool,
    /// Of UDP: a batch of datagrams of that length; 0 otherwise.
    pub segment: u16,
    pub now: Instant,
}

impl Meta {
    /// Of a packet that a program of this host sent to the host.
    pub(crate) fn own(src: IpAddr, dst: IpAddr, protocol: u8, now: Instant) -> Self {
        let (interface, gate) = (IfIndex::LO, None);
        Self {
            src,
            dst,
            protocol,
            ttl: TTL_DEFAULT,
            tos: 0,
            id: 0,
            dont_fragment: true,
            interface,
            coverage: None,
            path: Path::Loopback,
            gate,
            is_group: false,
            segment: 0,
            now,
        }
    }

    /// Whether a program of this host sent it.
    pub(crate) fn is_own(&self) -> bool {
        self.interface == IfIndex::LO
    }

    /// Whether membership by an interface covers this packet; what the host sent itself is heard on all.
    pub(crate) fn hears_on(&self, interface: IfIndex) -> bool {
        self.is_own() || self.interface == interface
    }
}

impl Host {
    /// See [`Host::deliver`].
    pub(crate) fn ip_arrives(&mut self, interface: IfIndex, mut packet: Packet, now: Instant) {
        self.counters.ip_in_receives += 1;
        let version = if packet.pull(1) { packet.header()[0] >> 4 } else { 0 };
        let result = match version {
            4 => self.ipv4_arrives(interface, packet, now),
            6 => self.ipv6_arrives(interface, packet, now),
            _ => Err(WireError::Malformed),
        };
        match result {
            Ok(()) => {}
            Err(WireError::Truncated) => self.counters.ip_in_truncated += 1,
            Err(_) => self.counters.ip_in_hdr_errors += 1,
        }
    }

    fn ipv4_arrives(
        &mut self,
        interface: IfIndex,
        mut packet: Packet,
        now: Instant,
    ) -> Result<(), WireError> {
        let header = Ipv4Header::take(&mut packet)?;
        let (src, dst) = (IpAddr::V4(header.src), IpAddr::V4(header.dst));
        let Some(mut meta) = self.admit(src, dst, interface, now) else { return Ok(()) };
        (meta.protocol, meta.ttl, meta.tos) = (header.protocol, header.ttl, header.tos);
        (meta.id, meta.dont_fragment) = (header.id, header.dont_fragment);
        if header.more_fragments || header.fragment_offset > 0 {
            let piece = Piece {
                id: u32::from(header.id),
                offset: header.fragment_offset,
                more: header.more_fragments,
            };
            return self.piece_arrives(meta, piece, packet);
        }
        self.transport_arrives(&meta, packet);
        Ok(())
    }

    fn ipv6_arrives(
        &mut self,
        interface: IfIndex,
        mut packet: Packet,
        now: Instant,
    ) -> Result<(), WireError> {
        let header = Ipv6Header::take(&mut packet)?;
        let (src, dst) = (IpAddr::V6(header.src), IpAddr::V6(header.dst));
        let Some(mut meta) = self.admit(src, dst, interface, now) else { return Ok(()) };
        (meta.protocol, meta.ttl, meta.tos) = (header.protocol, header.hop_limit, header.traffic_class);
        if let Some(fragment) = header.fragment {
            let piece = Piece { id: fragment.id, offset: fragment.offset, more: fragment.more };
            return self.piece_arrives(meta, piece, packet);
        }
        self.transport_arrives(&meta, packet);
        Ok(())
    }

    /// Whether a packet is for this host and from a source that may arrive by this interface.
    fn admit(&mut self, src: IpAddr, dst: IpAddr, interface: IfIndex, now: Instant) -> Option<Meta> {
        let gate = self.routing.is_gate(interface);
        let loopback = src.is_loopback() || dst.is_loopback();
        let trusted = gate || self.config.any_source || interface == IfIndex::LO;
        if src.is_multicast() || self.routing.is_broadcast(src) || loopback && !trusted {
            self.counters.ip_martian_source += 1;
            return None;
        }
        let is_group = dst.is_multicast() || self.routing.is_broadcast(dst);
        // A host whose sockets may have any source answers for any address.
        if !is_group && !self.routing.is_local(dst) && !self.config.any_source {
            self.counters.ip_in_addr_errors += 1;
            return None;
        }
        let gate = gate.then_some(interface);
        let path = if interface == IfIndex::LO { self.routing.own_path() } else { Path::Out(interface) };
        Some(Meta { interface, path, gate, is_group, ..Meta::own(src, dst, 0, now) })
    }

    /// A whole datagram, without its IP header.
    pub(crate) fn transport_arrives(&mut self, meta: &Meta, packet: Packet) {
        let seen = self.raw_arrives(meta, &packet);
        match meta.protocol {
            protocol::TCP => self.tcp_packet_arrives(meta, packet),
            protocol::UDP | protocol::UDPLITE => self.udp_packet_arrives(*meta, packet),
            protocol::ICMP if meta.src.is_ipv4() => self.icmp_arrives(meta, packet),
            protocol::ICMPV6 if meta.src.is_ipv6() => self.icmp_arrives(meta, packet),
            _ if seen => {}
            _ => {
                self.counters.ip_in_unknown_protos += 1;
                self.icmp_protocol_unreachable(meta, &packet);
            }
        }
    }

    fn tcp_packet_arrives(&mut self, meta: &Meta, packet: Packet) {
        if meta.is_group {
            self.counters.tcp_in_errs += 1;
            return;
        }
        match segment::take(packet, meta.src, meta.dst) {
            Ok(segment) => self.segment_arrives(meta, segment),
            Err(WireError::Checksum) => self.counters.tcp_in_csum_errors += 1,
            Err(_) => self.counters.tcp_in_errs += 1,
        }
    }

    fn udp_packet_arrives(&mut self, mut meta: Meta, mut packet: Packet) {
        let taken = match meta.protocol {
            protocol::UDPLITE => UdpHeader::take_lite(&mut packet, meta.src, meta.dst),
            _ => UdpHeader::take(&mut packet, meta.src, meta.dst).map(|header| (header, None)),
        };
        let header = match taken {
            Ok((header, coverage)) => {
                meta.coverage = coverage;
                header
            }
            Err(WireError::Checksum) => return self.counters.udp_in_csum_errors += 1,
            Err(_) => return self.counters.udp_in_errors += 1,
        };
        let from = SocketAddr::new(meta.src, header.src_port);
        let to = SocketAddr::new(meta.dst, header.dst_port);
        let payload = packet.payload.clone();
        if !self.udp_arrives(&meta, from, to, payload) {
            header.put(&mut packet, meta.src, meta.dst);
            self.icmp_port_unreachable(&meta, &packet);
        }
    }
}

/// Linux's `net.ipv4.ip_default_ttl`.
pub(crate) const TTL_DEFAULT: u8 = 64;
