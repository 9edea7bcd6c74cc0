//! recvmsg with `MSG_ERRQUEUE`: what a socket has to tell beside its data.
//!
//! In: the times of `SO_TIMESTAMPING`, the notifications of `MSG_ZEROCOPY`. Out: one of them a call, in control
//! messages.

use super::world::World;
use libc::msghdr;
use sockeye_core::errno::{Errno, Result};
use sockeye_core::host::Domain;
use sockeye_core::tcp::{Stamp, StampKind};
use sockeye_core::wire::control::{self, Control, ExtendedError};
use std::ffi::c_int;

impl World {
    /// One notification.
    ///
    /// # Safety
    /// The message's control area is as long as it says.
    pub(super) unsafe fn take_notification(&mut self, fd: c_int, msg: &mut msghdr) -> Result<usize> {
        let id = self.socket(fd)?.id;
        let domain = self.host.info(id, self.now).map_or(Domain::Inet, |info| info.domain);
        if let Some(stamp) = self.host.take_stamp(id) {
            let report = ExtendedError {
                errno: ENOMSG,
                origin: 4,
                info: number(stamp.kind),
                data: stamp.key,
                ..ExtendedError::default()
            };
            let times = Control::new(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, times(stamp));
            // The packet itself would follow, had the caller room for it.
            msg.msg_flags = libc::MSG_ERRQUEUE | libc::MSG_TRUNC;
            // SAFETY: the caller's promise.
            unsafe { put(msg, &[times, report.control(domain)]) };
            return Ok(0);
        }
        let (first, last) = self.take_zerocopy(fd)?.ok_or(Errno::EAGAIN)?;
        let report = ExtendedError {
            origin: 5,
            code: SO_EE_CODE_ZEROCOPY_COPIED,
            info: first,
            data: last,
            ..ExtendedError::default()
        };
        msg.msg_flags = libc::MSG_ERRQUEUE;
        // SAFETY: the caller's promise.
        unsafe { put(msg, &[report.control(domain)]) };
        Ok(0)
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

/// Writes the control messages, as far as there is room.
///
/// # Safety
/// The message's control area is as long as it says.
pub(super) unsafe fn put(msg: &mut msghdr, controls: &[Control]) {
    let room = if msg.msg_control.is_null() { 0 } else { msg.msg_controllen };
    let (area, cut) = control::lay_out(controls, room);
    if !area.is_empty() {
        // SAFETY: the area is at most as long as the room, by the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(area.as_ptr(), msg.msg_control.cast(), area.len()) };
    }
    msg.msg_controllen = area.len() as _;
    msg.msg_flags |= if cut { libc::MSG_CTRUNC } else { 0 };
}

const ENOMSG: u32 = libc::ENOMSG as u32;
const SO_EE_CODE_ZEROCOPY_COPIED: u8 = 1;
