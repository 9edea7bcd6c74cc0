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
mod plot;
mod report;
mod smol;
mod stack;
mod statistics;

use anyhow::{Context, Result};
use case::Case;
use clap::Parser;
use measure::Plan;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sockeye beside its peers: a line per case, `NAME ours X peer PEER Y ratio R target T`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Shorter samples: 11 pairs in process, 5 with programs, instead of 21 and 11
    #[arg(long)]
    quick: bool,
    /// Only cases whose name has this in it; may be given several times
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Writes all pairs, medians and intervals
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws the ratios as bars
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Runs one of six hot paths alone, for profilers and instruction counters
    #[arg(long, value_name = "PATH", requires = "turns")]
    hot: Option<String>,
    /// Batches of --hot
    #[arg(long, value_name = "COUNT", requires = "hot")]
    turns: Option<usize>,
    /// Times round trips over loopback TCP, for `sockeye run --delay 10ms`
    #[arg(long, value_name = "COUNT")]
    trips: Option<u32>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has heard enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sockeye-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let mut out = io::stdout();
    if let (Some(path), Some(turns)) = (&arguments.hot, arguments.turns) {
        return Ok(writeln!(out, "{path} {}", cases::hot::run(path, turns)?)?);
    }
    if let Some(trips) = arguments.trips {
        return Ok(writeln!(out, "{:.9}", cases::timed_trips(trips)?)?);
    }
    let plan = Plan::new(arguments.quick);
    let cases = cases::all();
    let chosen = |case: &&Case| {
        arguments.only.is_empty() || arguments.only.iter().any(|pattern| case.name.contains(pattern))
    };
    let mut entries = vec![];
    for case in cases.iter().filter(chosen) {
        let outcome =
            (case.run)(&plan).map(|pairs| case.outcome(pairs)).map_err(|error| format!("{error:#}"));
        match &outcome {
            Ok(outcome) => writeln!(out, "{}", case.line(outcome))?,
            Err(reason) => writeln!(out, "{} short: {reason}", case.name)?,
        }
        entries.push((case, outcome));
    }
    if let Some(file) = &arguments.json {
        write(file, &serde_json::to_string_pretty(&report::json(&plan, &entries))?)?;
    }
    if let Some(file) = &arguments.svg {
        write(file, &plot::svg(&entries))?;
    }
    let judged = |met: bool| entries.iter().filter(|entry| report::is_met(entry) == Some(met)).count();
    Ok(writeln!(out, "{} met, {} short", judged(true), judged(false))?)
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| file.display().to_string())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
