//! Sockeye beside its peers, measured in one run.
//!
//! `cargo run --release -p sockeye-bench -- [--quick] [--only PATTERN] [--json FILE]` prints a line for each case,
//! `NAME ours X peer PEER Y ratio R target T`, and at last `N met, M short`. Ours and the peer's samples alternate;
//! R is the median of their ratios, and a target is met when the lower bound of its interval meets it (JSON has the
//! intervals). A case whose peer is not there says so and counts as short.

mod allocator;
mod case;
mod cases;
mod clock;
mod kernel;
mod measure;
mod report;
mod smol;
mod stack;
mod statistics;

use anyhow::{Context, Result};
use case::Case;
use clap::Parser;
use measure::Plan;
use std::path::PathBuf;

/// Sockeye beside its peers: a line per case, `NAME ours X peer PEER Y ratio R target T`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Shorter samples: 11 pairs in process, 5 with programs, instead of 21 and 11
    #[arg(long)]
    quick: bool,
    /// Only cases whose name has this in it
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Writes all pairs, medians and intervals
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let plan = Plan::new(arguments.quick);
    let cases = cases::all();
    let chosen = |case: &&Case| arguments.only.as_ref().is_none_or(|pattern| case.name.contains(pattern));
    let mut entries = vec![];
    let (mut met, mut short) = (0, 0);
    for case in cases.iter().filter(chosen) {
        let outcome =
            (case.run)(&plan).map(|pairs| case.outcome(pairs)).map_err(|error| format!("{error:#}"));
        match &outcome {
            Ok(outcome) => println!("{}", case.line(outcome)),
            Err(reason) => println!("{} short: {reason}", case.name),
        }
        match outcome.as_ref().map_or(Some(false), |outcome| case.is_met(outcome)) {
            Some(true) => met += 1,
            Some(false) => short += 1,
            None => {}
        }
        entries.push((case, outcome));
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&report::json(&plan, &entries))?;
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    println!("{met} met, {short} short");
    Ok(())
}
