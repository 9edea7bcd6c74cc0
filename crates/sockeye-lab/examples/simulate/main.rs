//! Scenarios in simulated time, one a seed, every invariant checked after every step.
//!
//! `cargo run --release -p sockeye-lab --example simulate -- --seeds 10000` runs the seeds from 0 on and ends with
//! `N passed, M failed`; `--seed N` runs one and says what it came to. A failing seed prints the command for it.

mod scenario;

use scenario::{Scenario, Summary};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn run(seed: u64) -> Result<Summary, String> {
    catch_unwind(AssertUnwindSafe(|| Scenario::new(seed).run())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")))
    })
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    match words.iter().map(String::as_str).zip(words.get(1).map(number)).next() {
        Some(("--seeds", Some(count))) => many(count),
        Some(("--seed", Some(seed))) => one(seed),
        _ => {
            eprintln!("usage: simulate --seeds COUNT | --seed N");
            ExitCode::from(2)
        }
    }
}

fn one(seed: u64) -> ExitCode {
    match run(seed) {
        Ok(Summary { steps, bytes, trace }) => {
            println!("seed {seed}: {steps} steps, {bytes} bytes, trace {trace:016x}");
            println!("1 passed, 0 failed");
            ExitCode::SUCCESS
        }
        Err(what) => {
            println!("seed {seed}: {what}");
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn many(count: u64) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = |thread| {
        let mut failed = 0;
        for seed in (thread..count).step_by(threads as usize) {
            if let Err(what) = run(seed) {
                failed += 1;
                println!("FAIL  seed {seed}: {what}");
                println!("      cargo run --release -p sockeye-lab --example simulate -- --seed {seed}");
            }
        }
        failed
    };
    let failed: u64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(1)).sum()
    });
    println!("{} passed, {failed} failed", count - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
