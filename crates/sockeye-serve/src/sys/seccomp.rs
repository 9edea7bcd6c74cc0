//! seccomp(2) with user notification: installing the filter, receiving, answering (seccomp_unotify(2)).

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// One classic BPF instruction, as the kernel reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

/// `struct seccomp_notif`: one system call that waits for an answer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    /// The thread's id.
    pub(crate) tid: u32,
    flags: u32,
    pub(crate) nr: i32,
    arch: u32,
    instruction_pointer: u64,
    pub(crate) args: [u64; 6],
}

#[repr(C)]
struct Response {
    id: u64,
    val: i64,
    error: i32,
    flags: u32,
}

#[repr(C)]
struct AddFd {
    id: u64,
    flags: u32,
    srcfd: u32,
    newfd: u32,
    newfd_flags: u32,
}

const SET_MODE_FILTER: libc::c_long = 1;
const FLAG_NEW_LISTENER: libc::c_long = 1 << 3;
const FLAG_WAIT_KILLABLE_RECV: libc::c_long = 1 << 5;
const IOCTL_RECV: libc::c_ulong = iowr(0, size_of::<Notification>());
const IOCTL_SEND: libc::c_ulong = iowr(1, size_of::<Response>());
const IOCTL_ID_VALID: libc::c_ulong = iow(2, 8);
const IOCTL_ADDFD: libc::c_ulong = iow(3, size_of::<AddFd>());
const IOCTL_SET_FLAGS: libc::c_ulong = iow(4, 8);
const SYNC_WAKE_UP: u64 = 1;
const RESPONSE_CONTINUE: u32 = 1;
const ADDFD_SETFD: u32 = 1;
const ADDFD_SEND: u32 = 2;

const fn iowr(nr: u32, size: usize) -> libc::c_ulong {
    ((3 << 30) | ((size as u32) << 16) | ((b'!' as u32) << 8) | nr) as libc::c_ulong
}

const fn iow(nr: u32, size: usize) -> libc::c_ulong {
    ((1 << 30) | ((size as u32) << 16) | ((b'!' as u32) << 8) | nr) as libc::c_ulong
}

/// Sets no_new_privs on the calling thread and all that it starts.
pub(crate) fn set_no_new_privs() -> io::Result<()> {
    // SAFETY: prctl with integer arguments touches no memory of ours.
    check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })).map(drop)
}

/// Installs the filter on the calling thread and all that it starts, and gives its listener. Says with
/// `killable` whether calls are to be shielded from signals once received (Linux 5.19).
pub(crate) fn install(program: &[Instruction], killable: bool) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Program {
        len: u16,
        filter: *const Instruction,
    }
    let program =
        Program { len: u16::try_from(program.len()).expect("a short filter"), filter: program.as_ptr() };
    let flags = FLAG_NEW_LISTENER | if killable { FLAG_WAIT_KILLABLE_RECV } else { 0 };
    // SAFETY: `program` outlives the call, which copies it, and has the kernel's layout of sock_fprog.
    let fd = check(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) })?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn ioctl<T>(listener: BorrowedFd<'_>, request: libc::c_ulong, argument: *mut T) -> io::Result<libc::c_long> {
    // SAFETY: callers pass a pointer to the very struct that the request reads and writes.
    check(libc::c_long::from(unsafe { libc::ioctl(listener.as_raw_fd(), request as _, argument) }))
}

/// Receives one notification; None when its thread is gone already (ENOENT) or a signal came.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<Option<Notification>> {
    let mut notification = Notification::default();
    match ioctl(listener, IOCTL_RECV, &raw mut notification) {
        Ok(_) => Ok(Some(notification)),
        Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Answers with a value, or with a negative error number. Says whether the call was still there.
pub(crate) fn answer(listener: BorrowedFd<'_>, id: u64, result: Result<i64, u16>) -> bool {
    let mut response = match result {
        Ok(val) => Response { id, val, error: 0, flags: 0 },
        Err(errno) => Response { id, val: 0, error: -i32::from(errno), flags: 0 },
    };
    ioctl(listener, IOCTL_SEND, &raw mut response).is_ok()
}

/// Lets the kernel run the call as it stands.
pub(crate) fn proceed(listener: BorrowedFd<'_>, id: u64) -> bool {
    let mut response = Response { id, val: 0, error: 0, flags: RESPONSE_CONTINUE };
    ioctl(listener, IOCTL_SEND, &raw mut response).is_ok()
}

/// Whether the call is still waiting (its thread lives and was not killed).
pub(crate) fn is_valid(listener: BorrowedFd<'_>, id: u64) -> bool {
    let mut id = id;
    ioctl(listener, IOCTL_ID_VALID, &raw mut id).is_ok()
}

/// Puts a copy of `fd` into the program's table and answers the call with its number, atomically.
pub(crate) fn add_fd_and_answer(
    listener: BorrowedFd<'_>,
    id: u64,
    fd: BorrowedFd<'_>,
    close_on_exec: bool,
) -> io::Result<i32> {
    let newfd_flags = if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 };
    let mut add = AddFd { id, flags: ADDFD_SEND, srcfd: fd.as_raw_fd() as u32, newfd: 0, newfd_flags };
    ioctl(listener, IOCTL_ADDFD, &raw mut add).map(|n| n as i32)
}

/// Replaces descriptor `number` of the program by a copy of `fd`, before the call is answered.
pub(crate) fn replace_fd(
    listener: BorrowedFd<'_>,
    id: u64,
    fd: BorrowedFd<'_>,
    number: u32,
    close_on_exec: bool,
) -> io::Result<()> {
    let newfd_flags = if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 };
    let mut add = AddFd { id, flags: ADDFD_SETFD, srcfd: fd.as_raw_fd() as u32, newfd: number, newfd_flags };
    ioctl(listener, IOCTL_ADDFD, &raw mut add).map(drop)
}

/// Asks for wake-ups on the caller's processor (Linux 6.6); an error where the kernel has none.
pub(crate) fn set_sync_wake_up(listener: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: this request takes its flags by value.
    check(libc::c_long::from(unsafe {
        libc::ioctl(listener.as_raw_fd(), IOCTL_SET_FLAGS as _, SYNC_WAKE_UP)
    }))
    .map(drop)
}
