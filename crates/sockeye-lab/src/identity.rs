//! Who a packet is, in every run: the number that its fate is drawn by.
//!
//! In: packets of one link in the order they are sent. Out: for each a number that hangs on its addresses and ports,
//! which connection between them it belongs to, its kind, its place in the stream and how often it was sent before;
//! not on time, initial sequence numbers or what other connections do. So a packet that was dropped is dropped again
//! when the same program runs with the same seed, however the scheduler has mixed its connections.
//!
//! What a connection keeps is a few words, and one count for each place that was sent again; beyond a bound of
//! connections all is forgotten, and their counts start anew.

use crate::impair::mix;
use crate::view::View;
use core::hash::{BuildHasher, Hash};
use core::net::SocketAddr;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use sockeye_core::wire::tcp::{Flags, TcpHeader};

/// Flows that are told apart at once.
const FLOWS_MAX: usize = 65_536;
/// Places of one connection that were sent again.
const RESENT_MAX: usize = 4096;

/// Names packets.
#[derive(Debug, Default)]
pub struct Tracker {
    flows: HashMap<(SocketAddr, SocketAddr, u8), Flow, FixedState>,
}

/// One direction between two addresses.
#[derive(Debug, Default)]
struct Flow {
    /// Connections so far; for other protocols 0.
    connection: u32,
    /// Of the SYN that began it.
    isn: Option<u32>,
    /// Behind the last byte that was sent, from the initial sequence number.
    sent_up_to: u32,
    resent: HashMap<(u8, u32), u32, FixedState>,
    /// The first acknowledgement number, the last, and how often that was sent.
    ack_first: Option<u32>,
    ack_last: Option<u32>,
    ack_count: u32,
    /// Packets without a place.
    packets: u32,
}

impl Tracker {
    /// The number of the next packet, and how often its place in the stream was sent before (an acknowledgement
    /// alone has none).
    pub fn identify(&mut self, view: &View) -> (u64, u32) {
        let key = (view.src, view.dst, view.protocol);
        if self.flows.len() >= FLOWS_MAX && !self.flows.contains_key(&key) {
            self.flows.clear();
        }
        let hash = FixedState::with_seed(KEY).hash_one(StableKey(&key));
        let flow = self.flows.entry(key).or_default();
        let (kind, place, count) = match &view.tcp {
            Some(header) => flow.segment(header, view.payload_len as u32),
            None => {
                flow.packets = flow.packets.wrapping_add(1);
                (0, flow.packets, 0)
            }
        };
        let within = u64::from(place) << 32 | u64::from(count) << 8 | u64::from(kind);
        let resent = if kind == ACK { 0 } else { count };
        (mix(hash ^ mix(within ^ mix(u64::from(flow.connection)))), resent)
    }
}

impl Flow {
    /// Kind, place and earlier transmissions of a segment.
    fn segment(&mut self, header: &TcpHeader, len: u32) -> (u8, u32, u32) {
        let control = header.flags & (Flags::SYN | Flags::FIN | Flags::RST);
        if header.flags.contains(Flags::SYN) && self.isn != Some(header.seq.0) {
            let connection = self.connection + 1;
            *self = Self { connection, isn: Some(header.seq.0), ..Self::default() };
        }
        let isn = *self.isn.get_or_insert(header.seq.0);
        let place = header.seq.0.wrapping_sub(isn);
        if len == 0 && control.is_empty() {
            let ack = header.ack.0.wrapping_sub(*self.ack_first.get_or_insert(header.ack.0));
            self.ack_count = if Some(ack) == self.ack_last { self.ack_count + 1 } else { 0 };
            self.ack_last = Some(ack);
            return (ACK, ack, self.ack_count);
        }
        let kind = control.bits() | if len > 0 { DATA } else { 0 };
        let end = place.wrapping_add(len + u32::from(!control.is_empty()));
        let is_new = place.wrapping_sub(self.sent_up_to) < 1 << 31;
        if is_new {
            self.sent_up_to = end;
            return (kind, place, 0);
        }
        if self.resent.len() >= RESENT_MAX {
            self.resent.clear();
        }
        let count = self.resent.entry((kind, place)).or_insert(0);
        *count += 1;
        (kind, place, *count)
    }
}

/// Control bits are below it.
const DATA: u8 = 0x40;
const ACK: u8 = 0x80;
const KEY: u64 = 0x736f_636b_6579_6531;

/// Hashed by bytes of ours, since the standard library does not promise its own.
struct StableKey<'a>(&'a (SocketAddr, SocketAddr, u8));

impl Hash for StableKey<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        let (src, dst, protocol) = self.0;
        for addr in [src, dst] {
            match addr {
                SocketAddr::V4(v4) => state.write_u32(v4.ip().to_bits()),
                SocketAddr::V6(v6) => state.write_u128(v6.ip().to_bits()),
            }
            state.write_u16(addr.port());
        }
        state.write_u8(*protocol);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockeye_core::wire::tcp::Seq;

    fn view(seq: u32, flags: Flags, payload_len: usize) -> View {
        let header = TcpHeader { seq: Seq(seq), ack: Seq(9), flags, ..TcpHeader::default() };
        let (src, dst) = ("10.0.0.1:4000".parse().unwrap(), "10.0.0.1:80".parse().unwrap());
        View { src, dst, protocol: 6, tcp: Some(header), payload_len, is_fragment: false }
    }

    /// A connection from `isn` on: SYN, two segments, the first again, FIN.
    fn connection(tracker: &mut Tracker, isn: u32) -> [(u64, u32); 5] {
        let at = |n: u32| isn.wrapping_add(n);
        [
            view(isn, Flags::SYN, 0),
            view(at(1), Flags::ACK, 100),
            view(at(101), Flags::ACK, 100),
            view(at(1), Flags::ACK, 100),
            view(at(201), Flags::ACK | Flags::FIN, 0),
        ]
        .map(|view| tracker.identify(&view))
    }

    #[test]
    fn a_packet_is_itself_whatever_its_sequence_numbers() {
        let (mut one, mut other) = (Tracker::default(), Tracker::default());
        let first = connection(&mut one, 1000);
        assert_eq!(first, connection(&mut other, u32::MAX - 50));
        assert_eq!(first.map(|(_, count)| count), [0, 0, 0, 1, 0]);
        let mut numbers = first.map(|(number, _)| number);
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "all differ: {numbers:?}");
        assert!(
            connection(&mut one, 5000).iter().zip(first).all(|(a, b)| a.0 != b.0),
            "the second connection"
        );
    }
}
