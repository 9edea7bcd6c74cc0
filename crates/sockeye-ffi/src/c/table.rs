//! Descriptors: small numbers for open sockets and epolls, as a process has them, but the library's own.
//!
//! Numbers begin at 2^20, where the kernel's do not come, so that a program may mix both; [`sockeye_first_descriptor`]
//! moves them for who wants select(2)'s sets. The lowest free one is given, as POSIX asks. What duplicates share is an
//! [`Open`]; the last descriptor that goes closes it, after the calls that still use it.

use super::epoll::Epoll;
use super::{Answer, answer_int};
use sockeye_core::Errno;
use sockeye_core::host::{Domain, Kind};
use sockeye_rs::net::Socket;
use std::sync::{Arc, RwLock};

/// What a descriptor is open on.
pub(super) enum Open {
    Socket(Handle),
    Epoll(Epoll),
}

/// A socket and what the calls on it need to know.
pub(super) struct Handle {
    pub(super) socket: Socket,
    pub(super) domain: Domain,
    pub(super) kind: Kind,
}

struct Entry {
    open: Arc<Open>,
    close_on_exec: bool,
}

struct Table {
    first: i32,
    entries: Vec<Option<Entry>>,
}

static TABLE: RwLock<Table> = RwLock::new(Table { first: 1 << 20, entries: Vec::new() });

/// Descriptors beyond this many are EMFILE.
const DESCRIPTORS_MAX: usize = 1 << 20;

/// Sets where descriptors begin; -1 and EBUSY while any is open, EINVAL for a number below 3 or above 2^30.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_first_descriptor(first: i32) -> i32 {
    answer_int(move_to(first))
}

fn move_to(first: i32) -> Answer<i64> {
    let mut table = TABLE.write().expect("no call panics under the lock");
    if !(3..=1 << 30).contains(&first) {
        return Err(Errno::EINVAL);
    }
    if table.entries.iter().any(Option::is_some) {
        return Err(Errno(libc::EBUSY as u16));
    }
    table.first = first;
    Ok(0)
}

/// Whether a number is one of these, open or not.
pub(super) fn is_ours(fd: i32) -> bool {
    fd >= TABLE.read().expect("no call panics under the lock").first
}

/// A new descriptor, not below `least` (counted from the first).
pub(super) fn insert(open: Arc<Open>, close_on_exec: bool, least: usize) -> Answer<i64> {
    let mut table = TABLE.write().expect("no call panics under the lock");
    let free = (least..table.entries.len()).find(|at| table.entries[*at].is_none());
    let at = free.unwrap_or_else(|| table.entries.len().max(least));
    if at >= DESCRIPTORS_MAX {
        return Err(Errno::EMFILE);
    }
    put(&mut table, at, Entry { open, close_on_exec });
    Ok(i64::from(table.first) + at as i64)
}

fn put(table: &mut Table, at: usize, entry: Entry) -> Option<Entry> {
    if table.entries.len() <= at {
        table.entries.resize_with(at + 1, || None);
    }
    table.entries[at].replace(entry)
}

/// dup2(2), dup3(2).
pub(super) fn replace(old: i32, new: i32, close_on_exec: bool) -> Answer<i64> {
    let open = find(old)?;
    if old == new {
        return Ok(i64::from(new));
    }
    let mut table = TABLE.write().expect("no call panics under the lock");
    let at = index(&table, new).filter(|at| *at < DESCRIPTORS_MAX).ok_or(Errno::EBADF)?;
    let before = put(&mut table, at, Entry { open, close_on_exec });
    drop(table);
    // Its end may take the lab's lock.
    drop(before);
    Ok(i64::from(new))
}

/// What a descriptor is open on; EBADF.
pub(super) fn find(fd: i32) -> Answer<Arc<Open>> {
    let table = TABLE.read().expect("no call panics under the lock");
    let entry = index(&table, fd).and_then(|at| table.entries.get(at)?.as_ref());
    entry.map(|entry| Arc::clone(&entry.open)).ok_or(Errno::EBADF)
}

/// close(2).
pub(super) fn close(fd: i32) -> Answer<i64> {
    let mut table = TABLE.write().expect("no call panics under the lock");
    let entry = index(&table, fd).and_then(|at| table.entries.get_mut(at)?.take()).ok_or(Errno::EBADF)?;
    drop(table);
    drop(entry);
    Ok(0)
}

/// `FD_CLOEXEC`, to be read or set.
pub(super) fn close_on_exec(fd: i32, set: Option<bool>) -> Answer<bool> {
    let mut table = TABLE.write().expect("no call panics under the lock");
    let entry = index(&table, fd).and_then(|at| table.entries.get_mut(at)?.as_mut()).ok_or(Errno::EBADF)?;
    entry.close_on_exec = set.unwrap_or(entry.close_on_exec);
    Ok(entry.close_on_exec)
}

fn index(table: &Table, fd: i32) -> Option<usize> {
    usize::try_from(fd.checked_sub(table.first)?).ok()
}

impl Open {
    /// The socket; ENOTSOCK for an epoll.
    pub(super) fn socket(&self) -> Answer<&Handle> {
        match self {
            Self::Socket(handle) => Ok(handle),
            Self::Epoll(_) => Err(Errno::ENOTSOCK),
        }
    }
}
