//! Explicit congestion notification (RFC 3168) between two hosts, with a router between them that marks.

mod world;

use sockeye_core::host::{Host, IfIndex, SocketId};
use sockeye_core::tcp::Limits;
use sockeye_core::{Instant, Packet};
use world::{World, addr};

const TO: &str = "10.0.0.2:80";
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;
const SYN: u8 = 0x02;

/// What a packet says: the IP header's two bits, TCP's flags, the payload's length.
type Said = (u8, u8, usize);

/// Carries packets until there are none; `mark` says which are marked on their way.
fn carry(w: &mut World, mut mark: impl FnMut(usize, Said) -> bool) -> Vec<(usize, Said)> {
    let mut said = vec![];
    loop {
        let before = said.len();
        for from in 0..2 {
            let mut out = vec![];
            while w.hosts[from].transmit(w.now, 64, &mut out) {}
            for (_, packet) in out {
                let mut bytes = vec![];
                packet.write_to(&mut bytes);
                let header = usize::from(bytes[20 + 12] >> 4) * 4;
                let this = (bytes[1] & 3, bytes[20 + 13], bytes.len() - 20 - header);
                if this.0 == 2 && mark(from, this) {
                    set_congested(&mut bytes);
                }
                said.push((from, this));
                w.hosts[1 - from].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), w.now);
            }
        }
        if said.len() == before {
            return said;
        }
    }
}

/// As a router does: both bits, and the header's checksum anew.
fn set_congested(packet: &mut [u8]) {
    packet[1] |= 3;
    packet[10..12].fill(0);
    let sum: u32 = packet[..20].chunks(2).map(|two| u32::from(u16::from_be_bytes([two[0], two[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    packet[10..12].copy_from_slice(&(!(folded as u16)).to_be_bytes());
}

/// A connection, asked for with `tcp_ecn` as given on either side.
fn connected(asks: u8, agrees: u8) -> (World, SocketId, SocketId, Vec<(usize, Said)>) {
    let mut w = World::two();
    for (host, ecn) in [(0, asks), (1, agrees)] {
        let limits = Limits { ecn, ..w.hosts[host].tcp_limits().clone() };
        w.hosts[host].set_tcp_limits(limits);
    }
    let listener = w.listen(1, TO, 8);
    let client = w.connect(0, TO);
    let said = carry(&mut w, |_, _| false);
    let now = w.now;
    assert_eq!(w.hosts[0].connect(client, addr(TO), now), Ok(()));
    let child = w.hosts[1].accept(listener).unwrap();
    (w, client, child, said)
}

fn later(w: &mut World, ms: u64) {
    w.now = Instant(w.now.0 + ms * 1_000_000);
    let now = w.now;
    w.hosts.iter_mut().for_each(|host: &mut Host| host.advance(now));
}

fn window(w: &World, host: usize, id: SocketId) -> u32 {
    w.hosts[host].info(id, w.now).unwrap().tcp.unwrap().snd_cwnd
}

/// RFC 3168, 6.1.1: ECE and CWR on the SYN, ECE alone on the answer; neither is capable itself.
#[test]
fn the_handshake_agrees_on_it() {
    let (_, _, _, said) = connected(1, 2);
    let flags = ECE | CWR;
    assert_eq!((said[0].1.0, said[0].1.1 & flags), (0, flags));
    assert_eq!((said[1].1.0, said[1].1.1 & flags), (0, ECE));
    let (_, _, _, said) = connected(1, 0);
    assert_eq!(said[1].1.1 & (flags | SYN), SYN, "a server that does not know it");
    let (_, _, _, said) = connected(2, 2);
    assert_eq!(said[0].1.1 & flags, 0, "2 does not ask");
}

/// RFC 3168, 6.1.4 and 5: data is capable of being marked, pure acknowledgements are not.
#[test]
fn data_is_capable_acknowledgements_are_not() {
    let (mut w, client, _, _) = connected(1, 2);
    let now = w.now;
    w.hosts[0].send(client, &[7; 4000], now).unwrap();
    let said = carry(&mut w, |_, _| false);
    assert!(said.iter().all(|(_, (ip, _, len))| (*ip == 2) == (*len > 0)), "{said:?}");
}

/// RFC 3168, 6.1.2 and 6.1.3: a mark is echoed until CWR comes, and reduces the window once.
#[test]
fn a_mark_reduces_the_window_once_per_round_trip() {
    let (mut w, client, _, _) = connected(1, 2);
    later(&mut w, 20);
    let before = window(&w, 0, client);
    let now = w.now;
    w.hosts[0].send(client, &[7; 14_000], now).unwrap();
    let mut marked = 0;
    let said = carry(&mut w, |from, _| {
        marked += usize::from(from == 0);
        from == 0 && marked <= 2
    });
    assert!(said.iter().any(|(from, (_, flags, _))| *from == 1 && flags & ECE != 0), "the mark is echoed");
    let after = window(&w, 0, client);
    assert!(after < before && after >= before / 2, "{before} -> {after}, for two marks of one round trip");
    later(&mut w, 20);
    let now = w.now;
    w.hosts[0].send(client, &[7; 3000], now).unwrap();
    let said = carry(&mut w, |_, _| false);
    let first = said.iter().find(|(from, (_, _, len))| *from == 0 && *len > 0).unwrap();
    assert!(first.1.1 & CWR != 0, "the peer is told: {said:?}");
    let last = said.iter().rfind(|(from, _)| *from == 1).unwrap();
    assert_eq!(last.1.1 & ECE, 0, "and stops its echo");
}
