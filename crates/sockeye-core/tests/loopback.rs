//! TCP and UDP inside one host.

mod world;

use sockeye_core::host::{Domain, Event, Host, SendControl, Shutdown};
use sockeye_core::{Errno, Payload, Readiness};
use world::{World, addr};

fn exchange(at: &str, to: &str, peer: &str) {
    let mut w = World::one();
    let listener = w.listen(0, at, 8);
    let (client, server) = w.pair(listener, 0, 0, to);
    let now = w.now;
    assert_eq!(w.host().peer_addr(client).unwrap(), addr(peer));
    assert_eq!(w.host().local_addr(server).unwrap().port(), addr(to).port());
    assert_eq!(w.host().peer_addr(server).unwrap().port(), w.hosts[0].local_addr(client).unwrap().port());
    assert_eq!(w.host().send(client, b"ping", now), Ok(4));
    w.settle();
    assert_eq!(w.recv(0, server), Ok(b"ping".to_vec()));
    assert_eq!(w.recv(0, server), Err(Errno::EAGAIN));
    assert_eq!(w.host().send(server, b"pong!", now), Ok(5));
    w.settle();
    assert_eq!(w.recv(0, client), Ok(b"pong!".to_vec()));
    w.host().shutdown(client, Shutdown::Write, now).unwrap();
    w.settle();
    assert_eq!(w.recv(0, server), Ok(vec![]));
    w.host().close(server, now);
    w.settle();
    assert_eq!(w.recv(0, client), Ok(vec![]));
    w.host().close(client, now);
    w.pass(61_000);
    assert!(w.hosts[0].unowned(w.now).is_empty(), "TIME-WAIT is over");
    assert_eq!(w.hosts[0].sockets().collect::<Vec<_>>(), [listener]);
}

#[test]
fn streams_connect_in_every_way() {
    exchange("127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:80");
    exchange("0.0.0.0:80", "127.5.5.5:80", "127.5.5.5:80");
    exchange("0.0.0.0:80", "0.0.0.0:80", "127.0.0.1:80");
    exchange("[::1]:80", "[::1]:80", "[::1]:80");
    exchange("[::]:80", "[::]:80", "[::1]:80");
    exchange("[::]:80", "127.0.0.1:80", "127.0.0.1:80");
    exchange("0.0.0.0:80", "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80");
}

#[test]
fn accepted_addresses_are_mapped_on_a_dual_stack_listener() {
    let mut w = World::one();
    let listener = w.listen(0, "[::]:80", 8);
    let (client, server) = w.pair(listener, 0, 0, "127.0.0.1:80");
    let port = w.hosts[0].local_addr(client).unwrap().port();
    assert_eq!(w.hosts[0].local_addr(server), Ok(addr("[::ffff:127.0.0.1]:80")));
    assert_eq!(w.hosts[0].peer_addr(server), Ok(addr(&format!("[::ffff:127.0.0.1]:{port}"))));
}

#[test]
fn events_tell_what_happened_once() {
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 8);
    w.events(0);
    let client = w.connect(0, "127.0.0.1:80");
    w.settle();
    let child = w.hosts[0].accept_queue(listener).next().unwrap();
    let events = w.events(0);
    assert!(events.contains(&Event::Ready(client)));
    assert!(events.contains(&Event::Acceptable { listener, child }));
    assert_eq!(w.hosts[0].readiness(listener), Readiness::IN);
    assert_eq!(w.hosts[0].readiness(client), Readiness::OUT);
    assert_eq!(w.events(0), []);
    let now = w.now;
    w.host().send(client, b"x", now).unwrap();
    w.settle();
    assert!(w.events(0).contains(&Event::Ready(child)));
    assert_eq!(w.hosts[0].accept(listener), Ok(child));
    w.host().unaccept(listener, child);
    assert_eq!(w.hosts[0].accept(listener), Ok(child));
    assert_eq!(w.hosts[0].accept(listener), Err(Errno::EAGAIN));
}

#[test]
fn a_megabyte_goes_through_in_place() {
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 8);
    let (client, server) = w.pair(listener, 0, 0, "127.0.0.1:80");
    let (mut sent, mut got, total) = (0usize, 0usize, 8 << 20);
    let now = w.now;
    while got < total {
        while sent < total {
            let Ok(room) = w.host().send_reserve(client, (total - sent).min(65536)) else { break };
            let n = room.len();
            room.iter_mut().zip(sent..).for_each(|(byte, at)| *byte = (at % 251) as u8);
            w.host().send_commit(client, n, now);
            sent += n;
        }
        w.settle();
        let slices = w.host().recv_slices(server).unwrap();
        let mut n = 0;
        for slice in &slices {
            assert!(slice.iter().zip(got + n..).all(|(byte, at)| *byte == (at % 251) as u8));
            n += slice.len();
        }
        drop(slices);
        got += n;
        w.host().consume(server, n, now);
        w.settle();
    }
    assert_eq!((sent, got), (total, total));
}

#[test]
fn datagrams_arrive_at_once() {
    for (at, to) in [("127.0.0.1:53", "127.0.0.1:53"), ("[::]:53", "127.0.0.1:53"), ("[::1]:53", "[::1]:53")]
    {
        let mut w = World::one();
        let server = w.bound_udp(0, at);
        let client = w.udp(0, world::family(to));
        let now = w.now;
        let send = |host: &mut Host, data: &'static [u8]| {
            host.send_to(
                client,
                Payload::from(bytes::Bytes::from_static(data)),
                Some(addr(to)),
                &SendControl::default(),
                now,
            )
        };
        assert_eq!(send(w.host(), b"hello"), Ok(5));
        assert_eq!(send(w.host(), b""), Ok(0));
        assert_eq!(w.hosts[0].next_datagram_len(server), Some(5));
        let datagram = w.host().recv_from(server, false, now).unwrap();
        assert_eq!(datagram.payload.to_vec(), b"hello");
        assert_eq!(datagram.from.port(), w.hosts[0].local_addr(client).unwrap().port());
        assert_eq!(datagram.from.is_ipv4(), addr(at).is_ipv4());
        assert!(w.host().recv_from(server, false, now).unwrap().payload.is_empty());
        assert_eq!(w.host().recv_from(server, false, now).unwrap_err(), Errno::EAGAIN);
    }
}

#[test]
fn a_group_is_heard_by_its_members() {
    let mut w = World::one();
    let now = w.now;
    let membership = [224, 1, 1, 1, 127, 0, 0, 1];
    let members: Vec<_> = (0..2)
        .map(|_| {
            let id = w.udp(0, Domain::Inet);
            w.host().setsockopt(id, 1, 2, &1i32.to_ne_bytes(), now).unwrap();
            w.host().bind(id, addr("0.0.0.0:5353")).unwrap();
            w.host().setsockopt(id, 0, 35, &membership, now).unwrap();
            id
        })
        .collect();
    let sender = w.udp(0, Domain::Inet);
    w.host().setsockopt(sender, 0, 32, &[127, 0, 0, 1], now).unwrap();
    let none = SendControl::default();
    let payload = Payload::from(bytes::Bytes::from_static(b"all"));
    w.host().send_to(sender, payload.clone(), Some(addr("224.1.1.1:5353")), &none, now).unwrap();
    for member in &members {
        assert_eq!(w.recv(0, *member), Ok(b"all".to_vec()));
        w.host().setsockopt(*member, 0, 36, &membership, now).unwrap();
    }
    w.host().send_to(sender, payload, Some(addr("224.1.1.1:5353")), &none, now).unwrap();
    assert_eq!(w.recv(0, members[0]), Err(Errno::EAGAIN));
}

#[test]
fn a_socket_can_connect_to_itself() {
    let mut w = World::one();
    let id = w.tcp(0, Domain::Inet);
    let now = w.now;
    w.host().bind(id, addr("127.0.0.1:7777")).unwrap();
    assert_eq!(w.host().connect(id, addr("127.0.0.1:7777"), now), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.hosts[0].readiness(id), Readiness::OUT);
    w.host().send(id, b"me", now).unwrap();
    w.settle();
    assert_eq!(w.recv(0, id), Ok(b"me".to_vec()));
    w.host().close(id, now);
    w.pass(300_000);
    assert!(w.hosts[0].unowned(w.now).is_empty());
}

#[test]
fn ten_thousand_connections_through_one_listener() {
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 16);
    let now = w.now;
    let mut ends = Vec::new();
    for _ in 0..10_000 {
        let client = w.connect(0, "127.0.0.1:80");
        w.settle();
        ends.push((client, w.host().accept(listener).unwrap()));
    }
    for (client, server) in &ends {
        w.host().send(*client, b"x", now).unwrap();
        w.settle();
        assert_eq!(w.recv(0, *server), Ok(b"x".to_vec()));
    }
    for (client, server) in ends {
        w.host().abort(client, now);
        w.settle();
        w.host().close(server, now);
    }
    assert_eq!(w.hosts[0].sockets().count(), 1);
    assert!(w.hosts[0].unowned(now).is_empty());
}

#[test]
fn a_host_can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Host>();
}
