//! The calls that move data. All of them end in [`give`] or [`take`], which block as Linux's do.

use super::calls::{SO_RCVTIMEO, SO_SNDTIMEO, answer, blocks, stage, timeout};
use super::errors::put;
use super::names::{self, Name};
use super::pipes;
use super::stage::Stage;
use super::world::{File, World};
use libc::{iovec, msghdr, sockaddr, socklen_t};
use sockeye_core::SocketId;
use sockeye_core::errno::{Errno, Result};
use sockeye_core::wire::control::Control;
use std::ffi::{c_int, c_void};

type Data = *mut c_void;

pub(super) unsafe extern "C" fn read(data: Data, fd: c_int, buf: *mut c_void, len: usize) -> isize {
    // SAFETY: the caller's, as read(2) asks it.
    unsafe { recv(data, fd, buf, len, 0) }
}

pub(super) unsafe extern "C" fn readv(data: Data, fd: c_int, iov: *const iovec, count: c_int) -> isize {
    // SAFETY: the caller's, as readv(2) asks it.
    answer(unsafe { areas(iov, count as usize) }.and_then(|mut areas| take(stage(data), fd, &mut areas, 0)))
}

pub(super) unsafe extern "C" fn recv(
    data: Data,
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) -> isize {
    // SAFETY: the caller's, as recv(2) asks it.
    let area = unsafe { area(buf, len) };
    answer(area.and_then(|area| take(stage(data), fd, &mut [area], flags)))
}

pub(super) unsafe extern "C" fn recvfrom(
    data: Data,
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    addr: *mut sockaddr,
    addr_len: *mut socklen_t,
) -> isize {
    if !addr_len.is_null() && !addr.is_null() {
        // SAFETY: not null. A stream gives no name.
        unsafe { *addr_len = 0 };
    }
    // SAFETY: the caller's, as recvfrom(2) asks it.
    unsafe { recv(data, fd, buf, len, flags) }
}

pub(super) unsafe extern "C" fn recvmsg(data: Data, fd: c_int, msg: *mut msghdr, flags: c_int) -> isize {
    let stage = stage(data);
    if msg.is_null() {
        return answer(Err(Errno::EFAULT));
    }
    // SAFETY: not null, so the caller's message.
    let msg = unsafe { &mut *msg };
    if flags & libc::MSG_ERRQUEUE != 0 {
        // SAFETY: the control area is the caller's.
        return answer(stage.call(|world| unsafe { world.take_notification(fd, msg) }));
    }
    // SAFETY: the caller's, as recvmsg(2) asks it.
    let areas = unsafe { areas(msg.msg_iov, msg.msg_iovlen) };
    let taken = areas.and_then(|mut areas| take(stage, fd, &mut areas, flags));
    if taken.is_ok() {
        msg.msg_namelen = 0;
        msg.msg_flags = 0;
        let inq = stage.call(|world| world.queue_hint(fd)).unwrap_or(None);
        match inq {
            // SAFETY: the control area is the caller's.
            Some(inq) => unsafe {
                put(msg, &[Control::new(libc::IPPROTO_TCP, TCP_INQ, inq.to_ne_bytes())]);
            },
            None => msg.msg_controllen = 0,
        }
    }
    answer(taken)
}

pub(super) unsafe extern "C" fn write(data: Data, fd: c_int, buf: *const c_void, len: usize) -> isize {
    // SAFETY: the caller's, as write(2) asks it.
    unsafe { send(data, fd, buf, len, 0) }
}

pub(super) unsafe extern "C" fn writev(data: Data, fd: c_int, iov: *const iovec, count: c_int) -> isize {
    // SAFETY: the caller's, as writev(2) asks it.
    answer(unsafe { gather(iov, count as usize) }.and_then(|bytes| give(stage(data), fd, &bytes, 0, None)))
}

pub(super) unsafe extern "C" fn send(
    data: Data,
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) -> isize {
    // SAFETY: the caller's, as send(2) asks it.
    let area = unsafe { area(buf.cast_mut(), len) };
    answer(area.and_then(|area| give(stage(data), fd, area, flags, None)))
}

pub(super) unsafe extern "C" fn sendto(
    data: Data,
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addr_len: socklen_t,
) -> isize {
    // SAFETY: the caller's, as sendto(2) asks it.
    let (area, name) = unsafe { (area(buf.cast_mut(), len), named(addr, addr_len)) };
    answer(area.and_then(|area| give(stage(data), fd, area, flags, name?)))
}

pub(super) unsafe extern "C" fn sendmsg(data: Data, fd: c_int, msg: *const msghdr, flags: c_int) -> isize {
    if msg.is_null() {
        return answer(Err(Errno::EFAULT));
    }
    // SAFETY: not null, so the caller's message, as sendmsg(2) asks it.
    let (areas, name) = unsafe {
        let msg = &*msg;
        (areas(msg.msg_iov, msg.msg_iovlen), named(msg.msg_name.cast(), msg.msg_namelen))
    };
    let stage = stage(data);
    answer(areas.and_then(|areas| match flags & libc::MSG_ZEROCOPY {
        0 => give(stage, fd, &areas.concat(), flags, name?),
        _ => give_pieces(stage, fd, &areas, flags, name?),
    }))
}

/// Without copying, each area is a piece of memory of its own, of which Linux puts `PIECES_MAX` into one packet.
fn give_pieces(
    stage: &Stage,
    fd: c_int,
    areas: &[&mut [u8]],
    flags: c_int,
    name: Option<Name>,
) -> Result<usize> {
    let mut rest = areas;
    while rest.len() > PIECES_MAX {
        let (now, later) = rest.split_at(PIECES_MAX);
        let wanted: usize = now.iter().map(|area| area.len()).sum();
        let sent = give(stage, fd, &now.concat(), flags & !libc::MSG_ZEROCOPY | libc::MSG_EOR, name)?;
        if sent < wanted {
            break;
        }
        rest = later;
    }
    let before: usize = areas[..areas.len() - rest.len()].iter().map(|area| area.len()).sum();
    give(stage, fd, &rest.concat(), flags, name).map(|sent| before + sent)
}

/// Sends; a call that blocks ends when all is queued.
pub(super) fn give(
    stage: &Stage,
    fd: c_int,
    bytes: &[u8],
    flags: c_int,
    name: Option<Name>,
) -> Result<usize> {
    if let Some(result) = pipes::write_if_pipe(stage, fd, bytes) {
        return result;
    }
    let blocks = blocks(stage, fd) && flags & libc::MSG_DONTWAIT == 0;
    let mut sent = 0;
    let mut opening = flags & libc::MSG_FASTOPEN != 0;
    let mut connecting = false;
    let result = stage.wait(blocks, timeout(stage, fd, SO_SNDTIMEO), |world, _| {
        let id = world.socket(fd)?.id;
        if core::mem::take(&mut opening) || world.host.awaits_opening(id) {
            connecting = true;
            sent = match world.open_with(id, bytes, name, blocks) {
                // Who blocks waits for the connection and then sends.
                Err(Errno::EINPROGRESS) if blocks => 0,
                other => other?,
            };
            world.note_if_zerocopy(fd, flags, sent);
            return if blocks { Err(Errno::EAGAIN) } else { Ok(sent) };
        }
        sent += match world.send(id, &bytes[sent..], flags) {
            // An error of the connection's beginning hides what went with the SYN.
            Err(errno) if connecting && errno != Errno::EAGAIN => {
                sent = 0;
                return Err(errno);
            }
            other => other?,
        };
        connecting = false;
        world.note_if_zerocopy(fd, flags, sent);
        // A partial write of one that blocks goes on when there is room.
        if sent < bytes.len() { Err(Errno::EAGAIN) } else { Ok(sent) }
    });
    match result {
        Err(_) if sent > 0 => Ok(sent),
        result => result,
    }
}

/// Receives; `MSG_WAITALL` waits for all that was asked for.
pub(super) fn take(stage: &Stage, fd: c_int, areas: &mut [&mut [u8]], flags: c_int) -> Result<usize> {
    if let Some(result) = pipes::read_if_pipe(stage, fd, areas) {
        return result;
    }
    let blocks = blocks(stage, fd) && flags & libc::MSG_DONTWAIT == 0;
    let wanted: usize = areas.iter().map(|area| area.len()).sum();
    let mut taken = 0;
    let result = stage.wait(blocks, timeout(stage, fd, SO_RCVTIMEO), |world, _| {
        let id = world.socket(fd)?.id;
        loop {
            let n = world.receive(id, areas, taken, flags)?;
            taken += n;
            let enough = taken >= wanted || n == 0 || flags & libc::MSG_PEEK != 0;
            if enough {
                return Ok(taken);
            }
            let more = world.host.queued_in(id).unwrap_or(0) > 0;
            if !more {
                return if flags & libc::MSG_WAITALL != 0 { Err(Errno::EAGAIN) } else { Ok(taken) };
            }
        }
    });
    match result {
        Err(_) if taken > 0 => Ok(taken),
        result => result,
    }
}

impl World {
    fn open_with(&mut self, id: SocketId, bytes: &[u8], name: Option<Name>, waits: bool) -> Result<usize> {
        self.follow_sysctls();
        let to = match name {
            Some(Name::Internet(to)) => Some(to),
            Some(Name::Nobody) => return Err(Errno::EOPNOTSUPP),
            None => None,
        };
        let now = self.now;
        self.host.send_opening(id, bytes, to, waits, now)
    }

    fn note_if_zerocopy(&mut self, fd: c_int, flags: c_int, sent: usize) {
        if flags & libc::MSG_ZEROCOPY != 0 && sent > 0 {
            let _ = self.note_zerocopy(fd);
        }
    }

    fn send(&mut self, id: SocketId, bytes: &[u8], flags: c_int) -> Result<usize> {
        let now = self.now;
        if flags & libc::MSG_OOB != 0 {
            return self.host.send_urgent(id, bytes, now);
        }
        self.host.set_more(id, flags & libc::MSG_MORE != 0, now);
        let sent = self.host.send(id, bytes, now)?;
        if flags & libc::MSG_EOR != 0 && sent == bytes.len() {
            self.host.end_record(id);
        }
        Ok(sent)
    }

    /// Into the areas from the `skip`th byte on.
    fn receive(
        &mut self,
        id: SocketId,
        areas: &mut [&mut [u8]],
        mut skip: usize,
        flags: c_int,
    ) -> Result<usize> {
        let now = self.now;
        let peek = flags & libc::MSG_PEEK != 0;
        if flags & libc::MSG_OOB != 0 {
            let byte = self.host.recv_urgent(id, peek)?;
            let place = areas.first_mut().and_then(|area| area.first_mut());
            return Ok(match (byte, place) {
                (Some(byte), Some(place)) => {
                    *place = byte;
                    1
                }
                _ => 0,
            });
        }
        for area in areas.iter_mut() {
            if skip < area.len() {
                return self.host.recv(id, &mut area[skip..], peek, now);
            }
            skip -= area.len();
        }
        self.host.recv(id, &mut [], peek, now)
    }

    /// What `TCP_CM_INQ` would say, where it was asked for: at the end of the stream one more than there is.
    fn queue_hint(&mut self, fd: c_int) -> Result<Option<i32>> {
        let (id, hints) = {
            let socket = self.socket(fd)?;
            (socket.id, socket.hints)
        };
        if !hints {
            return Ok(None);
        }
        let queued = self.host.queued_in(id).unwrap_or(0) as i32;
        let ended = self.host.is_at_end(id);
        Ok(Some(if queued == 0 && ended { 1 } else { queued }))
    }
}

/// One area of the caller's.
///
/// # Safety
/// `buf` is null or has `len` bytes.
unsafe fn area<'a>(buf: *mut c_void, len: usize) -> Result<&'a mut [u8]> {
    match (len, buf.is_null()) {
        (0, _) => Ok(&mut []),
        (_, true) => Err(Errno::EFAULT),
        // SAFETY: not null, and the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts_mut(buf.cast::<u8>(), len) }),
    }
}

/// A list of areas.
///
/// # Safety
/// As readv(2) asks it.
unsafe fn areas<'a>(iov: *const iovec, count: usize) -> Result<Vec<&'a mut [u8]>> {
    if count > libc::UIO_MAXIOV as usize {
        return Err(Errno::EINVAL);
    }
    if count > 0 && iov.is_null() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: `count` entries, each with its area.
    (0..count).map(|i| unsafe { (*iov.add(i)).iov_base }).zip(0..).try_fold(vec![], |mut all, (base, i)| {
        // SAFETY: as above.
        all.push(unsafe { area(base, (*iov.add(i)).iov_len) }?);
        Ok(all)
    })
}

/// The bytes of a list of areas.
///
/// # Safety
/// As writev(2) asks it.
unsafe fn gather(iov: *const iovec, count: usize) -> Result<Vec<u8>> {
    // SAFETY: the caller's promise.
    unsafe { areas(iov, count) }.map(|areas| areas.concat())
}

/// An address that may be left out.
///
/// # Safety
/// As sendto(2) asks it.
unsafe fn named(addr: *const sockaddr, len: socklen_t) -> Result<Option<Name>> {
    if addr.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { names::read(addr, len) }.map(Some)
}

/// Whether a descriptor is a pipe's end.
pub(super) fn is_pipe(file: &File) -> bool {
    matches!(file, File::Pipe { .. })
}

/// `MAX_SKB_FRAGS`.
const PIECES_MAX: usize = 17;
/// `TCP_INQ`, `TCP_CM_INQ`.
pub(super) const TCP_INQ: c_int = 36;
