//! A look at a packet from outside: addresses, ports and the TCP header, nothing taken off and nothing checked.

use core::net::{IpAddr, SocketAddr};
use sockeye_core::Packet;
use sockeye_core::wire::ipv4::Ipv4Header;
use sockeye_core::wire::ipv6::Ipv6Header;
use sockeye_core::wire::protocol;
use sockeye_core::wire::tcp::TcpHeader;

/// What can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub src: SocketAddr,
    /// Ports are 0 where the protocol has none, or the packet is a later piece of a datagram.
    pub dst: SocketAddr,
    pub protocol: u8,
    /// Of a whole packet of TCP.
    pub tcp: Option<TcpHeader>,
    /// Bytes behind the transport header that was read; behind the IP header where none was.
    pub payload_len: usize,
    /// It is a piece of a longer datagram.
    pub is_fragment: bool,
}

impl View {
    /// Of a packet that begins with an IP header; None where it does not.
    pub fn of(packet: &Packet) -> Option<Self> {
        let front = packet.header();
        let first = packet.payload.slices().first().map_or(&[][..], |slice| &slice[..]);
        let ip = if front.is_empty() { first } else { front };
        let (src, dst, protocol, offset, more, len) = match ip.first()? >> 4 {
            4 => {
                let (h, len) = Ipv4Header::quoted(ip)?;
                (IpAddr::V4(h.src), IpAddr::V4(h.dst), h.protocol, h.fragment_offset, h.more_fragments, len)
            }
            _ => {
                let (h, len) = Ipv6Header::quoted(ip)?;
                let (offset, more) = h.fragment.map_or((0, false), |f| (f.offset, f.more));
                (IpAddr::V6(h.src), IpAddr::V6(h.dst), h.protocol, offset, more, len)
            }
        };
        // Where the IP header stands alone in front, the transport's begins in the payload.
        let transport = if ip.len() > len { &ip[len..] } else { first };
        let has_ports = offset == 0 && matches!(protocol, protocol::TCP | protocol::UDP);
        let port = |at: usize| match transport.get(at..at + 2) {
            Some(b) if has_ports => u16::from_be_bytes([b[0], b[1]]),
            _ => 0,
        };
        let mut payload_len = packet.len() - len;
        let mut tcp = None;
        if protocol == protocol::TCP
            && offset == 0
            && !more
            && let Ok((header, header_len)) = TcpHeader::parse(transport)
        {
            payload_len = payload_len.saturating_sub(header_len);
            tcp = Some(header);
        }
        if protocol == protocol::UDP && offset == 0 {
            payload_len = payload_len.saturating_sub(UDP_HEADER_LEN);
        }
        Some(Self {
            src: SocketAddr::new(src, port(0)),
            dst: SocketAddr::new(dst, port(2)),
            protocol,
            tcp,
            payload_len,
            is_fragment: offset > 0 || more,
        })
    }
}

const UDP_HEADER_LEN: usize = 8;
