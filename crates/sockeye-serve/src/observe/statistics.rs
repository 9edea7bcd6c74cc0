//! `--stats`: what the notified calls cost, by name.
//!
//! In: each call's number, result and time. Out: a table when the host ends, dearest first. A call's time goes from
//! its arrival at the host thread to its answer; what the kernel needs to wake us and then the program is not in it, but
//! for calls that give a descriptor (socket, accept): the program has taken it when they are over.
//! A call that was held waited for something to happen, not for us: it is counted apart and its time left out, and so
//! is that of calls which the kernel runs itself, which is over when we say so.

use crate::call::{self, Answer, Outcome};
use hdrhistogram::Histogram;
use sockeye_core::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

/// Longest time that is told apart from longer ones, in nanoseconds.
const TIME_NS_MAX: u64 = 60_000_000_000;
/// Decimal digits that a time keeps.
const DIGITS: u8 = 2;

/// The figures of all calls.
#[derive(Debug)]
pub(crate) struct Statistics {
    out: File,
    calls: HashMap<i64, Figures>,
}

/// Those of one kind.
#[derive(Debug)]
struct Figures {
    times_ns: Histogram<u64>,
    errors: u64,
    held: u64,
}

impl Statistics {
    pub(crate) fn new(out: File) -> Self {
        Self { out, calls: HashMap::new() }
    }

    /// A call is over, or held (and then its end is not counted again).
    pub(crate) fn count(&mut self, nr: i64, answer: Answer, took: Duration) {
        let figures = self.calls.entry(nr).or_insert_with(Figures::new);
        match answer {
            Ok(Outcome::Held) => return figures.held += 1,
            Err(_) => figures.errors += 1,
            Ok(_) => {}
        }
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        figures.times_ns.saturating_record(took_ns.max(1));
    }

    /// A held call is over.
    pub(crate) fn count_held_end(&mut self, nr: i64, answer: Answer) {
        let failed = answer.is_err_and(|errno| errno != Errno(crate::abi::ERESTARTSYS));
        self.calls.entry(nr).or_insert_with(Figures::new).errors += u64::from(failed);
    }

    /// Writes the table.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let mut rows: Vec<_> = self.calls.iter().collect();
        rows.sort_by(|(a, x), (b, y)| y.total_us().total_cmp(&x.total_us()).then(a.cmp(b)));
        let mut text = format!(
            "{:>10} {:>8} {:>8} {:>10} {:>10} {:>12}  call\n",
            "calls", "errors", "held", "mean_us", "p99_us", "total_us"
        );
        for (nr, figures) in rows {
            let times = &figures.times_ns;
            text += &format!(
                "{:>10} {:>8} {:>8} {:>10.2} {:>10.2} {:>12.0}  {}\n",
                times.len() + figures.held,
                figures.errors,
                figures.held,
                times.mean() / 1e3,
                times.value_at_quantile(0.99) as f64 / 1e3,
                figures.total_us(),
                call::name(*nr)
            );
        }
        self.out.write_all(text.as_bytes())
    }
}

impl Figures {
    fn new() -> Self {
        let times_ns = Histogram::new_with_max(TIME_NS_MAX, DIGITS).expect("constant bounds are in order");
        Self { times_ns, errors: 0, held: 0 }
    }

    fn total_us(&self) -> f64 {
        self.times_ns.mean() * self.times_ns.len() as f64 / 1e3
    }
}
