//! The C library: the BSD calls over hosts of a lab, with Linux's constants, structs and errno.
//!
//! ```text
//!   C: sockeye_connect(fd, addr, len)
//!     calls.rs     pointers checked and copied (memory.rs), the descriptor found (table.rs)
//!     sockeye::net::engine   the call on the engine, waiting where the socket blocks
//!   -1 and errno, or the result
//! ```
//!
//! A thread has a current host ([`lab::sockeye_use`]), on which its sockets are made; every other call goes by the
//! descriptor. Descriptors are numbers of this library's own, far above the kernel's. Nothing here keeps a lock while a
//! call waits; hosts of different labs share nothing but the table of descriptors, which is only read.

// The exported functions are reached by their symbols.
#![allow(unreachable_pub)]

mod address;
mod calls;
mod epoll;
mod files;
mod lab;
mod memory;
mod messages;
mod names;
mod options;
mod parker;
mod poll;
mod table;
mod unix;

use sockeye_core::Errno;
use std::io;

type Answer<T> = Result<T, Errno>;

/// The C way to answer: a number, or -1 and errno.
fn answer(result: Answer<i64>) -> i64 {
    result.unwrap_or_else(|errno| {
        // SAFETY: the place of this thread's errno, which libc keeps.
        unsafe { *libc::__errno_location() = i32::from(errno.0) };
        -1
    })
}

/// The same for calls that answer an int.
fn answer_int(result: Answer<i64>) -> i32 {
    answer(result) as i32
}

/// The number behind an error of the library in Rust.
fn errno_of(error: &io::Error) -> Errno {
    Errno(error.raw_os_error().and_then(|number| u16::try_from(number).ok()).unwrap_or(Errno::EINVAL.0))
}

/// An answer of the library in Rust.
trait IntoAnswer<T> {
    fn or_errno(self) -> Answer<T>;
}

impl<T> IntoAnswer<T> for io::Result<T> {
    fn or_errno(self) -> Answer<T> {
        self.map_err(|error| errno_of(&error))
    }
}
