//! System calls of programs, one file per family.
//!
//! A call comes from the filter with its number and six registers. It ends in exactly one of the ways of
//! [`Outcome`]; what it needs of the program's memory is read and written through [`Memory`].

pub(crate) mod accept;
mod bind;
mod connect;
mod error_queue;
mod interfaces;
mod message;
mod name;
mod netlink;
mod option;
mod receive;
mod send;
mod shutdown;
mod socket;

use crate::server::Server;
use crate::sys::{memory, seccomp};
use sockeye_core::Errno;
use std::os::fd::BorrowedFd;

pub(crate) use receive::EPHEMERAL_NETLINK_PORT;

/// One call as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) tid: u32,
    pub(crate) nr: i64,
    pub(crate) args: [u64; 6],
}

impl Call {
    /// Argument `index` as a C int.
    pub(crate) fn int(&self, index: usize) -> i32 {
        self.args[index] as i32
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With this value.
    Value(i64),
    /// The kernel runs it: it is not about a socket of ours, or needs nothing of us.
    Proceed,
    /// Later: it stands among the held calls.
    Held,
    /// It has been answered already (with a descriptor, atomically), or its thread is gone.
    Answered(i64),
}

/// The result of a call's handler.
pub(crate) type Answer = Result<Outcome, Errno>;

/// What an accept, receive or the like says when nothing is there yet.
pub(crate) enum Progress {
    Done(Answer),
    Wait,
}

/// The memory of the thread that made a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a> {
    tid: u32,
    id: u64,
    listener: BorrowedFd<'a>,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(call: &Call, listener: BorrowedFd<'a>) -> Self {
        Self { tid: call.tid, id: call.id, listener }
    }

    /// Fills `buffer` from `address`, or EFAULT.
    pub(crate) fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Errno> {
        if buffer.is_empty() {
            return Ok(());
        }
        match memory::read(self.tid, address, buffer) {
            Ok(n) if n == buffer.len() => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Reads `len` bytes.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = vec![0; len];
        self.read(address, &mut buffer).map(|()| buffer)
    }

    /// Reads a C int.
    pub(crate) fn int(&self, address: u64) -> Result<i32, Errno> {
        let mut bytes = [0; 4];
        self.read(address, &mut bytes).map(|()| i32::from_ne_bytes(bytes))
    }

    /// Writes `bytes`, or EFAULT. Never into a process that has taken the number of a dead one.
    pub(crate) fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !seccomp::is_valid(self.listener, self.id) {
            return Err(Errno::EFAULT);
        }
        match memory::write(self.tid, address, bytes) {
            Ok(n) if n == bytes.len() => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Reads an address argument (bind, connect, sendto), as move_addr_to_kernel of Linux does.
    pub(crate) fn address(&self, address: u64, len: i32) -> Result<Vec<u8>, Errno> {
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
        if len > crate::abi::ADDRESS_MAX {
            return Err(Errno::EINVAL);
        }
        self.bytes(address, len)
    }

    /// Writes a value of variable length and then its length, as move_addr_to_user of Linux does: at most as
    /// much as the program has room for, while the length told is the true one.
    pub(crate) fn write_address(&self, address: u64, len_address: u64, value: &[u8]) -> Result<(), Errno> {
        let room = usize::try_from(self.int(len_address)?).map_err(|_| Errno::EINVAL)?;
        self.write(address, &value[..value.len().min(room)])?;
        self.write(len_address, &(value.len() as i32).to_ne_bytes())
    }
}

/// The calls that are notified, by name: for the trace.
pub(crate) fn name(nr: i64) -> &'static str {
    match nr {
        libc::SYS_socket => "socket",
        libc::SYS_bind => "bind",
        libc::SYS_listen => "listen",
        libc::SYS_connect => "connect",
        libc::SYS_accept => "accept",
        libc::SYS_accept4 => "accept4",
        libc::SYS_getsockname => "getsockname",
        libc::SYS_getpeername => "getpeername",
        libc::SYS_setsockopt => "setsockopt",
        libc::SYS_getsockopt => "getsockopt",
        libc::SYS_shutdown => "shutdown",
        libc::SYS_sendto => "sendto",
        libc::SYS_recvfrom => "recvfrom",
        libc::SYS_sendmsg => "sendmsg",
        libc::SYS_recvmsg => "recvmsg",
        libc::SYS_sendmmsg => "sendmmsg",
        libc::SYS_recvmmsg => "recvmmsg",
        libc::SYS_ioctl => "ioctl",
        _ => "?",
    }
}

impl Server {
    /// Runs one call.
    pub(crate) fn dispatch(&mut self, call: &Call) -> Answer {
        match call.nr {
            libc::SYS_socket => self.call_socket(call),
            libc::SYS_bind => self.call_bind(call),
            libc::SYS_listen => self.call_listen(call),
            libc::SYS_connect => self.call_connect(call),
            libc::SYS_accept | libc::SYS_accept4 => self.call_accept(call),
            libc::SYS_getsockname => self.call_getsockname(call),
            libc::SYS_getpeername => self.call_getpeername(call),
            libc::SYS_setsockopt => self.call_setsockopt(call),
            libc::SYS_getsockopt => self.call_getsockopt(call),
            libc::SYS_shutdown => self.call_shutdown(call),
            libc::SYS_sendto => self.call_sendto(call),
            libc::SYS_recvfrom => self.call_recvfrom(call),
            libc::SYS_sendmsg => self.call_sendmsg(call),
            libc::SYS_recvmsg => self.call_recvmsg(call),
            libc::SYS_sendmmsg => self.call_sendmmsg(call),
            libc::SYS_recvmmsg => self.call_recvmmsg(call),
            libc::SYS_ioctl => self.call_ioctl(call),
            _ => Ok(Outcome::Proceed),
        }
    }
}
