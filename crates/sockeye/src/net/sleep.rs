//! Threads that sleep in a way of their own, as a layer above lets them: one that wants to know of signals, say.
//!
//! In: how to sleep and what wakes ([`Sleep`]). Out: woken one at a time, like the sleepers on a bell; who leaves without
//! having looked passes the word on.

use super::socket::{Inner, PATIENCE_MAX, SHORT_WAIT};
use crate::running::state::State;
use crate::running::wait::Way;
use sockeye_core::Errno;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

/// How a thread sleeps.
pub trait Sleep {
    /// Ends the sleep, also one that has not begun yet.
    fn waker(&self) -> Waker;

    /// Sleeps until it is woken, at most so long; None is for ever. It may wake for nothing.
    ///
    /// # Errors
    /// What the call answers that sleeps: EINTR.
    fn sleep(&self, time: Option<Duration>) -> Result<(), Errno>;
}

impl Inner {
    /// Sleeps until something may have happened or the time is up.
    pub(super) fn sleep_by(
        &self,
        sleeper: &dyn Sleep,
        mut state: MutexGuard<'_, State>,
        way: Way,
        time: Option<Duration>,
    ) -> Result<(), Errno> {
        let running = &self.net.running;
        let (number, before) = (running.next_number(), state.now());
        if let Some(waiters) = self.waiters(&mut state) {
            waiters.add_sleeper(way, number, sleeper.waker());
        }
        drop(state);
        let end = sleeper.sleep(time);
        let mut state = running.lock();
        let now = state.now();
        if now.since(before) < SHORT_WAIT && running.has_cores() {
            self.patience.store(PATIENCE_MAX, Ordering::Relaxed);
        }
        let retired = self.waiters(&mut state).and_then(|waiters| waiters.remove_sleeper(way, number));
        if end.is_err() && retired.is_none() {
            self.pass_on(&mut state, way);
            running.leave(state, now);
        } else {
            drop(state);
        }
        drop(retired);
        end
    }
}
