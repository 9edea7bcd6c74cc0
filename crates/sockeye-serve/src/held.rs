//! Calls that wait: a blocking accept, connect or receive whose answer is not known yet.
//!
//! A held call is answered when its socket has something for it, when its time is up (`SO_RCVTIMEO`,
//! `SO_SNDTIMEO`), or when its thread has a signal to handle: the filter shields received calls from signals
//! (WAIT_KILLABLE_RECV), so that none is interrupted half done, and in return we look every 10 ms for signals that
//! are pending and not blocked. The kernel then makes EINTR or a restart of our answer, as the handler's
//! SA_RESTART asks.

use crate::call::Call;
use crate::served::Key;
use sockeye_core::Instant;
use std::fs;
use std::os::fd::OwnedFd;
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
    pub(crate) copy: OwnedFd,
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
