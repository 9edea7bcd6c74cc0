//! Ping sockets: echo requests by the identifier that is the socket's port, and the replies to them.

use crate::Packet;
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, SendControl, SocketId};
use crate::ip::input::Meta;
use crate::packet::Payload;
use crate::socket::demux::Fit;
use crate::time::Instant;
use crate::wire::icmp::{HEADER_LEN, IcmpHeader, v4, v6};
use crate::wire::ipv4;
use core::net::{IpAddr, SocketAddr};

impl Host {
    /// ping_v4_sendmsg: an echo request whose identifier and checksum the host fills in.
    pub(crate) fn ping_send(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: SocketAddr,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        let socket = &self.sockets[id];
        let (number, identifier) = (socket.protocol, socket.local.port());
        let len = payload.len();
        if len > usize::from(u16::MAX) - ipv4::HEADER_LEN {
            return Err(Errno::EMSGSIZE);
        }
        let mut packet = Packet::new(payload);
        let header = IcmpHeader::unchecked(&mut packet).ok_or(Errno::EINVAL)?;
        let echo = if socket.domain == Domain::Inet { v4::ECHO } else { v6::ECHO };
        if header.kind != echo || header.code != 0 {
            return Err(Errno::EINVAL);
        }
        if socket.domain == Domain::Inet6 && to.is_ipv4() {
            return Err(Errno::ENETUNREACH);
        }
        let route = self.datagram_route(id, number, SocketAddr::new(to.ip(), 0), control)?;
        let header = IcmpHeader { rest: u32::from(identifier) << 16 | header.rest & 0xffff, ..header };
        header.put(&mut packet, route.source, to.ip());
        self.counters.icmp_out_msgs += 1;
        self.send_by(id, packet, (route, to.ip(), number), control, now)?;
        Ok(len)
    }

    /// An echo reply, whose head is given: for the ping socket that has its identifier (ping_lookup).
    pub(crate) fn ping_arrives(&mut self, meta: &Meta, header: IcmpHeader, mut packet: Packet) {
        let identifier = (header.rest >> 16) as u16;
        let Some(id) = self.ping_holder(meta, identifier) else { return };
        header.put(&mut packet, meta.src, meta.dst);
        let (from, to) = (SocketAddr::new(meta.src, 0), SocketAddr::new(meta.dst, 0));
        let Some(limit) = self.filter_raw(id, meta, false, &packet) else { return };
        let mut payload = packet.into_payload();
        payload.truncate(limit);
        if !self.queue_datagram(id, meta, from, to, payload) {
            self.counters.raw_rcvbuf_errors += 1;
        }
    }

    fn ping_holder(&self, meta: &Meta, identifier: u16) -> Option<SocketId> {
        let hears = |id: &&SocketId| {
            let own = self.sockets[**id].local.ip();
            (own.is_unspecified() || own == meta.dst) && self.fits(**id, meta) != Fit::No
        };
        self.raws.pings(meta.src.is_ipv6(), identifier).iter().find(hears).copied()
    }

    /// The ping socket whose echo request from `src` an ICMP error quotes.
    pub(crate) fn ping_quoted(&self, src: IpAddr, rest: &[u8]) -> Option<SocketId> {
        let header: &[u8; HEADER_LEN] = rest.first_chunk()?;
        let echo = if src.is_ipv4() { v4::ECHO } else { v6::ECHO };
        let identifier = u16::from_be_bytes([header[4], header[5]]);
        let sent = |id: &&SocketId| {
            let own = self.sockets[**id].local.ip();
            own.is_unspecified() || own == src
        };
        let holders = self.raws.pings(src.is_ipv6(), identifier);
        holders.iter().find(sent).copied().filter(|_| header[0] == echo)
    }
}
