//! SYN cookies (RFC 4987): a listener under a flood of SYNs answers whoever means it.

mod world;

use sockeye_core::Errno;
use sockeye_core::host::{IfIndex, SocketId};
use sockeye_core::tcp::{Limits, TcpInfo};
use sockeye_core::{Instant, Packet};
use world::{World, addr};

const TO: &str = "10.0.0.2:80";
const BACKLOG: i32 = 4;

/// Sends what host `from` has; `deliver` says whether it arrives.
fn send(w: &mut World, from: usize, deliver: bool) -> usize {
    let mut out = vec![];
    while w.hosts[from].transmit(w.now, 64, &mut out) {}
    let count = out.len();
    for (_, packet) in out.into_iter().filter(|_| deliver) {
        let mut bytes = vec![];
        packet.write_to(&mut bytes);
        w.hosts[1 - from].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), w.now);
    }
    count
}

/// A listener whose queue of half-open connections is full: the answers to `BACKLOG` + 1 SYNs got lost.
fn flooded(change: impl Fn(&mut Limits)) -> (World, SocketId) {
    let mut w = World::two();
    for host in &mut w.hosts {
        let mut limits = host.tcp_limits().clone();
        change(&mut limits);
        host.set_tcp_limits(limits);
    }
    let listener = w.listen(1, TO, BACKLOG);
    for _ in 0..=BACKLOG {
        let client = w.connect(0, TO);
        send(&mut w, 0, true);
        send(&mut w, 1, false);
        let now = w.now;
        w.hosts[0].close(client, now);
        send(&mut w, 0, false);
    }
    assert_eq!(w.hosts[1].unowned(w.now).len(), BACKLOG as usize + 1);
    (w, listener)
}

fn info(w: &World, host: usize, id: SocketId) -> TcpInfo {
    *w.hosts[host].info(id, w.now).unwrap().tcp.unwrap()
}

fn count(w: &World, name: &str) -> u64 {
    w.hosts[1].counters().iter().find(|(n, _)| *n == name).unwrap().1
}

#[test]
fn who_answers_a_cookie_is_connected_with_all_that_was_agreed_on() {
    let (mut w, listener) = flooded(|_| {});
    let client = w.connect(0, TO);
    send(&mut w, 0, true);
    assert_eq!(w.hosts[1].unowned(w.now).len(), BACKLOG as usize + 1, "nothing is kept of the SYN");
    assert_eq!(count(&w, "TcpExtSyncookiesSent"), 1);
    w.settle();
    assert_eq!(count(&w, "TcpExtSyncookiesRecv"), 1);
    let child = w.hosts[1].accept(listener).unwrap();
    let (ours, theirs) = (info(&w, 1, child), info(&w, 0, client));
    assert!(ours.sack && ours.timestamps && theirs.sack && theirs.timestamps);
    assert_eq!((ours.snd_wscale, ours.rcv_wscale), (theirs.rcv_wscale, theirs.snd_wscale));
    assert_eq!(ours.snd_mss, theirs.snd_mss);
    let now = w.now;
    for (from, id, other) in [(0, client, child), (1, child, client)] {
        assert_eq!(w.hosts[from].send(id, &[7; 5000], now), Ok(5000));
        w.settle();
        assert_eq!(w.recv(1 - from, other).map(|bytes| bytes.len()), Ok(5000));
    }
}

#[test]
fn without_time_stamps_only_the_segment_size_comes_back() {
    let (mut w, listener) = flooded(|limits| limits.timestamps = false);
    let client = w.connect(0, TO);
    w.settle();
    let child = w.hosts[1].accept(listener).unwrap();
    for (host, id) in [(0, client), (1, child)] {
        let info = info(&w, host, id);
        assert_eq!((info.sack, info.snd_wscale, info.rcv_wscale, info.snd_mss), (false, 0, 0, 1460));
    }
}

#[test]
fn a_cookie_that_is_too_old_is_refused() {
    let (mut w, _) = flooded(|_| {});
    let client = w.connect(0, TO);
    send(&mut w, 0, true);
    send(&mut w, 1, true);
    // Its acknowledgement takes three minutes. Meanwhile there is another one of the flood, so that some are expected.
    let mut late = vec![];
    while w.hosts[0].transmit(w.now, 64, &mut late) {}
    w.now = Instant(w.now.0 + 180 * 1_000_000_000);
    let _ = w.connect(0, TO);
    send(&mut w, 0, true);
    send(&mut w, 1, false);
    for (_, packet) in late {
        let mut bytes = vec![];
        packet.write_to(&mut bytes);
        w.hosts[1].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), w.now);
    }
    assert_eq!((count(&w, "TcpExtSyncookiesRecv"), count(&w, "TcpExtSyncookiesFailed")), (0, 1));
    send(&mut w, 1, true);
    let now = w.now;
    assert_eq!(w.hosts[0].send(client, b"x", now), Err(Errno::ECONNRESET));
}

#[test]
fn without_cookies_a_full_queue_drops() {
    let (mut w, listener) = flooded(|limits| limits.syn_cookies = 0);
    w.connect(0, TO);
    w.settle();
    assert_eq!(w.hosts[1].accept(listener), Err(Errno::EAGAIN));
    assert_eq!((count(&w, "TcpExtSyncookiesSent"), count(&w, "TcpExtListenDrops")), (0, 1));
}

#[test]
fn an_acknowledgement_out_of_nothing_is_reset_as_ever() {
    let (mut w, _) = flooded(|_| {});
    let before = w.hosts[1].tcp_counters().out_rsts;
    let client = w.connect(0, TO);
    w.settle();
    // The connection is there; its copy on another port is not.
    let now = w.now;
    w.hosts[0].send(client, b"x", now).unwrap();
    let mut out = vec![];
    while w.hosts[0].transmit(w.now, 64, &mut out) {}
    let mut bytes = vec![];
    out.pop().unwrap().1.write_to(&mut bytes);
    let port = u16::from_be_bytes([bytes[20], bytes[21]]);
    // One more in the port, one less in the checksum.
    bytes[20..22].copy_from_slice(&(port + 1).to_be_bytes());
    let sum = u16::from_be_bytes([bytes[36], bytes[37]]);
    bytes[36..38].copy_from_slice(&(sum - 1).to_be_bytes());
    w.hosts[1].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), w.now);
    assert_eq!(w.hosts[1].tcp_counters().out_rsts, before + 1);
    assert_eq!(count(&w, "TcpExtSyncookiesFailed"), 1);
    let _ = addr(TO);
}
