//! Six hot paths alone, without a peer and without a clock: what instruction counters and profilers are given.
//!
//! A path is one batch of a case, repeated as often as asked; the work that it did is printed. Two runs of different
//! length under `valgrind --tool=callgrind` then give the instructions of one unit of work, free of what starting
//! costs (benches/instructions.sh).

use super::{bulk, connect, latency, links};
use crate::stack::Stack;
use anyhow::{Result, bail};

/// The paths by name.
pub(crate) const NAMES: [&str; 6] =
    ["bulk-1500", "bulk-64k", "roundtrip-tcp", "roundtrip-udp", "connect", "link"];

/// Runs a path; says how much work that was: bytes, round trips, connections or packets.
pub(crate) fn run(name: &str, turns: usize) -> Result<f64> {
    let mut turn: Box<dyn FnMut() -> f64> = match name {
        "bulk-1500" => of(bulk::Ours::new(Stack::two(1500, 1))?, bulk::Ours::turn),
        "bulk-64k" => of(bulk::Ours::new(Stack::one(1))?, bulk::Ours::turn),
        "roundtrip-tcp" => of(latency::RoundTrips::tcp(Stack::two(1500, 1))?, latency::RoundTrips::turn),
        "roundtrip-udp" => of(latency::RoundTrips::udp(Stack::two(1500, 1))?, latency::RoundTrips::turn),
        "connect" => of(connect::Connects::fresh(0)?, connect::Connects::turn),
        "link" => of(links::Links::new(1, links::DELAY_AND_LOSS)?, links::Links::turn),
        _ => bail!("{name}: the paths are {}", NAMES.join(", ")),
    };
    Ok((0..turns).map(|_| turn()).sum())
}

fn of<T: 'static>(mut contender: T, turn: fn(&mut T) -> f64) -> Box<dyn FnMut() -> f64> {
    Box::new(move || turn(&mut contender))
}
