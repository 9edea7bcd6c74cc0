//! What a lab's links carried: a fingerprint, a capture, and which packets were lost.
//!
//! In: the taps of the lab, when it is watched. Out: what was asked for; nothing is kept otherwise.

use sockeye_lab::link::Outcome;
use sockeye_lab::view::View;
use sockeye_lab::{Lab, PacketName, Tap, capture};
use std::fmt::Write;
use std::hash::Hasher;

/// What is kept of the packets.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) packets: u64,
    /// A hash of every packet, its time and its fate, in order.
    pub(crate) fingerprint: u64,
    /// A pcapng file so far.
    pub(crate) capture: Option<Vec<u8>>,
    /// The packets that were lost by a draw.
    pub(crate) losses: Option<Vec<LostPacket>>,
    on: bool,
    bytes: Vec<u8>,
}

/// A packet that a link lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPacket {
    pub(crate) name: PacketName,
    text: String,
}

impl std::fmt::Display for LostPacket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Trace {
    pub(crate) fn watch(&mut self, lab: &mut Lab) {
        lab.watch();
        self.on = true;
    }

    pub(crate) fn begin_capture(&mut self, links: &[String]) {
        let mut file = Vec::new();
        let names: Vec<&str> = links.iter().map(String::as_str).collect();
        capture::begin(&mut file, &names);
        self.capture = Some(file);
    }

    /// Takes what the lab tells.
    pub(crate) fn follow(&mut self, lab: &mut Lab) {
        if !self.on {
            return;
        }
        while let Some(tap) = lab.next_tap() {
            self.take(&tap);
        }
    }

    fn take(&mut self, tap: &Tap) {
        self.packets += 1;
        self.bytes.clear();
        tap.packet.write_to(&mut self.bytes);
        let mut hasher = Fingerprint(self.fingerprint);
        hasher.write(&tap.at.0.to_le_bytes());
        hasher.write(&(tap.link.number() as u64).to_le_bytes());
        hasher.write(tap.verdict().as_bytes());
        hasher.write(&self.bytes);
        self.fingerprint = hasher.finish();
        if let Some(file) = &mut self.capture
            && file.len() < CAPTURE_BYTES_MAX
        {
            capture::packet(file, tap.link.number() as u32, tap.at, 0, &tap.packet, &tap.verdict());
        }
        if let Some(losses) = &mut self.losses
            && tap.outcome == Outcome::Lost
            && losses.len() < LOSSES_MAX
        {
            losses.push(LostPacket { name: (tap.link.number(), tap.identity), text: describe(tap) });
        }
    }
}

/// One line of a packet: when, whose, what.
fn describe(tap: &Tap) -> String {
    let mut text = format!("{:>12.3} ms  ", tap.at.0 as f64 / 1e6);
    let Some(view) = View::of(&tap.packet) else { return text + "not an IP packet" };
    let _ = write!(text, "{} > {}", view.src, view.dst);
    let _ = match &view.tcp {
        Some(tcp) => write!(text, " TCP {:?}, {} bytes", tcp.flags, view.payload_len),
        None => write!(text, " protocol {}, {} bytes", view.protocol, view.payload_len),
    };
    if tap.resent > 0 {
        let _ = write!(text, ", sent before {} times", tap.resent);
    }
    text
}

/// FNV-1a: the same number on every machine and with every compiler.
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Losses that are kept; a run with more is not worth shrinking.
const LOSSES_MAX: usize = 100_000;
/// Bytes of a capture; what comes later is left out.
const CAPTURE_BYTES_MAX: usize = 1 << 30;
