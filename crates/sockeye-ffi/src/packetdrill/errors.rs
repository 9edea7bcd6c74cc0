//! recvmsg with `MSG_ERRQUEUE`: what a socket has to tell beside its data.
//!
//! In: the times of `SO_TIMESTAMPING`, the notifications of `MSG_ZEROCOPY`. Out: one of them a call, in control
//! messages.

use super::world::World;
use libc::{cmsghdr, msghdr};
use sockeye_core::errno::{Errno, Result};
use sockeye_core::host::Domain;
use sockeye_core::tcp::{Stamp, StampKind};
use std::ffi::c_int;

/// `struct sock_extended_err`, as far as it says something here.
struct Report {
    errno: u32,
    origin: u8,
    code: u8,
    info: u32,
    data: u32,
}

impl World {
    /// One notification.
    ///
    /// # Safety
    /// The message's control area is as long as it says.
    pub(super) unsafe fn take_notification(&mut self, fd: c_int, msg: &mut msghdr) -> Result<usize> {
        let id = self.socket(fd)?.id;
        let room = msg.msg_controllen;
        if let Some(stamp) = self.host.take_stamp(id) {
            // SAFETY: the caller's promise; two messages, one behind the other.
            unsafe {
                let first = put(msg, 0, room, libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &times(stamp));
                let report =
                    Report { errno: ENOMSG, origin: 4, code: 0, info: number(stamp.kind), data: stamp.key };
                self.put_report(fd, msg, first, room, &report);
            }
            // The packet itself would follow, had the caller room for it.
            msg.msg_flags = libc::MSG_ERRQUEUE | libc::MSG_TRUNC;
            return Ok(0);
        }
        let (first, last) = self.take_zerocopy(fd)?.ok_or(Errno::EAGAIN)?;
        let report =
            Report { errno: 0, origin: 5, code: SO_EE_CODE_ZEROCOPY_COPIED, info: first, data: last };
        // SAFETY: the caller's promise.
        unsafe { self.put_report(fd, msg, 0, room, &report) };
        msg.msg_flags = libc::MSG_ERRQUEUE;
        Ok(0)
    }

    /// # Safety
    /// As [`put`].
    unsafe fn put_report(&mut self, fd: c_int, msg: &mut msghdr, at: usize, room: usize, report: &Report) {
        let id = self.socket(fd).map(|socket| socket.id);
        let domain =
            id.ok().and_then(|id| self.host.info(id, self.now)).map_or(Domain::Inet, |info| info.domain);
        let (level, kind, len) = match domain {
            Domain::Inet => (libc::IPPROTO_IP, libc::IP_RECVERR, 32),
            Domain::Inet6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 44),
        };
        let mut value = vec![0u8; len];
        value[..4].copy_from_slice(&report.errno.to_ne_bytes());
        value[4] = report.origin;
        value[6] = report.code;
        value[8..12].copy_from_slice(&report.info.to_ne_bytes());
        value[12..16].copy_from_slice(&report.data.to_ne_bytes());
        // SAFETY: the caller's promise.
        unsafe { put(msg, at, room, level, kind, &value) };
    }
}

/// `struct scm_timestamping`: three times, of which software gives the first.
fn times(stamp: Stamp) -> [u8; 48] {
    let mut value = [0; 48];
    let (seconds, nanos) = (stamp.at.0 / 1_000_000_000, stamp.at.0 % 1_000_000_000);
    value[..8].copy_from_slice(&seconds.to_ne_bytes());
    value[8..16].copy_from_slice(&nanos.to_ne_bytes());
    value
}

/// `SCM_TSTAMP_*`.
fn number(kind: StampKind) -> u32 {
    match kind {
        StampKind::Sent => 0,
        StampKind::Scheduled => 1,
        StampKind::Acknowledged => 2,
    }
}

/// Writes one control message at `at`, if there is room in the whole area; says where the next one begins.
///
/// # Safety
/// The message's control area is `room` bytes long.
pub(super) unsafe fn put(
    msg: &mut msghdr,
    at: usize,
    room: usize,
    level: c_int,
    kind: c_int,
    value: &[u8],
) -> usize {
    // SAFETY: arithmetic.
    let (space, len) = unsafe {
        (libc::CMSG_SPACE(value.len() as u32) as usize, libc::CMSG_LEN(value.len() as u32) as usize)
    };
    if msg.msg_control.is_null() || room < at + space {
        msg.msg_flags |= libc::MSG_CTRUNC;
        msg.msg_controllen = at as _;
        return at;
    }
    // SAFETY: there is room for header and value, by the length that was just asked.
    unsafe {
        let place = msg.msg_control.cast::<u8>().add(at).cast::<cmsghdr>();
        let mut header: cmsghdr = core::mem::zeroed();
        (header.cmsg_len, header.cmsg_level, header.cmsg_type) = (len as _, level, kind);
        place.write_unaligned(header);
        std::ptr::copy_nonoverlapping(value.as_ptr(), libc::CMSG_DATA(place), value.len());
    }
    msg.msg_controllen = (at + space) as _;
    at + space
}

const ENOMSG: u32 = libc::ENOMSG as u32;
const SO_EE_CODE_ZEROCOPY_COPIED: u8 = 1;
