//! Clocks and cores: what a sample is timed by.
//!
//! Work in process is timed twice, by the thread's own processor time and by the wall. On a shared machine the first
//! says what the work costs, the second what else was going on. Nothing is kept here.

use rustix::thread::{ClockId, CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::clock_gettime;

/// Two readings at once, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
}

impl Reading {
    pub(crate) fn now() -> Self {
        Self { cpu_s: seconds(ClockId::ThreadCPUTime), wall_s: seconds(ClockId::Monotonic) }
    }

    /// What has passed since.
    pub(crate) fn elapsed(self) -> Self {
        let now = Self::now();
        Self { cpu_s: now.cpu_s - self.cpu_s, wall_s: now.wall_s - self.wall_s }
    }
}

/// The processor time of this thread, in seconds.
pub(crate) fn cpu_s() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    let at = clock_gettime(clock);
    at.tv_sec as f64 + at.tv_nsec as f64 / 1e9
}

/// Keeps this thread on the last core it may use, as long as this lives: programs started meanwhile would be kept
/// there too.
#[derive(Debug)]
pub(crate) struct Pinned {
    before: Option<CpuSet>,
}

impl Pinned {
    pub(crate) fn new() -> Self {
        let before = sched_getaffinity(None).ok();
        if let Some(last) =
            before.as_ref().and_then(|set| (0..CpuSet::MAX_CPU).rev().find(|n| set.is_set(*n)))
        {
            let mut one = CpuSet::new();
            one.set(last);
            let _ = sched_setaffinity(None, &one);
        }
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = sched_setaffinity(None, before);
        }
    }
}
