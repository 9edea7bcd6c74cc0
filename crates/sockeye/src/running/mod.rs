//! What runs a lab: the lock, who waits for what, and the thread that keeps its time.
//!
//! In: calls from any thread and any task, the clock, devices. Out: answers, and wake-ups of exactly those who
//! wait. A call takes the lab's lock, runs the engine as far as it goes at that moment (packets over ideal links
//! arrive inside the call that sent them), lets the lock go and only then wakes others. The lab's thread does
//! nothing but keep deadlines and look after devices; it sleeps until the next one, and a call that makes an
//! earlier one wakes it.
//!
//! ```text
//!    call ---> lock [ State: sockeye_lab::Lab, waiters, timers ] ---> unlock ---> bells of threads, wakers of tasks
//!                ^                                        |
//!                +---- lab thread: deadlines, devices <---+ an earlier deadline unparks it
//! ```
//!
//! Nothing here is a global: everything hangs on one [`Running`], which ends with its last handle.

pub(crate) mod device;
pub(crate) mod machine;
pub(crate) mod state;
mod thread;
pub(crate) mod timers;
pub(crate) mod wait;

use sockeye_core::Instant;
use state::State;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::Thread;
use wait::Wakes;

/// What handles and the lab's thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// A device has said that it has something.
    device_rang: AtomicBool,
    ended: AtomicBool,
    /// The number of the last future that waited.
    number_last: AtomicU64,
    /// Whether others can run while a thread looks.
    has_cores: bool,
    /// The lab's thread; none in simulated time.
    thread: OnceLock<Thread>,
}

/// A lab that runs until the last handle of it goes: labs, hosts' nets and sockets hold it.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
}

impl Running {
    /// A lab in real time, with a thread of its own.
    pub(crate) fn in_real_time(state: State) -> Arc<Self> {
        let running = Self::in_simulated_time(state);
        thread::start(&running.shared);
        running
    }

    /// A lab whose time stands until an executor moves it.
    pub(crate) fn in_simulated_time(state: State) -> Arc<Self> {
        let shared = Shared {
            state: Mutex::new(state),
            device_rang: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            number_last: AtomicU64::new(0),
            has_cores: std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
            thread: OnceLock::new(),
        };
        Arc::new(Self { shared: Arc::new(shared) })
    }

    /// What a device's waker rings.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A number that no future of this lab has had; never 0.
    pub(crate) fn next_number(&self) -> u64 {
        self.shared.number_last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether others can run while a thread looks.
    pub(crate) fn has_cores(&self) -> bool {
        self.shared.has_cores
    }

    /// The lock. Only for those who settle and let go as [`Running::call`] does.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// The lock, for one who closes; None where the engine has panicked.
    pub(crate) fn lock_for_drop(&self) -> Option<MutexGuard<'_, State>> {
        self.shared.state.lock().ok()
    }

    /// Does something to the lab, lets it settle, and wakes whoever that concerns.
    pub(crate) fn call<R>(&self, f: impl FnOnce(&mut State, Instant) -> R) -> R {
        let mut state = self.lock();
        let now = state.now();
        let answer = f(&mut state, now);
        self.leave(state, now);
        answer
    }

    /// Looks at the lab; nothing may come of it.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&mut State, Instant) -> R) -> R {
        let mut state = self.lock();
        let now = state.now();
        f(&mut state, now)
    }

    /// Settles, unlocks, wakes.
    pub(crate) fn leave(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let wakes = state.settle(now);
        let earlier = state.deadline_is_earlier();
        drop(state);
        wakes.fire();
        if earlier {
            self.shared.unpark();
        }
    }

    /// Settles under the lock, for one who is about to sleep: whom to wake, after unlocking.
    pub(crate) fn settle(&self, state: &mut State, now: Instant) -> Wakes {
        let wakes = state.settle(now);
        if state.deadline_is_earlier() {
            self.shared.unpark();
        }
        wakes
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.unpark();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a broken invariant of the engine: nobody may go on with that lab.
        self.state.lock().expect("the lab's engine has panicked")
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// A device has something to be received.
    pub(crate) fn device_rings(&self) {
        self.device_rang.store(true, Ordering::Release);
        self.unpark();
    }
}
