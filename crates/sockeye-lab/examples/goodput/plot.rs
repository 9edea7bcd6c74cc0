//! A run as a picture: the congestion window, the round trip, and the sequence, each over time.
//!
//! Three panels, one colour a flow. In the panel of the sequence the upper line is what was sent, the lower what has
//! arrived; a mark stands where something was sent again.

use super::flows::{Run, Sample};
use std::fmt::Write;

/// One panel: its place, what it shows and up to where.
struct Panel<'a> {
    top: f64,
    name: &'a str,
    most: f64,
    unit: &'a str,
}

/// The picture.
pub(crate) fn svg(run: &Run) -> String {
    let all = || run.samples.iter().flatten();
    let most = |value: fn(&Sample) -> f64| all().map(value).fold(1e-9, f64::max);
    let window = Panel { top: 20.0, name: "congestion window", most: most(cwnd), unit: "segments" };
    let rtt = Panel { top: 240.0, name: "round trip", most: most(rtt_ms), unit: "ms" };
    let sequence = Panel { top: 460.0, name: "sequence", most: most(sent), unit: "MB" };
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} 690' font-family='sans-serif' font-size='12'>\n\
         <rect width='100%' height='100%' fill='white'/>\n",
        LEFT + WIDTH + 20.0
    );
    let seconds = run.arguments.time.as_secs_f64();
    for panel in [&window, &rtt, &sequence] {
        panel.frame(&mut out, seconds);
    }
    for (flow, samples) in run.samples.iter().enumerate() {
        let colour = COLOURS[flow % COLOURS.len()];
        let name = run.arguments.cc[flow % run.arguments.cc.len()].name();
        window.line(&mut out, samples, cwnd, colour, 1.0);
        rtt.line(&mut out, samples, rtt_ms, colour, 1.0);
        sequence.line(&mut out, samples, sent, colour, 1.0);
        sequence.line(&mut out, samples, arrived, colour, 0.5);
        sequence.marks(&mut out, samples, colour);
        let x = LEFT + 150.0 * flow as f64;
        let _ = writeln!(out, "<text x='{x}' y='685' fill='{colour}'>flow {} {name}</text>", flow + 1);
    }
    out + "</svg>\n"
}

impl Panel<'_> {
    fn frame(&self, out: &mut String, seconds: f64) {
        let (bottom, right) = (self.top + HEIGHT, LEFT + WIDTH);
        let _ = writeln!(
            out,
            "<rect x='{LEFT}' y='{}' width='{WIDTH}' height='{HEIGHT}' fill='none' stroke='#bbbbbb'/>\n\
             <text x='{LEFT}' y='{}'>{} (to {:.1} {})</text>\n\
             <text x='{right}' y='{}' text-anchor='end'>{seconds} s</text>",
            self.top,
            self.top - 5.0,
            self.name,
            self.most,
            self.unit,
            bottom + 13.0,
        );
    }

    fn x(i: usize, samples: &[Sample]) -> f64 {
        LEFT + WIDTH * i as f64 / samples.len().max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        self.top + HEIGHT * (1.0 - value / self.most)
    }

    fn line(
        &self,
        out: &mut String,
        samples: &[Sample],
        value: fn(&Sample) -> f64,
        colour: &str,
        alpha: f64,
    ) {
        let points: Vec<_> = samples
            .iter()
            .enumerate()
            .map(|(i, sample)| format!("{:.1},{:.1}", Self::x(i, samples), self.y(value(sample))))
            .collect();
        let points = points.join(" ");
        let _ = writeln!(
            out,
            "<polyline fill='none' stroke='{colour}' stroke-opacity='{alpha}' points='{points}'/>"
        );
    }

    /// Where something was sent again.
    fn marks(&self, out: &mut String, samples: &[Sample], colour: &str) {
        for (i, pair) in samples.windows(2).enumerate() {
            if pair[1].again > pair[0].again {
                let (x, y) = (Self::x(i + 1, samples), self.y(arrived(&pair[1])));
                let _ = writeln!(out, "<circle cx='{x:.1}' cy='{y:.1}' r='2' fill='{colour}'/>");
            }
        }
    }
}

fn cwnd(sample: &Sample) -> f64 {
    f64::from(sample.window)
}

fn rtt_ms(sample: &Sample) -> f64 {
    sample.rtt.as_secs_f64() * 1e3
}

fn sent(sample: &Sample) -> f64 {
    sample.sent as f64 / 1e6
}

fn arrived(sample: &Sample) -> f64 {
    sample.bytes as f64 / 1e6
}

const LEFT: f64 = 20.0;
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 190.0;
const COLOURS: [&str; 4] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"];
