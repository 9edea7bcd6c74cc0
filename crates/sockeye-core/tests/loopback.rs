//! TCP and UDP inside one host.

mod world;

use sockeye_core::host::{Event, Host, SendControl, Shutdown};
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
