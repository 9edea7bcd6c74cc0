//! What packetdrill calls past its interface: getsockopt for its assertions on `TCP_INFO`, sendfile, close.
//!
//! Preloaded, these stand in front of libc's. A descriptor of the host goes to the host, all others to the kernel.
//! `mlockall`, by which packetdrill steadies its timing, has nothing to steady here and needs a privilege.

use super::{FD_FIRST, STAGE, calls, pipes};
use libc::socklen_t;
use std::ffi::{c_int, c_void};

/// getsockopt(2).
///
/// # Safety
/// As of the system call.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    match STAGE.get().filter(|_| fd >= FD_FIRST) {
        Some(stage) => {
            let data = std::ptr::from_ref(stage).cast_mut().cast();
            // SAFETY: the caller's arguments as they are.
            unsafe { calls::getsockopt(data, fd, level, name, value, len) }
        }
        // SAFETY: the caller's arguments as they are.
        None => unsafe { libc::syscall(libc::SYS_getsockopt, fd, level, name, value, len) as c_int },
    }
}

/// sendfile(2).
///
/// # Safety
/// As of the system call.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sendfile(out: c_int, file: c_int, offset: *mut i64, count: usize) -> isize {
    match STAGE.get().filter(|_| out >= FD_FIRST) {
        Some(stage) => pipes::send_file(stage, out, file, offset, count),
        // SAFETY: the caller's arguments as they are.
        None => unsafe { libc::syscall(libc::SYS_sendfile, out, file, offset, count) as isize },
    }
}

/// close(2): packetdrill tidies up by it.
///
/// # Safety
/// As of the system call.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn close(fd: c_int) -> c_int {
    match STAGE.get().filter(|_| fd >= FD_FIRST) {
        Some(stage) => {
            let data = std::ptr::from_ref(stage).cast_mut().cast();
            // SAFETY: the caller's argument as it is.
            unsafe { calls::close(data, fd) }
        }
        // SAFETY: the caller's argument as it is.
        None => unsafe { libc::syscall(libc::SYS_close, fd) as c_int },
    }
}

/// mlockall(2), which does nothing.
#[unsafe(no_mangle)]
pub(super) extern "C" fn mlockall(_flags: c_int) -> c_int {
    0
}
