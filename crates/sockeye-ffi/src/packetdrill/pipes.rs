//! Pipes, and what moves data between a socket and something else without the program: splice and sendfile.

use super::calls::{answer, answer_int, stage};
use super::messages::{give, is_pipe, take};
use super::stage::Stage;
use super::world::File;
use sockeye_core::errno::{Errno, Result};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{c_int, c_uint, c_void};
use std::rc::Rc;

/// The bytes in a pipe and which of its ends are open.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    bytes: RefCell<VecDeque<u8>>,
    reader_gone: Cell<bool>,
    writer_gone: Cell<bool>,
}

impl Pipe {
    pub(super) fn end_gone(&self, reads: bool) {
        if reads { self.reader_gone.set(true) } else { self.writer_gone.set(true) }
    }

    pub(super) fn readiness(&self, reads: bool) -> u32 {
        let len = self.bytes.borrow().len();
        let bits = match reads {
            true if len > 0 => libc::POLLIN,
            true if self.writer_gone.get() => libc::POLLHUP,
            false if self.reader_gone.get() => libc::POLLERR,
            false if len < PIPE_LEN => libc::POLLOUT,
            _ => 0,
        };
        bits as u32
    }
}

pub(super) unsafe extern "C" fn pipe(data: *mut c_void, out: *mut c_int) -> c_int {
    answer_int(stage(data).call(|world| {
        let pipe = Rc::new(Pipe::default());
        let ends = [true, false]
            .map(|reads| world.open(File::Pipe { pipe: Rc::clone(&pipe), reads, nonblocking: false }));
        // SAFETY: room for two, as pipe(2) asks it.
        unsafe { out.cast::<[c_int; 2]>().write(ends) };
        Ok(0)
    }))
}

/// The pipe behind a descriptor, if it is one's end.
fn pipe_at(stage: &Stage, fd: c_int, reads: bool) -> Option<Result<()>> {
    let found = stage.call(|world| {
        let file = world.file(fd)?;
        Ok(is_pipe(file).then_some(match file {
            File::Pipe { reads: end, .. } if *end == reads => Ok(()),
            _ => Err(Errno::EBADF),
        }))
    });
    found.unwrap_or(None)
}

pub(super) fn write_if_pipe(stage: &Stage, fd: c_int, bytes: &[u8]) -> Option<Result<usize>> {
    if let Err(errno) = pipe_at(stage, fd, false)? {
        return Some(Err(errno));
    }
    Some(stage.wait(true, None, |world, _| {
        let File::Pipe { pipe, nonblocking, .. } = world.file(fd)? else { return Err(Errno::EBADF) };
        if pipe.reader_gone.get() {
            return Err(Errno::EPIPE);
        }
        let mut queue = pipe.bytes.borrow_mut();
        let n = bytes.len().min(PIPE_LEN - queue.len());
        if n == 0 && !bytes.is_empty() {
            let _ = nonblocking;
            return Err(Errno::EAGAIN);
        }
        queue.extend(&bytes[..n]);
        Ok(n)
    }))
}

pub(super) fn read_if_pipe(stage: &Stage, fd: c_int, areas: &mut [&mut [u8]]) -> Option<Result<usize>> {
    if let Err(errno) = pipe_at(stage, fd, true)? {
        return Some(Err(errno));
    }
    Some(stage.wait(true, None, |world, _| {
        let File::Pipe { pipe, .. } = world.file(fd)? else { return Err(Errno::EBADF) };
        let mut queue = pipe.bytes.borrow_mut();
        if queue.is_empty() {
            return if pipe.writer_gone.get() { Ok(0) } else { Err(Errno::EAGAIN) };
        }
        let places = areas.iter_mut().flat_map(|area| area.iter_mut());
        let mut n = 0;
        for place in places {
            let Some(byte) = queue.pop_front() else { break };
            *place = byte;
            n += 1;
        }
        Ok(n)
    }))
}

pub(super) unsafe extern "C" fn splice(
    data: *mut c_void,
    fd_in: c_int,
    _off_in: *mut i64,
    fd_out: c_int,
    _off_out: *mut i64,
    len: usize,
    flags: c_uint,
) -> c_int {
    let stage = stage(data);
    let more = if flags & libc::SPLICE_F_MORE != 0 { libc::MSG_MORE } else { 0 };
    let wait = if flags & libc::SPLICE_F_NONBLOCK != 0 { libc::MSG_DONTWAIT } else { 0 };
    let mut bytes = vec![0; len.min(PIPE_LEN)];
    if is_at_urgent_byte(stage, fd_in) {
        // tcp_splice_read: what is there is not to be had, so it does not wait either.
        return 0;
    }
    let moved = take(stage, fd_in, &mut [&mut bytes], wait)
        .and_then(|n| if n == 0 { Ok(0) } else { give(stage, fd_out, &bytes[..n], more, None) });
    answer(moved) as c_int
}

fn is_at_urgent_byte(stage: &Stage, fd: c_int) -> bool {
    let at = stage.call(|world| {
        let id = world.socket(fd)?.id;
        Ok(world.host.urgent_mark(id).is_some_and(|mark| mark.ahead == 0 && mark.byte.is_some()))
    });
    at.unwrap_or(false)
}

/// sendfile(2) from a file of the process to a socket of the host.
pub(super) fn send_file(stage: &Stage, out: c_int, file: c_int, offset: *mut i64, count: usize) -> isize {
    let mut bytes = vec![0u8; count.min(1 << 30)];
    // SAFETY: the kernel's calls into a buffer of our own; `offset` is null or the caller's.
    let read = unsafe {
        match offset.is_null() {
            true => libc::read(file, bytes.as_mut_ptr().cast(), bytes.len()),
            false => libc::pread(file, bytes.as_mut_ptr().cast(), bytes.len(), *offset),
        }
    };
    let Ok(read) = usize::try_from(read) else { return -1 };
    let sent = give(stage, out, &bytes[..read], 0, None);
    if let (Ok(n), false) = (&sent, offset.is_null()) {
        // SAFETY: not null, so the caller's.
        unsafe { *offset += *n as i64 };
    }
    answer(sent)
}

/// What a pipe holds.
const PIPE_LEN: usize = 64 << 10;
