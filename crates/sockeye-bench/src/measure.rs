//! Pairs of samples: ours and the peer's by turns, so that whatever the machine does besides meets both.
//!
//! A contender is a closure that does one batch of work and says how much that was. A sample repeats it until its
//! time is over, by the thread's processor time; batches should take some tens of microseconds, or reading the clock
//! shows. Which of the two goes first changes with each pair.

use crate::case::{Pair, Sample};
use crate::clock::{Pinned, Reading, cpu_s};
use anyhow::Result;

/// How long and how often is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    /// Pairs of a case in process.
    pub(crate) pairs: usize,
    /// Processor time of one sample in process.
    pub(crate) sample_s: f64,
    /// Pairs of a case with programs.
    pub(crate) program_pairs: usize,
    /// Seconds that a program measures.
    pub(crate) program_s: f64,
}

impl Plan {
    pub(crate) fn new(quick: bool) -> Self {
        match quick {
            true => Self { quick, pairs: 11, sample_s: 0.02, program_pairs: 5, program_s: 0.15 },
            false => Self { quick, pairs: 21, sample_s: 0.1, program_pairs: 11, program_s: 0.5 },
        }
    }
}

/// One side of a comparison: a batch of work at each call, whose amount it gives.
pub(crate) type Contender<'a> = &'a mut dyn FnMut() -> f64;

/// Rates of both, by turns, on one core; each has one sample beforehand that does not count.
pub(crate) fn paired(plan: &Plan, ours: Contender<'_>, peer: Contender<'_>) -> Result<Vec<Pair>> {
    let _pinned = Pinned::new();
    sample(plan.sample_s / 2.0, ours);
    sample(plan.sample_s / 2.0, peer);
    by_turns(plan.pairs, || Ok(sample(plan.sample_s, ours)), || Ok(sample(plan.sample_s, peer)))
}

/// Any two figures, by turns.
pub(crate) fn by_turns(
    pairs: usize,
    mut ours: impl FnMut() -> Result<Sample>,
    mut peer: impl FnMut() -> Result<Sample>,
) -> Result<Vec<Pair>> {
    let pair = |n: usize| {
        if n % 2 == 1 {
            let peer = peer()?;
            return Ok(Pair { ours: ours()?, peer });
        }
        let ours = ours()?;
        Ok(Pair { ours, peer: peer()? })
    };
    (0..pairs).map(pair).collect()
}

fn sample(cpu_for_s: f64, turn: Contender<'_>) -> Sample {
    let begun = Reading::now();
    let mut work = 0.0;
    loop {
        work += turn();
        if cpu_s() - begun.cpu_s >= cpu_for_s {
            break;
        }
    }
    let took = begun.elapsed();
    Sample { cpu: Some(work / took.cpu_s), wall: work / took.wall_s }
}
