//! The connection's timers: a table by kind, one deadline.

use crate::time::Instant;
use core::time::Duration;

/// The kinds of timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Timer {
    /// RFC 6298; the SYN's, the data's and the FIN's.
    Retransmit,
    /// Zero-window probes (RFC 9293, 3.8.6.1), and what CORK or silly-window avoidance held back.
    Persist,
    /// RFC 9293, 3.8.6.3.
    DelayedAck,
    /// RFC 9293, 3.8.4.
    Keepalive,
    /// The end of an orphan in FIN-WAIT-2, or of TIME-WAIT.
    Linger,
    /// Data that pacing holds back.
    Pacing,
}

/// What a connection waits for, with Linux's number (`idiag_timer`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimerKind {
    None = 0,
    /// To send again.
    Retransmit = 1,
    /// Keepalive, or the end of an orphan in FIN-WAIT-2.
    Keepalive = 2,
    TimeWait = 3,
    /// To probe a window that is shut.
    Probe = 4,
}

/// When each of them is due.
#[derive(Clone, Debug)]
pub(super) struct Timers([Instant; Timer::ALL.len()]);

impl Timer {
    pub(super) const ALL: [Self; 6] =
        [Self::Retransmit, Self::Persist, Self::DelayedAck, Self::Keepalive, Self::Linger, Self::Pacing];
}

impl Timers {
    pub(super) fn new() -> Self {
        Self([NEVER; Timer::ALL.len()])
    }

    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = at;
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = NEVER;
    }

    pub(super) fn clear_all(&mut self) {
        *self = Self::new();
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize] != NEVER
    }

    /// The earliest of them.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().copied().min().filter(|&at| at != NEVER)
    }

    /// What `ss -o` shows, with the time left: a retransmission hides the others.
    pub(super) fn shown(&self, now: Instant) -> Option<(TimerKind, Duration)> {
        let order = [
            (Timer::Retransmit, TimerKind::Retransmit),
            (Timer::Persist, TimerKind::Probe),
            (Timer::Keepalive, TimerKind::Keepalive),
            (Timer::Linger, TimerKind::Keepalive),
        ];
        let (timer, kind) = order.into_iter().find(|(timer, _)| self.is_set(*timer))?;
        Some((kind, self.0[timer as usize].since(now)))
    }

    /// Clears a timer that is due; says whether it was.
    pub(super) fn take_due(&mut self, timer: Timer, now: Instant) -> bool {
        let due = self.0[timer as usize] <= now;
        if due {
            self.clear(timer);
        }
        due
    }
}

/// A point in time that may not have been, in the space of one that has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(Instant);

impl Moment {
    pub(super) const NEVER: Self = Self(NEVER);

    pub(super) fn at(now: Instant) -> Self {
        Self(now)
    }

    pub(super) fn get(self) -> Option<Instant> {
        (self.0 != NEVER).then_some(self.0)
    }

    /// The first time counts.
    pub(super) fn first(&mut self, now: Instant) {
        if self.0 == NEVER {
            self.0 = now;
        }
    }

    pub(super) fn clear(&mut self) {
        self.0 = NEVER;
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self::NEVER
    }
}

/// Whole nanoseconds: the hot path reckons in them.
pub(super) const fn nanos(d: Duration) -> u64 {
    d.as_secs() * 1_000_000_000 + d.subsec_nanos() as u64
}

/// Nanoseconds since `earlier`.
pub(super) const fn elapsed(now: Instant, earlier: Instant) -> u64 {
    now.0.saturating_sub(earlier.0)
}

const NEVER: Instant = Instant(u64::MAX);
