//! epoll over the host's descriptors: level, edge, one shot.
//!
//! A descriptor's count of news stands for the wake-ups of Linux's wait queues: an entry is looked at again when
//! the count has moved, and what is looked at is told if poll would tell it.

use super::calls::{answer_int, stage};
use super::waits::until;
use super::world::{File, World};
use libc::epoll_event;
use sockeye_core::errno::{Errno, Result};
use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};

/// One epoll instance.
#[derive(Debug, Default)]
pub(super) struct Epoll {
    entries: BTreeMap<i32, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    events: u32,
    data: u64,
    /// The news that it has told.
    seen: u64,
    /// It stands in the list of those that may be ready.
    listed: bool,
}

impl Epoll {
    pub(super) fn forget(&mut self, fd: i32) {
        self.entries.remove(&fd);
    }
}

pub(super) unsafe extern "C" fn epoll_create(data: *mut c_void, size: c_int) -> c_int {
    answer_int(stage(data).call(|world| match size {
        ..=0 => Err(Errno::EINVAL),
        _ => Ok(world.open(File::Epoll(Epoll::default()))),
    }))
}

pub(super) unsafe extern "C" fn epoll_ctl(
    data: *mut c_void,
    epfd: c_int,
    op: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> c_int {
    // SAFETY: null, or the caller's.
    let event = (!event.is_null()).then(|| unsafe { event.read_unaligned() });
    answer_int(stage(data).call(|world| {
        world.file(fd)?;
        let seen = world.news(fd);
        let entries = &mut epoll(world, epfd)?.entries;
        let known = entries.contains_key(&fd);
        match (op, event) {
            (libc::EPOLL_CTL_DEL, _) => entries.remove(&fd).map(|_| 0).ok_or(Errno::ENOENT),
            (libc::EPOLL_CTL_ADD, Some(_)) if known => Err(Errno::EEXIST),
            (libc::EPOLL_CTL_MOD, Some(_)) if !known => Err(Errno::ENOENT),
            (libc::EPOLL_CTL_ADD | libc::EPOLL_CTL_MOD, Some(event)) => {
                entries.insert(fd, Entry { events: event.events, data: event.u64, seen, listed: true });
                Ok(0)
            }
            (libc::EPOLL_CTL_ADD | libc::EPOLL_CTL_MOD, None) => Err(Errno::EFAULT),
            _ => Err(Errno::EINVAL),
        }
    }))
}

pub(super) unsafe extern "C" fn epoll_wait(
    data: *mut c_void,
    epfd: c_int,
    out: *mut epoll_event,
    max: c_int,
    timeout: c_int,
) -> c_int {
    let Some(max) = usize::try_from(max).ok().filter(|max| *max > 0) else {
        return answer_int(Err(Errno::EINVAL));
    };
    // SAFETY: as epoll_wait(2) asks it of its caller.
    let out = unsafe { std::slice::from_raw_parts_mut(out, max) };
    answer_int(stage(data).wait(timeout != 0, until(timeout), |world, over| {
        let told = collect(world, epfd, out)?;
        if told == 0 && !over && timeout != 0 { Err(Errno::EAGAIN) } else { Ok(told) }
    }))
}

fn epoll(world: &mut World, epfd: c_int) -> Result<&mut Epoll> {
    match world.file(epfd)? {
        File::Epoll(epoll) => Ok(epoll),
        _ => Err(Errno::EINVAL),
    }
}

fn collect(world: &mut World, epfd: c_int, out: &mut [epoll_event]) -> Result<i32> {
    let entries: Vec<(i32, Entry)> = epoll(world, epfd)?.entries.iter().map(|(fd, e)| (*fd, *e)).collect();
    let mut told = 0;
    for (fd, mut entry) in entries {
        let news = world.news(fd);
        entry.listed |= news != entry.seen || fd_has_no_news(world, fd);
        entry.seen = news;
        let wanted = entry.events & EVENTS | (libc::EPOLLERR | libc::EPOLLHUP) as u32;
        let disarmed = entry.events & EVENTS == 0 && entry.events & libc::EPOLLONESHOT as u32 != 0;
        let bits = world.readiness(fd).unwrap_or(0) & wanted;
        if !entry.listed || bits == 0 || disarmed || told == out.len() {
            entry.listed &= bits != 0 && !disarmed;
        } else {
            out[told] = epoll_event { events: bits, u64: entry.data };
            told += 1;
            entry.listed = entry.events & libc::EPOLLET as u32 == 0;
            if entry.events & libc::EPOLLONESHOT as u32 != 0 {
                entry.events &= !EVENTS;
            }
        }
        epoll(world, epfd)?.entries.insert(fd, entry);
    }
    Ok(told as i32)
}

/// A pipe's end is looked at each time.
fn fd_has_no_news(world: &mut World, fd: c_int) -> bool {
    !matches!(world.file(fd), Ok(File::Socket(_)))
}

/// What can be asked for, without the modes.
const EVENTS: u32 = 0xffff;
