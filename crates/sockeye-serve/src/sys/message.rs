//! recvmsg(2) on carriers: a datagram, its sender's abstract name, its true length.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// What [`receive`] found.
#[derive(Debug)]
pub(crate) struct Received {
    /// The datagram's true length (`MSG_TRUNC`), which may pass the buffer's.
    pub(crate) len: usize,
    /// The sender's name without the leading zero byte; empty when it has none.
    pub(crate) name: ([u8; 107], usize),
}

impl Received {
    /// The sender's abstract name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name.0[..self.name.1]
    }
}

/// Receives one datagram without waiting.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8], peek: bool) -> io::Result<Received> {
    // SAFETY: all-zero is a valid value of both plain C structs.
    let (mut message, mut address): (libc::msghdr, libc::sockaddr_un) = unsafe { std::mem::zeroed() };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut address).cast();
    message.msg_namelen = size_of::<libc::sockaddr_un>() as u32;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC | if peek { libc::MSG_PEEK } else { 0 };
    // SAFETY: the header points at live buffers of the stated lengths.
    let n = check(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) } as libc::c_long)?;
    let mut name = ([0u8; 107], 0);
    let len = (message.msg_namelen as usize).saturating_sub(3);
    for (to, from) in name.0.iter_mut().zip(&address.sun_path[1..]).take(len) {
        *to = *from as u8;
    }
    name.1 = len.min(107);
    Ok(Received { len: n as usize, name })
}
