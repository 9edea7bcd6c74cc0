//! How much gets through a path, measured in simulated time: issue by issue what the congestion controls must reach.
//!
//! What takes long is for optimised builds: `cargo test --release -p sockeye-lab --test throughput`; the long form
//! of the means, twenty seeds of 300 s, with `-- --ignored` behind it.

#[path = "../examples/goodput/flows.rs"]
mod flows;
#[path = "../examples/goodput/plot.rs"]
mod plot;

use flows::{Arguments, Run};
use sockeye_core::rng::Rng;
use sockeye_core::tcp::Congestion::{self, Bbr, Cubic, Reno};
use std::fmt::Write;
use std::time::Duration;

/// A path without a rate.
fn lossy(rtt_ms: u64, loss_ppm: u32, cc: Congestion, seconds: u64) -> Arguments {
    Arguments {
        rtt: Duration::from_millis(rtt_ms),
        loss_ppm,
        rate_bps: None,
        queue: None,
        flows: 1,
        time: Duration::from_secs(seconds),
        seed: 1,
        cc: vec![cc],
        buffer: 256 << 20,
    }
}

/// A path with a rate, and a queue that holds what the path does.
fn narrow(mbit: u64, rtt_ms: u64, loss_ppm: u32, cc: Congestion, seconds: u64) -> Arguments {
    let one = lossy(rtt_ms, loss_ppm, cc, seconds);
    Arguments { rate_bps: Some(mbit * 1_000_000), queue: Some("1bdp".into()), ..one }
}

fn run(arguments: &Arguments, seed: u64) -> Run {
    let mut run = Run::new(Arguments { seed, ..arguments.clone() });
    run.go();
    run
}

/// Mbit/s over the whole time, the mean of some seeds.
fn mean(arguments: &Arguments, seeds: u64) -> f64 {
    let one = |seed| run(arguments, seed * 100).goodput(0, Duration::ZERO, arguments.time);
    (1..=seeds).map(one).sum::<f64>() / seeds as f64
}

/// The window as RFC 9438 has it, a round trip at a time, on a path that loses at random: Mbit/s. A round that lost
/// something is followed by one in which the window stays (the recovery).
fn rfc_9438(rtt: Duration, loss: f64, seconds: f64, seed: u64) -> f64 {
    let (c, beta, rtt) = (0.4, 0.7, rtt.as_secs_f64());
    let mut rng = Rng::new(seed);
    let (mut window, mut prior, mut most) = (30.0_f64, 30.0_f64, 30.0_f64);
    let (mut reno, mut since, mut k) = (30.0_f64, 0.0, 0.0);
    let (mut now, mut sent, mut recovers) = (0.0, 0.0, false);
    while now < seconds {
        let lost = (0..window as u32).any(|_| f64::from(rng.below(1_000_000)) < loss * 1e6);
        now += rtt;
        sent += window;
        if lost && !recovers {
            most = if window < most { window * (1.0 + beta) / 2.0 } else { window };
            prior = window;
            window = (window * beta).max(2.0);
            (reno, since, k) = (window, now + rtt, ((most - window) / c).max(0.0).cbrt());
            recovers = true;
            continue;
        }
        recovers = false;
        let cubic = |t: f64| c * (t - k).powi(3) + most;
        reno += if reno < prior { 3.0 * (1.0 - beta) / (1.0 + beta) } else { 1.0 };
        let t = (now - since).max(0.0);
        window = if cubic(t) < reno { reno.max(window) } else { cubic(t + rtt).clamp(window, 1.5 * window) };
    }
    sent * (1.0 - loss) * 1448.0 * 8.0 / seconds / 1e6
}

#[test]
fn cubic_gets_what_the_loss_formula_says() {
    let mbits = mean(&lossy(10, 10_000, Cubic, 30), 8);
    assert!(mbits >= 12.0, "{mbits:.1} Mbit/s at 10 ms and 1 % loss");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes an optimised build")]
fn bbr_is_not_slowed_by_loss_at_random() {
    let mbits = mean(&Arguments { buffer: 6 << 20, ..lossy(10, 10_000, Bbr, 3) }, 4);
    assert!(mbits >= 400.0, "{mbits:.0} Mbit/s at 10 ms and 1 % loss");
}

#[test]
fn cubic_on_a_long_path_gets_what_rfc_9438_says() {
    check_cubic(6, 120);
}

fn check_cubic(seeds: u64, seconds: u64) {
    // From second 30 on: the first slow start is not what the RFC's value is about.
    let (from, to) = (Duration::from_secs(30), Duration::from_secs(seconds));
    let one = |seed| run(&narrow(1000, 100, 1000, Cubic, seconds), seed * 100).goodput(0, from, to);
    let mbits = (1..=seeds).map(one).sum::<f64>() / seeds as f64;
    let rtt = Duration::from_millis(100);
    let model = (1..=200).map(|seed| rfc_9438(rtt, 0.001, seconds as f64, seed)).sum::<f64>() / 200.0;
    println!("{mbits:.2} Mbit/s, RFC 9438 {model:.2}");
    assert!((mbits / model - 1.0).abs() <= 0.15, "{mbits:.2} Mbit/s, RFC 9438 says {model:.2}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes an optimised build")]
fn bbr_fills_a_long_path_that_loses() {
    let mbits = mean(&narrow(1000, 100, 1000, Bbr, 20), 2);
    assert!(mbits >= 850.0, "{mbits:.0} of 1000 Mbit/s at 100 ms and 0.1 % loss");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes an optimised build")]
fn a_long_path_without_loss_is_filled() {
    let run = run(&narrow(1000, 100, 0, Cubic, 30), 1);
    let late = run.goodput(0, Duration::from_secs(5), Duration::from_secs(30));
    let first = run.goodput(0, Duration::ZERO, Duration::from_secs(10));
    assert!(late >= 0.9 * 1000.0 * 1448.0 / 1500.0, "{late:.0} Mbit/s from second 5 to 30");
    assert!(first >= 750.0, "{first:.0} Mbit/s in the first ten seconds");
}

#[test]
fn two_flows_share() {
    for cc in [[Cubic, Cubic], [Cubic, Reno], [Bbr, Bbr]] {
        let arguments = Arguments { flows: 2, cc: cc.to_vec(), ..narrow(10, 20, 0, Cubic, 120) };
        let run = run(&arguments, 1);
        let [a, b] = [0, 1].map(|flow| run.goodput(flow, Duration::ZERO, arguments.time));
        let fair = (a + b) / 2.0;
        assert!((a / fair - 1.0).abs() <= 0.2, "{cc:?}: {a:.1} and {b:.1} Mbit/s");
        assert!(a + b >= 8.5, "{cc:?}: {a:.1} and {b:.1} of 10 Mbit/s");
    }
}

/// Nothing is sent again that was not lost: no timeout, no reordering, so that each loss costs one segment.
#[test]
fn what_was_lost_is_sent_again_once() {
    for cc in [Reno, Cubic, Bbr] {
        let run = run(&narrow(20, 40, 10_000, cc, 20), 7);
        let (counters, lost, overflowed) = run.counts();
        let again = counters.retrans_segs - counters.loss_probes.min(counters.retrans_segs);
        assert!(again <= lost + overflowed, "{cc:?}: {again} sent again, {lost} and {overflowed} lost");
        assert!(counters.undos == 0 && counters.dsack_recv <= counters.loss_probes, "{cc:?}: {counters:?}");
    }
}

#[test]
fn a_run_can_be_drawn() {
    let run = run(&Arguments { flows: 2, cc: vec![Bbr, Cubic], ..narrow(10, 20, 0, Cubic, 5) }, 1);
    let svg = plot::svg(&run);
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<polyline").count(), 8, "two flows: window, round trip, sent, arrived");
    assert!(svg.contains("<circle") && svg.contains("flow 2 cubic"));
}

#[test]
#[ignore = "minutes: twenty seeds of 300 s"]
fn the_means_of_the_long_form() {
    let cubic = mean(&lossy(10, 10_000, Cubic, 300), 20);
    println!("CUBIC, 10 ms, 1 %: {cubic:.2} Mbit/s");
    assert!(cubic >= 12.0);
    check_cubic(20, 300);
    let bbr = mean(&narrow(1000, 100, 1000, Bbr, 300), 20);
    println!("BBR, 100 ms, 1 Gbit/s, 0.1 %: {bbr:.1} Mbit/s");
    assert!(bbr >= 850.0);
    let bbr = mean(&Arguments { buffer: 6 << 20, ..lossy(10, 10_000, Bbr, 300) }, 20);
    println!("BBR, 10 ms, 1 %: {bbr:.1} Mbit/s");
    assert!(bbr >= 400.0);
}

/// Every figure of the grid is kept: what changes one changes the file too (`UPDATE=1` writes it anew).
#[test]
#[cfg_attr(debug_assertions, ignore = "takes an optimised build")]
fn the_grid_is_as_it_was() {
    let mut grid = String::from(
        "# Mbit/s of one flow in 10 s: rate, round trip, loss, queue of 1 BDP; Reno, CUBIC, BBR\n",
    );
    for mbit in [2, 10, 100] {
        for rtt_ms in [10, 50, 200] {
            for loss_ppm in [0, 1000, 10_000] {
                let loss = f64::from(loss_ppm) / 1e4;
                let _ = write!(grid, "{mbit:>4} Mbit/s {rtt_ms:>4} ms {loss:>4} %");
                for cc in [Reno, Cubic, Bbr] {
                    let mbits = mean(&narrow(mbit, rtt_ms, loss_ppm, cc, 10), 1);
                    let _ = write!(grid, " {mbits:>7.2}");
                }
                grid.push('\n');
            }
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/throughput.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &grid).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let differs = |(new, old): &(&str, &str)| new != old;
    let changed: Vec<_> = grid.lines().zip(kept.lines()).filter(differs).collect();
    assert!(grid == kept, "new and kept: {changed:#?}\nUPDATE=1 keeps the new ones");
}
