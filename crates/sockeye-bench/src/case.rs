//! A case: its name, its peer, its target; what was measured of it, and whether that is enough.
//!
//! A figure is a rate (more is better) or a cost (less is better); a ratio is always such that above 1 is ahead of
//! the peer. A target is met when the worse end of the interval meets it.

use crate::measure::Plan;
use crate::statistics::Estimate;
use anyhow::Result;

/// One figure: work per second of the processor and of the wall, or a cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Per second of processor time; none where other processes do the work, and for costs.
    pub(crate) cpu: Option<f64>,
    pub(crate) wall: f64,
}

impl Sample {
    /// A figure that no processor time belongs to.
    pub(crate) fn of(figure: f64) -> Self {
        Self { cpu: None, wall: figure }
    }

    /// What is judged.
    pub(crate) fn figure(&self) -> f64 {
        self.cpu.unwrap_or(self.wall)
    }
}

/// Measured one right after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) ours: Sample,
    pub(crate) peer: Sample,
}

/// What is asked of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Shown, not judged.
    None,
    /// The ratio, at least.
    Ratio(f64),
    /// Our figure, at least.
    AtLeast(f64),
    /// Our figure, at most.
    AtMost(f64),
}

/// What figures count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    BytesPerSecond,
    PerSecond,
    /// A cost.
    Bytes,
    /// A cost.
    Seconds,
}

impl Unit {
    fn is_cost(self) -> bool {
        matches!(self, Self::Bytes | Self::Seconds)
    }

    /// A figure as one word.
    pub(crate) fn show(self, figure: f64) -> String {
        let scaled = |suffix: &str| {
            let steps = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
            let (step, prefix) = steps.into_iter().find(|(step, _)| figure >= *step).unwrap_or((1.0, ""));
            format!("{:.2}{prefix}{suffix}", figure / step)
        };
        match self {
            Self::BytesPerSecond => scaled("B/s"),
            Self::PerSecond => scaled("/s"),
            Self::Bytes => format!("{figure:.0}B"),
            Self::Seconds if figure.abs() < 1e-3 => format!("{:.1}us", figure * 1e6),
            Self::Seconds => format!("{:.2}ms", figure * 1e3),
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) unit: Unit,
    pub(crate) target: Target,
    pub(crate) run: fn(&Plan) -> Result<Vec<Pair>>,
}

/// What a case's pairs say.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) ours: Estimate,
    pub(crate) peer: Estimate,
    pub(crate) ratio: Estimate,
    /// The ratio by the wall, where the processor's time is what is judged.
    pub(crate) wall_ratio: Estimate,
}

impl Case {
    /// Estimates from pairs, of which there is at least one.
    pub(crate) fn outcome(&self, pairs: Vec<Pair>) -> Outcome {
        let ratio = |ours: f64, peer: f64| if self.unit.is_cost() { peer / ours } else { ours / peer };
        let each =
            |figure: &dyn Fn(&Pair) -> f64| Estimate::of(&pairs.iter().map(figure).collect::<Vec<_>>());
        Outcome {
            ours: each(&|pair| pair.ours.figure()),
            peer: each(&|pair| pair.peer.figure()),
            ratio: each(&|pair| ratio(pair.ours.figure(), pair.peer.figure())),
            wall_ratio: each(&|pair| ratio(pair.ours.wall, pair.peer.wall)),
            pairs,
        }
    }

    /// Whether the target is met; none where nothing is asked.
    pub(crate) fn is_met(&self, outcome: &Outcome) -> Option<bool> {
        match self.target {
            Target::None => None,
            Target::Ratio(least) => Some(outcome.ratio.low >= least),
            Target::AtLeast(least) => Some(outcome.ours.low >= least),
            Target::AtMost(most) => Some(outcome.ours.high <= most),
        }
    }

    /// The target as one word.
    pub(crate) fn show_target(&self) -> String {
        match self.target {
            Target::None => "none".into(),
            Target::Ratio(least) => format!("{least:.2}"),
            Target::AtLeast(least) => format!(">={}", self.unit.show(least)),
            Target::AtMost(most) => format!("<={}", self.unit.show(most)),
        }
    }

    /// The line that is printed.
    pub(crate) fn line(&self, outcome: &Outcome) -> String {
        let show = |estimate: &Estimate| self.unit.show(estimate.median);
        format!(
            "{} ours {} peer {} {} ratio {:.2} target {}",
            self.name,
            show(&outcome.ours),
            self.peer,
            show(&outcome.peer),
            outcome.ratio.median,
            self.show_target()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(unit: Unit, target: Target) -> Case {
        Case { name: "name", peer: "peer", unit, target, run: |_| Ok(vec![]) }
    }

    fn pairs(ours: &[f64], peer: f64) -> Vec<Pair> {
        ours.iter().map(|ours| Pair { ours: Sample::of(*ours), peer: Sample::of(peer) }).collect()
    }

    #[test]
    fn the_lower_bound_decides() {
        let case = case(Unit::PerSecond, Target::Ratio(2.0));
        let noisy = case.outcome(pairs(&[1.9, 2.5, 2.5, 2.5, 2.5], 1.0));
        assert_eq!((noisy.ratio.median, case.is_met(&noisy)), (2.5, Some(false)));
        assert_eq!(case.is_met(&case.outcome(pairs(&[2.1; 5], 1.0))), Some(true));
    }

    #[test]
    fn of_a_cost_less_is_better() {
        let case = case(Unit::Bytes, Target::AtMost(512.0));
        let outcome = case.outcome(pairs(&[400.0; 5], 4000.0));
        assert_eq!((outcome.ratio.median, case.is_met(&outcome)), (10.0, Some(true)));
        assert_eq!(case.line(&outcome), "name ours 400B peer peer 4000B ratio 10.00 target <=512B");
    }
}
