//! Signals as readable events (signalfd(2)), and the limits of a process.

use super::check;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub signal: i32,
    /// Sent by a process (kill), not by the terminal or the kernel.
    pub from_process: bool,
}

/// Blocks `signals` for this thread and those it starts, and gives a descriptor that reports them.
pub fn open(signals: &[i32]) -> io::Result<OwnedFd> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset makes the set valid before anything reads it.
    let fd = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
        libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    check(libc::c_long::from(fd))?;
    // SAFETY: new and ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The next signal that came, if one did.
pub fn next(fd: &OwnedFd) -> Option<Arrived> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer is as long as stated, and all-zero is a valid value.
    let (n, info) = unsafe {
        let n = libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), size);
        (n, info.assume_init())
    };
    (n == size as isize)
        .then_some(Arrived { signal: info.ssi_signo as i32, from_process: info.ssi_code <= 0 })
}

/// Sends a signal.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: integer arguments only.
    unsafe { libc::kill(pid, signal) };
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(i32),
    Signaled(i32),
    Stopped,
    Continued,
}

/// News of any child: its process id and what became of it. `Err` when there are no children left.
pub fn wait_any() -> io::Result<Option<(i32, Ended)>> {
    let mut status = 0;
    // SAFETY: the status is a live integer.
    let pid =
        unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED) };
    let pid = check(libc::c_long::from(pid))? as i32;
    if pid == 0 {
        return Ok(None);
    }
    let ended = if libc::WIFEXITED(status) {
        Ended::Exited(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Ended::Signaled(libc::WTERMSIG(status))
    } else if libc::WIFSTOPPED(status) {
        Ended::Stopped
    } else {
        Ended::Continued
    };
    Ok(Some((pid, ended)))
}

/// All resource limits of this process.
pub fn limits() -> Vec<(u32, u64, u64)> {
    let mut all = vec![];
    for resource in 0..16u32 {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the struct is live; an unknown number is an error.
        if unsafe { libc::getrlimit(resource as _, &raw mut limit) } == 0 {
            all.push((resource, limit.rlim_cur, limit.rlim_max));
        }
    }
    all
}

/// Raises the number of descriptors that this process may have: to what the machine can give where that is
/// allowed (CAP_SYS_RESOURCE), else to the hard limit. The supervisor holds an end for each that its programs hold.
pub(crate) fn raise_descriptor_limit() {
    let most = std::fs::read_to_string("/proc/sys/fs/nr_open").ok().and_then(|text| text.trim().parse().ok());
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structs are live.
    unsafe {
        if let Some(most) = most {
            let all = libc::rlimit { rlim_cur: most, rlim_max: most };
            if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const all) == 0 {
                return;
            }
        }
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Closes a descriptor that nobody of ours owns (inherited from whoever started us).
pub(crate) fn close_inherited(fd: i32) {
    // SAFETY: called once for each descriptor found at the start, before any of ours existed.
    unsafe { libc::close(fd) };
}

/// Stops this process as its program stopped.
pub fn stop_self() {
    // SAFETY: integer arguments only.
    unsafe { libc::raise(libc::SIGSTOP) };
}
