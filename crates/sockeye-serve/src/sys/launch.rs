//! fork(2) and execve(2): starting a program from the thread that carries the filter.
//!
//! All that needs memory is prepared before the fork; the child makes bare system calls only.

use super::check;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Which process group and session a program is to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// The group of this number, in the supervisor's session: the job of the shell that asked.
    Join(i32),
    /// A session of its own whose terminal is standard input.
    NewSession,
    /// A group of its own.
    New,
}

/// One resource limit: number, soft, hard.
pub(crate) type Limit = (u32, u64, u64);

/// All that the child needs, ready for bare system calls.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) path: CString,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) dir: CString,
    pub(crate) stdio: [RawFd; 3],
    pub(crate) group: Group,
    pub(crate) umask: u32,
    pub(crate) limits: Vec<Limit>,
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
}

/// Forks and executes; gives the process id, or what execve(2) said.
pub(crate) fn spawn(image: &Image) -> io::Result<i32> {
    let shell = c"/bin/sh";
    let args = pointers(&image.args);
    let env = pointers(&image.env);
    let mut script = vec![shell.as_ptr(), image.path.as_ptr()];
    script.extend(&args[1..]);
    let (read, write) = pipe()?;
    // SAFETY: the child calls only async-signal-safe functions until execve or _exit.
    let pid = check(libc::c_long::from(unsafe { libc::fork() }))? as i32;
    if pid == 0 {
        let errno = become_program(image, &args, &env, shell, &script);
        // SAFETY: writes four bytes of a live integer and ends the process.
        unsafe {
            libc::write(write.as_raw_fd(), (&raw const errno).cast(), 4);
            libc::_exit(127);
        }
    }
    drop(write);
    let mut errno = 0i32;
    // SAFETY: reads at most four bytes into a live integer.
    let n = unsafe { libc::read(read.as_raw_fd(), (&raw mut errno).cast(), 4) };
    if n == 4 {
        // SAFETY: waits for our own child.
        unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
        return Err(io::Error::from_raw_os_error(errno));
    }
    Ok(pid)
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [0; 2];
    // SAFETY: the array has room for two descriptors.
    check(libc::c_long::from(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) }))?;
    // SAFETY: both are new and ours.
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}

/// In the child: takes on the program's surroundings and executes it; comes back only with an error number.
fn become_program(
    image: &Image,
    args: &[*const libc::c_char],
    env: &[*const libc::c_char],
    shell: &CStr,
    script: &[*const libc::c_char],
) -> i32 {
    // SAFETY: bare system calls on prepared, live memory; the arrays end with null.
    unsafe {
        if !join_group(image.group) || !take_stdio(image.stdio) {
            return errno();
        }
        if image.group == Group::NewSession {
            libc::ioctl(0, libc::TIOCSCTTY, 0);
        }
        libc::umask(image.umask);
        for &(resource, soft, hard) in &image.limits {
            let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
            libc::setrlimit(resource as _, &raw const limit);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        if libc::chdir(image.dir.as_ptr()) < 0 {
            return errno();
        }
        libc::execve(image.path.as_ptr(), args.as_ptr(), env.as_ptr());
        let failure = errno();
        if failure == libc::ENOEXEC {
            // A script without its first line: execvp(3) hands it to the shell.
            libc::execve(shell.as_ptr(), script.as_ptr(), env.as_ptr());
        }
        failure
    }
}

unsafe fn errno() -> i32 {
    // SAFETY: the thread's own errno.
    unsafe { *libc::__errno_location() }
}

unsafe fn join_group(group: Group) -> bool {
    // SAFETY: integer arguments only.
    unsafe {
        match group {
            // The job may be over already (its front was killed): then a group of its own.
            Group::Join(id) => libc::setpgid(0, id) == 0 || libc::setpgid(0, 0) == 0,
            Group::NewSession => libc::setsid() >= 0,
            Group::New => libc::setpgid(0, 0) == 0,
        }
    }
}

unsafe fn take_stdio(stdio: [RawFd; 3]) -> bool {
    // Moved above 2 first, so that none is overwritten before it is copied.
    let mut high = [0; 3];
    for (to, from) in high.iter_mut().zip(stdio) {
        // SAFETY: integer arguments only.
        *to = if from < 0 { -1 } else { unsafe { libc::fcntl(from, libc::F_DUPFD_CLOEXEC, 3) } };
        if from >= 0 && *to < 0 {
            return false;
        }
    }
    for (number, from) in high.iter().enumerate() {
        // SAFETY: integer arguments only.
        let done =
            unsafe { if *from < 0 { libc::close(number as i32) } else { libc::dup2(*from, number as i32) } };
        if *from >= 0 && done < 0 {
            return false;
        }
    }
    true
}

/// Forks the whole process: `Some(pid)` in the parent, None in the child. Only while one thread runs.
pub(crate) fn fork_process() -> io::Result<Option<i32>> {
    // SAFETY: the caller has started no thread yet, so the child may go on as an ordinary process.
    let pid = check(libc::c_long::from(unsafe { libc::fork() }))? as i32;
    Ok((pid != 0).then_some(pid))
}

/// Makes this process the one that orphans of its descendants are given to.
pub(crate) fn become_subreaper() -> io::Result<()> {
    // SAFETY: integer arguments only.
    check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })).map(drop)
}

/// Sends a signal to one thread, as the kernel does with SIGPIPE.
pub(crate) fn signal_thread(tid: u32, signal: i32) {
    let group = crate::find::thread_group(tid).unwrap_or(tid);
    // SAFETY: integer arguments only; a thread that is gone gets nothing.
    unsafe {
        libc::syscall(libc::SYS_tgkill, group as libc::c_long, tid as libc::c_long, signal as libc::c_long)
    };
}

/// Asks the scheduler for short slices (Linux 6.12): a thread that works briefly and often is then run soon after
/// it is woken, whatever else the machine does. Without effect on older kernels.
pub(crate) fn ask_for_short_slices() {
    const SLICE_NS: u64 = 100_000;
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    let mut attributes = Attributes { runtime: SLICE_NS, ..Attributes::default() };
    attributes.size = size_of::<Attributes>() as u32;
    // SAFETY: the struct is live, of the first published layout, and says its size.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
}
