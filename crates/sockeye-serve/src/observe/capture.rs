//! `--capture`: every packet on the host's links in a pcapng file, with what became of it and whose it is.

use sockeye::lab::{Tap, capture};
use sockeye_core::Instant;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Processes whose names are kept.
const NAMES_MAX: usize = 1024;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Capture {
    /// None after an error.
    file: Option<File>,
    buffer: Vec<u8>,
    /// The clock's zero, in nanoseconds of Unix time.
    epoch_ns: u64,
    names: HashMap<u32, String>,
}

impl Capture {
    /// Begins a capture of these links, by name. `now` is the clock's.
    pub(crate) fn new(file: File, links: &[&str], now: Instant) -> Self {
        let unix_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let mut buffer = Vec::new();
        capture::begin(&mut buffer, links);
        Self { file: Some(file), buffer, epoch_ns: unix_ns.wrapping_sub(now.0), names: HashMap::new() }
    }

    /// A packet, and thread and descriptor of its sender and receiver where programs are known to have them.
    pub(super) fn packet(&mut self, tap: &Tap, ends: [Option<(u32, i32)>; 2]) {
        let mut comment = tap.verdict();
        if tap.resent > 0 {
            comment += &format!("; transmission {}", tap.resent + 1);
        }
        for (end, what) in ends.into_iter().zip(["from", "to"]) {
            if let Some((tid, fd)) = end.filter(|(tid, _)| *tid != 0) {
                comment += &format!("; {what} {}[{tid}] fd {fd}", self.name(tid));
            }
        }
        let link = tap.link.number() as u32;
        capture::packet(&mut self.buffer, link, tap.at, self.epoch_ns, &tap.packet, &comment);
    }

    fn name(&mut self, tid: u32) -> &str {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        self.names.entry(tid).or_insert_with(|| {
            fs::read_to_string(format!("/proc/{tid}/comm"))
                .map_or_else(|_| "?".into(), |name| name.trim().into())
        })
    }

    /// Writes what has gathered. After an error the rest of the capture is given up, with a word.
    pub(super) fn flush(&mut self) {
        let Some(file) = self.file.as_mut().filter(|_| !self.buffer.is_empty()) else { return };
        if let Err(error) = file.write_all(&self.buffer) {
            eprintln!("sockeye: the capture ends here: {error}");
            self.file = None;
        }
        self.buffer.clear();
    }
}
