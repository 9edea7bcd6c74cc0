//! Calls that wait: a blocking accept, connect or receive whose answer is not known yet.
//!
//! A held call is answered when its socket has something for it, when its time is up (`SO_RCVTIMEO`,
//! `SO_SNDTIMEO`), or when its thread has a signal to handle: the filter shields received calls from signals
//! (WAIT_KILLABLE_RECV), so that none is interrupted half done, and in return we look every 10 ms for signals that
//! are pending and not blocked. The kernel then makes EINTR or a restart of our answer, as the handler's
//! SA_RESTART asks.

use crate::call::{Answer, Call, Outcome};
use crate::served::Key;
use crate::server::Server;
use crate::sys::seccomp;
use sockeye_core::{Errno, Instant};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

slotmap::new_key_type! {
    /// A held call.
    pub(crate) struct HeldKey;
}

/// How often held calls are examined for signals and for threads that are gone.
pub(crate) const EXAMINE_EVERY: Duration = Duration::from_millis(10);

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) call: Call,
    pub(crate) key: Key,
    /// A copy of the descriptor, as the kernel would hold the file during the call.
    pub(crate) copy: Arc<OwnedFd>,
    pub(crate) wait: Wait,
    /// When the socket's own timeout ends it.
    pub(crate) deadline: Option<Instant>,
    /// Messages that recvmmsg has received so far.
    pub(crate) progress: i64,
    /// A process signal was seen here at the last look as well (see [`Signal::Maybe`]).
    pub(crate) suspected: u8,
}

/// What a held call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Accept,
    Connect,
    Receive,
    Send,
}

/// What a look at a thread found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    None,
    /// One is pending for this very thread: the kernel will see it on the way out of the call.
    Sure,
    /// One is pending for the process, and another of its threads may take it.
    Maybe,
}

/// Looks whether thread `tid` has a signal to handle.
pub(crate) fn pending_signal(tid: u32) -> Signal {
    let Ok(status) = fs::read_to_string(format!("/proc/{tid}/status")) else { return Signal::None };
    let mask = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
            .unwrap_or(0)
    };
    let number = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).and_then(|n| n.trim().parse::<u32>().ok())
    };
    let open = !mask("SigBlk:");
    if mask("SigPnd:") & open != 0 {
        return Signal::Sure;
    }
    if mask("ShdPnd:") & open == 0 {
        return Signal::None;
    }
    // The kernel wakes the group's leader if that does not block the signal, so for it (and where it is alone)
    // the mark is set. Any other thread might be passed over, and the answer would leak to the program.
    if number("Threads:") == Some(1) || number("Tgid:") == Some(tid) { Signal::Sure } else { Signal::Maybe }
}

impl Server {
    /// Holds a call until its socket has something for it.
    pub(crate) fn hold(
        &mut self,
        call: &Call,
        key: Key,
        copy: Arc<OwnedFd>,
        wait: Wait,
        deadline: Option<Instant>,
    ) -> HeldKey {
        let held = Held { call: *call, key, copy, wait, deadline, progress: 0, suspected: 0 };
        let held = self.held.insert(held);
        if let Some(served) = self.served.get_mut(key) {
            served.waiters.push(held);
        }
        if self.held.len() == 1 {
            self.examine_at = self.now + EXAMINE_EVERY;
        }
        held
    }

    /// Ends a held call with an answer. Says whether it was still there.
    pub(crate) fn release(&mut self, held: HeldKey, answer: Answer) -> bool {
        let Some(entry) = self.held.remove(held) else { return false };
        if let Some(served) = self.served.get_mut(entry.key) {
            served.waiters.retain(|w| *w != held);
        }
        self.observe_end_held(&entry.call, answer);
        self.reply(&entry.call, answer)
    }

    /// The oldest call that waits on `key` for `wait`.
    pub(crate) fn waiter(&self, key: Key, wait: Wait) -> Option<HeldKey> {
        let waiters = &self.served.get(key)?.waiters;
        waiters.iter().copied().find(|w| self.held.get(*w).is_some_and(|h| h.wait == wait))
    }

    /// Lets go of calls whose threads are gone: their copies would keep carriers alive.
    pub(crate) fn release_dead_calls(&mut self) {
        let listener = self.listener.as_fd();
        let dead: Vec<HeldKey> = self
            .held
            .iter()
            .filter(|(_, h)| !seccomp::is_valid(listener, h.call.id))
            .map(|(key, _)| key)
            .collect();
        for key in dead {
            self.release(key, Ok(Outcome::Answered(-1)));
        }
    }

    /// The same for the calls that wait on one socket.
    pub(crate) fn release_dead_waiters(&mut self, key: Key) {
        let waiters = self.served.get(key).map(|s| s.waiters.clone()).unwrap_or_default();
        for waiter in waiters {
            let id = self.held.get(waiter).map(|h| h.call.id);
            if id.is_some_and(|id| !seccomp::is_valid(self.listener.as_fd(), id)) {
                self.release(waiter, Ok(Outcome::Answered(-1)));
            }
        }
    }

    /// Looks after held calls: time, signals, threads that are gone.
    pub(crate) fn examine_held(&mut self) {
        if (self.held.is_empty() && self.stranded.is_empty()) || self.now < self.examine_at {
            return;
        }
        self.examine_at = self.now + EXAMINE_EVERY;
        for (listener, child) in std::mem::take(&mut self.stranded) {
            self.announce(listener, child);
        }
        let keys: Vec<HeldKey> = self.held.keys().collect();
        for key in keys {
            self.examine(key);
        }
        self.settle();
    }

    /// Ends a held call without what it waited for: what it has got so far counts.
    fn interrupt(&mut self, key: HeldKey, errno: Errno) {
        let Some(held) = self.held.get(key) else { return };
        let answer = if held.progress > 0 { Ok(Outcome::Value(held.progress)) } else { Err(errno) };
        let (socket, wait) = (held.key, held.wait);
        if wait == Wait::Connect {
            // The connect goes on without its call: from now on the carrier must look like it.
            let copy = Arc::clone(&held.copy);
            self.release(key, answer);
            if self.waiter(socket, Wait::Connect).is_none() && !self.has_filler(socket) {
                let _ = self.fill(socket, &copy);
            }
            return;
        }
        self.release(key, answer);
    }

    fn examine(&mut self, key: HeldKey) {
        let Some(held) = self.held.get(key) else { return };
        let (call, wait) = (held.call, held.wait);
        if !seccomp::is_valid(self.listener.as_fd(), call.id) {
            self.release(key, Ok(Outcome::Answered(0)));
            return;
        }
        if held.deadline.is_some_and(|at| at <= self.now) {
            let errno = if wait == Wait::Connect { Errno::EINPROGRESS } else { Errno::EAGAIN };
            self.interrupt(key, errno);
            return;
        }
        // With a timeout set, Linux does not restart the call.
        let timed = held.deadline.is_some();
        match pending_signal(call.tid) {
            Signal::None => self.held[key].suspected = 0,
            Signal::Sure => {
                let errno = if timed { Errno::EINTR } else { Errno(crate::abi::ERESTARTSYS) };
                self.interrupt(key, errno);
                return;
            }
            Signal::Maybe => {
                // Still not taken by another thread after three looks: EINTR is safe whatever the kernel chose.
                self.held[key].suspected += 1;
                if self.held[key].suspected >= 3 {
                    self.interrupt(key, Errno::EINTR);
                    return;
                }
            }
        }
        if wait == Wait::Send {
            self.retry_send(key);
        }
    }
}
