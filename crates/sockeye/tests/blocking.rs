//! Blocking sockets in real time: threads, timeouts, errors as std gives them.

use sockeye::net::{Domain, Kind, RawSocket, SockRef, Socket, TcpListener, TcpStream, UdpSocket};
use sockeye::{Lab, Link};
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn two_hosts(link: Link) -> Lab {
    Lab::builder().seed(1).host("a").host("b").alias("db.example").link("a", "b", link).build().unwrap()
}

/// A connection from a to port 80 of b.
fn pair(lab: &Lab) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(&lab.host("b").net(), "0.0.0.0:80").unwrap();
    let client = TcpStream::connect(&lab.host("a").net(), "b:80").unwrap();
    (client, listener.accept().unwrap().0)
}

fn kind<T: std::fmt::Debug>(answer: std::io::Result<T>) -> ErrorKind {
    answer.unwrap_err().kind()
}

#[test]
fn a_stream_carries_a_megabyte_each_way_over_a_lossy_link() {
    let lab = two_hosts(Link::new().delay(Duration::from_millis(1)).loss(0.01));
    let (client, server) = pair(&lab);
    let data: Vec<u8> = (0..1_000_000u32).map(|n| (n / 3) as u8).collect();
    let swap = |mut stream: TcpStream, data: Vec<u8>| {
        thread::spawn(move || {
            let mut reader = stream.try_clone().unwrap();
            let reading = thread::spawn(move || {
                let mut received = Vec::new();
                reader.read_to_end(&mut received).unwrap();
                received
            });
            stream.write_all(&data).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            reading.join().unwrap()
        })
    };
    let ends = [swap(client, data.clone()), swap(server, data.clone())];
    for end in ends {
        assert!(end.join().unwrap() == data);
    }
    assert!(lab.counts("a", "b").lost > 0);
}

#[test]
fn errors_are_those_of_std() {
    let lab = two_hosts(Link::new());
    let (a, b) = (lab.host("a").net(), lab.host("b").net());
    let refused = TcpStream::connect(&a, "b:81").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let of_std = std::net::TcpStream::connect(closed).unwrap_err();
    assert_eq!(refused.raw_os_error(), of_std.raw_os_error());
    let _held = TcpListener::bind(&b, "0.0.0.0:80").unwrap();
    assert_eq!(kind(TcpListener::bind(&b, "0.0.0.0:80")), ErrorKind::AddrInUse);
    assert_eq!(kind(TcpListener::bind(&b, "192.0.2.1:80")), ErrorKind::AddrNotAvailable);
    assert_eq!(kind(TcpStream::connect(&a, "192.0.2.1:80")), ErrorKind::NetworkUnreachable);
    assert_eq!(kind(TcpStream::connect(&a, "c:80")), ErrorKind::NotFound);
    assert_eq!(kind(TcpStream::connect(&a, "b")), ErrorKind::InvalidInput);
    let udp = UdpSocket::bind(&a, "0.0.0.0:0").unwrap();
    assert_eq!(kind(udp.peer_addr()), ErrorKind::NotConnected);
    assert_eq!(kind(udp.set_read_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
}

#[test]
fn names_are_the_lab_s() {
    let lab = two_hosts(Link::new());
    let (client, server) = pair(&lab);
    assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    assert_eq!(client.peer_addr().unwrap(), SocketAddr::from(([10, 0, 0, 2], 80)));
    let a = lab.host("a").net();
    assert_eq!(a.resolve("DB.example").unwrap(), lab.host("b").net().addresses());
    assert_eq!(lab.host_names(), ["a", "b"]);
    let v6 = TcpListener::bind(&lab.host("b").net(), "[::]:90").unwrap();
    let client = TcpStream::connect(&a, "[fd53:6f63:6b65::2]:90").unwrap();
    assert_eq!(v6.accept().unwrap().1, client.local_addr().unwrap());
}

#[test]
fn a_host_alone_speaks_to_itself() {
    let lab = Lab::builder().host("only").build().unwrap();
    let net = lab.host("only").net();
    for addr in ["localhost:8080", "only:8081"] {
        let listener = TcpListener::bind(&net, addr).unwrap();
        let mut client = TcpStream::connect(&net, addr).unwrap();
        client.write_all(b"hello").unwrap();
        drop(client);
        let mut text = String::new();
        listener.incoming().next().unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
}

#[test]
fn a_read_waits_as_long_as_it_was_told() {
    let lab = two_hosts(Link::new());
    let (mut client, server) = pair(&lab);
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(client.read_timeout().unwrap(), Some(Duration::from_millis(52)), "whole ticks, as on Linux");
    let before = Instant::now();
    assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
    assert!(before.elapsed() >= Duration::from_millis(50));
    client.set_read_timeout(None).unwrap();
    client.set_nonblocking(true).unwrap();
    assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
    drop(server);
    client.set_nonblocking(false).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn connect_gives_up_in_time() {
    let lab = two_hosts(Link::new());
    lab.partition("a", "b");
    let addr = SocketAddr::from(([10, 0, 0, 2], 80));
    let before = Instant::now();
    let answer = TcpStream::connect_timeout(&lab.host("a").net(), &addr, Duration::from_millis(80));
    assert_eq!(kind(answer), ErrorKind::TimedOut);
    assert!((80..1000).contains(&before.elapsed().as_millis()));
    let _listener = TcpListener::bind(&lab.host("b").net(), addr).unwrap();
    lab.repair("a", "b");
    TcpStream::connect_timeout(&lab.host("a").net(), &addr, Duration::from_secs(5)).unwrap();
}

#[test]
fn peek_vectored_and_options() {
    let lab = two_hosts(Link::new());
    let (mut client, mut server) = pair(&lab);
    assert_eq!(
        client.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")]).unwrap(),
        5
    );
    let mut buf = [0; 8];
    assert_eq!(server.peek(&mut buf).unwrap(), 5);
    assert_eq!(server.read(&mut buf).unwrap(), 5);
    assert_eq!(&buf[..5], b"abcde");
    client.set_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap() && !server.nodelay().unwrap());
    client.set_ttl(9).unwrap();
    assert_eq!(client.ttl().unwrap(), 9);
    client.set_linger(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(client.linger().unwrap(), Some(Duration::from_secs(3)));
    let options = SockRef::from(&client);
    options.set_keepalive(true).unwrap();
    assert!(options.keepalive().unwrap());
    options.set_recv_buffer_size(10_000).unwrap();
    assert_eq!(options.recv_buffer_size().unwrap(), 20_000);
    assert_eq!(options.tcp_congestion().unwrap(), "cubic");
    assert!(options.only_v6().is_err(), "an IPv4 socket has no IPv6 options");
    assert!(client.take_error().unwrap().is_none());
}

#[test]
fn closing_with_unread_data_and_linger_zero_reset() {
    let lab = two_hosts(Link::new());
    let (mut client, server) = pair(&lab);
    client.write_all(b"unread").unwrap();
    drop(server);
    assert_eq!(kind(client.read(&mut [0])), ErrorKind::ConnectionReset);
    let (client, mut server) = pair(&lab);
    client.set_linger(Some(Duration::ZERO)).unwrap();
    let other = client.try_clone().unwrap();
    drop(client);
    server.set_nonblocking(true).unwrap();
    assert_eq!(kind(server.read(&mut [0])), ErrorKind::WouldBlock, "a duplicate keeps it open");
    drop(other);
    assert_eq!(kind(server.read(&mut [0])), ErrorKind::ConnectionReset);
}

#[test]
fn datagrams_and_raw_packets() {
    let lab = two_hosts(Link::new());
    let (a, b) = (lab.host("a").net(), lab.host("b").net());
    let server = UdpSocket::bind(&b, "0.0.0.0:53").unwrap();
    let client = UdpSocket::bind(&a, "0.0.0.0:0").unwrap();
    assert_eq!(client.send_to(b"question", "b:53").unwrap(), 8);
    let mut buf = [0; 4];
    assert_eq!(server.peek_from(&mut buf).unwrap().0, 4, "cut to the buffer");
    let (len, from) = server.recv_from(&mut buf).unwrap();
    assert_eq!((len, from.port()), (4, client.local_addr().unwrap().port()));
    client.connect("b:54").unwrap();
    client.send(b"nobody").unwrap();
    assert_eq!(kind(client.recv(&mut buf)), ErrorKind::ConnectionRefused);

    let ping = RawSocket::new(&a, Domain::Inet, 1).unwrap();
    // Echo request, identifier 1, sequence 2; the checksum by hand.
    ping.send_to(&[8, 0, 0xf7, 0xfc, 0, 1, 0, 2], "b:0").unwrap();
    let mut packet = [0; 100];
    let (len, from) = ping.recv_from(&mut packet).unwrap();
    assert_eq!((len, from.ip().to_string().as_str(), packet[20]), (28, "10.0.0.2", 0));
}

#[test]
fn a_socket_may_be_made_by_hand() {
    let lab = two_hosts(Link::new());
    let socket = Socket::new(&lab.host("b").net(), Domain::Inet6, Kind::Stream, 0).unwrap();
    socket.set_only_v6(false).unwrap();
    socket.bind("[::]:80".parse().unwrap()).unwrap();
    socket.listen(5).unwrap();
    let listener = TcpListener::from(socket);
    let client = TcpStream::connect(&lab.host("a").net(), "10.0.0.2:80").unwrap();
    let mapped = listener.accept().unwrap().1;
    assert_eq!(mapped.ip().to_canonical(), client.local_addr().unwrap().ip());
    assert!(mapped.is_ipv6());
}

#[test]
fn each_of_a_crowd_that_waits_gets_one_connection() {
    let lab = two_hosts(Link::new());
    let listener = TcpListener::bind(&lab.host("b").net(), "0.0.0.0:80").unwrap();
    let (told, hears) = mpsc::channel();
    let accepting: Vec<_> = (0..8)
        .map(|n| {
            let (listener, told) = (listener.try_clone().unwrap(), told.clone());
            thread::spawn(move || {
                let held = listener.accept().unwrap();
                told.send(n).unwrap();
                held
            })
        })
        .collect();
    let a = lab.host("a").net();
    let clients: Vec<_> = (0..8).map(|_| TcpStream::connect(&a, "b:80").unwrap()).collect();
    let mut served: Vec<u32> = (0..8).map(|_| hears.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    served.sort_unstable();
    assert_eq!(served, (0..8).collect::<Vec<_>>());
    drop((clients, accepting));
}

#[test]
fn a_crash_is_seen_by_threads_and_by_peers() {
    let lab = two_hosts(Link::new());
    let (mut client, mut server) = pair(&lab);
    let waiting = thread::spawn(move || server.read(&mut [0]).unwrap_err().raw_os_error());
    let mut buf = [0; 8];
    client.set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    assert_eq!(kind(client.read(&mut buf)), ErrorKind::WouldBlock);
    lab.host("b").crash();
    assert!(!lab.host("b").is_up());
    // EBADF, which has no kind of its own.
    assert_eq!(waiting.join().unwrap(), Some(if cfg!(windows) { 10009 } else { 9 }));
    assert_eq!(kind(TcpListener::bind(&lab.host("b").net(), "0.0.0.0:80")), ErrorKind::NetworkDown);
    client.write_all(b"anybody?").unwrap();
    assert_eq!(kind(client.read(&mut buf)), ErrorKind::WouldBlock, "silence");
    lab.host("b").start();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(kind(client.read(&mut buf)), ErrorKind::ConnectionReset, "the new life knows nothing of it");
    pair(&lab);
}

#[test]
fn mistakes_of_a_description_are_told() {
    let told = |builder: sockeye::LabBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(told(Lab::builder().address("10.0.0.1")), "no host has been added yet");
    assert_eq!(told(Lab::builder().host("a").address("10.0.0")), "'10.0.0' is no IP address");
    assert_eq!(told(Lab::builder().host("a").host("A")), "two hosts are called 'A'");
    let stranger = Lab::builder().host("a").link("a", "b", Link::new());
    assert_eq!(told(stranger), "a link leads to 'b', which is no host");
}

#[test]
fn five_hundred_labs_at_once_all_have_port_8080() {
    let before = Instant::now();
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..500 {
            let served = &served;
            scope.spawn(move || {
                let lab = Lab::builder()
                    .seed(seed)
                    .host("a")
                    .host("b")
                    .link("a", "b", Link::new())
                    .build()
                    .unwrap();
                let listener = TcpListener::bind(&lab.host("b").net(), "0.0.0.0:8080").unwrap();
                let mut client = TcpStream::connect(&lab.host("a").net(), "b:8080").unwrap();
                client.write_all(&seed.to_be_bytes()).unwrap();
                let mut buf = [0; 8];
                listener.accept().unwrap().0.read_exact(&mut buf).unwrap();
                assert_eq!(u64::from_be_bytes(buf), seed);
                served.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(served.into_inner(), 500);
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}
