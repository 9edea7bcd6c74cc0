//! From a number in a program's descriptor table to the kernel socket behind it, and back.
//!
//! In: the thread that made a call and the number that it passed. Out: a copy of that very descriptor
//! ([`Finder::borrow`]), whose `SO_COOKIE` names the kernel socket for as long as the machine runs. There is
//! never a cache from (process, number) to socket: another thread may close and reuse the number at any time.
//! What is kept are pidfds, which cannot come to mean another process.
//!
//! This is the small interface behind which the container way (no pidfd_getfd) will stand as well.

use crate::probe::Features;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};

/// Most pidfds that are kept.
const KEPT_MAX: usize = 256;

/// Finds descriptors of programs.
#[derive(Debug)]
pub(crate) struct Finder {
    features: Features,
    pidfds: HashMap<u32, OwnedFd, foldhash::fast::RandomState>,
}

impl Finder {
    pub(crate) fn new(features: Features) -> Self {
        Self { features, pidfds: HashMap::default() }
    }

    /// A copy of descriptor `number` of thread `tid`; an error number of Linux otherwise (EBADF: no such
    /// descriptor; ESRCH: no such thread).
    pub(crate) fn borrow(&mut self, tid: u32, number: i32) -> rustix::io::Result<OwnedFd> {
        if let Some(pidfd) = self.pidfds.get(&tid) {
            match pidfd_getfd(pidfd.as_fd(), number, PidfdGetfdFlags::empty()) {
                Err(rustix::io::Errno::SRCH) => drop(self.pidfds.remove(&tid)),
                other => return other,
            }
        }
        let pidfd = self.open(tid)?;
        let found = pidfd_getfd(pidfd.as_fd(), number, PidfdGetfdFlags::empty());
        if self.pidfds.len() >= KEPT_MAX {
            self.pidfds.clear();
        }
        self.pidfds.insert(tid, pidfd);
        found
    }

    fn open(&self, tid: u32) -> rustix::io::Result<OwnedFd> {
        if self.features.pidfd_thread {
            // PIDFD_THREAD is O_EXCL (Linux 6.9).
            let flags = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);
            return pidfd_open(pid(tid)?, flags);
        }
        pidfd_open(pid(thread_group(tid).ok_or(rustix::io::Errno::SRCH)?)?, PidfdFlags::empty())
    }
}

fn pid(number: u32) -> rustix::io::Result<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH)
}

/// The process that thread `tid` belongs to.
pub(crate) fn thread_group(tid: u32) -> Option<u32> {
    status_field(&fs::read_to_string(format!("/proc/{tid}/status")).ok()?, "Tgid:")
}

fn status_field(status: &str, name: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}
