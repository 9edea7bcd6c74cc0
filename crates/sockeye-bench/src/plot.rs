//! The ratios as bars: one line a case, on a logarithmic scale around 1, with interval and target.
//!
//! In: a run's entries. Out: an SVG that stands alone. A bar is green where the target is met, red where it is not,
//! grey where none is asked; the thin line is the interval, the black stroke the target.

use crate::case::Target;
use crate::report::{Entry, is_met};
use std::fmt::Write;

/// The whole picture.
pub(crate) fn svg(entries: &[Entry<'_>]) -> String {
    let height = TOP + ROW * entries.len() + 10;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' \
         font-family='sans-serif' font-size='12'>\n<rect width='{WIDTH}' height='{height}' fill='white'/>\n"
    );
    for ratio in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0] {
        let (x, shade) = (x_of(ratio), if ratio == 1.0 { "black" } else { "#dddddd" });
        let _ = writeln!(svg, "<path d='M{x:.1} {TOP}V{height}' stroke='{shade}'/>");
        let _ = writeln!(svg, "<text x='{x:.1}' y='{}' text-anchor='middle'>{ratio}</text>", TOP - 6);
    }
    for (row, entry) in entries.iter().enumerate() {
        bar(&mut svg, TOP + ROW * row, entry);
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, top: usize, entry: &Entry<'_>) {
    let (case, outcome) = entry;
    let (middle, text) = (top + ROW / 2, top + ROW / 2 + 4);
    let label = format!("{} / {}", case.name, case.peer);
    let _ = writeln!(svg, "<text x='{}' y='{text}' text-anchor='end'>{label}</text>", LEFT - 8);
    let Ok(outcome) = outcome else {
        let _ = writeln!(svg, "<text x='{LEFT}' y='{text}'>not measured</text>");
        return;
    };
    let colour = match is_met(entry) {
        Some(true) => "#2ca02c",
        Some(false) => "#d62728",
        None => "#aaaaaa",
    };
    let ratio = &outcome.ratio;
    let (one, end) = (x_of(1.0), x_of(ratio.median));
    let (x, width) = (one.min(end), (one - end).abs());
    let y = top + 4;
    let thick = ROW - 8;
    let _ = writeln!(svg, "<rect x='{x:.1}' y='{y}' width='{width:.1}' height='{thick}' fill='{colour}'/>");
    let (low, high) = (x_of(ratio.low), x_of(ratio.high));
    let _ = writeln!(svg, "<path d='M{low:.1} {middle}H{high:.1}' stroke='#333333'/>");
    if let Target::Ratio(least) = case.target {
        let _ =
            writeln!(svg, "<path d='M{:.1} {}v{ROW}' stroke='black' stroke-width='2'/>", x_of(least), top);
    }
    let _ = writeln!(svg, "<text x='{}' y='{text}'>{:.2}</text>", WIDTH - 50, ratio.median);
}

/// Two decades, of which the middle is 1; beyond them a bar ends at the edge.
fn x_of(ratio: f64) -> f64 {
    let share = (ratio.max(1e-9).log10().clamp(-1.0, 1.2) + 1.0) / 2.2;
    LEFT as f64 + share * (WIDTH - LEFT - 60) as f64
}

const WIDTH: usize = 900;
const LEFT: usize = 280;
const TOP: usize = 24;
const ROW: usize = 20;
