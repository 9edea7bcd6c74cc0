//! What control messages say: those that choose how a datagram is sent, those that tell how one came, and those of the
//! error queue (ip(7), ipv6(7), udp(7), socket(7)).

use crate::errno::{Errno, Result};
use crate::host::{Datagram, Domain, Host, IfIndex, QueuedError, SendControl, SocketId};
use crate::options::table::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_SOCKET};
use crate::wire::control::{Control, ExtendedError};
use crate::wire::{sockaddr, to_v6};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

impl SendControl {
    /// What the control messages of sendmsg(2) ask for.
    ///
    /// # Errors
    /// EINVAL for an unknown message of the Internet protocols, a wrong length, a value out of range.
    pub fn read(controls: &[Control]) -> Result<Self> {
        let mut asked = Self::default();
        for control in controls {
            asked.add(control)?;
        }
        Ok(asked)
    }

    fn add(&mut self, control: &Control) -> Result<()> {
        let byte = |n: i32| u8::try_from(n).map_err(|_| Errno::EINVAL);
        // RFC 3542, 6.3 and 6.5: -1 stands for what the socket has.
        let byte_or_own = |n: i32| if n == -1 { Ok(None) } else { byte(n).map(Some) };
        match (control.level, control.kind) {
            (IPPROTO_IP, IP_PKTINFO) => {
                let ip: [u8; 4] = control.bytes(4, IN_PKTINFO_LEN)?;
                self.set_source(control.word(0, IN_PKTINFO_LEN)?, ip.into());
            }
            (IPPROTO_IPV6, IPV6_PKTINFO) => {
                let ip: [u8; 16] = control.bytes(0, IN6_PKTINFO_LEN)?;
                self.set_source(control.word(16, IN6_PKTINFO_LEN)?, ip.into());
            }
            (IPPROTO_IP, IP_TTL) => match byte(control.int()?)? {
                0 => return Err(Errno::EINVAL),
                ttl => self.ttl = Some(ttl),
            },
            // IPv4's type of service may be one byte; the others are ints and no other length will do.
            (IPPROTO_IP, IP_TOS) => {
                self.tos = Some(if let [tos] = control.data[..] { tos } else { byte(control.int()?)? });
            }
            (IPPROTO_IPV6, IPV6_HOPLIMIT) => self.ttl = byte_or_own(control.int()?)?,
            (IPPROTO_IPV6, IPV6_TCLASS) => self.tos = byte_or_own(control.int()?)?,
            (IPPROTO_UDP, UDP_SEGMENT) => {
                let bytes = control.data[..].try_into().map_err(|_| Errno::EINVAL)?;
                self.segment = Some(u16::from_ne_bytes(bytes));
            }
            // Marks, priorities and times of sending are taken and have no effect, as with most queues.
            (SOL_SOCKET, _) => {}
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    fn set_source(&mut self, index: u32, ip: IpAddr) {
        self.interface = (index != 0).then_some(IfIndex(index));
        self.source = (!ip.is_unspecified()).then_some(ip);
    }
}

impl QueuedError {
    /// The control message that tells of it.
    pub fn control(&self, domain: Domain) -> Control {
        let error = ExtendedError {
            errno: self.errno.0.into(),
            origin: self.origin,
            kind: self.icmp_type,
            code: self.icmp_code,
            info: self.info,
            data: 0,
            offender: self.offender,
        };
        error.control(domain)
    }
}

impl Host {
    /// The control messages of a datagram that the socket's options ask for. `wall` gives the time since 1970 that
    /// `SO_TIMESTAMP` and `SO_TIMESTAMPNS` tell; it is read only for them.
    pub fn receive_controls(
        &self,
        id: SocketId,
        datagram: &Datagram,
        wall: impl Fn() -> Duration,
    ) -> Vec<Control> {
        let mut controls = Vec::new();
        for (name, unit) in [(SO_TIMESTAMP, 1000), (SO_TIMESTAMPNS, 1)] {
            if self.asks_for(id, SOL_SOCKET, name) {
                let wall = wall();
                let fraction = u64::from(wall.subsec_nanos() / unit);
                let data = [wall.as_secs().to_ne_bytes(), fraction.to_ne_bytes()].concat();
                controls.push(Control::new(SOL_SOCKET, name, data));
            }
        }
        let drops = self.drops(id) as u32;
        if drops > 0 && self.asks_for(id, SOL_SOCKET, SO_RXQ_OVFL) {
            controls.push(Control::new(SOL_SOCKET, SO_RXQ_OVFL, drops.to_ne_bytes()));
        }
        if datagram.segment > 0 {
            controls.push(Control::new(IPPROTO_UDP, UDP_GRO, i32::from(datagram.segment).to_ne_bytes()));
        }
        self.add_address_controls(id, datagram, &mut controls);
        controls
    }

    /// `TCP_CM_INQ` of a stream that asks for it: what is still to be read, the bytes that `carried`
    /// counts already with the layer above; it is asked only for this. The end that has come counts as one.
    pub fn inq_control(&self, id: SocketId, carried: impl FnOnce() -> usize) -> Option<Control> {
        if !self.asks_for(id, IPPROTO_TCP, TCP_INQ) {
            return None;
        }
        let waits = carried() + self.queued_in(id).unwrap_or(0) + usize::from(self.is_at_end(id));
        let waits = i32::try_from(waits).unwrap_or(i32::MAX);
        Some(Control::new(IPPROTO_TCP, TCP_INQ, waits.to_ne_bytes()))
    }

    /// Those of ip(7) and ipv6(7). On an IPv6 socket an IPv4 datagram has those of both that are about addresses, else
    /// IPv4's only (udpv6_recvmsg).
    fn add_address_controls(&self, id: SocketId, datagram: &Datagram, controls: &mut Vec<Control>) {
        let mut add = |level, option, kind, data: &[u8]| {
            if self.asks_for(id, level, option) {
                controls.push(Control::new(level, kind, data));
            }
        };
        let interface = datagram.interface.0.to_ne_bytes();
        let (ttl, tos) = (i32::from(datagram.ttl).to_ne_bytes(), i32::from(datagram.tos).to_ne_bytes());
        let port = self.local_addr(id).map_or(0, |local| local.port());
        let to = SocketAddr::new(datagram.to.to_canonical(), port);
        let mut info = [0; IN6_PKTINFO_LEN];
        info[..16].copy_from_slice(&to_v6(datagram.to).octets());
        info[16..].copy_from_slice(&interface);
        add(IPPROTO_IPV6, IPV6_RECVPKTINFO, IPV6_PKTINFO, &info);
        if let IpAddr::V4(ip) = to.ip() {
            let info = [interface, ip.octets(), ip.octets()];
            add(IPPROTO_IP, IP_PKTINFO, IP_PKTINFO, info.as_flattened());
            add(IPPROTO_IP, IP_RECVTTL, IP_TTL, &ttl);
            add(IPPROTO_IP, IP_RECVTOS, IP_TOS, &[datagram.tos]);
            let to = sockaddr::encode(Domain::Inet, to);
            add(IPPROTO_IP, IP_ORIGDSTADDR, IP_ORIGDSTADDR, to.as_bytes());
        } else {
            add(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT, &ttl);
            add(IPPROTO_IPV6, IPV6_RECVTCLASS, IPV6_TCLASS, &tos);
            let to = sockaddr::encode(Domain::Inet6, to);
            add(IPPROTO_IPV6, IPV6_ORIGDSTADDR, IPV6_ORIGDSTADDR, to.as_bytes());
        }
    }

    /// Whether an option that asks for a control message is on.
    fn asks_for(&self, id: SocketId, level: i32, name: i32) -> bool {
        let stored = self.sockets.get(id).and_then(|socket| socket.options.stored(level, name));
        stored.is_some_and(|value| value.iter().any(|byte| *byte != 0))
    }
}

/// `struct in_pktinfo` and `struct in6_pktinfo`.
const IN_PKTINFO_LEN: usize = 12;
const IN6_PKTINFO_LEN: usize = 20;

/// The option has the message's number.
const TCP_INQ: i32 = 36;
const SO_TIMESTAMP: i32 = 29;
const SO_TIMESTAMPNS: i32 = 35;
const SO_RXQ_OVFL: i32 = 40;
const IP_TOS: i32 = 1;
const IP_TTL: i32 = 2;
const IP_PKTINFO: i32 = 8;
const IP_RECVTTL: i32 = 12;
const IP_RECVTOS: i32 = 13;
/// The option has the message's number.
const IP_ORIGDSTADDR: i32 = 20;
const IPV6_RECVPKTINFO: i32 = 49;
const IPV6_PKTINFO: i32 = 50;
const IPV6_RECVHOPLIMIT: i32 = 51;
const IPV6_HOPLIMIT: i32 = 52;
const IPV6_RECVTCLASS: i32 = 66;
const IPV6_TCLASS: i32 = 67;
const IPV6_ORIGDSTADDR: i32 = 74;
const UDP_SEGMENT: i32 = 103;
const UDP_GRO: i32 = 104;
