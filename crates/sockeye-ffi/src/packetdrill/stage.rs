//! Turns: the thread that drives time and the thread that blocks in a call, one after the other.
//!
//! packetdrill runs calls that a script expects to block in a second thread, while the first goes on with the script.
//! Here the blocked one sleeps on a condition; the driver, after anything that may end the call, lets it look and
//! waits until it has either gone back to sleep or returned and noted the time. So a call ends at the moment in
//! simulated time at which it would, whatever the threads of the machine do.

use super::world::World;
use sockeye_core::errno::{Errno, Result};
use sockeye_core::time::Instant;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::ThreadId;
use std::time::Duration;

/// The host and the turns around it.
#[derive(Debug)]
pub(super) struct Stage {
    world: Mutex<World>,
    turn: Condvar,
}

/// What the blocked thread does, if there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Blocked {
    #[default]
    Nobody,
    Sleeping {
        until: Option<Instant>,
    },
    /// It is to look again.
    Looking,
    /// Its call is over; it has not asked for the time yet.
    Leaving(ThreadId),
}

impl Stage {
    pub(super) fn new(flags: &str) -> core::result::Result<Self, String> {
        Ok(Self { world: Mutex::new(World::new(flags)?), turn: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(|_| std::process::abort())
    }

    /// A call that does not block.
    pub(super) fn call<T>(&self, call: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        let mut world = self.lock();
        let answer = call(&mut world);
        world.drain();
        drop(self.let_look(world));
        answer
    }

    /// A call that is made again until it does not say EAGAIN, if it `blocks`, or its time is over: then it is made
    /// once more, with `true`.
    pub(super) fn wait<T>(
        &self,
        blocks: bool,
        timeout: Option<Duration>,
        mut call: impl FnMut(&mut World, bool) -> Result<T>,
    ) -> Result<T> {
        let mut world = self.lock();
        let until = timeout.map(|timeout| world.now + timeout);
        loop {
            let over = until.is_some_and(|until| until <= world.now);
            let answer = call(&mut world, over);
            world.drain();
            let again = matches!(&answer, Err(errno) if *errno == Errno::EAGAIN);
            if !again || !blocks || over {
                if world.blocked == Blocked::Looking {
                    world.blocked = Blocked::Leaving(std::thread::current().id());
                    self.turn.notify_all();
                } else {
                    drop(self.let_look(world));
                }
                return answer;
            }
            world.blocked = Blocked::Sleeping { until };
            self.turn.notify_all();
            while world.blocked != Blocked::Looking {
                world = self.turn.wait(world).unwrap_or_else(|_| std::process::abort());
            }
        }
    }

    /// Gives the blocked thread its turn and waits until it is over.
    fn let_look<'a>(&'a self, mut world: MutexGuard<'a, World>) -> MutexGuard<'a, World> {
        if !matches!(world.blocked, Blocked::Sleeping { .. }) {
            return world;
        }
        world.blocked = Blocked::Looking;
        self.turn.notify_all();
        while matches!(world.blocked, Blocked::Looking | Blocked::Leaving(_)) {
            let (back, timeout) =
                self.turn.wait_timeout(world, TURN_MAX).unwrap_or_else(|_| std::process::abort());
            world = back;
            if timeout.timed_out() {
                // A call that ends without a look at the clock.
                world.blocked = Blocked::Nobody;
            }
        }
        world
    }

    /// Lets time pass until `target`, or until a packet has left the host.
    fn pass<'a>(
        &'a self,
        mut world: MutexGuard<'a, World>,
        target: Instant,
        packet: bool,
    ) -> MutexGuard<'a, World> {
        loop {
            if packet && !world.sent.is_empty() {
                return world;
            }
            let timeout = match world.blocked {
                Blocked::Sleeping { until } => until,
                _ => None,
            };
            let next = world.host.next_deadline().into_iter().chain(timeout).min();
            match next {
                Some(next) if next <= target => {
                    world.now = world.now.max(next);
                    world.advance();
                    world = self.let_look(world);
                }
                _ => {
                    world.now = world.now.max(target);
                    return world;
                }
            }
        }
    }

    /// Time passes by so much.
    pub(super) fn sleep(&self, time: Duration) {
        let mut world = self.lock();
        let target = world.now + time;
        world = self.pass(world, target, false);
        let left = core::mem::take(&mut world.call_has_ended);
        drop(world);
        if left {
            // packetdrill's lock is free only while it sleeps: the other thread takes it now.
            std::thread::sleep(HANDOVER);
        }
    }

    /// The next packet that leaves, if one does within `time`, and when it did.
    pub(super) fn next_packet(&self, time: Duration) -> Option<(Vec<u8>, Instant)> {
        let world = self.lock();
        let target = world.now + time;
        self.pass(world, target, true).sent.pop_front()
    }

    /// What time it is. Whoever asks again and again waits for it to pass.
    pub(super) fn time(&self) -> Instant {
        let mut world = self.lock();
        if world.blocked == Blocked::Leaving(std::thread::current().id()) {
            world.blocked = Blocked::Nobody;
            world.call_has_ended = true;
            self.turn.notify_all();
            return world.now;
        }
        let target = world.now + LOOK;
        self.pass(world, target, false).now
    }
}

/// How long the driver waits for the other thread, in the machine's time.
const TURN_MAX: Duration = Duration::from_millis(500);
/// What a look at the clock takes.
const LOOK: Duration = Duration::from_micros(1);
/// What a thread that has returned from its call takes to note that, in the machine's time.
const HANDOVER: Duration = Duration::from_millis(5);
