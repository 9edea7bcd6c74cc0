//! The executor of simulated time: one thread, one queue, one order.
//!
//! In: tasks, wakers. Out: polls, first woken first polled; between them hosts that crashed lose their tasks and hosts
//! that started get theirs. When nothing is ready it moves the lab's clock to the next deadline.

use super::task::{JoinHandle, Slot, told};
use crate::net::Net;
use crate::running::Running;
use crate::running::state::{Time, Turn};
use sockeye_core::Instant;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

type Program = Pin<Box<dyn Future<Output = ()>>>;
type SendProgram = Pin<Box<dyn Future<Output = ()> + Send>>;
type Boot = Box<dyn Fn() -> (Net, Program)>;

/// A task on a host, in one of the host's lives.
struct Task {
    machine: usize,
    life: u64,
    program: Program,
    waking: Arc<TaskWake>,
}

/// Runs the tasks of a simulation.
pub(super) struct Executor {
    running: Arc<Running>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    boots: RefCell<Vec<(usize, Boot)>>,
    spawner: Spawner,
}

/// What tasks need to start others.
#[derive(Clone, Debug)]
pub(super) struct Spawner(Arc<Queue>);

/// What is shared with wakers, which may be anywhere.
#[derive(Default)]
struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    ready: VecDeque<u64>,
    spawned: Vec<(Net, u64, SendProgram)>,
    number_last: u64,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}

/// The waker of a task: it stands in the queue at most once.
struct TaskWake {
    number: u64,
    queued: AtomicBool,
    queue: Arc<Queue>,
}

impl Wake for TaskWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.queue.lock().ready.push_back(self.number);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawner {
    pub(super) fn spawn<F>(&self, net: &Net, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let slot = Slot::new();
        let life = life_of(net);
        self.0.lock().spawned.push((net.clone(), life, Box::pin(told(future, Arc::clone(&slot)))));
        JoinHandle::of(slot)
    }
}

fn life_of(net: &Net) -> u64 {
    net.running.look(|state, _| state.machines[net.machine].life)
}

impl Executor {
    pub(super) fn new(running: &Arc<Running>) -> Self {
        Self {
            running: Arc::clone(running),
            tasks: RefCell::default(),
            boots: RefCell::default(),
            spawner: Spawner(Arc::default()),
        }
    }

    pub(super) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    pub(super) fn tasks(&self) -> usize {
        self.tasks.borrow().len() + self.spawner.0.lock().spawned.len()
    }

    pub(super) fn spawn<F: Future + 'static>(&self, net: &Net, future: F) -> JoinHandle<F::Output> {
        let slot = Slot::new();
        self.insert(net.machine, life_of(net), Box::pin(told(future, Arc::clone(&slot))));
        JoinHandle::of(slot)
    }

    pub(super) fn boot(&self, machine: usize, boot: Boot) {
        let (net, program) = boot();
        self.insert(machine, life_of(&net), program);
        self.boots.borrow_mut().push((machine, boot));
    }

    fn insert(&self, machine: usize, life: u64, program: Program) {
        let number = {
            let mut queue = self.spawner.0.lock();
            queue.number_last += 1;
            queue.number_last
        };
        let waking = self.waker(number);
        waking.wake_by_ref();
        self.tasks.borrow_mut().insert(number, Task { machine, life, program, waking });
    }

    fn waker(&self, number: u64) -> Arc<TaskWake> {
        Arc::new(TaskWake { number, queued: AtomicBool::new(false), queue: Arc::clone(&self.spawner.0) })
    }

    /// Runs until `main` is done, until `end`, or until nothing can go on; None in the latter cases.
    pub(super) fn run<F: Future>(&self, main: F, end: Option<Instant>) -> Option<F::Output> {
        let mut main = std::pin::pin!(main);
        let waking = self.waker(MAIN);
        waking.wake_by_ref();
        let waker = Waker::from(Arc::clone(&waking));
        let mut polls = 0;
        loop {
            self.take_turns();
            let next = self.spawner.0.lock().ready.pop_front();
            polls = if next.is_some() { polls + 1 } else { 0 };
            assert!(polls < POLLS_MAX, "tasks wake each other for ever, and no time goes by");
            match next {
                Some(MAIN) => {
                    // A wake-up that an earlier main future left behind is harmless.
                    waking.queued.store(false, Ordering::Relaxed);
                    if let Poll::Ready(value) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Some(value);
                    }
                }
                Some(number) => self.poll(number),
                None if self.advance(end) => {}
                None => return None,
            }
        }
    }

    fn poll(&self, number: u64) {
        let Some(mut task) = self.tasks.borrow_mut().remove(&number) else { return };
        // Whatever wakes the task from here on queues it again.
        task.waking.queued.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.waking));
        let done = task.program.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if !done {
            self.tasks.borrow_mut().insert(number, task);
        }
    }

    /// Crashes take tasks, starts bring them, tasks have started others.
    fn take_turns(&self) {
        let spawned = std::mem::take(&mut self.spawner.0.lock().spawned);
        for (net, life, program) in spawned {
            self.insert(net.machine, life, program);
        }
        let turns = self.running.look(|state, _| {
            let lives: Vec<u64> = state.machines.iter().map(|machine| machine.life).collect();
            (!state.turns.is_empty()).then(|| (std::mem::take(&mut state.turns), lives))
        });
        let Some((turns, lives)) = turns else { return };
        let mut gone = Vec::new();
        self.tasks.borrow_mut().retain(|_, task| {
            let lives_on = task.life == lives[task.machine];
            if !lives_on {
                // Dropped below: what a task holds may call back.
                gone.push(std::mem::replace(&mut task.program, Box::pin(async {})));
            }
            lives_on
        });
        drop(gone);
        for turn in turns {
            let Turn::Started(started) = turn else { continue };
            let boots = self.boots.borrow();
            let programs = boots.iter().filter(|(machine, _)| *machine == started).map(|(_, boot)| boot());
            for (net, program) in programs.collect::<Vec<_>>() {
                self.insert(net.machine, life_of(&net), program);
            }
        }
    }

    /// Moves the clock to whatever is due next, or to the end; false where there is nothing more to come.
    fn advance(&self, end: Option<Instant>) -> bool {
        let mut state = self.running.lock();
        let now = state.now();
        let next = state.next_deadline();
        let to = match (next, end) {
            (Some(next), end) if end.is_none_or(|end| next <= end) => next.max(now),
            (_, Some(end)) => {
                state.time = Time::Simulated(end.max(now));
                return false;
            }
            _ => return false,
        };
        state.time = Time::Simulated(to);
        self.running.leave(state, to);
        true
    }
}

impl Drop for Executor {
    /// Tasks that have not begun hold the lab, and wakers that the lab holds lead to them.
    fn drop(&mut self) {
        let spawned = std::mem::take(&mut self.spawner.0.lock().spawned);
        drop(spawned);
    }
}

/// The number of the future that the simulation runs for.
const MAIN: u64 = 0;
/// Polls at one moment of the lab's time.
const POLLS_MAX: u64 = 50_000_000;
