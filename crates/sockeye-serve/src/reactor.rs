//! What the host thread waits for: one epoll, typed words, a short spin before it sleeps.
//!
//! In: the listener of notifications, the command eventfd, our ends of carriers. Out: batches of [`Wake`]. A
//! wake-up costs ten times what a look costs, so after work the thread looks again for a short while, as long as
//! the last waits were short enough to be looked through; it never spins while nothing runs.

use crate::served::{self, Key};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Words of the fixed descriptors; a socket's word is never below 2^32.
const NOTIFICATIONS: u64 = 1;
const COMMANDS: u64 = 2;
const HANG_UPS: u64 = 3;
const PUBLISHED: u64 = 0x100;

const BATCH_MAX: usize = 256;

/// Why the thread woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Notifications {
        /// The filter has no user left: the listener hung up.
        over: bool,
        /// At least one can be received.
        waiting: bool,
    },
    Commands,
    HangUps,
    /// A published port or one of its connections.
    Published(u32),
    End(Key, EventFlags),
}

/// The epoll of the host thread.
#[derive(Debug)]
pub(crate) struct Reactor {
    epoll: OwnedFd,
    doorbell: OwnedFd,
    events: Vec<(u64, EventFlags)>,
    /// How long to look before sleeping; adapted to how long the waits were.
    spin: Duration,
}

const SPIN_MAX: Duration = Duration::from_micros(60);
const SPIN_MIN: Duration = Duration::from_micros(4);

const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Reactor {
    pub(crate) fn new(notifications: BorrowedFd<'_>, hang_ups: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let doorbell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, notifications, EventData::new_u64(NOTIFICATIONS), EventFlags::IN)?;
        epoll::add(&epoll, &doorbell, EventData::new_u64(COMMANDS), EventFlags::IN)?;
        epoll::add(&epoll, hang_ups, EventData::new_u64(HANG_UPS), EventFlags::IN)?;
        Ok(Self { epoll, doorbell, events: Vec::with_capacity(BATCH_MAX), spin: SPIN_MAX })
    }

    /// Rung by other threads after they have put a command into the queue.
    pub(crate) fn doorbell(&self) -> rustix::io::Result<OwnedFd> {
        rustix::io::fcntl_dupfd_cloexec(&self.doorbell, 3)
    }

    /// Adds our end of a carrier, to be told of what arrives. Room is asked for only once it was missed: a
    /// program that reads would wake us for nothing otherwise.
    pub(crate) fn add_end(&self, end: BorrowedFd<'_>, key: Key) -> rustix::io::Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, end, EventData::new_u64(served::token(key)), flags)
    }

    /// From now on, tells of room in this carrier as well.
    pub(crate) fn want_room(&self, end: BorrowedFd<'_>, key: Key) -> rustix::io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::modify(&self.epoll, end, EventData::new_u64(served::token(key)), flags)
    }

    /// Adds a socket of the machine that belongs to the published ports.
    pub(crate) fn add_published(&self, fd: BorrowedFd<'_>, number: u32) -> rustix::io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, fd, EventData::new_u64(PUBLISHED + u64::from(number)), flags)
    }

    /// Waits at most `timeout` (None: for ever) and fills `wakes`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, wakes: &mut Vec<Wake>) {
        wakes.clear();
        self.poll(Some(&NOW));
        if self.events.is_empty() && timeout != Some(Duration::ZERO) {
            self.linger(timeout);
        }
        for (data, flags) in self.events.drain(..) {
            wakes.push(match data {
                NOTIFICATIONS => Wake::Notifications {
                    over: flags.contains(EventFlags::HUP),
                    waiting: flags.contains(EventFlags::IN),
                },
                COMMANDS => {
                    let mut count = [0; 8];
                    let _ = rustix::io::read(&self.doorbell, &mut count);
                    Wake::Commands
                }
                HANG_UPS => Wake::HangUps,
                data if data >> 32 == 0 => Wake::Published((data - PUBLISHED) as u32),
                data => Wake::End(served::key(data), flags),
            });
        }
    }

    /// Looks for as long as it seems worth it, then sleeps. The measure is how long the wait was in all, asleep or
    /// not: were it only what looking has found, a limit once too short would never grow again.
    fn linger(&mut self, timeout: Option<Duration>) {
        let start = Instant::now();
        let limit = self.spin.min(timeout.unwrap_or(SPIN_MAX));
        while start.elapsed() < limit {
            // A program may want this very processor.
            std::thread::yield_now();
            self.poll(Some(&NOW));
            if !self.events.is_empty() {
                return;
            }
        }
        self.poll(timeout.map(|t| timespec(t.saturating_sub(start.elapsed()))).as_ref());
        self.spin = if start.elapsed() < SPIN_MAX { SPIN_MAX } else { (self.spin / 2).max(SPIN_MIN) };
    }

    fn poll(&mut self, timeout: Option<&Timespec>) {
        self.events.clear();
        let mut buffer = [MaybeUninit::<epoll::Event>::uninit(); BATCH_MAX];
        // EINTR: nothing came; the caller looks again.
        if let Ok((events, _)) = epoll::wait(&self.epoll, &mut buffer[..], timeout) {
            // The structure is packed: its fields are copied, not borrowed.
            self.events.extend(events.iter().map(|e| (e.data.u64(), e.flags)));
        }
    }
}

fn timespec(d: Duration) -> Timespec {
    Timespec { tv_sec: d.as_secs() as i64, tv_nsec: i64::from(d.subsec_nanos()) }
}

/// Rings a doorbell of [`Reactor::doorbell`].
pub(crate) fn ring(doorbell: BorrowedFd<'_>) {
    let _ = rustix::io::write(doorbell.as_fd(), &1u64.to_ne_bytes());
}
