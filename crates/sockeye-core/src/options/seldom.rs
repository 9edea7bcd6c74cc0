//! Options that few sockets have, kept apart so that the others do not carry them: which ports a host may choose, by
//! which interface, how far a segment may have come, where peeking begins, and UDP's batches.

use super::value::{int, int_in, int_or_byte, of_bool, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Host, IfIndex, Kind, OptionValue, SocketId};
use crate::time::Instant;
use crate::udp::Corked;
use alloc::boxed::Box;

/// Their values; all zero is what a socket begins with, but for the peek offset.
#[derive(Clone, Debug)]
pub(crate) struct Seldom {
    /// `IP_LOCAL_PORT_RANGE`: the lowest and the highest; 0 is the host's.
    pub port_range: (u16, u16),
    /// `IP_UNICAST_IF`, `IPV6_UNICAST_IF`.
    pub unicast_if4: Option<IfIndex>,
    pub unicast_if6: Option<IfIndex>,
    /// `IP_MULTICAST_IF`, `IPV6_MULTICAST_IF`.
    pub multicast_if4: Option<IfIndex>,
    pub multicast_if6: Option<IfIndex>,
    /// `UDPLITE_SEND_CSCOV`, `UDPLITE_RECV_CSCOV`: bytes that the checksum covers, 0 being all; None as long as
    /// nothing was asked for.
    pub lite_coverage: [Option<u16>; 2],
    /// `IP_MINTTL`, `IPV6_MINHOPCOUNT`: TCP drops what has come farther.
    pub min_ttl: u8,
    pub min_hops: u8,
    /// `SO_PEEK_OFF`: where the next peek begins, in bytes; below 0 peeking begins at the front and does not move on.
    pub peek_offset: i32,
    /// `UDP_SEGMENT`: what is sent is cut into datagrams of so many bytes; 0 is whole.
    pub segment: u16,
    /// `UDP_GRO`: such a batch is received as one.
    pub batches: bool,
    /// `UDP_CORK`.
    pub cork: bool,
    /// What was sent meanwhile.
    pub corked: Option<Box<Corked>>,
}

impl Default for Seldom {
    fn default() -> Self {
        Self {
            port_range: (0, 0),
            unicast_if4: None,
            unicast_if6: None,
            multicast_if4: None,
            multicast_if6: None,
            lite_coverage: [None; 2],
            min_ttl: 0,
            min_hops: 0,
            peek_offset: -1,
            segment: 0,
            batches: false,
            cork: false,
            corked: None,
        }
    }
}

/// Of the level of IP and IPv6.
impl Host {
    pub(super) fn set_port_range(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let both = u32::from_ne_bytes(value.try_into().map_err(|_| Errno::EINVAL)?);
        let range = (both as u16, (both >> 16) as u16);
        if range.0 != 0 && range.1 != 0 && range.0 > range.1 {
            return Err(Errno::EINVAL);
        }
        self.seldom(id)?.port_range = range;
        Ok(())
    }

    /// The index is in network byte order.
    pub(super) fn set_unicast_if(&mut self, id: SocketId, v6: bool, value: &[u8]) -> Result<()> {
        let bytes = <[u8; 4]>::try_from(value).map_err(|_| Errno::EINVAL)?;
        let interface = match u32::from_be_bytes(bytes) {
            0 => None,
            index => Some(self.routing.interface(IfIndex(index)).ok_or(Errno::EADDRNOTAVAIL)?.index),
        };
        if interface.is_some() && self.socket_ref(id)?.options.device.is_some() {
            return Err(Errno::EINVAL);
        }
        let seldom = self.seldom(id)?;
        *(if v6 { &mut seldom.unicast_if6 } else { &mut seldom.unicast_if4 }) = interface;
        Ok(())
    }

    pub(super) fn set_min_ttl(&mut self, id: SocketId, v6: bool, value: &[u8]) -> Result<()> {
        let value = if v6 {
            int(value)?
        } else if value.is_empty() {
            -1
        } else {
            int_or_byte(value)?
        };
        let least = int_in(value, 0, 255)? as u8;
        let seldom = self.seldom(id)?;
        *(if v6 { &mut seldom.min_hops } else { &mut seldom.min_ttl }) = least;
        self.refresh_flow_fields(id);
        Ok(())
    }

    /// These options of either level, of a socket that may have none.
    pub(super) fn get_seldom_option(&self, id: SocketId, name: SeldomName) -> Result<OptionValue> {
        let default = Seldom::default();
        let seldom = self.socket_ref(id)?.options.seldom.as_deref().unwrap_or(&default);
        let index =
            |interface: Option<IfIndex>| OptionValue::from_slice(&interface.map_or(0, |i| i.0).to_be_bytes());
        Ok(match name {
            SeldomName::PortRange => {
                let (low, high) = seldom.port_range;
                of_int((u32::from(low) | u32::from(high) << 16) as i32)
            }
            SeldomName::UnicastIf { v6: false } => index(seldom.unicast_if4),
            SeldomName::UnicastIf { v6: true } => index(seldom.unicast_if6),
            SeldomName::MinTtl { v6: false } => of_int(i32::from(seldom.min_ttl)),
            SeldomName::MinTtl { v6: true } => of_int(i32::from(seldom.min_hops)),
            SeldomName::PeekOffset if self.socket_ref(id)?.kind == Kind::Raw => {
                return Err(Errno::EOPNOTSUPP);
            }
            SeldomName::PeekOffset => of_int(seldom.peek_offset),
            SeldomName::Segment => of_int(i32::from(seldom.segment)),
            SeldomName::Batches => of_bool(seldom.batches),
            SeldomName::Cork => of_bool(seldom.cork),
        })
    }
}

/// Of the levels of sockets and UDP.
impl Host {
    pub(super) fn set_peek_offset(&mut self, id: SocketId, value: i32) -> Result<()> {
        if self.socket_ref(id)?.kind == Kind::Raw {
            return Err(Errno::EOPNOTSUPP);
        }
        self.seldom(id)?.peek_offset = value;
        Ok(())
    }

    /// udp_lib_setsockopt.
    pub(super) fn set_udp_option(
        &mut self,
        id: SocketId,
        name: i32,
        value: &[u8],
        now: Instant,
    ) -> Result<()> {
        let value = int(value)?;
        match name {
            UDP_CORK => {
                self.seldom(id)?.cork = value != 0;
                return if value == 0 { self.uncork(id, now) } else { Ok(()) };
            }
            UDP_SEGMENT => self.seldom(id)?.segment = int_in(value, 0, i32::from(u16::MAX))? as u16,
            UDP_GRO => self.seldom(id)?.batches = value != 0,
            _ => unreachable!("the table sends only what is here"),
        }
        Ok(())
    }

    pub(super) fn seldom(&mut self, id: SocketId) -> Result<&mut Seldom> {
        Ok(self.socket_mut(id)?.options.seldom.get_or_insert_default())
    }
}

/// Which of them is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum SeldomName {
    PortRange,
    UnicastIf { v6: bool },
    MinTtl { v6: bool },
    PeekOffset,
    Segment,
    Batches,
    Cork,
}

impl SeldomName {
    /// UDP's own.
    pub(super) fn of_udp(name: i32) -> Option<Self> {
        match name {
            UDP_CORK => Some(Self::Cork),
            UDP_SEGMENT => Some(Self::Segment),
            UDP_GRO => Some(Self::Batches),
            _ => None,
        }
    }
}

const UDP_CORK: i32 = 1;
const UDP_SEGMENT: i32 = 103;
const UDP_GRO: i32 = 104;
