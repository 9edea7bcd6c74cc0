//! The options of UDP-Lite (RFC 3828): how much of a datagram the checksum covers.

use super::SocketOptions;
use super::value::{int, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Host, OptionValue, SocketId};
use crate::wire::{protocol, udp};

const SEND_CSCOV: i32 = 10;

impl Host {
    /// As udp_lib_setsockopt of Linux: 0 covers all, less than the header covers the header, more than a packet a
    /// packet. A UDP socket has them to read only.
    pub(super) fn set_lite_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let header = udp::HEADER_LEN as i32;
        let coverage = match int(value)? {
            0 => 0,
            given if given < header => udp::HEADER_LEN as u16,
            given => given.min(i32::from(u16::MAX)) as u16,
        };
        let socket = self.socket_mut(id)?;
        if socket.protocol != protocol::UDPLITE {
            return Err(Errno::ENOPROTOOPT);
        }
        socket.options.seldom.get_or_insert_default().lite_coverage[usize::from(name != SEND_CSCOV)] =
            Some(coverage);
        Ok(())
    }

    pub(super) fn get_lite_option(&mut self, id: SocketId, name: i32) -> Result<OptionValue> {
        let coverages =
            self.socket_ref(id)?.options.seldom.as_deref().map_or([None; 2], |seldom| seldom.lite_coverage);
        Ok(of_int(i32::from(coverages[usize::from(name != SEND_CSCOV)].unwrap_or(0))))
    }
}

impl SocketOptions {
    /// What the checksum of a datagram of `len` bytes covers, if not all of it.
    pub(crate) fn lite_sent(&self, protocol: u8, len: usize) -> Option<u16> {
        let coverage = self.seldom.as_deref().and_then(|seldom| seldom.lite_coverage[0]).unwrap_or(0);
        let partial = coverage > 0 && usize::from(coverage) < len + udp::HEADER_LEN;
        (protocol == protocol::UDPLITE && partial).then_some(coverage)
    }
}
