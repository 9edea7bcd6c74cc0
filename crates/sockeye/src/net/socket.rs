//! The socket behind every type of this crate: one number of the engine, the host it is on, and how to wait for it.
//!
//! In: a call of the engine, as a closure. Out: its answer, at once ([`Socket::call`]), when it can be given
//! ([`Socket::block`], which puts the thread to sleep), or as a poll ([`Socket::poll`], which leaves a waker). All
//! three ask under the lab's lock and register under the same lock, so that no wake-up falls between.

use super::sleep::Sleep;
use super::{Domain, Kind, Net, Shutdown, io_error, register};
use crate::running::state::State;
use crate::running::wait::{Bells, Waiters, Way};
use sockeye_core::host::{self, Host};
use sockeye_core::{Errno, Instant, Readiness, SocketId};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A socket of any kind, after `socket2::Socket`. Closed as close(2) does when its last handle goes.
#[derive(Clone)]
pub struct Socket {
    pub(crate) inner: Arc<Inner>,
}

/// An open file description: what duplicates share.
pub(crate) struct Inner {
    pub(super) net: Net,
    life: u64,
    id: SocketId,
    bells: Arc<Bells>,
    nonblocking: AtomicBool,
    /// How many more waits may begin with looking: it grows with short waits and shrinks with long ones.
    pub(super) patience: AtomicU8,
}

type Answer<R> = Result<R, Errno>;

/// Births and ends.
impl Socket {
    /// socket(2) on a host; `protocol` 0 is the usual one of the kind.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` for a protocol that the kind does not have, `ENFILE` beyond the host's limit, `ENETDOWN`
    /// while the host is down.
    pub fn new(net: &Net, domain: Domain, kind: Kind, protocol: u8) -> io::Result<Self> {
        net.open(domain, kind, protocol)
    }

    /// One for this address's family.
    pub(crate) fn for_addr(net: &Net, addr: SocketAddr, kind: Kind) -> io::Result<Self> {
        net.open(if addr.is_ipv4() { Domain::Inet } else { Domain::Inet6 }, kind, 0)
    }

    pub(crate) fn from_parts(net: Net, life: u64, id: SocketId, bells: Arc<Bells>) -> Self {
        let nonblocking = AtomicBool::new(false);
        let patience = AtomicU8::new(0);
        Self { inner: Arc::new(Inner { net, life, id, bells, nonblocking, patience }) }
    }

    /// The host that it is on.
    pub fn net(&self) -> &Net {
        &self.inner.net
    }

    /// Another handle of the same socket, as dup(2).
    ///
    /// # Errors
    /// None; it is std's signature.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    /// bind(2).
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`, `EINVAL` when it is bound.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.call(|host, id, _| host.bind(id, addr))
    }

    /// listen(2).
    ///
    /// # Errors
    /// `EADDRINUSE`, `EINVAL` on a connection.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        self.call(|host, id, _| host.listen(id, backlog))
    }

    /// connect(2): waits for the outcome, unless the socket does not block.
    ///
    /// # Errors
    /// `EINPROGRESS` where it does not block; what TCP says (`ECONNREFUSED`, `ETIMEDOUT`, ...).
    pub fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        if self.is_nonblocking() {
            return self.call(|host, id, now| host.connect(id, addr, now));
        }
        // inet_wait_for_connect waits as long as SO_SNDTIMEO says.
        let answer = self.block(Way::Write, None, |host, id, now| connect_or_wait(host, id, addr, now));
        answer.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io_error(Errno::EINPROGRESS),
            _ => error,
        })
    }

    /// connect(2), given up after `timeout`.
    ///
    /// # Errors
    /// `TimedOut` then, `InvalidInput` for zero, and what TCP says.
    pub fn connect_timeout(&self, addr: SocketAddr, timeout: Duration) -> io::Result<()> {
        if timeout.is_zero() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"));
        }
        let answer =
            self.block(Way::Write, Some(timeout), |host, id, now| connect_or_wait(host, id, addr, now));
        answer.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
            _ => error,
        })
    }

    /// accept(2): the connection and its peer.
    ///
    /// # Errors
    /// `EAGAIN` where it would wait and may not, `EINVAL` when it does not listen.
    pub fn accept(&self) -> io::Result<(Self, SocketAddr)> {
        let (id, peer) = self.block(Way::Read, None, accept_one)?;
        Ok((self.adopt(id), peer))
    }

    /// A connection that was just accepted.
    pub(crate) fn adopt(&self, id: SocketId) -> Self {
        let (bells, net) = (Arc::new(Bells::default()), self.net().clone());
        net.running.look(|state, _| {
            // The host may have crashed since: then the handle is as dead as the listener's.
            if state.machines[net.machine].life == self.inner.life {
                register(state, net.machine, id, &bells);
            }
        });
        Self::from_parts(net, self.inner.life, id, bells)
    }

    /// shutdown(2).
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => host::Shutdown::Read,
            Shutdown::Write => host::Shutdown::Write,
            Shutdown::Both => host::Shutdown::Both,
        };
        self.call(|host, id, now| host.shutdown(id, how, now))
    }

    /// Whether calls that would wait answer `WouldBlock` instead; duplicates share it.
    ///
    /// # Errors
    /// None; it is std's signature.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.inner.nonblocking.store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.inner.nonblocking.load(Ordering::Relaxed)
    }

    /// What poll(2) would say.
    pub fn readiness(&self) -> Readiness {
        self.look(|host, id| Ok(host.readiness(id))).unwrap_or(Readiness::ERR | Readiness::HUP)
    }
}

/// connect as those who wait for it ask: EAGAIN until there is an outcome.
pub(crate) fn connect_or_wait(host: &mut Host, id: SocketId, addr: SocketAddr, now: Instant) -> Answer<()> {
    match host.connect(id, addr, now) {
        Err(Errno::EINPROGRESS | Errno::EALREADY) => Err(Errno::EAGAIN),
        answer => answer,
    }
}

/// accept, with the peer's address.
pub(crate) fn accept_one(host: &mut Host, id: SocketId, now: Instant) -> Answer<(SocketId, SocketAddr)> {
    let child = host.accept(id)?;
    let peer = host.peer_addr(child);
    // A connection that was reset before it was accepted still has a name.
    let peer = peer.or_else(|errno| host.info(child, now).and_then(|info| info.remote).ok_or(errno));
    peer.map(|peer| (child, peer))
}

/// Calls.
impl Socket {
    /// Makes a call that does not wait; EAGAIN is an answer.
    pub(crate) fn call<R>(&self, f: impl FnOnce(&mut Host, SocketId, Instant) -> Answer<R>) -> io::Result<R> {
        self.net().running.call(|state, now| self.inner.attempt(state, now, f)).map_err(io_error)
    }

    /// Asks something that changes nothing.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&mut Host, SocketId) -> Answer<R>) -> io::Result<R> {
        let look = |state: &mut State, now| self.inner.attempt(state, now, |host, id, _| f(host, id));
        self.net().running.look(look).map_err(io_error)
    }

    /// Makes a call, and makes it again whenever the socket is ready, until it no longer says EAGAIN. Waits at most
    /// `timeout`, or what `SO_RCVTIMEO` or `SO_SNDTIMEO` says; then the answer is EAGAIN.
    pub(crate) fn block<R>(
        &self,
        way: Way,
        timeout: Option<Duration>,
        f: impl FnMut(&mut Host, SocketId, Instant) -> Answer<R>,
    ) -> io::Result<R> {
        self.block_by(None, way, timeout, f)
    }

    /// The same for a thread that sleeps in a way of its own.
    pub(super) fn block_by<R>(
        &self,
        sleeper: Option<&dyn Sleep>,
        way: Way,
        timeout: Option<Duration>,
        mut f: impl FnMut(&mut Host, SocketId, Instant) -> Answer<R>,
    ) -> io::Result<R> {
        let Inner { net, .. } = &*self.inner;
        let running = &net.running;
        let (mut until, mut has_looked) = (None, false);
        loop {
            let mut state = running.lock();
            let now = state.now();
            let answer = self.inner.attempt(&mut state, now, &mut f);
            if !matches!(answer, Err(Errno::EAGAIN)) || self.is_nonblocking() && timeout.is_none() {
                self.inner.pass_on(&mut state, way);
                running.leave(state, now);
                return answer.map_err(io_error);
            }
            if state.is_simulated() {
                running.leave(state, now);
                return Err(io::Error::new(io::ErrorKind::Unsupported, SIMULATED));
            }
            let until = *until.get_or_insert_with(|| self.inner.time_limit(&mut state, now, way, timeout));
            if until.is_some_and(|until| until <= now) {
                running.leave(state, now);
                return Err(io_error(Errno::EAGAIN));
            }
            // Counted before the lab settles: over an ideal link the answer may come in this very moment.
            self.inner.count_sleeper(&mut state, way, true);
            let wakes = running.settle(&mut state, now);
            if !wakes.is_empty() {
                self.inner.count_sleeper(&mut state, way, false);
                drop(state);
                wakes.fire();
            } else if !has_looked && self.inner.is_patient() {
                has_looked = true;
                self.inner.count_sleeper(&mut state, way, false);
                self.inner.look_out(state, way);
            } else {
                let time = until.map(|until| until.since(now));
                match sleeper {
                    None => self.inner.sleep(state, way, time),
                    Some(sleeper) => {
                        self.inner.count_sleeper(&mut state, way, false);
                        self.inner.sleep_by(sleeper, state, way, time).map_err(io_error)?;
                    }
                }
            }
        }
    }

    /// Makes a call; where it says EAGAIN, the task is woken when it may be worth another try. `number` is the
    /// future's, 0 the slot of the `poll_` methods.
    pub(crate) fn poll<R>(
        &self,
        way: Way,
        number: u64,
        cx: &mut Context<'_>,
        f: impl FnOnce(&mut Host, SocketId, Instant) -> Answer<R>,
    ) -> Poll<io::Result<R>> {
        // A task that never waits must still let others have their turn, as tokio's own sockets make it.
        #[cfg(feature = "tokio")]
        let turn = std::task::ready!(tokio::task::coop::poll_proceed(cx));
        let running = &self.net().running;
        let mut state = running.lock();
        let now = state.now();
        let answer = self.inner.attempt(&mut state, now, f);
        let waits = matches!(answer, Err(Errno::EAGAIN));
        let retired = if waits { self.inner.register(&mut state, way, number, cx.waker()) } else { None };
        running.leave(state, now);
        drop(retired);
        if waits {
            return Poll::Pending;
        }
        #[cfg(feature = "tokio")]
        turn.made_progress();
        Poll::Ready(answer.map_err(io_error))
    }

    /// See [`Socket::watch`].
    pub(super) fn register_watcher(&self, number: u64, waker: &Waker) -> Readiness {
        let running = &self.net().running;
        let mut state = running.lock();
        let now = state.now();
        let ready = self.inner.attempt(&mut state, now, |host, id, _| Ok(host.readiness(id)));
        let retired = [Way::Read, Way::Write].map(|way| self.inner.register(&mut state, way, number, waker));
        running.leave(state, now);
        drop(retired);
        ready.unwrap_or(Readiness::ERR | Readiness::HUP)
    }

    /// A future's end: its task is not woken for it any more.
    pub(crate) fn forget(&self, way: Way, number: u64) {
        let clear = |waiters: &mut Waiters| waiters.clear_task(way, number);
        let retired = self.net().running.look(|state, _| self.inner.waiters(state).and_then(clear));
        drop(retired);
    }
}

impl Inner {
    /// A call on the host, as long as the socket's life of it lasts.
    fn attempt<R>(
        &self,
        state: &mut State,
        now: Instant,
        f: impl FnOnce(&mut Host, SocketId, Instant) -> Answer<R>,
    ) -> Answer<R> {
        let machine = &state.machines[self.net.machine];
        if machine.life != self.life {
            return Err(Errno::EBADF);
        }
        let id = machine.id;
        f(state.lab.host_mut(id), self.id, now)
    }

    /// Its number, where `other` is of the same host and life.
    pub(super) fn id_beside(&self, other: &Self) -> Option<SocketId> {
        let same =
            Arc::ptr_eq(&self.net.running, &other.net.running) && self.net.machine == other.net.machine;
        (same && self.life == other.life).then_some(self.id)
    }

    pub(super) fn waiters<'a>(&self, state: &'a mut State) -> Option<&'a mut Waiters> {
        let machine = &mut state.machines[self.net.machine];
        if machine.life == self.life { machine.waiters.get_mut(self.id) } else { None }
    }

    fn register(&self, state: &mut State, way: Way, number: u64, waker: &Waker) -> Option<Waker> {
        let waiters = self.waiters(state)?;
        match number {
            0 => waiters.set_poller(way, waker),
            number => waiters.set_task(way, number, waker),
        }
    }

    fn time_limit(
        &self,
        state: &mut State,
        now: Instant,
        way: Way,
        timeout: Option<Duration>,
    ) -> Option<Instant> {
        let asked = timeout.or_else(|| {
            let option = match way {
                Way::Read => super::options::SO_RCVTIMEO,
                Way::Write => super::options::SO_SNDTIMEO,
            };
            let value = self.attempt(state, now, |host, id, now| {
                host.getsockopt(id, super::options::SOL_SOCKET, option, super::options::TIMEVAL_LEN, now)
            });
            super::options::duration_of(&value.ok()?)
        });
        asked.map(|time| now + time)
    }

    fn is_patient(&self) -> bool {
        self.patience.load(Ordering::Relaxed) > 0
    }

    /// Looks without the lock; where that was in vain the next waits are less likely to.
    fn look_out(&self, state: MutexGuard<'_, State>, way: Way) {
        let seen = self.bells.rung(way);
        drop(state);
        let patience = match self.bells.look_out(way, seen) {
            true => PATIENCE_MAX,
            false => self.patience.load(Ordering::Relaxed).saturating_sub(1),
        };
        self.patience.store(patience, Ordering::Relaxed);
    }

    /// Sleeps until the bell rings or the time is up.
    fn sleep(&self, state: MutexGuard<'_, State>, way: Way, time: Option<Duration>) {
        let before = state.now();
        let bell = self.bells.of(way);
        let woken = match time {
            None => bell.wait(state).ok(),
            Some(time) => bell.wait_timeout(state, time).ok().map(|(state, _)| state),
        };
        let mut state = woken.expect("the lab's engine has panicked");
        if state.now().since(before) < SHORT_WAIT && self.net.running.has_cores() {
            self.patience.store(PATIENCE_MAX, Ordering::Relaxed);
        }
        self.count_sleeper(&mut state, way, false);
    }

    fn count_sleeper(&self, state: &mut State, way: Way, sleeps: bool) {
        // A crash has forgotten those who waited.
        if let Some(waiters) = self.waiters(state) {
            waiters.count_sleeper(way, sleeps);
        }
    }

    /// Whoever took something lets the next sleeper know of the rest.
    pub(super) fn pass_on(&self, state: &mut State, way: Way) {
        if self.waiters(state).is_none_or(|waiters| !waiters.has_sleepers(way)) {
            return;
        }
        let machine = &state.machines[self.net.machine];
        let ready = state.lab.host(machine.id).readiness(self.id);
        if ready.intersects(if way == Way::Read { Readiness::IN } else { Readiness::OUT }) {
            state.ring(self.net.machine, self.id, way);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // During a panic under the lock there is nothing left to close.
        let Some(mut state) = self.net.running.lock_for_drop() else { return };
        let now = state.now();
        let machine = &mut state.machines[self.net.machine];
        let mut retired = None;
        if machine.life == self.life {
            retired = machine.waiters.remove(self.id);
            state.host_mut(self.net.machine).close(self.id, now);
        }
        self.net.running.leave(state, now);
        drop(retired);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.look(|host, id| Ok((host.local_addr(id).ok(), host.peer_addr(id).ok())));
        let (local, peer) = names.unwrap_or((None, None));
        f.debug_struct("Socket").field("addr", &local).field("peer", &peer).finish()
    }
}

/// Waits that begin with looking, after one that was short.
pub(super) const PATIENCE_MAX: u8 = 4;
/// So long is falling asleep and being woken at once, and some more.
pub(super) const SHORT_WAIT: Duration = Duration::from_micros(100);
const SIMULATED: &str = "a call may not block in simulated time: use sockeye::aio";
