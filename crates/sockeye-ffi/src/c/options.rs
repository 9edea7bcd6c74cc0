//! setsockopt(2) and getsockopt(2): the engine's table of options, with Linux's numbers and lengths.

use super::calls::on;
use super::{IntoAnswer, answer_int, memory};
use sockeye_core::errno::Errno;

/// setsockopt(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_setsockopt(fd: i32, level: i32, name: i32, value: *const u8, len: u32) -> i32 {
    answer_int(on(fd, |handle| {
        let len = usize::try_from(len as i32).map_err(|_| Errno::EINVAL)?;
        let value = match memory::read(value, len.min(VALUE_MAX)) {
            Ok(value) => value,
            // Whether the option exists is asked before its value is read.
            Err(errno) => {
                let may = handle.socket.with(|host, id, _| host.may_set(id, level, name, len));
                return may.or_errno().and(Err(errno));
            }
        };
        handle.socket.with(|host, id, now| host.setsockopt(id, level, name, &value, now)).or_errno()?;
        Ok(0)
    }))
}

/// getsockopt(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_getsockopt(fd: i32, level: i32, name: i32, value: *mut u8, len: *mut u32) -> i32 {
    answer_int(on(fd, |handle| {
        handle.socket.with(|host, id, _| host.may_get(id, level, name)).or_errno()?;
        let room = usize::try_from(memory::read_int(len.cast())?).map_err(|_| Errno::EINVAL)?;
        let found =
            handle.socket.with(|host, id, now| host.getsockopt(id, level, name, room, now)).or_errno()?;
        let found = &found[..found.len().min(room)];
        memory::write(value, found)?;
        memory::write(len.cast(), &(found.len() as u32).to_ne_bytes())?;
        Ok(0)
    }))
}

/// Longest value that is read, in bytes.
const VALUE_MAX: usize = 64 * 1024;
