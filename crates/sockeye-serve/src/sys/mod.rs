//! The only unsafe code of this crate: system calls that rustix lacks.
//!
//! Each function wraps one kernel interface, checks what it gets and answers a `Result`; nothing here decides
//! anything.
#![allow(unsafe_code)]

pub(crate) mod launch;
pub(crate) mod memory;
pub(crate) mod message;
pub(crate) mod seccomp;
pub mod signals;
pub(crate) mod socket;

use std::io;

/// The kernel's answer as a `Result`.
fn check(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}
