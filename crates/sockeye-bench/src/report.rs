//! The results as JSON: every pair, the estimates with their intervals, and what they were measured on.

use crate::case::{Case, Outcome, Pair, Sample, Target};
use crate::measure::Plan;
use crate::statistics::Estimate;
use serde_json::{Value, json};

/// What became of a case: its outcome, or why there is none.
pub(crate) type Entry<'a> = (&'a Case, Result<Outcome, String>);

/// Whether the target is met; a case that could not be measured is short.
pub(crate) fn is_met((case, outcome): &Entry<'_>) -> Option<bool> {
    outcome.as_ref().map_or(Some(false), |outcome| case.is_met(outcome))
}

/// All of a run.
pub(crate) fn json(plan: &Plan, entries: &[Entry<'_>]) -> Value {
    let uname = rustix::system::uname();
    json!({
        "quick": plan.quick,
        "unix_time_s": rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec,
        "kernel": uname.release().to_string_lossy(),
        "machine": uname.machine().to_string_lossy(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cases": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn entry((case, outcome): &Entry<'_>) -> Value {
    let head = json!({ "name": case.name, "peer": case.peer, "target": case.show_target() });
    let rest = match outcome {
        Err(reason) => json!({ "met": false, "reason": reason }),
        Ok(outcome) => json!({
            "met": case.is_met(outcome),
            "unit": format!("{:?}", case.unit),
            "target_ratio": match case.target { Target::Ratio(least) => Some(least), _ => None },
            "ours": estimate(&outcome.ours),
            "peer_figure": estimate(&outcome.peer),
            "ratio": estimate(&outcome.ratio),
            "ratio_by_the_wall": estimate(&outcome.wall_ratio),
            "pairs": outcome.pairs.iter().map(pair).collect::<Vec<_>>(),
        }),
    };
    merged(head, rest)
}

fn merged(mut head: Value, rest: Value) -> Value {
    if let (Value::Object(head), Value::Object(rest)) = (&mut head, rest) {
        head.extend(rest);
    }
    head
}

fn estimate(of: &Estimate) -> Value {
    json!({ "median": of.median, "low": of.low, "high": of.high, "confidence": of.confidence })
}

fn pair(pair: &Pair) -> Value {
    let sample = |sample: &Sample| json!({ "per_cpu_second": sample.cpu, "by_the_wall": sample.wall });
    json!({ "ours": sample(&pair.ours), "peer": sample(&pair.peer) })
}
