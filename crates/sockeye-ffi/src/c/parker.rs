//! How a thread of the program sleeps in a call of the library.
//!
//! It sleeps in the kernel's ppoll(2) on an eventfd of its own, since only the kernel can end a wait by a signal and put a
//! signal mask on for exactly as long as it lasts; a condition variable can do neither. Any thread wakes it, and a
//! wake-up that comes before the sleep is not lost.

use super::{Answer, errno_of};
use sockeye_core::Errno;
use sockeye_rs::net::engine::Sleep;
use std::cell::OnceCell;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// A thread that sleeps until it is woken.
pub(super) struct Parker {
    bell: OwnedFd,
    /// Whether the bell has been rung since the last sleep; it is rung once.
    rung: AtomicBool,
}

/// A signal mask of the caller's for the time of a sleep; null for none.
pub(super) type Mask = *const libc::sigset_t;

/// Why a sleep is over.
#[derive(PartialEq, Eq)]
pub(super) enum End {
    /// It was woken, or had been since the last time.
    Woken,
    /// The time is over.
    Late,
}

impl Parker {
    /// The calling thread's.
    pub(super) fn of_thread() -> Answer<Arc<Self>> {
        thread_local!(static MINE: OnceCell<Arc<Parker>> = const { OnceCell::new() });
        MINE.with(|mine| {
            if let Some(parker) = mine.get() {
                return Ok(Arc::clone(parker));
            }
            let parker = Arc::new(Self { bell: bell()?, rung: AtomicBool::new(false) });
            Ok(Arc::clone(mine.get_or_init(|| parker)))
        })
    }

    /// Sleeps until it is woken or `until`, under a signal mask if one is given.
    ///
    /// # Errors
    /// EINTR when a signal was handled.
    pub(super) fn sleep(&self, until: Option<Instant>, mask: Mask) -> Answer<End> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let left = left.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let mut entry = libc::pollfd { fd: self.bell.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry and a time, both of this frame; the mask is the caller's, whom ppoll(2) would trust as well.
        match unsafe { libc::ppoll(&raw mut entry, 1, left, mask) } {
            0 => return Ok(End::Late),
            1 => {}
            _ => return Err(system_errno()),
        }
        self.listen().map(|()| End::Woken)
    }

    /// Waits for the bell. This is read(2), which the kernel restarts after a handler with `SA_RESTART`.
    fn listen(&self) -> Answer<()> {
        // The bell falls silent first: who rings it after this does so for a look that is still to come.
        let mut count = [0u8; 8];
        // SAFETY: eight bytes of this frame.
        if unsafe { libc::read(self.bell.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) } < 0 {
            return Err(system_errno());
        }
        self.rung.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// A thread in a call of one socket: without a time limit it is restarted where the handler asks for it, with one it is not,
/// as on Linux.
pub(super) struct Sleeper(Arc<Parker>);

impl Sleeper {
    /// The calling thread's.
    pub(super) fn of_thread() -> Answer<Self> {
        Parker::of_thread().map(Self)
    }
}

impl Sleep for Sleeper {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    fn sleep(&self, time: Option<Duration>) -> Answer<()> {
        match time {
            None => self.0.listen(),
            Some(time) => self.0.sleep(Some(Instant::now() + time), std::ptr::null()).map(drop),
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            let one = 1u64.to_ne_bytes();
            // SAFETY: eight bytes of this frame.
            unsafe { libc::write(self.bell.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        }
    }
}

/// The error of the system's last call.
fn system_errno() -> Errno {
    errno_of(&std::io::Error::last_os_error())
}

/// An eventfd. It blocks who reads it unrung; only its thread reads it.
fn bell() -> Answer<OwnedFd> {
    // SAFETY: it touches no memory.
    match unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) } {
        // SAFETY: a new descriptor, which nobody else has.
        fd if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(system_errno()),
    }
}

/// Runs `f`, which starts threads, so that they leave all signals to the program's own.
pub(super) fn without_signals<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: plain sets of bits, of this frame, filled by libc.
    unsafe {
        let (mut all, mut before) =
            (std::mem::zeroed::<libc::sigset_t>(), std::mem::zeroed::<libc::sigset_t>());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = f();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}
