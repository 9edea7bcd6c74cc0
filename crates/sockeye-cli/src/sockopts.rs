//! `sockeye sockopts`: the engine's table of socket options, as text or JSON.

use serde::Serialize;
use sockeye::core::errno::Errno;
use sockeye::core::options::table::{self, Entry, Support};
use std::io::Write;

/// One option, as `--json` shows it.
#[derive(Serialize)]
struct Row {
    level: &'static str,
    level_number: i32,
    name: &'static str,
    number: i32,
    /// `effective`, `read-only` (effective, and asked for only), `stored` or `refused`.
    support: &'static str,
    /// Of a refused one, the error's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<u16>,
}

impl Row {
    fn new((level_number, level, entry): (i32, &'static str, &Entry)) -> Self {
        let (support, errno) = match entry.support {
            Support::Effective | Support::Flag { acts: true, .. } => ("effective", None),
            Support::ReadOnly => ("read-only", None),
            Support::Stored { .. } | Support::Flag { acts: false, .. } => ("stored", None),
            Support::Refused(Errno(number)) => ("refused", Some(number)),
        };
        Self { level, level_number, name: entry.name, number: entry.number, support, errno }
    }
}

/// Prints the table.
pub(crate) fn print(json: bool) -> anyhow::Result<()> {
    let rows: Vec<Row> = table::all().map(Row::new).collect();
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
        return Ok(());
    }
    for row in &rows {
        let error = row.errno.map_or(String::new(), |number| format!(" ({:?})", Errno(number)));
        writeln!(out, "{:<15} {:>3} {:<28} {}{error}", row.level, row.number, row.name, row.support)?;
    }
    let count = |support| rows.iter().filter(|row| row.support == support).count();
    let (effective, stored, refused) =
        (count("effective") + count("read-only"), count("stored"), count("refused"));
    writeln!(out, "{} options: {effective} effective, {stored} stored, {refused} refused", rows.len())?;
    Ok(())
}
