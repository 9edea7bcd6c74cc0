//! ICMP and ICMPv6 (RFC 792, RFC 4443, RFC 1122 3.2.2): echoes answered, errors sent and brought to sockets.
//!
//! In: messages that came by an interface, and the failures that the host finds itself. Out: answers, and
//! errors of connections and datagram sockets. Errors are sent at a bounded rate, never about errors, groups
//! or later pieces.

mod errors;

pub(crate) use errors::Unreachable;

use crate::Packet;
use crate::host::Host;
use crate::ip::input::{Meta, TTL_DEFAULT};
use crate::ip::output::Outgoing;
use crate::ip::route::Path;
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::icmp::{self, IcmpHeader, v4, v6};
use crate::wire::ipv4::Ipv4Header;
use crate::wire::ipv6::Ipv6Header;
use crate::wire::{WireError, protocol};
use bytes::Bytes;
use core::net::IpAddr;

impl Host {
    pub(crate) fn icmp_arrives(&mut self, meta: &Meta, mut packet: Packet) {
        self.counters.icmp_in_msgs += 1;
        let header = match IcmpHeader::take(&mut packet, meta.src, meta.dst) {
            Ok(header) => header,
            Err(WireError::Checksum) => return self.counters.icmp_in_csum_errors += 1,
            Err(_) => return self.counters.icmp_in_errors += 1,
        };
        match (meta.src, header.kind) {
            (IpAddr::V4(_), v4::ECHO) => self.echo(meta, header, v4::ECHO_REPLY, packet),
            (IpAddr::V6(_), v6::ECHO) => self.echo(meta, header, v6::ECHO_REPLY, packet),
            (IpAddr::V4(_), v4::ECHO_REPLY) | (IpAddr::V6(_), v6::ECHO_REPLY) => {
                self.ping_arrives(meta, header, packet);
            }
            _ => {
                let Some(error) = Unreachable::read(meta, &header) else { return };
                self.icmp_error_arrives(meta, &error, &packet.into_payload().to_vec());
            }
        }
    }

    /// An echo is answered by the way it came (RFC 1122, 3.2.2.6).
    fn echo(&mut self, meta: &Meta, request: IcmpHeader, kind: u8, packet: Packet) {
        if meta.is_group {
            return;
        }
        let reply = Packet::new(packet.into_payload());
        self.icmp_send(meta, IcmpHeader { kind, ..request }, reply);
    }

    /// A datagram has come to a port that nobody has; `packet` has its UDP header.
    pub(crate) fn icmp_port_unreachable(&mut self, meta: &Meta, packet: &Packet) {
        let (kind, code) = match meta.src {
            IpAddr::V4(_) => (v4::UNREACHABLE, v4::PORT_UNREACHABLE),
            IpAddr::V6(_) => (v6::UNREACHABLE, v6::PORT_UNREACHABLE),
        };
        self.icmp_send_error(meta, IcmpHeader { kind, code, rest: 0 }, packet);
    }

    /// A datagram of a protocol has come that nobody speaks.
    pub(crate) fn icmp_protocol_unreachable(&mut self, meta: &Meta, packet: &Packet) {
        const UNRECOGNIZED_NEXT_HEADER: u8 = 1;
        let (kind, code) = match meta.src {
            IpAddr::V4(_) => (v4::UNREACHABLE, v4::PROTOCOL_UNREACHABLE),
            IpAddr::V6(_) => (v6::PARAMETER_PROBLEM, UNRECOGNIZED_NEXT_HEADER),
        };
        self.icmp_send_error(meta, IcmpHeader { kind, code, rest: 0 }, packet);
    }

    /// An error with as much of the packet at fault as the smallest MTU takes (RFC 1812 4.3.2.3, RFC 4443 3.1).
    fn icmp_send_error(&mut self, meta: &Meta, header: IcmpHeader, fault: &Packet) {
        if meta.is_group || meta.src.is_unspecified() {
            return;
        }
        if !self.icmp_budget.take(meta.now) {
            self.counters.icmp_out_rate_limited += 1;
            return;
        }
        self.icmp_send(meta, header, quotation(meta, fault));
    }

    /// The message of [`Host::icmp_port_unreachable`] about a datagram inside the host, for who watches ICMP.
    pub(crate) fn icmp_port_unreachable_seen(&mut self, meta: &Meta, icmp: u8, fault: &Packet) {
        let (kind, code) = match meta.src {
            IpAddr::V4(_) => (v4::UNREACHABLE, v4::PORT_UNREACHABLE),
            IpAddr::V6(_) => (v6::UNREACHABLE, v6::PORT_UNREACHABLE),
        };
        let mut message = quotation(meta, fault);
        IcmpHeader { kind, code, rest: 0 }.put(&mut message, meta.dst, meta.src);
        self.raw_arrives(&Meta::own(meta.dst, meta.src, icmp, meta.now), &message);
    }

    /// Sends a message back to where `meta` came from.
    fn icmp_send(&mut self, meta: &Meta, header: IcmpHeader, mut packet: Packet) {
        let (src, dst) = (meta.dst, meta.src);
        header.put(&mut packet, src, dst);
        let protocol = if src.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
        let Path::Out(interface) = meta.path else {
            // Whoever claimed an address that is not the host's gets no answer here.
            if !self.routing.is_local(dst) {
                return self.counters.ip_out_no_routes += 1;
            }
            self.counters.icmp_out_msgs += 1;
            return self.transport_arrives(&Meta::own(src, dst, protocol, meta.now), packet);
        };
        let Some(mtu) = self.routing.interface(interface).map(|i| i.mtu) else { return };
        let out =
            Outgoing { src, dst, protocol, ttl: TTL_DEFAULT, tos: meta.tos, interface, whole: false, mtu };
        self.counters.icmp_out_msgs += 1;
        let sent = self.ip_send(&out, packet);
        debug_assert!(sent.is_ok(), "what may be cut is never too long");
    }
}

/// A packet with its IP header, as far as an error quotes it.
fn quotation(meta: &Meta, fault: &Packet) -> Packet {
    let room = if meta.src.is_ipv4() { QUOTE_MAX_V4 } else { QUOTE_MAX_V6 };
    let mut quote = alloc::vec::Vec::new();
    let mut fault = fault.clone();
    put_ip_header(meta, &mut fault);
    fault.write_to(&mut quote);
    quote.truncate(room);
    Packet::new(Payload::from(Bytes::from(quote)))
}

/// The header that a packet came with, made again for a quotation or a raw socket.
pub(crate) fn put_ip_header(meta: &Meta, packet: &mut Packet) {
    match (meta.src, meta.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => Ipv4Header {
            src,
            dst,
            protocol: meta.protocol,
            ttl: meta.ttl,
            tos: meta.tos,
            id: meta.id,
            dont_fragment: meta.dont_fragment,
            more_fragments: false,
            fragment_offset: 0,
        }
        .put(packet),
        (src, dst) => Ipv6Header {
            src: crate::wire::to_v6(src),
            dst: crate::wire::to_v6(dst),
            protocol: meta.protocol,
            hop_limit: meta.ttl,
            traffic_class: meta.tos,
            flow_label: 0,
            fragment: None,
        }
        .put(packet),
    }
}

/// How many errors may be sent: a thousand a second, fifty at once (`icmp_msgs_per_sec`, `icmp_msgs_burst`).
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: u32,
    filled: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self { tokens: BURST, filled: Instant::ZERO }
    }
}

impl Budget {
    fn take(&mut self, now: Instant) -> bool {
        let fresh = now.since(self.filled).as_millis().min(u128::from(BURST)) as u32;
        if fresh > 0 {
            self.tokens = (self.tokens + fresh).min(BURST);
            self.filled = now;
        }
        let has = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        has
    }
}

const BURST: u32 = 50;
const QUOTE_MAX_V4: usize = 576 - 20 - icmp::HEADER_LEN;
const QUOTE_MAX_V6: usize = 1280 - 40 - icmp::HEADER_LEN;
