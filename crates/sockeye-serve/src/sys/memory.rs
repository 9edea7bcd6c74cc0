//! The memory of a program: reads and writes across processes (process_vm_readv(2)).

use super::check;
use std::io;

fn transfer(
    call: unsafe extern "C" fn(
        libc::pid_t,
        *const libc::iovec,
        libc::c_ulong,
        *const libc::iovec,
        libc::c_ulong,
        libc::c_ulong,
    ) -> isize,
    tid: u32,
    local: libc::iovec,
    address: u64,
) -> io::Result<usize> {
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: local.iov_len };
    // SAFETY: `local` describes a live slice of ours of that length (the callers below make it so); the remote
    // side is checked by the kernel.
    let n = unsafe { call(tid as libc::pid_t, &raw const local, 1, &raw const remote, 1, 0) };
    check(n as libc::c_long).map(|n| n as usize)
}

/// Reads up to `buffer.len()` bytes at `address`; fewer where the mapping ends.
pub(crate) fn read(tid: u32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    transfer(libc::process_vm_readv, tid, local, address)
}

/// Writes `bytes` at `address`; fewer where the mapping ends.
pub(crate) fn write(tid: u32, address: u64, bytes: &[u8]) -> io::Result<usize> {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    transfer(libc::process_vm_writev, tid, local, address)
}
