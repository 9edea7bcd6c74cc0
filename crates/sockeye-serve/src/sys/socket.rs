//! Options of carriers that rustix has no name for.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The kernel's unique number of a socket (`SO_COOKIE`); ENOTSOCK tells that it is none.
pub(crate) fn cookie(fd: BorrowedFd<'_>) -> io::Result<u64> {
    let mut value = 0u64;
    let mut len = 8 as libc::socklen_t;
    // SAFETY: the buffer is eight bytes, as `len` says.
    let n = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_COOKIE,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    check(libc::c_long::from(n)).map(|_| value)
}

/// Sets an integer option of `SOL_SOCKET`.
pub(crate) fn set_option(fd: BorrowedFd<'_>, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value is four bytes, as the length says.
    let n = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, name, (&raw const value).cast(), 4) };
    check(libc::c_long::from(n)).map(drop)
}

/// Reads an integer option of `SOL_SOCKET`.
pub(crate) fn option(fd: BorrowedFd<'_>, name: i32) -> io::Result<i32> {
    let mut value = 0i32;
    let mut len = 4 as libc::socklen_t;
    // SAFETY: the buffer is four bytes, as `len` says.
    let n = unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut len)
    };
    check(libc::c_long::from(n)).map(|_| value)
}

/// Takes a datagram socket's peer away (connect to `AF_UNSPEC`).
pub(crate) fn disconnect(fd: BorrowedFd<'_>) -> io::Result<()> {
    let family = libc::AF_UNSPEC as libc::sa_family_t;
    // SAFETY: the address is two bytes, as the length says.
    let n = unsafe { libc::connect(fd.as_raw_fd(), (&raw const family).cast(), 2) };
    check(libc::c_long::from(n)).map(drop)
}

/// Sets an option of `SOL_SOCKET` from its bytes.
pub(crate) fn set_option_bytes(fd: BorrowedFd<'_>, name: i32, value: &[u8]) -> io::Result<()> {
    // SAFETY: the value is as long as the length says.
    let n = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    check(libc::c_long::from(n)).map(drop)
}
