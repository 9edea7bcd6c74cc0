//! The calls that move no data, one function each.

use super::messages::TCP_INQ;
use super::names::{self, Name};
use super::stage::Stage;
use super::world::File;
use libc::{sockaddr, socklen_t};
use sockeye_core::errno::{Errno, Result};
use sockeye_core::host::{Domain, Kind, Shutdown};
use sockeye_core::tcp::Stamping;
use std::ffi::{c_int, c_ulong, c_void};
use std::time::Duration;

/// The stage behind packetdrill's word.
pub(super) fn stage(data: *mut c_void) -> &'static Stage {
    // SAFETY: the word is the one of `packetdrill_interface_init`: a static.
    unsafe { &*data.cast::<Stage>() }
}

/// A value, or -1 and errno.
pub(super) fn answer(result: Result<usize>) -> isize {
    match result {
        Ok(value) => value as isize,
        Err(errno) => {
            // SAFETY: libc's own word of this thread.
            unsafe { *libc::__errno_location() = i32::from(errno.0) };
            -1
        }
    }
}

pub(super) fn answer_int(result: Result<i32>) -> c_int {
    answer(result.map(|value| value as usize)) as c_int
}

pub(super) unsafe extern "C" fn free(_data: *mut c_void) {}

pub(super) unsafe extern "C" fn socket(
    data: *mut c_void,
    domain: c_int,
    kind: c_int,
    protocol: c_int,
) -> c_int {
    answer_int(stage(data).call(|world| {
        world.follow_sysctls();
        let domain = match domain {
            libc::AF_INET => Domain::Inet,
            libc::AF_INET6 => Domain::Inet6,
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        let nonblocking = kind & libc::SOCK_NONBLOCK != 0;
        let kind = match kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) {
            libc::SOCK_STREAM => Kind::Stream,
            libc::SOCK_DGRAM => Kind::Datagram,
            libc::SOCK_RAW => Kind::Raw,
            _ => return Err(Errno::EINVAL),
        };
        let protocol = u8::try_from(protocol).map_err(|_| Errno::EPROTONOSUPPORT)?;
        let id = world.host.socket(domain, kind, protocol)?;
        Ok(world.open_socket(id, nonblocking))
    }))
}

pub(super) unsafe extern "C" fn bind(
    data: *mut c_void,
    fd: c_int,
    addr: *const sockaddr,
    len: socklen_t,
) -> c_int {
    // SAFETY: as bind(2) asks it of its caller.
    let name = unsafe { names::read(addr, len) };
    answer_int(stage(data).call(|world| {
        let id = world.socket(fd)?.id;
        let Name::Internet(addr) = name? else { return Err(Errno::EAFNOSUPPORT) };
        world.host.bind(id, addr).map(|()| 0)
    }))
}

pub(super) unsafe extern "C" fn listen(data: *mut c_void, fd: c_int, backlog: c_int) -> c_int {
    answer_int(stage(data).call(|world| {
        world.follow_sysctls();
        let id = world.socket(fd)?.id;
        world.host.listen(id, backlog).map(|()| 0)
    }))
}

pub(super) unsafe extern "C" fn accept(
    data: *mut c_void,
    fd: c_int,
    addr: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    let stage = stage(data);
    let blocks = blocks(stage, fd);
    answer_int(stage.wait(blocks, timeout(stage, fd, SO_RCVTIMEO), |world, _| {
        let id = world.socket(fd)?.id;
        let child = world.host.accept(id)?;
        // Who has gone meanwhile has a name all the same.
        if let Some(peer) = world.host.info(child, world.now).and_then(|info| info.remote) {
            // SAFETY: as accept(2) asks it of its caller.
            unsafe { names::write(peer, addr, len) };
        }
        let zerocopy = world.socket(fd)?.zerocopy.on;
        let fd = world.open_socket(child, false);
        world.socket(fd)?.zerocopy.on = zerocopy;
        Ok(fd)
    }))
}

pub(super) unsafe extern "C" fn connect(
    data: *mut c_void,
    fd: c_int,
    addr: *const sockaddr,
    len: socklen_t,
) -> c_int {
    // SAFETY: as connect(2) asks it of its caller.
    let name = unsafe { names::read(addr, len) };
    let stage = stage(data);
    let blocks = blocks(stage, fd);
    let mut first = true;
    let result = stage.wait(blocks, timeout(stage, fd, SO_SNDTIMEO), |world, _| {
        let id = world.socket(fd)?.id;
        let now = world.now;
        let asked_before = !core::mem::take(&mut first);
        let answer = match name? {
            Name::Nobody => world.host.disconnect(id, now),
            Name::Internet(addr) => {
                world.follow_sysctls();
                world.host.connect(id, addr, now)
            }
        };
        match answer {
            Err(Errno::EINPROGRESS) if blocks => Err(Errno::EAGAIN),
            Err(Errno::EALREADY) if blocks || asked_before => Err(Errno::EAGAIN),
            answer => answer.map(|()| 0),
        }
    });
    answer_int(result.map_err(|errno| if errno == Errno::EAGAIN { Errno::EINPROGRESS } else { errno }))
}

pub(super) unsafe extern "C" fn close(data: *mut c_void, fd: c_int) -> c_int {
    answer_int(stage(data).call(|world| world.close(fd).map(|()| 0)))
}

pub(super) unsafe extern "C" fn shutdown(data: *mut c_void, fd: c_int, how: c_int) -> c_int {
    answer_int(stage(data).call(|world| {
        let id = world.socket(fd)?.id;
        let how = match how {
            libc::SHUT_RD => Shutdown::Read,
            libc::SHUT_WR => Shutdown::Write,
            libc::SHUT_RDWR => Shutdown::Both,
            _ => return Err(Errno::EINVAL),
        };
        let now = world.now;
        world.host.shutdown(id, how, now).map(|()| 0)
    }))
}

pub(super) unsafe extern "C" fn fcntl(
    data: *mut c_void,
    fd: c_int,
    command: c_int,
    argument: usize,
) -> c_int {
    answer_int(stage(data).call(|world| {
        let nonblocking = match world.file(fd)? {
            File::Socket(socket) => &mut socket.nonblocking,
            File::Pipe { nonblocking, .. } => nonblocking,
            File::Epoll(_) => return Err(Errno::EINVAL),
        };
        match command {
            libc::F_GETFL => Ok(libc::O_RDWR | if *nonblocking { libc::O_NONBLOCK } else { 0 }),
            libc::F_SETFL => {
                *nonblocking = argument as i32 & libc::O_NONBLOCK != 0;
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }))
}

pub(super) unsafe extern "C" fn ioctl(
    data: *mut c_void,
    fd: c_int,
    request: c_ulong,
    argument: usize,
) -> c_int {
    answer_int(stage(data).call(|world| {
        let id = world.socket(fd)?.id;
        let out = argument as *mut c_int;
        if out.is_null() {
            return Err(Errno::EFAULT);
        }
        let value = match request {
            libc::FIONREAD => world.host.queued_in(id)? as c_int,
            libc::TIOCOUTQ => world.host.queued_out(id)? as c_int,
            SIOCATMARK => c_int::from(world.host.urgent_mark(id).is_some_and(|mark| mark.ahead == 0)),
            SIOCOUTQNSD => world.host.queued_unsent(id)? as c_int,
            FIONBIO => {
                // SAFETY: FIONBIO reads an int there.
                world.socket(fd)?.nonblocking = unsafe { *out } != 0;
                return Ok(0);
            }
            _ => return Err(Errno::ENOTTY),
        };
        // SAFETY: these requests write an int there.
        unsafe { *out = value };
        Ok(0)
    }))
}

pub(super) unsafe extern "C" fn getsockopt(
    data: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    answer_int(stage(data).call(|world| {
        let (id, now) = (world.socket(fd)?.id, world.now);
        if value.is_null() || len.is_null() {
            return Err(Errno::EFAULT);
        }
        // SAFETY: not null, so the caller's room for `len` bytes.
        let room = unsafe { *len };
        let room = usize::try_from(room as i32).map_err(|_| Errno::EINVAL)?;
        let option = world.host.getsockopt(id, level, name, room, now)?;
        let n = option.len().min(room);
        // SAFETY: `n` bytes are there on both sides.
        unsafe {
            std::ptr::copy_nonoverlapping(option.as_ptr(), value.cast::<u8>(), n);
            *len = n as socklen_t;
        }
        Ok(0)
    }))
}

pub(super) unsafe extern "C" fn setsockopt(
    data: *mut c_void,
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    answer_int(stage(data).call(|world| {
        let (id, now) = (world.socket(fd)?.id, world.now);
        if value.is_null() && len > 0 {
            return Err(Errno::EFAULT);
        }
        let len = usize::try_from(len as i32).map_err(|_| Errno::EINVAL)?;
        let value = match len {
            0 => &[],
            // SAFETY: not null, so the caller's `len` bytes.
            _ => unsafe { std::slice::from_raw_parts(value.cast::<u8>(), len) },
        };
        world.follow_sysctls();
        if (level, name) == (libc::IPPROTO_TCP, TCP_INQ) {
            let on: [u8; 4] = value.try_into().map_err(|_| Errno::EINVAL)?;
            world.socket(fd)?.hints = on != [0; 4];
            return Ok(0);
        }
        if (level, name) == (libc::SOL_SOCKET, libc::SO_ZEROCOPY) {
            return world.set_zerocopy(fd, value).map(|()| 0);
        }
        if (level, name) == (libc::SOL_SOCKET, libc::SO_TIMESTAMPING) {
            let flags: [u8; 4] = value.try_into().map_err(|_| Errno::EINVAL)?;
            let wanted = Stamping::from_bits_truncate(u32::from_ne_bytes(flags));
            return world.host.set_stamping(id, wanted).map(|()| 0);
        }
        world.host.setsockopt(id, level, name, value, now).map(|()| 0)
    }))
}

/// Whether calls on a descriptor wait.
pub(super) fn blocks(stage: &Stage, fd: c_int) -> bool {
    stage.call(|world| Ok(!world.socket(fd)?.nonblocking)).unwrap_or(false)
}

/// How long: `SO_RCVTIMEO` or `SO_SNDTIMEO`.
pub(super) fn timeout(stage: &Stage, fd: c_int, name: c_int) -> Option<Duration> {
    let value = stage.call(|world| {
        let (id, now) = (world.socket(fd)?.id, world.now);
        world.host.getsockopt(id, libc::SOL_SOCKET, name, 16, now)
    });
    let value = value.ok()?;
    let (seconds, micros) = value.split_at_checked(8)?;
    let seconds = u64::from_ne_bytes(seconds.try_into().ok()?);
    let micros = u64::from_ne_bytes(micros.try_into().ok()?);
    let time = Duration::from_secs(seconds) + Duration::from_micros(micros);
    (!time.is_zero()).then_some(time)
}

pub(super) const SO_RCVTIMEO: c_int = 20;
pub(super) const SO_SNDTIMEO: c_int = 21;
const SIOCATMARK: c_ulong = 0x8905;
const SIOCOUTQNSD: c_ulong = 0x894B;
const FIONBIO: c_ulong = 0x5421;
