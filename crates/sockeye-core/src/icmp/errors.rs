//! Errors on their way to sockets: which errno a message means (Linux's `icmp_err_convert`), and whose it is.

use crate::errno::Errno;
use crate::host::{Host, QueuedError, SocketId};
use crate::ip::input::Meta;
use crate::packet::Payload;
use crate::socket::demux::FlowKey;
use crate::socket::flow::FlowKind;
use crate::tcp::IcmpError;
use crate::wire::icmp::{IcmpHeader, v4, v6};
use crate::wire::ipv4::Ipv4Header;
use crate::wire::ipv6::Ipv6Header;
use crate::wire::protocol;
use crate::wire::tcp::Seq;
use crate::wire::udp::{self, UdpHeader};
use bytes::Bytes;
use core::net::{IpAddr, SocketAddr};

/// An error message, understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreachable {
    pub errno: Errno,
    /// It ends a connection under way; others only note it.
    pub hard: bool,
    /// The MTU, of a packet that was too big.
    pub mtu: Option<u32>,
    pub kind: u8,
    pub code: u8,
    pub offender: IpAddr,
}

impl Unreachable {
    /// Nobody has the port.
    pub(crate) fn port(offender: IpAddr) -> Self {
        let (kind, code) = match offender {
            IpAddr::V4(_) => (v4::UNREACHABLE, v4::PORT_UNREACHABLE),
            IpAddr::V6(_) => (v6::UNREACHABLE, v6::PORT_UNREACHABLE),
        };
        Self { errno: Errno::ECONNREFUSED, hard: true, mtu: None, kind, code, offender }
    }

    pub(super) fn read(meta: &Meta, header: &IcmpHeader) -> Option<Self> {
        let (errno, hard, mtu) = match meta.src {
            IpAddr::V4(_) => read_v4(header)?,
            IpAddr::V6(_) => read_v6(header)?,
        };
        Some(Self { errno, hard, mtu, kind: header.kind, code: header.code, offender: meta.src })
    }
}

/// Errno, whether it is fatal, the MTU.
type Meaning = (Errno, bool, Option<u32>);

fn read_v4(header: &IcmpHeader) -> Option<Meaning> {
    let meaning = match (header.kind, header.code) {
        (v4::UNREACHABLE, v4::FRAGMENTATION_NEEDED) => (Errno::EMSGSIZE, false, Some(header.rest & 0xffff)),
        (v4::UNREACHABLE, v4::PROTOCOL_UNREACHABLE) => (Errno::ENOPROTOOPT, true, None),
        (v4::UNREACHABLE, v4::PORT_UNREACHABLE) => (Errno::ECONNREFUSED, true, None),
        (v4::UNREACHABLE, 5) => (Errno::EOPNOTSUPP, false, None),
        (v4::UNREACHABLE, 0 | 6 | 11) => (Errno::ENETUNREACH, false, None),
        (v4::UNREACHABLE, 9) => (Errno::ENETUNREACH, true, None),
        (v4::UNREACHABLE, 7) => (Errno::EHOSTDOWN, true, None),
        (v4::UNREACHABLE, 8) => (Errno::ENONET, true, None),
        (v4::UNREACHABLE, 10 | 13..=15) => (Errno::EHOSTUNREACH, true, None),
        (v4::UNREACHABLE | v4::TIME_EXCEEDED, _) => (Errno::EHOSTUNREACH, false, None),
        (v4::PARAMETER_PROBLEM, _) => (Errno::EPROTO, true, None),
        _ => return None,
    };
    Some(meaning)
}

fn read_v6(header: &IcmpHeader) -> Option<Meaning> {
    let meaning = match (header.kind, header.code) {
        (v6::UNREACHABLE, 0) => (Errno::ENETUNREACH, false, None),
        (v6::UNREACHABLE, 1 | 5 | 6) => (Errno::EACCES, true, None),
        (v6::UNREACHABLE, 4) => (Errno::ECONNREFUSED, true, None),
        (v6::UNREACHABLE | v6::TIME_EXCEEDED, _) => (Errno::EHOSTUNREACH, false, None),
        (v6::TOO_BIG, _) => (Errno::EMSGSIZE, false, Some(header.rest)),
        (v6::PARAMETER_PROBLEM, _) => (Errno::EPROTO, true, None),
        _ => return None,
    };
    Some(meaning)
}

impl Host {
    /// An error message with the packet at fault, or its beginning.
    pub(super) fn icmp_error_arrives(&mut self, meta: &Meta, error: &Unreachable, quote: &[u8]) {
        let Some((src, dst, protocol, len)) = quoted_header(quote) else {
            self.counters.icmp_in_errors += 1;
            return;
        };
        let rest = &quote[len..];
        self.raw_error((src, dst, protocol), error, rest);
        let Some(ports) = UdpHeader::quoted(rest) else {
            self.counters.icmp_in_errors += 1;
            return;
        };
        let (local, remote) = (SocketAddr::new(src, ports.src_port), SocketAddr::new(dst, ports.dst_port));
        if let Some(mtu) = error.mtu.filter(|mtu| *mtu >= PATH_MTU_MIN) {
            self.routing.learn_mtu(dst, mtu);
        }
        match protocol {
            protocol::TCP => self.tcp_error(meta, error, local, remote, rest),
            protocol::UDP | protocol::UDPLITE => {
                let Some(id) = self.datagram_between(protocol, local, remote) else { return };
                let payload = rest.get(udp::HEADER_LEN..).unwrap_or_default();
                self.datagram_error(id, remote, error, Payload::from(Bytes::copy_from_slice(payload)));
            }
            protocol::ICMP | protocol::ICMPV6 => {
                let Some(id) = self.ping_quoted(src, rest) else { return };
                let payload = Payload::from(Bytes::copy_from_slice(rest));
                self.datagram_error(id, SocketAddr::new(dst, 0), error, payload);
            }
            _ => {}
        }
    }

    fn tcp_error(
        &mut self,
        meta: &Meta,
        error: &Unreachable,
        local: SocketAddr,
        remote: SocketAddr,
        rest: &[u8],
    ) {
        let Some(seq) = rest.get(4..8) else { return };
        let seq = Seq(u32::from_be_bytes([seq[0], seq[1], seq[2], seq[3]]));
        let Some(id) = self.demux.flow(&FlowKey::new(local, remote, meta.gate)) else { return };
        let icmp = match error.mtu {
            Some(mtu) => IcmpError::Mtu(mtu.min(0xffff) as u16),
            None if error.hard => IcmpError::Hard(error.errno),
            None => IcmpError::Soft(error.errno),
        };
        match &mut self.flows[id].kind {
            FlowKind::Connection { connection, .. } => {
                connection.icmp_error(icmp, seq, &mut self.engine.ctx(meta.now));
                self.settle(id, meta.now);
            }
            // tcp_req_err: a peer that cannot be reached opens nothing.
            FlowKind::Request { request, .. }
                if request.iss() == seq
                    && matches!(error.errno, Errno::EHOSTUNREACH | Errno::ENETUNREACH) =>
            {
                self.remove_request(id);
            }
            _ => {}
        }
    }

    /// A datagram of this socket has failed. A connected one is told (RFC 1122, 4.1.3.3); with `IP_RECVERR`
    /// every one, in its error queue too (Linux's `__udp4_lib_err`).
    pub(crate) fn datagram_error(
        &mut self,
        id: SocketId,
        to: SocketAddr,
        error: &Unreachable,
        payload: Payload,
    ) {
        let queued_errors_max = self.config.limits.queued_errors_max;
        let socket = &mut self.sockets[id];
        let asked = socket.options.wants_errors(to.ip());
        let is_connected = socket.inbox().is_some_and(|inbox| inbox.peer.is_some());
        let (destination, offender) = (socket.show(to), error.offender);
        if asked {
            let queued = QueuedError {
                errno: error.errno,
                origin: if offender.is_ipv4() { ORIGIN_ICMP } else { ORIGIN_ICMPV6 },
                icmp_type: error.kind,
                icmp_code: error.code,
                info: error.mtu.unwrap_or(0),
                offender: Some(offender),
                destination,
                payload,
            };
            let errors = &mut socket.inbox_mut().expect("a datagram socket has an inbox").errors;
            match errors.len() < queued_errors_max {
                true => errors.push_back(queued),
                false => self.counters.error_queue_drops += 1,
            }
        }
        if asked || is_connected && error.hard {
            self.set_error(id, error.errno);
        }
    }
}

/// Source, destination, protocol of the packet at fault, and where its transport header begins.
fn quoted_header(quote: &[u8]) -> Option<(IpAddr, IpAddr, u8, usize)> {
    match quote.first()? >> 4 {
        4 => {
            let (header, len) = Ipv4Header::quoted(quote)?;
            (header.fragment_offset == 0).then_some((
                header.src.into(),
                header.dst.into(),
                header.protocol,
                len,
            ))
        }
        6 => {
            let (header, len) = Ipv6Header::quoted(quote)?;
            let first = header.fragment.is_none_or(|f| f.offset == 0);
            first.then_some((header.src.into(), header.dst.into(), header.protocol, len))
        }
        _ => None,
    }
}

/// `SO_EE_ORIGIN_ICMP`.
const ORIGIN_ICMP: u8 = 2;
/// `SO_EE_ORIGIN_ICMP6`.
const ORIGIN_ICMPV6: u8 = 3;
/// `net.ipv4.route.min_pmtu`.
const PATH_MTU_MIN: u32 = 552;
