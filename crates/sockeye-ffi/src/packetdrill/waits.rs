//! poll, the clock and the device.

use super::calls::{answer_int, stage};
use libc::{nfds_t, pollfd, timeval};
use sockeye_core::errno::Errno;
use std::ffi::{c_int, c_longlong, c_uint, c_void};
use std::time::Duration;

pub(super) unsafe extern "C" fn poll(
    data: *mut c_void,
    fds: *mut pollfd,
    count: nfds_t,
    timeout: c_int,
) -> c_int {
    let fds = match count {
        0 => &mut [],
        // SAFETY: as poll(2) asks it of its caller.
        _ => unsafe { std::slice::from_raw_parts_mut(fds, count as usize) },
    };
    answer_int(stage(data).wait(timeout != 0, until(timeout), |world, over| {
        let mut ready = 0;
        for entry in fds.iter_mut() {
            let told = (entry.events as u32) | (libc::POLLERR | libc::POLLHUP) as u32;
            let bits = match world.readiness(entry.fd) {
                _ if entry.fd < 0 => 0,
                Some(bits) => bits & told,
                None => libc::POLLNVAL as u32,
            };
            entry.revents = bits as i16;
            ready += i32::from(bits != 0);
        }
        if ready == 0 && !over && timeout != 0 { Err(Errno::EAGAIN) } else { Ok(ready) }
    }))
}

/// A timeout in milliseconds; negative is for ever.
pub(super) fn until(timeout: c_int) -> Option<Duration> {
    u64::try_from(timeout).ok().map(Duration::from_millis)
}

pub(super) unsafe extern "C" fn netdev_send(data: *mut c_void, bytes: *const c_void, len: usize) -> c_int {
    // SAFETY: packetdrill's packet, of that length.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) };
    answer_int(stage(data).call(|world| {
        world.follow_sysctls();
        world.deliver(bytes);
        Ok(0)
    }))
}

/// The next packet; nothing within `PATIENCE` is an empty one, which packetdrill takes for an error.
pub(super) unsafe extern "C" fn netdev_receive(
    data: *mut c_void,
    buf: *mut c_void,
    len: *mut usize,
    time_usecs: *mut c_longlong,
) -> c_int {
    let packet = stage(data).next_packet(PATIENCE);
    let (bytes, at) = packet.unwrap_or_default();
    // SAFETY: packetdrill's room, of the length that it says.
    unsafe {
        let n = bytes.len().min(*len);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), buf.cast::<u8>(), n);
        *len = n;
        *time_usecs = (at.0 / 1000) as c_longlong;
    }
    0
}

pub(super) unsafe extern "C" fn usleep(data: *mut c_void, micros: c_uint) -> c_int {
    stage(data).sleep(Duration::from_micros(u64::from(micros)));
    0
}

pub(super) unsafe extern "C" fn gettimeofday(
    data: *mut c_void,
    out: *mut timeval,
    _zone: *mut c_void,
) -> c_int {
    let micros = stage(data).time().0 / 1000;
    let time = timeval {
        tv_sec: (micros / 1_000_000) as libc::time_t,
        tv_usec: (micros % 1_000_000) as libc::suseconds_t,
    };
    // SAFETY: packetdrill's own.
    unsafe { out.write(time) };
    0
}

/// How long to wait for a packet in simulated time.
const PATIENCE: Duration = Duration::from_secs(300);
