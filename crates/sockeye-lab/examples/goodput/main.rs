//! How much TCP gets through a path, in simulated time: bulk flows side by side over one link.
//!
//! `cargo run --release -p sockeye-lab --example goodput -- --rtt 10ms --loss 1% --cc cubic`
//! also: `--rate 1gbit --queue 1bdp --flows 2 --time 30s --seed 1 --plot out.svg`; `--cc cubic,reno` for a mixture;
//! `--buffer 6mb` for windows that end somewhere.

mod flows;
mod plot;

use flows::{Arguments, Run};
use sockeye_core::tcp::Congestion;
use std::time::Duration;

/// The command line: what to measure, and where to draw it.
fn parse() -> Result<(Arguments, Option<String>), String> {
    let (mut a, mut plot) = (
        Arguments {
            rtt: Duration::from_millis(10),
            loss_ppm: 0,
            rate_bps: None,
            queue: None,
            flows: 1,
            time: Duration::from_secs(30),
            seed: 1,
            cc: vec![Congestion::Cubic],
            buffer: 256 << 20,
        },
        None,
    );
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = |suffix: &str| {
            value.strip_suffix(suffix).and_then(|n| n.parse::<f64>().ok()).filter(|n| *n >= 0.0)
        };
        let bad = || format!("{word} {value}: not understood");
        let time = || {
            let seconds = number("ms").map(|n| n / 1e3).or_else(|| number("us").map(|n| n / 1e6));
            seconds.or_else(|| number("s")).map(Duration::from_secs_f64).ok_or_else(bad)
        };
        match word.as_str() {
            "--rtt" => a.rtt = time()?,
            "--time" => a.time = time()?,
            "--loss" => a.loss_ppm = (number("%").ok_or_else(bad)? * 1e4) as u32,
            "--rate" => {
                let units = [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)];
                let rate = units.iter().find_map(|(suffix, unit)| number(suffix).map(|n| n * unit));
                a.rate_bps = Some(rate.ok_or_else(bad)? as u64);
            }
            "--queue" => a.queue = Some(value),
            "--flows" => a.flows = number("").ok_or_else(bad)? as usize,
            "--seed" => a.seed = number("").ok_or_else(bad)? as u64,
            "--cc" => {
                let names = value.split(',').map(|name| Congestion::from_name(name.as_bytes()));
                a.cc = names.collect::<Option<_>>().ok_or_else(bad)?;
            }
            "--buffer" => a.buffer = (number("mb").ok_or_else(bad)? * 1e6) as u32,
            "--plot" => plot = Some(value),
            _ => return Err(format!("{word} is no option")),
        }
    }
    Ok((a, plot))
}

fn report(run: &Run) {
    let (counters, lost, overflowed) = run.counts();
    println!(
        "{} retransmissions, {} fast recoveries, {} timeouts, {} probes, {} undone; {lost} packets lost, {overflowed} overflowed",
        counters.retrans_segs,
        counters.fast_retransmits,
        counters.timeouts,
        counters.loss_probes,
        counters.undos,
    );
    let (time, settled) = (run.arguments.time, Duration::from_secs(5));
    for flow in 0..run.arguments.flows {
        let name = run.arguments.cc[flow % run.arguments.cc.len()].name();
        let all = run.goodput(flow, Duration::ZERO, time);
        let late = if time > settled { run.goodput(flow, settled, time) } else { all };
        println!("flow {} {name}: {all:.1} Mbit/s, from second 5 on {late:.1} Mbit/s", flow + 1);
    }
}

fn main() {
    let (arguments, file) = parse().unwrap_or_else(|error| {
        eprintln!("goodput: {error}");
        std::process::exit(2)
    });
    let mut run = Run::new(arguments);
    run.go();
    if let Some(file) = file
        && let Err(error) = std::fs::write(&file, plot::svg(&run))
    {
        eprintln!("goodput: {file}: {error}");
        std::process::exit(1);
    }
    report(&run);
}
