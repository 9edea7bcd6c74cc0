//! Control messages (cmsg(3)) between a program's bytes and ours.
//!
//! An area is a row of `struct cmsghdr` on 64-bit machines: length with the header (8 bytes), level and type (4 each),
//! data, filled up to a multiple of 8. [`parse`] checks it as sendmsg(2) does, [`lay_out`] cuts it as recvmsg(2) does.

use super::sockaddr;
use crate::errno::{Errno, Result};
use crate::host::Domain;
use crate::options::table::{IPPROTO_IP, IPPROTO_IPV6};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

/// `sizeof(struct cmsghdr)`.
const HEADER_LEN: usize = 16;
const ALIGNMENT: usize = 8;
const IP_RECVERR: i32 = 11;
const IPV6_RECVERR: i32 = 25;

/// One control message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// The protocol that it is for, as an option's level.
    pub level: i32,
    /// What it is, as a number of that level.
    pub kind: i32,
    /// Its data, in the byte order of the machine.
    pub data: Vec<u8>,
}

impl Control {
    /// A message with this data.
    pub fn new(level: i32, kind: i32, data: impl Into<Vec<u8>>) -> Self {
        Self { level, kind, data: data.into() }
    }

    /// The data as an int, where it is one.
    pub(crate) fn int(&self) -> Result<i32> {
        self.data[..].try_into().map(i32::from_ne_bytes).map_err(|_| Errno::EINVAL)
    }

    /// The four bytes at `at` of data that is a structure of at least `len` bytes.
    pub(crate) fn word(&self, at: usize, len: usize) -> Result<u32> {
        self.bytes(at, len).map(u32::from_ne_bytes)
    }

    /// `N` bytes at `at`, likewise.
    pub(crate) fn bytes<const N: usize>(&self, at: usize, len: usize) -> Result<[u8; N]> {
        let fits = if self.data.len() < len { None } else { self.data.get(at..at + N) };
        fits.and_then(|bytes| bytes.try_into().ok()).ok_or(Errno::EINVAL)
    }
}

/// `struct sock_extended_err`, and who sent what it tells of.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtendedError {
    /// `ee_errno`.
    pub errno: u32,
    /// `ee_origin`: 1 local, 2 ICMP, 3 ICMPv6, 4 sending times, 5 zero copy.
    pub origin: u8,
    /// `ee_type`.
    pub kind: u8,
    /// `ee_code`.
    pub code: u8,
    /// `ee_info`.
    pub info: u32,
    /// `ee_data`.
    pub data: u32,
    /// `SO_EE_OFFENDER`, if somebody sent it.
    pub offender: Option<IpAddr>,
}

impl ExtendedError {
    /// `IP_RECVERR` or `IPV6_RECVERR`: the structure and the offender's address, zeros where there is none.
    pub fn control(&self, domain: Domain) -> Control {
        let mut data = self.errno.to_ne_bytes().to_vec();
        data.extend([self.origin, self.kind, self.code, 0]);
        data.extend(self.info.to_ne_bytes());
        data.extend(self.data.to_ne_bytes());
        let (level, kind, address_len) = match domain {
            Domain::Inet | Domain::Unix => (IPPROTO_IP, IP_RECVERR, 16),
            Domain::Inet6 => (IPPROTO_IPV6, IPV6_RECVERR, 28),
        };
        match self.offender {
            Some(ip) => data.extend(sockaddr::encode(domain, SocketAddr::new(ip, 0)).as_bytes()),
            None => data.resize(data.len() + address_len, 0),
        }
        Control { level, kind, data }
    }
}

/// The messages of an area.
///
/// # Errors
/// EINVAL for a length that is shorter than its header or longer than what is left; bytes behind the last message that
/// are too few for a header are not looked at.
pub fn parse(area: &[u8]) -> Result<Vec<Control>> {
    let mut found = Vec::new();
    let mut rest = area;
    while let Some((header, _)) = rest.split_first_chunk::<HEADER_LEN>() {
        let int = |at: usize| i32::from_ne_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let len = u64::from_ne_bytes(header[..8].try_into().expect("eight bytes"));
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
        if !(HEADER_LEN..=rest.len()).contains(&len) {
            return Err(Errno::EINVAL);
        }
        found.push(Control::new(int(8), int(12), &rest[HEADER_LEN..len]));
        rest = &rest[len.next_multiple_of(ALIGNMENT).min(rest.len())..];
    }
    Ok(found)
}

/// The bytes of an area of `room` bytes, and whether something had no room (`MSG_CTRUNC`). A message is cut within its
/// data (Linux's put_cmsg); without room for its header, it and what follows are left out.
pub fn lay_out(controls: &[Control], room: usize) -> (Vec<u8>, bool) {
    let mut area = Vec::new();
    for control in controls {
        let whole = HEADER_LEN + control.data.len();
        let len = whole.min(room - area.len());
        if len < HEADER_LEN {
            return (area, true);
        }
        area.extend((len as u64).to_ne_bytes());
        area.extend(control.level.to_ne_bytes());
        area.extend(control.kind.to_ne_bytes());
        area.extend(&control.data[..len - HEADER_LEN]);
        area.resize(area.len().next_multiple_of(ALIGNMENT).min(room), 0);
        if len < whole {
            // No header fits behind one that was cut.
            return (area, true);
        }
    }
    (area, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn two() -> [Control; 2] {
        [Control::new(0, 2, 64i32.to_ne_bytes()), Control::new(41, 50, vec![7; 20])]
    }

    #[test]
    fn messages_survive_the_way_there_and_back() {
        let (area, cut) = lay_out(&two(), 1000);
        assert_eq!((area.len(), cut), (24 + 40, false));
        assert_eq!(parse(&area), Ok(two().to_vec()));
        assert_eq!(parse(&area[..60]), Ok(two().to_vec()), "the last one's filling may be missing");
    }

    #[test]
    fn little_room_cuts_data_and_then_leaves_out() {
        for (room, len, kept) in [(0, 0, 0), (15, 0, 0), (18, 18, 1), (24, 24, 1), (39, 24, 1), (45, 45, 2)] {
            let (area, cut) = lay_out(&two(), room);
            assert_eq!((area.len(), cut), (len, true), "{room} bytes of room");
            let heads = parse(&area).expect("what was laid out");
            assert_eq!(heads.len(), kept, "{room} bytes of room");
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let area = lay_out(&two(), 1000).0;
        for len in [0u64, 3, 15, 65, u64::MAX] {
            let wrong = [&len.to_ne_bytes()[..], &area[8..]].concat();
            assert_eq!(parse(&wrong), Err(Errno::EINVAL), "{len}");
        }
        assert_eq!(parse(&area[..15]), Ok(vec![]));
        assert_eq!(parse(&area[..59]), Err(Errno::EINVAL));
    }
}
