//! The median of ratios and how sure it is.
//!
//! The interval is the one of order statistics: no distribution is assumed. With n ratios the k-th smallest and the
//! k-th greatest enclose the true median with a probability that the binomial distribution gives exactly; the
//! narrowest interval that is sure to 95 % is taken, the whole range where even that is less (five ratios: 93.75 %).

/// A median with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The probability that the interval holds the true median.
    pub(crate) confidence: f64,
}

impl Estimate {
    /// Of at least one figure.
    pub(crate) fn of(figures: &[f64]) -> Self {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let cut = (0..n.div_ceil(2)).rev().find(|cut| confidence(n, *cut) >= 0.95).unwrap_or(0);
        Self {
            median: median(&sorted),
            low: sorted[cut],
            high: sorted[n - 1 - cut],
            confidence: confidence(n, cut),
        }
    }
}

/// The middle of figures in order.
fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    if n % 2 == 1 { sorted[n / 2] } else { (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0 }
}

/// How sure the range is that leaves out `cut` figures at each end: 1 - 2 P(at most `cut` of n fair coins).
fn confidence(n: usize, cut: usize) -> f64 {
    let (mut term, mut below) = (0.5_f64.powi(n as i32), 0.0);
    for k in 0..=cut {
        below += term;
        term *= (n - k) as f64 / (k + 1) as f64;
    }
    (1.0 - 2.0 * below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let figures: Vec<f64> = (1..=11).map(f64::from).collect();
        let estimate = Estimate::of(&figures);
        assert_eq!((estimate.median, estimate.low, estimate.high), (6.0, 2.0, 10.0));
        assert!((estimate.confidence - 0.98828).abs() < 1e-4);
        let five = Estimate::of(&figures[..5]);
        assert_eq!((five.low, five.high, five.confidence), (1.0, 5.0, 0.9375));
        let many: Vec<f64> = (1..=21).map(f64::from).collect();
        assert_eq!((Estimate::of(&many).low, Estimate::of(&many).high), (6.0, 16.0));
        assert_eq!(Estimate::of(&[3.0]).median, 3.0);
    }
}
