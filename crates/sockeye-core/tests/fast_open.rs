//! Fast Open (RFC 7413) between two hosts.

mod world;

use sockeye_core::Errno;
use sockeye_core::host::{Domain, SocketId};
use sockeye_core::tcp::Limits;
use world::{World, addr};

const IPPROTO_TCP: i32 = 6;
const TCP_INFO: i32 = 11;
const TCP_FASTOPEN: i32 = 23;
const TCP_FASTOPEN_CONNECT: i32 = 30;
const TCP_FASTOPEN_KEY: i32 = 33;
const TO: &str = "10.0.0.2:80";

fn allow(w: &mut World, host: usize, what: u32) {
    let limits = Limits { fast_open: what, ..w.hosts[host].tcp_limits().clone() };
    w.hosts[host].set_tcp_limits(limits);
}

/// A client and a server that both want it, and the server's listener.
fn two() -> (World, SocketId) {
    let mut w = World::two();
    allow(&mut w, 0, Limits::FAST_OPEN_CLIENT);
    allow(&mut w, 1, Limits::FAST_OPEN_SERVER);
    let listener = w.listen(1, TO, 8);
    let now = w.now;
    w.hosts[1].setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &8i32.to_ne_bytes(), now).unwrap();
    (w, listener)
}

/// Opens with data; says how much of it went with the SYN.
fn open(w: &mut World, data: &[u8]) -> (SocketId, Result<usize, Errno>) {
    let id = w.tcp(0, Domain::Inet);
    let now = w.now;
    let sent = w.hosts[0].send_opening(id, data, Some(addr(TO)), false, now);
    (id, sent)
}

/// A first connection, by which the client has the server's cookie.
fn learn(w: &mut World, listener: SocketId) {
    let (id, sent) = open(w, b"hello");
    assert_eq!(sent, Err(Errno::EINPROGRESS), "without a cookie nothing goes with the SYN");
    w.settle();
    let now = w.now;
    assert_eq!(w.hosts[0].connect(id, addr(TO), now), Ok(()));
    let child = w.hosts[1].accept(listener).unwrap();
    assert_eq!(w.recv(1, child), Err(Errno::EAGAIN));
    w.hosts[0].close(id, now);
    w.hosts[1].close(child, now);
    w.pass(1000);
}

/// `TCPI_OPT_SYN_DATA`.
fn took_data(w: &mut World, host: usize, id: SocketId) -> bool {
    let now = w.now;
    let info = w.hosts[host].getsockopt(id, IPPROTO_TCP, TCP_INFO, 280, now).unwrap();
    info[5] & 0x20 != 0
}

/// RFC 7413, 3: a cookie is asked for once; then data goes with the SYN.
#[test]
fn data_goes_with_the_syn() {
    let (mut w, listener) = two();
    learn(&mut w, listener);
    let (id, sent) = open(&mut w, b"hello");
    assert_eq!(sent, Ok(5));
    // The answer is lost: the server's program has the data all the same (4.2.2).
    w.lose = vec![w.carried + 2];
    w.settle();
    let child = w.hosts[1].accept(listener).unwrap();
    assert_eq!(w.recv(1, child), Ok(b"hello".to_vec()));
    let now = w.now;
    assert_eq!(w.hosts[1].send(child, b"early", now), Ok(5));
    w.pass(3000);
    let now = w.now;
    assert_eq!(w.hosts[0].connect(id, addr(TO), now), Ok(()));
    assert_eq!(w.recv(0, id), Ok(b"early".to_vec()));
    assert!(took_data(&mut w, 1, child));
    assert!(took_data(&mut w, 0, id));
}

/// RFC 7413, 4.1.2: a cookie of another key is not good; the data comes again after the handshake.
#[test]
fn a_stale_cookie_costs_a_round_trip() {
    let (mut w, listener) = two();
    learn(&mut w, listener);
    let now = w.now;
    w.hosts[1].setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, &[9; 16], now).unwrap();
    let (id, sent) = open(&mut w, b"hello");
    assert_eq!(sent, Ok(5));
    w.settle();
    let child = w.hosts[1].accept(listener).unwrap();
    assert_eq!(w.recv(1, child), Ok(b"hello".to_vec()));
    assert!(!took_data(&mut w, 1, child) && !took_data(&mut w, 0, id));
    // The answer brought the new one.
    let (id, sent) = open(&mut w, b"again");
    assert_eq!(sent, Ok(5));
    w.settle();
    assert!(took_data(&mut w, 0, id));
}

/// RFC 7413, 4.1.3: a SYN that is sent again is a plain one.
#[test]
fn a_lost_syn_is_sent_again_without_data() {
    let (mut w, listener) = two();
    learn(&mut w, listener);
    let (id, sent) = open(&mut w, b"hello");
    assert_eq!(sent, Ok(5));
    w.lose = vec![w.carried + 1];
    w.pass(3000);
    let now = w.now;
    assert_eq!(w.hosts[0].connect(id, addr(TO), now), Ok(()));
    let child = w.hosts[1].accept(listener).unwrap();
    assert_eq!(w.recv(1, child), Ok(b"hello".to_vec()));
    assert!(!took_data(&mut w, 0, id));
}

/// RFC 7413, 5.1: how many may be open early has a limit.
#[test]
fn a_listener_gives_no_more_than_its_limit_away() {
    let (mut w, listener) = two();
    learn(&mut w, listener);
    let now = w.now;
    w.hosts[1].setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &1i32.to_ne_bytes(), now).unwrap();
    // Both answers are lost, so neither handshake ends.
    let both = [open(&mut w, b"one").0, open(&mut w, b"two").0];
    w.lose = vec![w.carried + 3, w.carried + 4];
    w.settle();
    assert!(w.hosts[1].accept(listener).is_ok());
    assert_eq!(w.hosts[1].accept(listener), Err(Errno::EAGAIN));
    w.pass(5000);
    assert!(w.hosts[1].accept(listener).is_ok());
    both.into_iter().for_each(|id| assert!(w.hosts[0].contains(id)));
}

/// `TCP_FASTOPEN_CONNECT`: connect returns at once where the cookie is known, and the first write opens.
#[test]
fn a_connect_waits_for_its_data() {
    let (mut w, listener) = two();
    learn(&mut w, listener);
    let id = w.tcp(0, Domain::Inet);
    let now = w.now;
    w.hosts[0].setsockopt(id, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &1i32.to_ne_bytes(), now).unwrap();
    assert_eq!(w.hosts[0].connect(id, addr(TO), now), Ok(()));
    assert_eq!(w.hosts[0].connect(id, addr(TO), now), Err(Errno::EISCONN));
    w.settle();
    assert!(w.hosts[1].accept(listener).is_err(), "nothing has gone out");
    assert!(w.hosts[0].readiness(id).contains(sockeye_core::Readiness::OUT));
    assert!(w.hosts[0].awaits_opening(id));
    assert_eq!(w.hosts[0].send_opening(id, b"hello", None, false, now), Ok(5));
    w.settle();
    let child = w.hosts[1].accept(listener).unwrap();
    assert_eq!(w.recv(1, child), Ok(b"hello".to_vec()));
}

/// Nothing of it happens where nobody asked.
#[test]
fn it_is_off_at_first() {
    let mut w = World::two();
    let id = w.tcp(0, Domain::Inet);
    let now = w.now;
    assert_eq!(w.hosts[0].send_opening(id, b"x", Some(addr(TO)), false, now), Err(Errno::EOPNOTSUPP));
    let set = w.hosts[0].setsockopt(id, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &1i32.to_ne_bytes(), now);
    assert_eq!(set, Err(Errno::EOPNOTSUPP));
}
