//! Pieces: datagrams longer than the MTU are cut (RFC 791, RFC 8200 4.5), and put together where they arrive.
//!
//! Reassembly holds a bounded number of datagrams, the oldest given up for a new one, each for 30 s as on
//! Linux; pieces that overlap kill their datagram (RFC 5722, and Linux for IPv4 too). Payload is referred to,
//! not copied.

use super::input::Meta;
use crate::Packet;
use crate::host::Host;
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::WireError;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

/// What the header says of a piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub id: u32,
    pub offset: usize,
    pub more: bool,
}

/// Datagrams of which pieces have come; the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    waiting: VecDeque<Assembly>,
}

#[derive(Debug)]
struct Assembly {
    name: (IpAddr, IpAddr, u8, u32),
    until: Instant,
    /// Offset and bytes, sorted.
    pieces: Vec<(usize, Payload)>,
    /// The whole length, once the last piece has come.
    total: Option<usize>,
}

impl Reassembly {
    /// When the oldest is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|assembly| assembly.until)
    }

    /// Gives up what is due; says how many.
    pub(crate) fn expire(&mut self, now: Instant) -> u64 {
        let before = self.waiting.len();
        while self.deadline().is_some_and(|until| until <= now) {
            self.waiting.pop_front();
        }
        (before - self.waiting.len()) as u64
    }

    fn position(&mut self, name: (IpAddr, IpAddr, u8, u32), now: Instant) -> usize {
        if let Some(at) = self.waiting.iter().position(|a| a.name == name) {
            return at;
        }
        let until = now + LIFE;
        self.waiting.push_back(Assembly { name, until, pieces: Vec::new(), total: None });
        self.waiting.len() - 1
    }
}

impl Assembly {
    /// Adds a piece; false when the datagram can never be whole.
    fn add(&mut self, piece: Piece, payload: Payload) -> bool {
        let end = piece.offset + payload.len();
        let datagram_max = if self.name.0.is_ipv4() { PAYLOAD_MAX_V4 } else { PAYLOAD_MAX_V6 };
        let past_end = self.total.is_some_and(|total| end > total || !piece.more && end != total);
        let is_cut = piece.more && !payload.len().is_multiple_of(8);
        if past_end || is_cut || end > datagram_max || payload.is_empty() || self.pieces.len() >= PIECES_MAX {
            return false;
        }
        let at = self.pieces.partition_point(|(offset, _)| *offset < piece.offset);
        if self.pieces.get(at).is_some_and(|(offset, p)| *offset == piece.offset && p.len() == payload.len())
        {
            return true;
        }
        let overlaps_next = self.pieces.get(at).is_some_and(|(offset, _)| *offset < end);
        let overlaps_prev =
            at.checked_sub(1).is_some_and(|p| self.pieces[p].0 + self.pieces[p].1.len() > piece.offset);
        if overlaps_next || overlaps_prev {
            return false;
        }
        self.pieces.insert(at, (piece.offset, payload));
        if !piece.more {
            self.total = Some(end);
        }
        self.total.is_none_or(|total| self.pieces.last().is_none_or(|(o, p)| o + p.len() <= total))
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.pieces.iter().map(|(_, payload)| payload.len()).sum())
    }

    fn into_payload(self) -> Payload {
        let mut whole = Payload::new();
        self.pieces.into_iter().flat_map(|(_, p)| p.into_slices()).for_each(|slice| whole.push(slice));
        whole
    }
}

impl Host {
    /// A piece of a datagram; the last that is missing lets the whole go on.
    pub(crate) fn piece_arrives(
        &mut self,
        meta: Meta,
        piece: Piece,
        packet: Packet,
    ) -> Result<(), WireError> {
        self.counters.ip_reasm_reqds += 1;
        let name = (meta.src, meta.dst, meta.protocol, piece.id);
        let at = self.reassembly.position(name, meta.now);
        let payload = packet.into_payload();
        if !self.reassembly.waiting[at].add(piece, payload) {
            self.reassembly.waiting.remove(at);
            self.counters.ip_reasm_fails += 1;
            return Ok(());
        }
        if self.reassembly.waiting[at].is_whole() {
            let assembly = self.reassembly.waiting.remove(at).expect("it is there");
            self.counters.ip_reasm_oks += 1;
            self.transport_arrives(&meta, Packet::new(assembly.into_payload()));
        } else if self.reassembly.waiting.len() > self.config.limits.reassemblies_max {
            self.reassembly.waiting.pop_front();
            self.counters.ip_reasm_fails += 1;
        }
        Ok(())
    }
}

/// The pieces of a payload, each at most `max` bytes (a multiple of 8 but for the last).
pub(crate) fn cut(mut payload: Payload, max: usize) -> impl Iterator<Item = (usize, bool, Payload)> {
    let max = (max & !7).max(8);
    let mut offset = 0;
    core::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let piece = payload.split_to(max);
        let at = offset;
        offset += piece.len();
        Some((at, !payload.is_empty(), piece))
    })
}

/// `net.ipv4.ipfrag_time`.
const LIFE: Duration = Duration::from_secs(30);
/// What a whole packet's length field leaves for the payload.
const PAYLOAD_MAX_V4: usize = 65535 - 20;
const PAYLOAD_MAX_V6: usize = 65535;
/// Pieces of one datagram: 65535 bytes in pieces of the least MTU that anyone has.
const PIECES_MAX: usize = 2048;
