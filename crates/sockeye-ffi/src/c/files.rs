//! What every descriptor has: read(2), write(2), close(2), dup(2), fcntl(2), ioctl(2). Numbers that are not the library's
//! go to the system, so that a program may name its files and its sockets by the same functions.

use super::calls::{LENGTH_MAX, on, receive, send, unsent};
use super::table;
use super::{Answer, IntoAnswer, answer, answer_int, memory};
use sockeye_core::errno::Errno;
use sockeye_core::host::SendControl;

/// read(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_read(fd: i32, buffer: *mut u8, len: usize) -> isize {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::read(fd, buffer.cast(), len) };
    }
    answer(on(fd, |handle| {
        let received = receive(handle, len, 0)?;
        memory::write(buffer, received.kept(len))?;
        Ok(received.told(len, 0))
    })) as isize
}

/// write(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_write(fd: i32, buffer: *const u8, len: usize) -> isize {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::write(fd, buffer.cast(), len) };
    }
    answer(on(fd, |handle| {
        let bytes = memory::read(buffer, len.min(LENGTH_MAX)).or_else(|errno| unsent(handle, 0, errno))?;
        send(handle, &bytes, 0, None, &SendControl::default())
    })) as isize
}

/// close(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_close(fd: i32) -> i32 {
    if !table::is_ours(fd) {
        // SAFETY: the caller's argument, to the call it is for.
        return unsafe { libc::close(fd) };
    }
    answer_int(table::close(fd))
}

/// dup(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_dup(fd: i32) -> i32 {
    if !table::is_ours(fd) {
        // SAFETY: the caller's argument, to the call it is for.
        return unsafe { libc::dup(fd) };
    }
    answer_int(table::find(fd).and_then(|open| table::insert(open, false, 0)))
}

/// dup2(2) among the library's descriptors.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_dup2(old: i32, new: i32) -> i32 {
    if !table::is_ours(old) && !table::is_ours(new) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::dup2(old, new) };
    }
    answer_int(table::replace(old, new, false))
}

/// dup3(2) among the library's descriptors.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_dup3(old: i32, new: i32, flags: i32) -> i32 {
    answer_int(match old == new || flags & !libc::O_CLOEXEC != 0 {
        true => Err(Errno::EINVAL),
        false => table::replace(old, new, flags & libc::O_CLOEXEC != 0),
    })
}

/// fcntl(2): duplicates, `FD_CLOEXEC`, `O_NONBLOCK`.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_fcntl(fd: i32, command: i32, argument: libc::c_long) -> i32 {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::fcntl(fd, command, argument) };
    }
    answer_int(control(fd, command, argument as i32))
}

fn control(fd: i32, command: i32, argument: i32) -> Answer<i64> {
    match command {
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
            table::insert(table::find(fd)?, command == libc::F_DUPFD_CLOEXEC, 0)
        }
        libc::F_GETFD => Ok(i64::from(table::close_on_exec(fd, None)?)),
        libc::F_SETFD => table::close_on_exec(fd, Some(argument & libc::FD_CLOEXEC != 0)).map(|_| 0),
        libc::F_GETFL => on(fd, |handle| {
            let nonblocking = if handle.socket.nonblocking() { libc::O_NONBLOCK } else { 0 };
            Ok(i64::from(libc::O_RDWR | nonblocking))
        }),
        libc::F_SETFL => on(fd, |handle| {
            handle.socket.set_nonblocking(argument & libc::O_NONBLOCK != 0).or_errno().map(|()| 0)
        }),
        _ => table::find(fd).and(Err(Errno::EINVAL)),
    }
}

/// ioctl(2): `FIONBIO`, `FIONREAD` (`SIOCINQ`), `SIOCOUTQ`, `SIOCATMARK`.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_ioctl(fd: i32, request: libc::c_ulong, argument: *mut i32) -> i32 {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::ioctl(fd, request as _, argument) };
    }
    answer_int(on(fd, |handle| {
        let told = match request {
            libc::FIOCLEX | libc::FIONCLEX => {
                return table::close_on_exec(fd, Some(request == libc::FIOCLEX)).map(|_| 0);
            }
            FIONBIO => {
                let on = memory::read_int(argument)? != 0;
                return handle.socket.set_nonblocking(on).or_errno().map(|()| 0);
            }
            libc::FIONREAD => handle.socket.with(|host, id, _| host.queued_in(id)),
            SIOCOUTQ => handle.socket.with(|host, id, _| host.queued_out(id)),
            SIOCATMARK => handle.socket.with(|host, id, _| {
                Ok(usize::from(host.urgent_mark(id).is_some_and(|mark| mark.ahead == 0)))
            }),
            _ => return Err(Errno(libc::ENOTTY as u16)),
        };
        memory::write(argument.cast(), &(told.or_errno()? as i32).to_ne_bytes())?;
        Ok(0)
    }))
}

const FIONBIO: libc::c_ulong = 0x5421;
const SIOCOUTQ: libc::c_ulong = 0x5411;
const SIOCATMARK: libc::c_ulong = 0x8905;
