//! Unix-domain sockets of a host in Rust: as std's, in name spaces of their own.

use sockeye::net::unix::SocketAddr;
use sockeye::net::{UnixDatagram, UnixListener, UnixStream};
use sockeye::{Lab, Link, aio};
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

fn lab() -> Lab {
    Lab::builder().host("a").host("b").link("a", "b", Link::new()).build().expect("a lab")
}

#[test]
fn a_stream_carries_bytes_both_ways_and_ends() {
    let lab = lab();
    let net = lab.host("a").net();
    let listener = UnixListener::bind(&net, "/run/echo").expect("a free path");
    let server = thread::spawn(move || {
        let (mut stream, addr) = listener.accept().expect("a client");
        assert!(addr.is_unnamed());
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("until the end");
        stream.write_all(&all).expect("the echo");
    });
    let mut client = UnixStream::connect(&net, "/run/echo").expect("a listener");
    assert_eq!(client.peer_addr().expect("a peer").as_pathname(), Some("/run/echo".as_ref()));
    // More than the buffer holds: the writer waits for the reader.
    let sent: Vec<u8> = (0..2_000_000u32).map(|n| (n % 251) as u8).collect();
    client.write_all(&sent).expect("all of it");
    client.shutdown(sockeye::net::Shutdown::Write).expect("connected");
    let mut echo = Vec::new();
    client.read_to_end(&mut echo).expect("the echo");
    assert!(echo == sent);
    server.join().expect("no panic");
}

#[test]
fn names_are_a_hosts_own_and_stay_until_removed() {
    let lab = lab();
    let (a, b) = (lab.host("a").net(), lab.host("b").net());
    let first = UnixListener::bind(&a, "/tmp/s").expect("a free path");
    assert!(!std::path::Path::new("/tmp/s").exists(), "no file of the machine");
    UnixListener::bind(&b, "/tmp/s").expect("another host has its own");
    assert_eq!(UnixListener::bind(&a, "/tmp//./s").expect_err("taken").kind(), ErrorKind::AddrInUse);
    drop(first);
    assert_eq!(UnixStream::connect(&a, "/tmp/s").expect_err("gone").kind(), ErrorKind::ConnectionRefused);
    assert_eq!(UnixListener::bind(&a, "/tmp/s").expect_err("the file is there").kind(), ErrorKind::AddrInUse);
    a.remove_file("/tmp/s").expect("it is there");
    assert_eq!(UnixStream::connect(&a, "/tmp/s").expect_err("gone").kind(), ErrorKind::NotFound);
    assert_eq!(a.remove_file("/tmp/s").expect_err("gone").kind(), ErrorKind::NotFound);
    UnixListener::bind(&a, "/tmp/s").expect("free again");
    let long = "x".repeat(108);
    assert_eq!(SocketAddr::from_pathname(long).expect_err("too long").kind(), ErrorKind::InvalidInput);
    let hidden = SocketAddr::from_abstract_name("hidden").expect("short");
    let listener = UnixListener::bind_addr(&a, &hidden).expect("free");
    UnixStream::connect_addr(&a, &hidden).expect("a listener");
    drop(listener);
    UnixListener::bind_addr(&a, &hidden).expect("an abstract name goes with its socket");
}

#[test]
fn datagrams_are_whole_and_none_is_lost() {
    let lab = lab();
    let net = lab.host("a").net();
    let receiver = UnixDatagram::bind(&net, "/in").expect("a free path");
    let senders: Vec<_> = (0..4)
        .map(|n: u8| {
            let sender = UnixDatagram::unbound(&net).expect("a socket");
            sender.connect("/in").expect("a receiver");
            thread::spawn(move || {
                for i in 0..500u16 {
                    let [high, low] = i.to_be_bytes();
                    assert_eq!(sender.send(&[n, high, low]).expect("it waits"), 3);
                }
            })
        })
        .collect();
    let mut next = [0u16; 4];
    for _ in 0..2000 {
        let mut buf = [0; 8];
        assert_eq!(receiver.recv(&mut buf).expect("a datagram"), 3);
        let expected = &mut next[usize::from(buf[0])];
        assert_eq!(u16::from_be_bytes([buf[1], buf[2]]), *expected);
        *expected += 1;
    }
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
    receiver.set_read_timeout(Some(Duration::from_millis(20))).expect("not zero");
    assert_eq!(receiver.recv(&mut [0; 8]).expect_err("no more").kind(), ErrorKind::WouldBlock);
}

#[test]
fn sockets_are_handed_over_and_end_with_their_last_holder() {
    let lab = lab();
    let net = lab.host("a").net();
    let (one, other) = UnixStream::pair(&net).expect("a pair");
    let listener = sockeye::net::TcpListener::bind(&net, "0.0.0.0:80").expect("a free port");
    let (mut left, right) = UnixStream::pair(&net).expect("a pair");
    let server = sockeye::net::Socket::from(listener);
    one.send_with(b"tcp", &[server]).expect("room");
    let (n, sockets) = other.recv_with(&mut [0; 16]).expect("a message");
    assert_eq!((n, sockets.len()), (3, 1));
    let client = sockeye::net::TcpStream::connect(&net, "127.0.0.1:80").expect("it listens still");
    let (_accepted, _) = sockets[0].accept().expect("the client");
    drop(client);
    // One that nobody takes is closed with the socket that it was sent to.
    one.send_with(b"left", &[sockeye::net::Socket::from(right)]).expect("room");
    left.set_nonblocking(true).expect("never fails");
    assert_eq!(left.read(&mut [0; 4]).expect_err("it lives on its way").kind(), ErrorKind::WouldBlock);
    drop(other);
    assert_eq!(left.read(&mut [0; 4]).expect("its end"), 0);
    assert_eq!(one.peek(&mut [0; 4]).expect_err("unread data").kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_crash_ends_them_all() {
    let lab = lab();
    let host = lab.host("a");
    let net = host.net();
    let (one, other) = UnixStream::pair(&net).expect("a pair");
    let (passed, _kept) = UnixStream::pair(&net).expect("a pair");
    one.send_with(b"x", &[sockeye::net::Socket::from(passed)]).expect("room");
    let waiting = thread::spawn(move || {
        let mut other = other;
        other.read_exact(&mut [0; 2])
    });
    thread::sleep(Duration::from_millis(20));
    host.crash();
    assert!(waiting.join().expect("no panic").is_err());
    host.start();
    UnixListener::bind(&net, "/again").expect("a new life");
}

#[test]
fn tasks_in_simulated_time_use_them_too() {
    let sim = Lab::simulated(3).host("a").build().expect("a lab");
    sim.spawn("a", |node| async move {
        let listener = aio::UnixListener::bind(node.net(), "/run/s").expect("a free path");
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.expect("until the end");
            stream.write_all(&all).await.expect("the echo");
        }
    });
    let node = sim.node("a");
    let echo = sim.block_on(async {
        let stream = aio::UnixStream::connect(node.net(), "/run/s").await.expect("a listener");
        stream.write_all(&[7; 400_000]).await.expect("room");
        stream.shut(sockeye::net::Shutdown::Write).expect("connected");
        let mut echo = Vec::new();
        stream.read_to_end(&mut echo).await.expect("the echo");
        let (one, other) = aio::UnixDatagram::pair(node.net()).expect("a pair");
        one.send(b"datagram").await.expect("room");
        assert_eq!(other.recv(&mut [0; 16]).await.expect("it came"), 8);
        echo
    });
    assert!(echo == [7; 400_000]);
}

#[test]
fn sockets_that_hold_each_other_are_let_go() {
    let lab = lab();
    let net = lab.host("a").net();
    let count = || net.sockets().len();
    // Each waits in the other's queue, and nobody else has them.
    let (one, other) = UnixStream::pair(&net).expect("a pair");
    let [one, other] = [one, other].map(sockeye::net::Socket::from);
    let ends = [&one, &other].map(|socket| UnixStream::from(socket.clone()));
    ends[0].send_with(b"x", std::slice::from_ref(&one)).expect("room");
    ends[1].send_with(b"x", &[other.clone(), one.clone()]).expect("room");
    // One that can still be reached: its right lies in a queue that somebody reads.
    let (here, there) = UnixStream::pair(&net).expect("a pair");
    let (inner, outer) = UnixStream::pair(&net).expect("a pair");
    here.send_with(b"x", &[sockeye::net::Socket::from(inner)]).expect("room");
    drop((one, other, ends));
    assert_eq!(count(), 6, "they hold each other");
    drop(UnixDatagram::unbound(&net).expect("a socket"));
    assert_eq!(count(), 4, "the next close finds them");
    let (_, sockets) = there.recv_with(&mut [0; 4]).expect("a message");
    UnixStream::from(sockets[0].clone()).send_with(b"alive", &[]).expect("its peer is there");
    assert_eq!(outer.peek(&mut [0; 8]).expect("bytes"), 5);
}
