//! Who waits for a socket, and how they are told.
//!
//! Threads sleep on the condition variable of their socket and direction (its bell), tasks leave a waker. One event
//! wakes one of the threads that wait; it passes the bell on when more is left (see [`crate::net::Socket`]), so a
//! crowd on one listener is not woken by each connection. An end (a hang-up, an error) wakes them all. Before it
//! sleeps, a thread looks for a few microseconds whether its bell rings, where that has been worth it lately.

use sockeye_core::unix::Right;
use std::collections::VecDeque;
use std::hint;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar};
use std::task::Waker;
use std::time::{Duration, Instant};

/// What one waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To receive or to accept.
    Read = 0,
    /// To send, or to be connected.
    Write = 1,
}

/// The condition variables of a socket, one for each direction; they go with the lab's lock.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    bells: [Condvar; 2],
    /// How often each has rung, for those who look without sleeping.
    rung: [AtomicU32; 2],
}

impl Bells {
    pub(crate) fn of(&self, way: Way) -> &Condvar {
        &self.bells[way as usize]
    }

    pub(crate) fn rung(&self, way: Way) -> u32 {
        self.rung[way as usize].load(Ordering::Acquire)
    }

    /// Looks for a short while whether it rings again; says whether it has.
    pub(crate) fn look_out(&self, way: Way, seen: u32) -> bool {
        let until = Instant::now() + LOOK_OUT;
        while Instant::now() < until {
            for _ in 0..LOOKS {
                if self.rung(way) != seen {
                    return true;
                }
                hint::spin_loop();
            }
        }
        false
    }
}

/// How long a thread looks before it sleeps: less than falling asleep and being woken costs.
const LOOK_OUT: Duration = Duration::from_micros(20);
/// Looks between two readings of the clock.
const LOOKS: u32 = 50;

/// Who waits for one socket.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    pub(crate) bells: Arc<Bells>,
    ways: [Waiting; 2],
}

#[derive(Debug, Default)]
struct Waiting {
    sleepers: u32,
    /// Threads that sleep in ways of their own, who waits longest first; like the sleepers they are woken one by one.
    others: VecDeque<(u64, Waker)>,
    /// The task of the `poll_` methods: the last one counts.
    poller: Option<Waker>,
    /// The tasks of futures, each with its number.
    tasks: Vec<(u64, Waker)>,
}

impl Waiters {
    pub(crate) fn new(bells: Arc<Bells>) -> Self {
        Self { bells, ..Self::default() }
    }

    /// A thread goes to sleep on a bell, or has woken.
    pub(crate) fn count_sleeper(&mut self, way: Way, sleeps: bool) {
        let sleepers = &mut self.ways[way as usize].sleepers;
        *sleepers = if sleeps { *sleepers + 1 } else { *sleepers - 1 };
    }

    pub(crate) fn has_sleepers(&self, way: Way) -> bool {
        let waiting = &self.ways[way as usize];
        waiting.sleepers > 0 || !waiting.others.is_empty()
    }

    /// A thread goes to sleep in a way of its own.
    pub(crate) fn add_sleeper(&mut self, way: Way, number: u64, waker: Waker) {
        self.ways[way as usize].others.push_back((number, waker));
    }

    /// It has woken. Gives its waker, where nobody else had woken it.
    #[must_use]
    pub(crate) fn remove_sleeper(&mut self, way: Way, number: u64) -> Option<Waker> {
        let others = &mut self.ways[way as usize].others;
        let at = others.iter().position(|(other, _)| *other == number)?;
        others.remove(at).map(|(_, waker)| waker)
    }

    /// Gives the waker that was there before. Like every waker it must be dropped without the lab's lock: it may be
    /// the last to hold a task, and the task may hold sockets.
    #[must_use]
    pub(crate) fn set_poller(&mut self, way: Way, waker: &Waker) -> Option<Waker> {
        let poller = &mut self.ways[way as usize].poller;
        match poller {
            Some(old) if old.will_wake(waker) => None,
            poller => poller.replace(waker.clone()),
        }
    }

    /// Gives the waker that was there before.
    #[must_use]
    pub(crate) fn set_task(&mut self, way: Way, number: u64, waker: &Waker) -> Option<Waker> {
        let tasks = &mut self.ways[way as usize].tasks;
        match tasks.iter_mut().find(|(other, _)| *other == number) {
            Some((_, old)) if old.will_wake(waker) => None,
            Some((_, old)) => Some(mem::replace(old, waker.clone())),
            None => {
                tasks.push((number, waker.clone()));
                None
            }
        }
    }

    /// Gives the waker that was there.
    #[must_use]
    pub(crate) fn clear_task(&mut self, way: Way, number: u64) -> Option<Waker> {
        let tasks = &mut self.ways[way as usize].tasks;
        let at = tasks.iter().position(|(other, _)| *other == number)?;
        Some(tasks.swap_remove(at).1)
    }

    /// Something happened: one sleeper, or all of them, and every task.
    pub(crate) fn wake(&mut self, way: Way, all: bool, wakes: &mut Wakes) {
        self.bells.rung[way as usize].fetch_add(1, Ordering::Release);
        let waiting = &mut self.ways[way as usize];
        wakes.wakers.extend(waiting.poller.take());
        wakes.wakers.extend(waiting.tasks.drain(..).map(|(_, waker)| waker));
        let count = if all { waiting.others.len() } else { 1.min(waiting.others.len()) };
        wakes.wakers.extend(waiting.others.drain(..count).map(|(_, waker)| waker));
        if waiting.sleepers > 0 {
            wakes.bells.push((Arc::clone(&self.bells), way, all));
        }
    }

    /// The socket is gone.
    pub(crate) fn wake_all(&mut self, wakes: &mut Wakes) {
        self.wake(Way::Read, true, wakes);
        self.wake(Way::Write, true, wakes);
    }
}

/// Whom to wake once the lab's lock is let go: a waker may call anything, and a woken thread wants the lock.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Wakes {
    pub(crate) wakers: Vec<Waker>,
    bells: Vec<(Arc<Bells>, Way, bool)>,
    /// Sockets that were handed over and not received: their end takes the lab's lock.
    pub(crate) rights: Vec<Right>,
}

impl Wakes {
    pub(crate) fn is_empty(&self) -> bool {
        self.wakers.is_empty() && self.bells.is_empty() && self.rights.is_empty()
    }

    pub(crate) fn fire(self) {
        for (bells, way, all) in self.bells {
            if all {
                bells.of(way).notify_all();
            } else {
                bells.of(way).notify_one();
            }
        }
        self.wakers.into_iter().for_each(Waker::wake);
        drop(self.rights);
    }
}
