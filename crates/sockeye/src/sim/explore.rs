//! Many seeds, and what of a failing one is needed for it to fail.
//!
//! In: a test that describes a lab, runs it and asserts. Out: the first seed under which it panics, and a short list of
//! lost packets that make it panic all by themselves. A packet has the same name in every run of a seed (see
//! `sockeye_lab::identity`), so losses can be taken away one by one while all else stays as it was drawn.

use crate::Lab;
use crate::builder::{Builder, SimulationBuilder};
use crate::running::Running;
use crate::trace::LostPacket;
use sockeye_lab::PacketName;
use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// A seed under which a test fails.
///
/// Its Debug text is its Display text, so that `unwrap` shows it as it is meant to be read.
#[derive(Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What the test's panic said.
    pub message: String,
    /// Packets whose loss suffices for the test to fail; empty where it fails without any.
    pub lost: Vec<LostPacket>,
    /// How many packets were lost when it first failed.
    pub lost_at_first: usize,
    /// How often the test was run to find that out.
    pub runs: usize,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} fails: {}", self.seed, self.message)?;
        writeln!(f, "Lab::simulated({}) replays it, with {} lost packets;", self.seed, self.lost_at_first)?;
        write!(f, "these {} suffice (found in {} runs):", self.lost.len(), self.runs)?;
        self.lost.iter().try_for_each(|packet| write!(f, "\n  {packet}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Keeps hold of a lab whose test may panic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer(Arc<Mutex<Option<Arc<Running>>>>);

impl Observer {
    pub(super) fn watch(&self, lab: &Lab) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&lab.running));
    }

    fn losses(&self) -> Vec<LostPacket> {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Where the engine itself has panicked nothing can be asked any more.
        let state = running.as_ref().and_then(|running| running.lock_for_drop());
        state.and_then(|mut state| state.trace.losses.take()).unwrap_or_default()
    }
}

/// Runs `test` under each seed, until it panics under one. The builder it is given has that seed; it adds hosts and
/// links, builds and runs. Says how many seeds passed.
///
/// # Errors
/// The first seed that fails, with a list of lost packets that suffice.
///
/// ```
/// use sockeye::sim;
/// use sockeye::aio::UdpSocket;
/// use sockeye::{Link, SimulationBuilder};
/// use std::time::Duration;
///
/// // A client that sends one datagram and trusts that it arrives.
/// fn trusting(builder: SimulationBuilder) {
///     let link = Link::new().delay(Duration::from_millis(1)).loss(0.05);
///     let sim = builder.host("a").host("b").link("a", "b", link).build().unwrap();
///     let (a, b) = (sim.node("a"), sim.node("b"));
///     sim.block_on(async {
///         let server = UdpSocket::bind(b.net(), "0.0.0.0:7").await.unwrap();
///         let client = UdpSocket::bind(a.net(), "0.0.0.0:0").await.unwrap();
///         client.send_to(b"one", "b:7").await.unwrap();
///         let answer = b.net().timeout(Duration::from_secs(1), server.recv(&mut [0; 8])).await;
///         assert!(answer.is_ok(), "nothing came");
///     });
/// }
///
/// let failure = sim::explore(0..1000, trusting).unwrap_err();
/// assert_eq!(failure.lost.len(), 1);
/// ```
pub fn explore(
    seeds: impl IntoIterator<Item = u64>,
    test: impl Fn(SimulationBuilder),
) -> Result<u64, Failure> {
    let mut passed = 0;
    for seed in seeds {
        if let Err((message, lost)) = run(seed, None, &test) {
            return Err(shrink(seed, message, lost, &test));
        }
        passed += 1;
    }
    Ok(passed)
}

/// Runs `test` as it failed, with the packets of the short list lost and no others.
///
/// # Panics
/// As the test does.
pub fn replay(failure: &Failure, test: impl Fn(SimulationBuilder)) {
    let builder = Builder::observed(Some(names(&failure.lost)), Observer::default());
    test(SimulationBuilder(builder).seed(failure.seed));
}

/// One run: what it said when it panicked, and which packets were lost until then.
fn run(
    seed: u64,
    losses: Option<BTreeSet<PacketName>>,
    test: &impl Fn(SimulationBuilder),
) -> Result<(), (String, Vec<LostPacket>)> {
    let observer = Observer::default();
    let builder = Builder::observed(losses, observer.clone());
    let run = catch_unwind(AssertUnwindSafe(|| test(SimulationBuilder(builder).seed(seed))));
    run.map_err(|panic| (message(&*panic), observer.losses()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("a panic"))
}

fn names(lost: &[LostPacket]) -> BTreeSet<PacketName> {
    lost.iter().map(|packet| packet.name).collect()
}

/// Takes losses away as long as the test still fails (delta debugging: large pieces first, then smaller ones).
fn shrink(seed: u64, message: String, first: Vec<LostPacket>, test: &impl Fn(SimulationBuilder)) -> Failure {
    let (mut lost, mut runs, mut message) = (first.clone(), 1, message);
    let mut piece = lost.len();
    while piece > 0 && runs < RUNS_MAX {
        let mut at = 0;
        while at < lost.len() && runs < RUNS_MAX {
            let end = lost.len().min(at + piece);
            let without: Vec<LostPacket> = [&lost[..at], &lost[end..]].concat();
            runs += 1;
            match run(seed, Some(names(&without)), test) {
                // What was lost this time: some of the list may never have been sent.
                Err((what, still)) => (lost, message) = (still, what),
                Ok(()) => at = end,
            }
        }
        piece /= 2;
    }
    Failure { seed, message, lost, lost_at_first: first.len(), runs }
}

/// Runs that a shrinking may cost.
const RUNS_MAX: usize = 500;
