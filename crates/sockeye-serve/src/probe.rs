//! What this kernel offers, asked once at the start.
//!
//! Each feature has another way; `SOCKEYE_WITHOUT=pidfd-thread,sync-wake-up,...` takes features away, so that
//! tests can force it.

use crate::sys::seccomp;
use rustix::process::{PidfdFlags, pidfd_open};
use std::os::fd::BorrowedFd;

/// Oldest kernel that can serve: SECCOMP_ADDFD_FLAG_SEND came with it.
pub const KERNEL_MIN: (u32, u32) = (5, 14);

/// What the kernel has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// pidfds of single threads (Linux 6.9).
    pub pidfd_thread: bool,
    /// Wake-ups on the caller's processor (Linux 6.6).
    pub sync_wake_up: bool,
    /// Calls are shielded from signals once received (Linux 5.19).
    pub wait_killable: bool,
    /// pidfd_getfd(2) is allowed here.
    pub pidfd_getfd: bool,
}

/// The kernel's version, major and minor.
pub fn kernel_version() -> (u32, u32) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn taken_away(name: &str) -> bool {
    std::env::var("SOCKEYE_WITHOUT").is_ok_and(|list| list.split(',').any(|n| n.trim() == name))
}

impl Features {
    /// Asks the kernel.
    pub fn probe() -> Self {
        let own = rustix::process::getpid();
        let thread = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);
        let pidfd = pidfd_open(own, PidfdFlags::empty());
        let getfd = pidfd.as_ref().is_ok_and(|p| {
            rustix::process::pidfd_getfd(p, 0, rustix::process::PidfdGetfdFlags::empty())
                .map_or_else(|e| e == rustix::io::Errno::BADF, |_| true)
        });
        Self {
            pidfd_thread: pidfd_open(own, thread).is_ok() && !taken_away("pidfd-thread"),
            sync_wake_up: !taken_away("sync-wake-up"),
            wait_killable: kernel_version() >= (5, 19) && !taken_away("wait-killable"),
            pidfd_getfd: getfd && !taken_away("pidfd-getfd"),
        }
    }

    /// Turns synchronous wake-ups on where they are to be had.
    pub(crate) fn tune(&mut self, listener: BorrowedFd<'_>) {
        self.sync_wake_up = self.sync_wake_up && seccomp::set_sync_wake_up(listener).is_ok();
    }

    /// A line for each feature, for `sockeye run --check`.
    pub fn report(&self) -> String {
        let (major, minor) = kernel_version();
        let mut text = format!("kernel {major}.{minor} (needed: {}.{})\n", KERNEL_MIN.0, KERNEL_MIN.1);
        let rows = [
            ("pidfd of a thread (6.9)", self.pidfd_thread, "pidfd of the process"),
            ("synchronous wake-up (6.6)", self.sync_wake_up, "plain wake-up, slower"),
            ("killable wait (5.19)", self.wait_killable, "signals may restart a call"),
            ("pidfd_getfd", self.pidfd_getfd, "none: programs cannot be served here"),
        ];
        for (name, there, other) in rows {
            let state = if there { "yes" } else { other };
            text.push_str(&format!("{name}: {state}\n"));
        }
        text
    }
}
