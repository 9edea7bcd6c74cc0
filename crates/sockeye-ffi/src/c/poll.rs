//! poll(2), ppoll(2), select(2) and pselect(2) over the library's descriptors.
//!
//! One round asks every socket and leaves a waker with each under the lab's lock; the thread then sleeps until one of
//! them is woken, and asks again. A signal ends the sleep, whatever `SA_RESTART` says, and a mask lasts as long as it.

use super::parker::{End, Mask, Parker};
use super::table::{self, Open};
use super::{Answer, answer_int, memory};
use sockeye_core::{Errno, Readiness};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

/// poll(2). A descriptor that is not the library's is POLLNVAL.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_poll(fds: *mut libc::pollfd, count: libc::nfds_t, timeout_ms: i32) -> i32 {
    let until = u64::try_from(timeout_ms).ok().map(|ms| Instant::now() + Duration::from_millis(ms));
    answer_int(poll(fds, count, until, std::ptr::null()))
}

/// ppoll(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_ppoll(
    fds: *mut libc::pollfd,
    count: libc::nfds_t,
    timeout: *const libc::timespec,
    mask: *const libc::sigset_t,
) -> i32 {
    answer_int(deadline(timeout).and_then(|until| poll(fds, count, until, mask)))
}

/// select(2), for descriptors below `FD_SETSIZE` (see `sockeye_first_descriptor`).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_select(
    count: i32,
    read: *mut libc::fd_set,
    write: *mut libc::fd_set,
    except: *mut libc::fd_set,
    timeout: *mut libc::timeval,
) -> i32 {
    answer_int((|| {
        let until = match timeout.is_null() {
            true => None,
            false => {
                let bytes = memory::read(timeout.cast(), 16)?;
                let word = |at: usize| i64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
                let time = Duration::try_from_secs_f64(word(0) as f64 + word(8) as f64 / 1e6);
                Some(Instant::now() + time.map_err(|_| Errno::EINVAL)?)
            }
        };
        select(count, [read, write, except], until, std::ptr::null())
    })())
}

/// pselect(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_pselect(
    count: i32,
    read: *mut libc::fd_set,
    write: *mut libc::fd_set,
    except: *mut libc::fd_set,
    timeout: *const libc::timespec,
    mask: *const libc::sigset_t,
) -> i32 {
    answer_int(deadline(timeout).and_then(|until| select(count, [read, write, except], until, mask)))
}

/// When a time that begins now ends; None for null, EINVAL for what is no time.
pub(super) fn deadline(timeout: *const libc::timespec) -> Answer<Option<Instant>> {
    if timeout.is_null() {
        return Ok(None);
    }
    let bytes = memory::read(timeout.cast(), 16)?;
    let word = |at: usize| i64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let (seconds, nanos) = (u64::try_from(word(0)), u32::try_from(word(8)));
    match (seconds, nanos) {
        (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => {
            Ok(Some(Instant::now() + Duration::new(seconds.min(MAX_S), nanos)))
        }
        _ => Err(Errno::EINVAL),
    }
}

fn poll(fds: *mut libc::pollfd, count: libc::nfds_t, until: Option<Instant>, mask: Mask) -> Answer<i64> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    if count > COUNT_MAX {
        return Err(Errno::EINVAL);
    }
    let bytes = memory::read(fds.cast(), count * ENTRY_LEN)?;
    let entries: Vec<(i32, u16)> = bytes
        .chunks_exact(ENTRY_LEN)
        .map(|b| {
            let fd = i32::from_ne_bytes([b[0], b[1], b[2], b[3]]);
            (fd, u16::from_ne_bytes([b[4], b[5]]))
        })
        .collect();
    let found = wait(&entries, until, mask)?;
    for (index, events) in found.iter().enumerate() {
        let to = fds.cast::<u8>().wrapping_add(index * ENTRY_LEN + 6);
        memory::write(to, &events.to_ne_bytes())?;
    }
    Ok(found.iter().filter(|events| **events != 0).count() as i64)
}

/// What each descriptor is ready for, as soon as one is ready for something that is asked.
fn wait(entries: &[(i32, u16)], until: Option<Instant>, mask: Mask) -> Answer<Vec<u16>> {
    let parker = Parker::of_thread()?;
    let waker = Waker::from(Arc::clone(&parker));
    let number = next_number();
    let opens: Vec<Option<Arc<Open>>> = entries.iter().map(|(fd, _)| table::find(*fd).ok()).collect();
    let found = loop {
        let look = |((fd, asked), open): (&(i32, u16), &Option<Arc<Open>>)| match open {
            _ if *fd < 0 => 0,
            None => libc::POLLNVAL as u16,
            Some(open) => shown(open.watch(number, &waker), *asked),
        };
        let found: Vec<u16> = entries.iter().zip(&opens).map(look).collect();
        if found.iter().any(|events| *events != 0) {
            break Ok(found);
        }
        match parker.sleep(until, mask) {
            Ok(End::Woken) => {}
            Ok(End::Late) => break Ok(found),
            Err(errno) => break Err(errno),
        }
    };
    opens.iter().flatten().for_each(|open| open.unwatch(number));
    found
}

/// What poll shows of what was asked: errors and hang-ups always.
pub(super) fn shown(ready: Readiness, asked: u16) -> u16 {
    let mut bits = ready.bits();
    bits |= if bits & POLLIN != 0 { libc::POLLRDNORM as u16 } else { 0 };
    bits |= if bits & POLLOUT != 0 { libc::POLLWRNORM as u16 } else { 0 };
    bits & (asked | (libc::POLLERR | libc::POLLHUP) as u16)
}

fn select(count: i32, sets: [*mut libc::fd_set; 3], until: Option<Instant>, mask: Mask) -> Answer<i64> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?.min(libc::FD_SETSIZE);
    let len = count.div_ceil(64) * 8;
    let read = |set: &*mut libc::fd_set| match set.is_null() {
        true => Ok(vec![0; len]),
        false => memory::read(set.cast(), len),
    };
    let asked = [read(&sets[0])?, read(&sets[1])?, read(&sets[2])?];
    let has = |set: &[u8], fd: usize| set[fd / 8] & 1 << (fd % 8) != 0;
    let mut entries = vec![];
    for fd in 0..count {
        let events = [POLLIN, POLLOUT, libc::POLLPRI as u16];
        let wanted = (0..3).filter(|which| has(&asked[*which], fd)).fold(0, |sum, which| sum | events[which]);
        if wanted != 0 {
            table::find(fd as i32)?;
            entries.push((fd as i32, wanted));
        }
    }
    let found = wait(&entries, until, mask)?;
    // POLLIN_SET, POLLOUT_SET, POLLEX_SET of Linux.
    let shows = [
        POLLIN | (libc::POLLHUP | libc::POLLERR) as u16,
        POLLOUT | libc::POLLERR as u16,
        libc::POLLPRI as u16,
    ];
    let mut told = [vec![0u8; len], vec![0; len], vec![0; len]];
    let mut total = 0;
    for ((fd, _), events) in entries.iter().zip(&found) {
        let fd = *fd as usize;
        for which in 0..3 {
            if has(&asked[which], fd) && events & shows[which] != 0 {
                told[which][fd / 8] |= 1 << (fd % 8);
                total += 1;
            }
        }
    }
    for (set, bytes) in sets.iter().zip(&told).filter(|(set, _)| !set.is_null()) {
        memory::write(set.cast(), bytes)?;
    }
    Ok(total)
}

/// A number that no other watcher has.
pub(super) fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(1 << 32);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Open {
    /// What poll says, and a wake-up once when it may have changed.
    pub(super) fn watch(&self, number: u64, waker: &Waker) -> Readiness {
        match self {
            Self::Socket(handle) => handle.socket.watch(number, waker),
            Self::Epoll(epoll) => epoll.watch(number, waker),
        }
    }

    pub(super) fn unwatch(&self, number: u64) {
        match self {
            Self::Socket(handle) => handle.socket.unwatch(number),
            Self::Epoll(epoll) => epoll.unwatch(number),
        }
    }
}

const POLLIN: u16 = libc::POLLIN as u16;
const POLLOUT: u16 = libc::POLLOUT as u16;
/// Length of `struct pollfd`.
const ENTRY_LEN: usize = 8;
const COUNT_MAX: usize = 1 << 20;
/// Longest time that is told apart from for ever, in seconds.
const MAX_S: u64 = 1 << 32;
