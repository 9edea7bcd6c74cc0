//! The options of raw sockets: whose header it is, ICMP's filters, IPv6's checksum.

use super::table::{IPPROTO_ICMPV6, IPPROTO_IPV6};
use super::value::{int, int_or_byte, of_bool, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, Kind, OptionValue, SocketId};
use crate::raw::RawOptions;
use crate::wire::protocol;

impl Host {
    pub(super) fn set_raw_option(&mut self, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<()> {
        let (number, options) = self.raw_options(id, level, name)?;
        match (level, name) {
            (IPPROTO_ICMPV6, ICMPV6_FILTER) => {
                let bytes = value.chunks_exact(4).take(options.icmp6_filter.len());
                for (word, bytes) in options.icmp6_filter.iter_mut().zip(bytes) {
                    *word = int(bytes)? as u32;
                }
            }
            (_, ICMP_FILTER) => {
                let mut bytes = options.icmp_filter.to_ne_bytes();
                let given = value.len().min(bytes.len());
                bytes[..given].copy_from_slice(&value[..given]);
                options.icmp_filter = u32::from_ne_bytes(bytes);
            }
            (_, IPV6_CHECKSUM) => {
                let at = int(value)?;
                // RFC 3542, 3.1: ICMPv6's place is not for programs to choose; Linux lets SOL_RAW do it.
                if at > 0 && at % 2 == 1 || number == protocol::ICMPV6 && level == IPPROTO_IPV6 {
                    return Err(Errno::EINVAL);
                }
                options.checksum_at = u32::try_from(at).ok();
            }
            _ => options.header_included = int_or_byte(value)? != 0,
        }
        Ok(())
    }

    pub(super) fn get_raw_option(&mut self, id: SocketId, level: i32, name: i32) -> Result<OptionValue> {
        if name == IP_HDRINCL && self.socket_ref(id)?.kind != Kind::Raw {
            return Ok(of_bool(false));
        }
        let (_, options) = self.raw_options(id, level, name)?;
        Ok(match (level, name) {
            (IPPROTO_ICMPV6, ICMPV6_FILTER) => {
                let words = options.icmp6_filter.iter();
                words.flat_map(|word| word.to_ne_bytes()).collect()
            }
            (_, ICMP_FILTER) => of_int(options.icmp_filter as i32),
            (_, IPV6_CHECKSUM) => of_int(options.checksum_at.map_or(-1, |at| at as i32)),
            _ => of_bool(options.header_included),
        })
    }

    /// The socket's protocol and options; ENOPROTOOPT if it is not raw or of the other family, EOPNOTSUPP for
    /// a filter of ICMP on another protocol.
    fn raw_options(&mut self, id: SocketId, level: i32, name: i32) -> Result<(u8, &mut RawOptions)> {
        let socket = self.socket_mut(id)?;
        let (domain, number) = (socket.domain, socket.protocol);
        if socket.kind != Kind::Raw {
            return Err(Errno::ENOPROTOOPT);
        }
        match (level, name) {
            (IPPROTO_ICMPV6, _) if number != protocol::ICMPV6 => return Err(Errno::EOPNOTSUPP),
            (IPPROTO_ICMPV6, _) => {}
            (_, ICMP_FILTER) if domain == Domain::Inet6 => return Err(Errno::ENOPROTOOPT),
            (_, ICMP_FILTER) if number != protocol::ICMP => return Err(Errno::EOPNOTSUPP),
            (_, IPV6_CHECKSUM | IPV6_HDRINCL) if domain == Domain::Inet => return Err(Errno::ENOPROTOOPT),
            _ => {}
        }
        Ok((number, &mut socket.inbox_mut().expect("a raw socket has an inbox").raw))
    }
}

const IP_HDRINCL: i32 = 3;
const ICMP_FILTER: i32 = 1;
const ICMPV6_FILTER: i32 = 1;
const IPV6_CHECKSUM: i32 = 7;
const IPV6_HDRINCL: i32 = 36;
