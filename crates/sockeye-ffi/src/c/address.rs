//! `struct sockaddr` arguments, read and written with Linux's checks.

use super::{Answer, memory};
use sockeye_core::Errno;

pub(super) use sockeye_core::wire::sockaddr::{
    Parsed, encode, for_bind, for_connect, for_datagrams, for_send,
};

/// The bytes of an address argument, as move_addr_to_kernel takes them.
pub(super) fn read(from: *const u8, len: u32) -> Answer<Vec<u8>> {
    let len = usize::try_from(len as i32).ok().filter(|len| *len <= ADDRESS_MAX).ok_or(Errno::EINVAL)?;
    memory::read(from, len)
}

/// Writes an address and its length as move_addr_to_user does: cut to the room, the true length told. Null is nothing to
/// do.
pub(super) fn write(addr: &[u8], to: *mut u8, len: *mut u32) -> Answer<()> {
    if to.is_null() { Ok(()) } else { write_required(addr, to, len) }
}

/// The same where an address must be given room: null is EFAULT, unless there is no room.
pub(super) fn write_required(addr: &[u8], to: *mut u8, len: *mut u32) -> Answer<()> {
    let room = usize::try_from(memory::read_int(len.cast())?).map_err(|_| Errno::EINVAL)?;
    memory::write(to, &addr[..addr.len().min(room)])?;
    memory::write(len.cast(), &(addr.len() as u32).to_ne_bytes())
}

/// `struct sockaddr_storage`.
const ADDRESS_MAX: usize = 128;
