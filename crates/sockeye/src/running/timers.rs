//! Timers of tasks: who is to be woken when.
//!
//! In: a time and a waker. Out: the wakers whose time has come, the earliest first, those of one moment in the order
//! in which they were set.

use sockeye_core::Instant;
use std::collections::BTreeMap;
use std::task::Waker;

/// A timer, as long as it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey(Instant, u64);

/// The timers of a lab.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeMap<TimerKey, Waker>,
    number_last: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, waker: Waker) -> TimerKey {
        self.number_last += 1;
        let key = TimerKey(at, self.number_last);
        self.set.insert(key, waker);
        key
    }

    /// Takes a timer's waker out, which must be dropped without the lab's lock.
    #[must_use]
    pub(crate) fn clear(&mut self, key: TimerKey) -> Option<Waker> {
        self.set.remove(&key)
    }

    /// Whether a timer is set, and wakes the same task.
    pub(crate) fn wakes(&self, key: TimerKey, waker: &Waker) -> bool {
        self.set.get(&key).is_some_and(|set| set.will_wake(waker))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.set.keys().next().map(|key| key.0)
    }

    /// Takes a timer that is due.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Waker> {
        let first = self.set.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
