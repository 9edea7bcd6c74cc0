//! The thread of a lab in real time.
//!
//! In: the lab's deadlines, devices that ring. Out: a settled lab. It sleeps as long as nothing is due; a token of
//! `unpark` is never lost, so there is nothing to poll.

use super::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Starts it; it ends when the lab has ended.
pub(super) fn start(shared: &Arc<Shared>) {
    let lab = Arc::clone(shared);
    let thread = thread::Builder::new()
        .name(String::from("sockeye-lab"))
        .stack_size(STACK_BYTES)
        .spawn(move || run(&lab))
        .expect("a thread for the lab");
    shared.thread.set(thread.thread().clone()).expect("it is started once");
}

fn run(shared: &Shared) {
    while !shared.ended.load(Ordering::Acquire) {
        let rang = shared.device_rang.swap(false, Ordering::AcqRel);
        let mut state = shared.lock();
        let now = state.now();
        if rang {
            state.receive_from_devices(now);
        }
        let wakes = state.settle(now);
        let sleep = state.time_to_sleep(now);
        drop(state);
        wakes.fire();
        match sleep {
            None => thread::park(),
            Some(Duration::ZERO) => {}
            Some(time) => thread::park_timeout(time),
        }
    }
}

/// Enough for the engine; a process may run hundreds of labs.
const STACK_BYTES: usize = 512 * 1024;
