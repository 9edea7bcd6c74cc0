//! Whether a carrier is still open in some program, without holding it open ourselves.
//!
//! An epoll registration belongs to the open file, not to the descriptor that it was made through: made through
//! a copy that is closed at once, it stays exactly as long as some program has the file. The kernel lists the
//! registrations that are left in `/proc/self/fdinfo`, each with the word that we gave it. Reading the list costs
//! time in proportion to the sockets, so it is read where somebody asks (a port that seems taken, `ss`) and
//! otherwise only when the sockets have doubled in number since.
//!
//! A second epoll tells at once when the other end of a directly joined pair hangs up.

use crate::served::{self, Key};
use rustix::event::epoll;
use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The registry of carriers.
#[derive(Debug)]
pub(crate) struct Watch {
    registry: OwnedFd,
    hang_ups: OwnedFd,
}

impl Watch {
    pub(crate) fn new() -> rustix::io::Result<Self> {
        let create = || epoll::create(epoll::CreateFlags::CLOEXEC);
        Ok(Self { registry: create()?, hang_ups: create()? })
    }

    /// Remembers the carrier behind `copy` as `key`.
    pub(crate) fn add(&self, copy: BorrowedFd<'_>, key: Key) -> rustix::io::Result<()> {
        let data = epoll::EventData::new_u64(served::token(key));
        epoll::add(&self.registry, copy, data, epoll::EventFlags::ET)
    }

    /// Wants to be told when the other end of this carrier goes.
    pub(crate) fn add_hang_up(&self, copy: BorrowedFd<'_>, key: Key) -> rustix::io::Result<()> {
        let data = epoll::EventData::new_u64(served::token(key));
        let flags = epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ET;
        epoll::add(&self.hang_ups, copy, data, flags)
    }

    /// The epoll to wait on for hang-ups.
    pub(crate) fn hang_ups(&self) -> BorrowedFd<'_> {
        self.hang_ups.as_fd()
    }

    /// The carriers that some program still has open, each with its inode (as `/proc/PID/fd` shows it).
    pub(crate) fn alive(&self) -> std::io::Result<HashMap<Key, u64, foldhash::fast::RandomState>> {
        let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.registry.as_raw_fd()))?;
        Ok(text.lines().filter_map(registered).collect())
    }
}

/// The word and the inode of one `tfd: … data: … pos:… ino:… sdev:…` line; the numbers are hexadecimal.
fn registered(line: &str) -> Option<(Key, u64)> {
    let line = line.strip_prefix("tfd:")?;
    let field = |name: &str| {
        let word = line.split(name).nth(1)?.split_whitespace().next()?;
        u64::from_str_radix(word, 16).ok()
    };
    Some((served::key(field("data:")?), field("ino:")?))
}
