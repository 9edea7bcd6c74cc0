//! Backlogs, ephemeral ports, TIME-WAIT, sharing by SO_REUSEPORT, interception.

mod world;

use sockeye_core::host::{Domain, HostConfig, SendControl, SocketId};
use sockeye_core::tcp::State;
use sockeye_core::{Errno, Payload};
use std::collections::BTreeSet;
use world::{World, addr};

fn state(w: &World, id: SocketId) -> State {
    w.hosts[0].info(id, w.now).unwrap().state
}

fn set(w: &mut World, id: SocketId, name: i32) {
    let now = w.now;
    w.host().setsockopt(id, 1, name, &1i32.to_ne_bytes(), now).unwrap();
}

#[test]
fn a_backlog_of_one_admits_two() {
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 1);
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(w.connect(0, "127.0.0.1:80"));
        w.settle();
    }
    let info = w.hosts[0].info(listener, w.now).unwrap();
    assert_eq!((info.recv_q, info.send_q), (2, 1));
    let connected = clients.iter().filter(|c| state(&w, **c) == State::Established).count();
    assert_eq!(connected, 2);
    assert!(w.hosts[0].counters().listen_drops > 0);
    while w.host().accept(listener).is_ok() {}
    w.pass(4_000);
    for client in clients {
        assert_eq!(state(&w, client), State::Established);
    }
}

#[test]
fn closing_a_listener_resets_who_waits() {
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 8);
    let client = w.connect(0, "127.0.0.1:80");
    w.settle();
    let now = w.now;
    w.host().close(listener, now);
    w.settle();
    assert_eq!(w.recv(0, client), Err(Errno::ECONNRESET));
    assert!(w.hosts[0].unowned(w.now).is_empty());
    w.listen(0, "127.0.0.1:80", 8);
}

#[test]
fn ports_of_the_range_run_out_per_destination() {
    let config = HostConfig { ephemeral_ports: (40000, 40003), ..HostConfig::default() };
    let mut w = World::of(vec![config]);
    w.listen(0, "0.0.0.0:80", 16);
    let clients: Vec<_> = (0..4).map(|_| w.connect(0, "127.0.0.1:80")).collect();
    w.settle();
    let ports: BTreeSet<_> = clients.iter().map(|c| w.hosts[0].local_addr(*c).unwrap().port()).collect();
    assert_eq!(ports, (40000..=40003).collect());
    let fifth = w.tcp(0, Domain::Inet);
    let now = w.now;
    assert_eq!(w.host().connect(fifth, addr("127.0.0.1:80"), now), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.host().connect(fifth, addr("127.0.0.2:80"), now), Err(Errno::EINPROGRESS));
    let bound = w.tcp(0, Domain::Inet);
    assert_eq!(w.host().bind(bound, addr("0.0.0.0:0")), Err(Errno::EADDRINUSE));
}

#[test]
fn the_same_four_values_are_refused() {
    let mut w = World::one();
    w.listen(0, "127.0.0.1:80", 8);
    let [one, two] = [(); 2].map(|()| {
        let id = w.tcp(0, Domain::Inet);
        set(&mut w, id, 2);
        w.host().bind(id, addr("127.0.0.1:5000")).unwrap();
        id
    });
    let now = w.now;
    assert_eq!(w.host().connect(one, addr("127.0.0.1:80"), now), Err(Errno::EINPROGRESS));
    assert_eq!(w.host().connect(two, addr("127.0.0.1:80"), now), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.host().connect(two, addr("127.0.0.1:81"), now), Err(Errno::EINPROGRESS));
}

#[test]
fn a_port_is_free_after_the_last_close() {
    let mut w = World::one();
    let now = w.now;
    for _ in 0..1000 {
        let id = w.listen(0, "127.0.0.1:80", 8);
        w.host().close(id, now);
        let id = w.bound_udp(0, "127.0.0.1:80");
        w.host().close(id, now);
    }
    assert_eq!(w.hosts[0].sockets().count(), 0);
    assert_eq!(w.hosts[0].port_holders(6, 80).len(), 0);
}

/// A server that closed first leaves its port in TIME-WAIT.
#[test]
fn time_wait_keeps_the_port_from_who_does_not_reuse() {
    for reuse in [false, true] {
        let mut w = World::one();
        let listener = w.tcp(0, Domain::Inet);
        if reuse {
            set(&mut w, listener, 2);
        }
        w.host().bind(listener, addr("127.0.0.1:80")).unwrap();
        w.host().listen(listener, 8).unwrap();
        let (client, server) = w.pair(listener, 0, 0, "127.0.0.1:80");
        let now = w.now;
        w.host().close(server, now);
        w.settle();
        w.host().close(client, now);
        w.settle();
        w.host().close(listener, now);
        assert_eq!(w.hosts[0].unowned(now).iter().map(|i| i.state).collect::<Vec<_>>(), [State::TimeWait]);
        let next = w.tcp(0, Domain::Inet);
        assert_eq!(w.host().bind(next, addr("127.0.0.1:80")), Err(Errno::EADDRINUSE));
        set(&mut w, next, 2);
        let expected = if reuse { Ok(()) } else { Err(Errno::EADDRINUSE) };
        assert_eq!(w.host().bind(next, addr("127.0.0.1:80")), expected);
        w.pass(60_000);
        let late = w.tcp(0, Domain::Inet);
        assert_eq!(w.host().bind(late, addr("127.0.0.2:80")), Ok(()));
        assert!(w.hosts[0].unowned(w.now).is_empty());
    }
}

#[test]
fn connect_takes_a_time_wait_of_loopback_after_a_second() {
    let config = HostConfig { ephemeral_ports: (40000, 40000), ..HostConfig::default() };
    let mut w = World::of(vec![config]);
    let listener = w.listen(0, "127.0.0.1:80", 8);
    for round in 0..3 {
        let (client, server) = w.pair(listener, 0, 0, "127.0.0.1:80");
        let now = w.now;
        w.host().close(client, now);
        w.settle();
        w.host().close(server, now);
        w.settle();
        let early = w.tcp(0, Domain::Inet);
        assert_eq!(w.host().connect(early, addr("127.0.0.1:80"), now), Err(Errno::EADDRNOTAVAIL));
        w.pass(1_100);
        assert_eq!(w.hosts[0].counters().tcp_time_waits_recycled, round);
    }
}

#[test]
fn reuseport_spreads() {
    let mut w = World::one();
    let listeners: Vec<_> = (0..4)
        .map(|_| {
            let id = w.tcp(0, Domain::Inet);
            set(&mut w, id, 15);
            w.host().bind(id, addr("0.0.0.0:80")).unwrap();
            w.host().listen(id, 4096).unwrap();
            id
        })
        .collect();
    for _ in 0..400 {
        w.connect(0, "127.0.0.1:80");
    }
    w.settle();
    for id in listeners {
        let n = w.hosts[0].accept_queue(id).count();
        assert!((50..150).contains(&n), "{n} of 400 for one of four");
    }
}

#[test]
fn a_connected_datagram_socket_hears_its_peer_only() {
    let mut w = World::one();
    let [server, peer, other] =
        ["127.0.0.1:53", "127.0.0.1:1001", "127.0.0.1:1002"].map(|at| w.bound_udp(0, at));
    let now = w.now;
    w.host().connect(server, addr("127.0.0.1:1001"), now).unwrap();
    let none = SendControl::default();
    for (from, heard) in [(peer, true), (other, false)] {
        let payload = Payload::from(bytes::Bytes::from_static(b"x"));
        w.host().send_to(from, payload, Some(addr("127.0.0.1:53")), &none, now).unwrap();
        assert_eq!(w.host().recv_from(server, false, now).is_ok(), heard);
    }
    w.host().disconnect(server, now).unwrap();
    assert_eq!(w.host().peer_addr(server), Err(Errno::ENOTCONN));
    assert_eq!(w.host().send_to(server, Payload::new(), None, &none, now), Err(Errno::EDESTADDRREQ));
    let payload = Payload::from(bytes::Bytes::from_static(b"x"));
    w.host().send_to(other, payload, Some(addr("127.0.0.1:53")), &none, now).unwrap();
    assert!(w.host().recv_from(server, false, now).is_ok());
}

#[test]
fn a_full_receive_queue_drops_and_counts() {
    let mut w = World::one();
    let server = w.bound_udp(0, "127.0.0.1:53");
    let client = w.udp(0, Domain::Inet);
    let now = w.now;
    w.host().connect(client, addr("127.0.0.1:53"), now).unwrap();
    for _ in 0..400 {
        assert_eq!(w.host().send(client, b"x", now), Ok(1));
    }
    let got = std::iter::from_fn(|| w.host().recv_from(server, false, now).ok()).count();
    // What 212992 bytes hold of datagrams that Linux charges with 768 each, and one more.
    assert_eq!(got, 278);
    assert_eq!(w.hosts[0].counters().udp_rcvbuf_errors, 122);
}

#[test]
fn an_interceptor_answers_for_every_address() {
    let mut w = World::one();
    let now = w.now;
    let resolver = w.bound_udp(0, "0.0.0.0:53");
    let listener = w.listen(0, "0.0.0.0:53", 8);
    w.host().intercept(resolver).unwrap();
    w.host().intercept(listener).unwrap();
    let client = w.udp(0, Domain::Inet);
    w.host().connect(client, addr("8.8.8.8:53"), now).unwrap();
    w.host().send(client, b"query", now).unwrap();
    let query = w.host().recv_from(resolver, false, now).unwrap();
    assert_eq!(query.to, addr("8.8.8.8:53").ip());
    let answer = Payload::from(bytes::Bytes::from_static(b"answer"));
    let control = SendControl { source: Some(query.to), ..SendControl::default() };
    w.host().send_to(resolver, answer, Some(query.from), &control, now).unwrap();
    assert_eq!(w.recv(0, client), Ok(b"answer".to_vec()));
    let (stream, accepted) = w.pair(listener, 0, 0, "127.0.0.53:53");
    assert_eq!(w.hosts[0].local_addr(accepted), Ok(addr("127.0.0.53:53")));
    let (_, accepted) = w.pair(listener, 0, 0, "9.9.9.9:53");
    assert_eq!(w.hosts[0].local_addr(accepted), Ok(addr("9.9.9.9:53")));
    w.host().send(stream, b"x", now).unwrap();
    // A program's own server comes first.
    let own = w.bound_udp(0, "0.0.0.0:53");
    let other = w.udp(0, Domain::Inet);
    let none = SendControl::default();
    w.host().send_to(other, Payload::new(), Some(addr("127.0.0.1:53")), &none, now).unwrap();
    assert!(w.host().recv_from(own, false, now).is_ok());
    let elsewhere = w.udp(0, Domain::Inet);
    assert_eq!(w.host().connect(elsewhere, addr("8.8.8.8:54"), now), Err(Errno::ENETUNREACH));
}
