//! The ladder as text, or as JSON lines.
//!
//! ```text
//!     0.412  connect(3, 127.0.0.1:80) = 0
//!     0.398                                    --- SYN seq 0 win 64240 --->
//!     0.401                                    <--- SYN,ACK seq 0 ack 1 ---
//! ```

use super::ladder::{Body, Entry, Passage, Side, What};
use serde_json::{Value, json};
use sockeye::lab::link::Outcome;
use sockeye_core::Instant;
use sockeye_core::wire::tcp::Flags;
use std::fs::File;
use std::io::Write;

/// Columns of the client's calls, and of the packets.
const CLIENT_WIDTH: usize = 38;
const PACKETS_WIDTH: usize = 38;

/// Where entries are drawn.
#[derive(Debug)]
pub(super) struct Picture {
    out: File,
    start: Instant,
    json: bool,
    buffer: Vec<u8>,
    headed: bool,
}

impl Picture {
    pub(super) fn new(out: File, start: Instant, json: bool) -> Self {
        Self { out, start, json, buffer: Vec::new(), headed: false }
    }

    /// Draws an entry into the buffer.
    pub(super) fn entry(&mut self, entry: &Entry) {
        let at_ms = entry.at.since(self.start).as_secs_f64() * 1e3;
        if self.json {
            let _ = writeln!(self.buffer, "{}", object(entry, at_ms));
            return;
        }
        if !std::mem::replace(&mut self.headed, true) {
            let (left, middle) =
                (format!("{:<CLIENT_WIDTH$}", "client"), format!("{:^PACKETS_WIDTH$}", "packets"));
            let _ = writeln!(self.buffer, "       ms  {left}{middle}  server");
        }
        let (left, middle, right) = columns(entry);
        let line = format!("{at_ms:9.3}  {left:<CLIENT_WIDTH$}{middle:<PACKETS_WIDTH$}  {right}");
        let _ = writeln!(self.buffer, "{}", line.trim_end());
    }

    /// Writes the buffer; whoever reads it may be gone.
    pub(super) fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let _ = self.out.write_all(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// Left, middle, right.
fn columns(entry: &Entry) -> (String, String, String) {
    let text = match &entry.body {
        Body::Call { text, .. } => text.clone(),
        Body::Bytes { taken: true, n, .. } => format!("{n} bytes taken from the program"),
        Body::Bytes { n, .. } => format!("{n} bytes given to the program"),
        Body::Packet(passage) => return arrow(passage, entry.side),
    };
    match entry.side {
        Side::Client => (shorten(text), String::new(), String::new()),
        Side::Server => (String::new(), String::new(), text),
    }
}

fn shorten(mut text: String) -> String {
    const ROOM: usize = CLIENT_WIDTH - 1;
    if text.chars().count() > ROOM {
        text = text.chars().take(ROOM - 1).chain(['…']).collect();
    }
    text
}

/// The packet as an arrow that reaches the other side, or not; why not stands on that side.
fn arrow(passage: &Passage, from: Side) -> (String, String, String) {
    let text = passage.text();
    let arrives = matches!(passage.outcome, Outcome::Arrives(_));
    let fill = |head: usize| "-".repeat(PACKETS_WIDTH.saturating_sub(text.len() + 2 + head + 4).max(1));
    let note = if !arrives {
        passage.verdict.clone()
    } else if passage.verdict.contains(',') {
        // Delivered, but not as it was sent.
        passage.verdict.split_once(", ").map_or(String::new(), |(_, what)| what.into())
    } else {
        String::new()
    };
    match from {
        Side::Client => {
            let head = if arrives { ">" } else { "x" };
            (String::new(), format!("--- {text} {}{head}", fill(1)), note)
        }
        Side::Server => {
            let head = if arrives { "<" } else { "x" };
            (shorten(note), format!("{head}{} {text} ---", fill(1)), String::new())
        }
    }
}

impl Passage {
    fn text(&self) -> String {
        let again = if self.resent > 0 { " again" } else { "" };
        match &self.what {
            What::Tcp { flags, seq, ack, window } => {
                let mut text = format!("{} seq {seq}", names(*flags));
                if self.len > 0 {
                    text += &format!(":{}", seq.wrapping_add(self.len as u32));
                }
                if flags.contains(Flags::ACK) {
                    text += &format!(" ack {ack}");
                }
                if flags.contains(Flags::SYN) && !flags.contains(Flags::ACK) {
                    text += &format!(" win {window}");
                }
                text + again
            }
            What::Udp => format!("UDP {} bytes", self.len),
            What::Other { protocol: 1 | 58 } => format!("ICMP {} bytes", self.len),
            What::Other { protocol } => format!("protocol {protocol} {} bytes", self.len),
        }
    }
}

fn names(flags: Flags) -> String {
    let all = [
        (Flags::SYN, "SYN"),
        (Flags::FIN, "FIN"),
        (Flags::RST, "RST"),
        (Flags::PSH, "PSH"),
        (Flags::ACK, "ACK"),
        (Flags::URG, "URG"),
        (Flags::ECE, "ECE"),
        (Flags::CWR, "CWR"),
    ];
    let set: Vec<&str> =
        all.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    set.join(",")
}

fn object(entry: &Entry, at_ms: f64) -> Value {
    let side = if entry.side == Side::Client { "client" } else { "server" };
    let mut object = match &entry.body {
        Body::Call { tid, text } => json!({ "event": "call", "thread": tid, "text": text }),
        Body::Bytes { tid, fd, taken, n } => {
            let event = if *taken { "taken" } else { "given" };
            json!({ "event": event, "thread": tid, "descriptor": fd, "bytes": n })
        }
        Body::Packet(passage) => packet_object(passage),
    };
    object["ms"] = json!((at_ms * 1e6).round() / 1e6);
    object["side"] = json!(side);
    object["connection"] = json!(entry.connection);
    object
}

fn packet_object(passage: &Passage) -> Value {
    let mut object = json!({
        "event": "packet",
        "from": passage.src.to_string(),
        "to": passage.dst.to_string(),
        "bytes": passage.len,
        "resent": passage.resent,
        "delivered": matches!(passage.outcome, Outcome::Arrives(_)),
        "verdict": passage.verdict,
    });
    match &passage.what {
        What::Tcp { flags, seq, ack, window } => {
            object["protocol"] = json!("tcp");
            object["flags"] = json!(names(*flags));
            object["seq"] = json!(seq);
            object["ack"] = json!(ack);
            object["window"] = json!(window);
        }
        What::Udp => object["protocol"] = json!("udp"),
        What::Other { protocol } => object["protocol"] = json!(protocol),
    }
    object
}
