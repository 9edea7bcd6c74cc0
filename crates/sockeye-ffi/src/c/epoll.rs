//! epoll(7): level, edge, one-shot, exclusive; in poll and in one another.
//!
//! Each descriptor that is watched has a waker, which puts it among the candidates. Waiting looks at candidates only, so
//! the cost is that of what has happened, not of what is watched. A level-triggered one that was reported stays a
//! candidate; an edge-triggered one becomes one again by its waker. No lock of an epoll is held while a socket is asked,
//! since that may wake others.

use super::parker::{End, Mask, Parker};
use super::poll::{next_number, shown};
use super::table::{self, Open};
use super::{Answer, answer_int, memory};
use sockeye_core::{Errno, Readiness};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// An epoll instance.
pub(super) struct Epoll {
    shared: Arc<Shared>,
}

struct Shared {
    /// Held while candidates are looked at and disarmed, and while interests are armed: what one thread has seen ready
    /// is reported before another can have served it and armed it again. It is never held while a thread waits.
    scan: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    interests: BTreeMap<i32, Interest>,
    candidates: VecDeque<i32>,
    /// Threads that wait, the longest first; one is taken out when it is woken.
    sleepers: VecDeque<Arc<Parker>>,
    /// Those that poll the epoll itself.
    outer: Vec<(u64, Waker)>,
}

#[derive(Clone)]
struct Interest {
    open: Weak<Open>,
    events: u32,
    data: u64,
    /// Tells it from a later one of the same descriptor.
    number: u64,
    is_candidate: bool,
    /// Reported once, and to be armed again (`EPOLLONESHOT`).
    is_spent: bool,
}

/// Makes one descriptor a candidate.
struct Item {
    shared: Weak<Shared>,
    fd: i32,
    number: u64,
}

/// epoll_create1(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_epoll_create1(flags: i32) -> i32 {
    answer_int((|| {
        if flags & !libc::EPOLL_CLOEXEC != 0 {
            return Err(Errno::EINVAL);
        }
        let shared = Arc::new(Shared { scan: Mutex::default(), state: Mutex::default() });
        table::insert(Arc::new(Open::Epoll(Epoll { shared })), flags & libc::EPOLL_CLOEXEC != 0, 0)
    })())
}

/// epoll_create(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_epoll_create(size: i32) -> i32 {
    if size > 0 { sockeye_epoll_create1(0) } else { answer_int(Err(Errno::EINVAL)) }
}

/// epoll_ctl(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_epoll_ctl(
    epoll: i32,
    operation: i32,
    fd: i32,
    event: *const libc::epoll_event,
) -> i32 {
    answer_int((|| {
        let event = match operation {
            libc::EPOLL_CTL_DEL => None,
            _ => Some(read_event(event)?),
        };
        let (outer, open) = (table::find(epoll)?, table::find(fd)?);
        let Open::Epoll(outer) = &*outer else { return Err(Errno::EINVAL) };
        if epoll == fd {
            return Err(Errno::EINVAL);
        }
        match (operation, event) {
            (libc::EPOLL_CTL_ADD, Some((events, data))) => outer.add(fd, &open, events, data),
            (libc::EPOLL_CTL_MOD, Some((events, data))) => outer.modify(fd, events, data),
            (libc::EPOLL_CTL_DEL, _) => outer.remove(fd).ok_or(Errno::ENOENT).map(|gone| gone.end()),
            _ => Err(Errno::EINVAL),
        }
        .map(|()| 0)
    })())
}

/// epoll_wait(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_epoll_wait(
    epoll: i32,
    events: *mut libc::epoll_event,
    most: i32,
    timeout_ms: i32,
) -> i32 {
    sockeye_epoll_pwait(epoll, events, most, timeout_ms, std::ptr::null())
}

/// epoll_pwait(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_epoll_pwait(
    epoll: i32,
    events: *mut libc::epoll_event,
    most: i32,
    timeout_ms: i32,
    mask: *const libc::sigset_t,
) -> i32 {
    answer_int((|| {
        let open = table::find(epoll)?;
        let Open::Epoll(epoll) = &*open else { return Err(Errno::EINVAL) };
        let most = usize::try_from(most).ok().filter(|most| *most > 0).ok_or(Errno::EINVAL)?;
        let until = u64::try_from(timeout_ms).ok().map(|ms| Instant::now() + Duration::from_millis(ms));
        let found = epoll.wait(most, until, mask)?;
        for (index, (bits, data)) in found.iter().enumerate() {
            let to = events.cast::<u8>().wrapping_add(index * EVENT_LEN);
            memory::write(to, &[&bits.to_ne_bytes()[..], &[0; DATA_AT - 4], &data.to_ne_bytes()].concat())?;
        }
        Ok(found.len() as i64)
    })())
}

fn read_event(event: *const libc::epoll_event) -> Answer<(u32, u64)> {
    let bytes = memory::read(event.cast(), EVENT_LEN)?;
    let events = u32::from_ne_bytes(bytes[..4].try_into().expect("four bytes"));
    Ok((events, u64::from_ne_bytes(bytes[DATA_AT..DATA_AT + 8].try_into().expect("eight bytes"))))
}

impl Epoll {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no holder panics")
    }

    fn add(&self, fd: i32, open: &Arc<Open>, events: u32, data: u64) -> Answer<()> {
        if let Open::Epoll(inner) = &**open
            && inner.leads_to(&self.shared, 0)
        {
            return Err(Errno(libc::ELOOP as u16));
        }
        let mut state = self.lock();
        // One whose descriptor was closed has left already.
        let stale = state.interests.get(&fd).is_some_and(|old| old.open.strong_count() == 0);
        if state.interests.contains_key(&fd) && !stale {
            return Err(Errno(libc::EEXIST as u16));
        }
        let open = Arc::downgrade(open);
        let number = next_number();
        let interest = Interest { open, events, data, number, is_candidate: false, is_spent: false };
        state.interests.insert(fd, interest);
        self.nominate(state, fd, number);
        Ok(())
    }

    fn modify(&self, fd: i32, events: u32, data: u64) -> Answer<()> {
        let _scan = self.shared.scan.lock().expect("no holder panics");
        let mut state = self.lock();
        let interest = state.interests.get_mut(&fd).ok_or(Errno::ENOENT)?;
        if (events | interest.events) & libc::EPOLLEXCLUSIVE as u32 != 0 {
            return Err(Errno::EINVAL);
        }
        (interest.events, interest.data, interest.is_spent) = (events, data, false);
        let number = interest.number;
        self.nominate(state, fd, number);
        Ok(())
    }

    fn remove(&self, fd: i32) -> Option<Interest> {
        self.lock().interests.remove(&fd)
    }

    fn nominate(&self, state: MutexGuard<'_, State>, fd: i32, number: u64) {
        self.shared.nominate(state, fd, number);
    }

    /// Whether an epoll is watched by this one, or by one that it watches.
    fn leads_to(&self, other: &Arc<Shared>, depth: usize) -> bool {
        if Arc::ptr_eq(&self.shared, other) || depth > NESTED_MAX {
            return true;
        }
        let opens: Vec<_> = self.lock().interests.values().filter_map(|i| i.open.upgrade()).collect();
        opens.iter().any(|open| matches!(&**open, Open::Epoll(inner) if inner.leads_to(other, depth + 1)))
    }

    /// Events and data of up to `most` that are ready; none when the time is over.
    fn wait(&self, most: usize, until: Option<Instant>, mask: Mask) -> Answer<Vec<(u32, u64)>> {
        loop {
            let found = self.collect(most, true);
            if !found.is_empty() {
                return Ok(found);
            }
            let parker = Parker::of_thread()?;
            let mut state = self.lock();
            if !state.candidates.is_empty() {
                continue;
            }
            state.sleepers.push_back(Arc::clone(&parker));
            drop(state);
            let end = parker.sleep(until, mask);
            self.lock().leave(&parker);
            match end {
                Ok(End::Woken) => {}
                // What came meanwhile is for who waits on.
                Ok(End::Late) => return Ok(self.collect(most, true)),
                Err(errno) => {
                    self.lock().wake_one();
                    return Err(errno);
                }
            }
        }
    }

    /// Looks at the candidates; with `take` as epoll_wait does, else leaving them as they are.
    fn collect(&self, most: usize, take: bool) -> Vec<(u32, u64)> {
        let _scan = self.shared.scan.lock().expect("no holder panics");
        let mut found = vec![];
        let mut again = vec![];
        for (fd, interest) in self.take_candidates() {
            if found.len() == most {
                again.push((fd, interest.number));
                continue;
            }
            let ready = self.look(fd, &interest);
            let Some(ready) = ready else { continue };
            if ready == 0 {
                continue;
            }
            let once = take && interest.events & libc::EPOLLONESHOT as u32 != 0;
            if once && !self.spend(fd, interest.number) {
                // Another thread has had it meanwhile.
                continue;
            }
            found.push((ready, interest.data));
            if !take || interest.events & (libc::EPOLLET | libc::EPOLLONESHOT) as u32 == 0 {
                again.push((fd, interest.number));
            }
        }
        let mut state = self.lock();
        for (fd, number) in again {
            state.make_candidate(fd, number);
        }
        // Another thread may take what is left.
        if take {
            state.wake_one();
        }
        found
    }

    fn take_candidates(&self) -> Vec<(i32, Interest)> {
        let mut state = self.lock();
        let fds: Vec<i32> = state.candidates.drain(..).collect();
        let take = |fd: i32| {
            let interest = state.interests.get_mut(&fd)?;
            interest.is_candidate = false;
            (!interest.is_spent).then(|| (fd, interest.clone()))
        };
        fds.into_iter().filter_map(take).collect()
    }

    /// What is ready of what was asked; None for one whose last descriptor was closed, which leaves.
    fn look(&self, fd: i32, interest: &Interest) -> Option<u32> {
        let Some(open) = interest.open.upgrade() else {
            let mut state = self.lock();
            if state.interests.get(&fd).is_some_and(|now| now.number == interest.number) {
                state.interests.remove(&fd);
            }
            return None;
        };
        let item = Item { shared: Arc::downgrade(&self.shared), fd, number: interest.number };
        let ready = open.watch(interest.number, &Waker::from(Arc::new(item)));
        Some(u32::from(shown(ready, interest.events as u16)))
    }

    /// Disarms a one-shot interest; false where that has been done.
    fn spend(&self, fd: i32, number: u64) -> bool {
        let mut state = self.lock();
        let interest = state.interests.get_mut(&fd).filter(|now| now.number == number);
        interest.is_some_and(|interest| !std::mem::replace(&mut interest.is_spent, true))
    }

    /// What poll says of the epoll itself: readable while something in it is ready.
    pub(super) fn watch(&self, number: u64, waker: &Waker) -> Readiness {
        let mut state = self.lock();
        state.outer.retain(|(other, _)| *other != number);
        state.outer.push((number, waker.clone()));
        drop(state);
        if self.collect(1, false).is_empty() { Readiness::empty() } else { Readiness::IN }
    }

    pub(super) fn unwatch(&self, number: u64) {
        self.lock().outer.retain(|(other, _)| *other != number);
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let interests = std::mem::take(&mut self.lock().interests);
        interests.into_values().for_each(Interest::end);
    }
}

impl Interest {
    /// Its socket need not tell of it any more.
    fn end(self) {
        if let Some(open) = self.open.upgrade() {
            open.unwatch(self.number);
        }
    }
}

impl State {
    /// Wakes the thread that has waited longest, where there is something to look at.
    fn wake_one(&mut self) {
        if !self.candidates.is_empty()
            && let Some(sleeper) = self.sleepers.pop_front()
        {
            sleeper.wake();
        }
    }

    /// A thread does not wait any more.
    fn leave(&mut self, parker: &Arc<Parker>) {
        self.sleepers.retain(|other| !Arc::ptr_eq(other, parker));
    }

    fn make_candidate(&mut self, fd: i32, number: u64) -> bool {
        match self.interests.get_mut(&fd) {
            Some(interest) if interest.number == number && !interest.is_candidate => {
                interest.is_candidate = true;
                self.candidates.push_back(fd);
                true
            }
            _ => false,
        }
    }
}

impl Shared {
    /// Makes a descriptor a candidate, and wakes who waits: one thread, and all that poll the epoll.
    fn nominate(&self, mut state: MutexGuard<'_, State>, fd: i32, number: u64) {
        if !state.make_candidate(fd, number) {
            return;
        }
        let outer = std::mem::take(&mut state.outer);
        state.wake_one();
        drop(state);
        outer.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl Wake for Item {
    fn wake(self: Arc<Self>) {
        let Some(shared) = self.shared.upgrade() else { return };
        let state = shared.state.lock().expect("no holder panics");
        shared.nominate(state, self.fd, self.number);
    }
}

/// Length of `struct epoll_event`, which is packed on x86-64, and where its data is.
const EVENT_LEN: usize = size_of::<libc::epoll_event>();
const DATA_AT: usize = EVENT_LEN - 8;
/// `EP_MAX_NESTS` of Linux.
const NESTED_MAX: usize = 4;
