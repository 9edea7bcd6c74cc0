//! Raw and ping sockets, inside one host and between two. The answers are those of the kernel.

mod world;

use sockeye_core::host::{Domain, Kind, SendControl, SocketId};
use sockeye_core::{Errno, Payload};
use world::{World, addr};

const ICMP: u8 = 1;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const IPPROTO_IP: i32 = 0;
const IPPROTO_IPV6: i32 = 41;
const SOL_RAW: i32 = 255;

fn raw(w: &mut World, host: usize, domain: Domain, protocol: u8) -> SocketId {
    w.hosts[host].socket(domain, Kind::Raw, protocol).unwrap()
}

fn ping(w: &mut World, host: usize, domain: Domain) -> SocketId {
    let protocol = if domain == Domain::Inet { ICMP } else { ICMPV6 };
    w.hosts[host].socket(domain, Kind::Datagram, protocol).unwrap()
}

fn send(w: &mut World, id: SocketId, bytes: &[u8], to: &str) -> Result<usize, Errno> {
    let (now, payload) = (w.now, Payload::from(bytes::Bytes::copy_from_slice(bytes)));
    let sent = w.hosts[0].send_to(id, payload, Some(addr(to)), &SendControl::default(), now);
    w.settle();
    sent
}

fn set(w: &mut World, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    let now = w.now;
    w.host().setsockopt(id, level, name, value, now)
}

fn get(w: &mut World, id: SocketId, level: i32, name: i32) -> Result<i32, Errno> {
    let now = w.now;
    let value = w.host().getsockopt(id, level, name, 4, now)?;
    Ok(i32::from_ne_bytes(value[..].try_into().unwrap()))
}

/// An echo request with a right ICMP checksum.
const ECHO: [u8; 12] = [8, 0, 0x0d, 0x08, 0x12, 0x34, 0, 1, b'd', b'a', b't', b'a'];
const ECHO6: [u8; 8] = [128, 0, 0, 0, 0, 7, 0, 1];

#[test]
fn protocols_that_there_are() {
    let mut w = World::one();
    for (domain, kind, protocol, is) in [
        (Domain::Inet, Kind::Raw, 0, false),
        (Domain::Inet, Kind::Raw, 1, true),
        (Domain::Inet, Kind::Raw, 58, true),
        (Domain::Inet6, Kind::Raw, 255, true),
        (Domain::Inet, Kind::Datagram, 1, true),
        (Domain::Inet, Kind::Datagram, 58, false),
        (Domain::Inet6, Kind::Datagram, 58, true),
        (Domain::Inet6, Kind::Datagram, 1, false),
        (Domain::Inet, Kind::Datagram, 6, false),
    ] {
        let made = w.host().socket(domain, kind, protocol);
        assert_eq!(made.is_ok(), is, "{domain:?} {kind:?} {protocol}");
        assert!(is || made == Err(Errno::EPROTONOSUPPORT));
    }
}

#[test]
fn names_of_raw_sockets() {
    let mut w = World::one();
    let s = raw(&mut w, 0, Domain::Inet, ICMP);
    let now = w.now;
    assert_eq!(w.host().local_addr(s), Ok(addr("0.0.0.0:1")));
    assert_eq!(w.host().send(s, &ECHO, now), Err(Errno::EDESTADDRREQ));
    for name in ["127.0.0.1", "127.0.0.2"] {
        assert_eq!(w.host().bind(s, addr(&format!("{name}:99"))), Ok(()));
        assert_eq!(w.host().local_addr(s), Ok(addr(&format!("{name}:1"))));
    }
    assert_eq!(w.host().bind(s, addr("8.8.8.8:0")), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.host().connect(s, addr("127.0.0.1:7"), now), Ok(()));
    assert_eq!(w.host().peer_addr(s), Ok(addr("127.0.0.1:7")));
    assert_eq!(w.host().listen(s, 1), Err(Errno::EOPNOTSUPP));
    let s6 = raw(&mut w, 0, Domain::Inet6, ICMPV6);
    assert_eq!(w.host().bind(s6, addr("[::ffff:127.0.0.1]:0")), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(w.host().bind(s6, addr("[::1]:77")), Ok(()));
    assert_eq!(w.host().local_addr(s6), Ok(addr("[::1]:58")));
}

#[test]
fn echoes_on_loopback_and_across() {
    for (w, to) in [(World::one(), "127.0.0.1"), (World::two(), "10.0.0.2")] {
        let mut w = w;
        let s = raw(&mut w, 0, Domain::Inet, ICMP);
        assert_eq!(send(&mut w, s, &ECHO, &format!("{to}:0")), Ok(12));
        if w.hosts.len() == 1 {
            let request = w.recv(0, s).unwrap();
            assert_eq!((request[9], &request[20..]), (ICMP, &ECHO[..]));
        }
        let reply = w.recv(0, s).unwrap();
        assert_eq!((reply[0], reply[2..4] == [0, 32], reply[20], &reply[24..]), (0x45, true, 0, &ECHO[4..]));
        assert_eq!(w.recv(0, s), Err(Errno::EAGAIN));
    }
    for (w, to) in [(World::one(), "[::1]:0"), (World::two(), "[fd00::2]:58")] {
        let mut w = w;
        let s = raw(&mut w, 0, Domain::Inet6, ICMPV6);
        let blocks_requests = [[0xff; 16], [0; 16]].concat();
        set(&mut w, s, 58, 1, &blocks_requests).unwrap();
        assert_eq!(send(&mut w, s, &ECHO6, to), Ok(8));
        let first = if w.hosts.len() == 1 { w.recv(0, s).unwrap()[0] } else { 128 };
        let reply = w.recv(0, s).unwrap();
        assert_eq!((first, reply[0], &reply[4..]), (128, 129, &ECHO6[4..]));
        assert_eq!(send(&mut w, s, &ECHO6, "[::1]:9"), Err(Errno::EINVAL));
    }
}

#[test]
fn ping_sockets() {
    for (w, to) in
        [(World::one(), "127.0.0.1:0"), (World::two(), "10.0.0.2:0"), (World::two(), "[fd00::2]:0")]
    {
        let mut w = w;
        let domain = world::family(to);
        let (s, other) = (ping(&mut w, 0, domain), ping(&mut w, 0, domain));
        let mut echo = if domain == Domain::Inet { ECHO } else { [128, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4] };
        assert_eq!(send(&mut w, s, &echo, to), Ok(12));
        let identifier = w.host().local_addr(s).unwrap().port().to_be_bytes();
        let reply = w.recv(0, s).unwrap();
        assert_eq!(reply[0], if domain == Domain::Inet { 0 } else { 129 });
        assert_eq!((&reply[4..6], &reply[6..]), (&identifier[..], &echo[6..]));
        assert_eq!(send(&mut w, s, &echo[..7], to), Err(Errno::EINVAL));
        echo[0] += 5;
        assert_eq!(send(&mut w, s, &echo, to), Err(Errno::EINVAL));
        let name = w.host().local_addr(s).unwrap();
        assert_eq!(w.host().bind(other, name), Err(Errno::EADDRINUSE));
        let now = w.now;
        w.host().close(s, now);
        assert_eq!(w.host().bind(other, name), Ok(()));
    }
}

#[test]
fn what_others_send_is_seen() {
    let mut w = World::one();
    let (udp, icmp) = (raw(&mut w, 0, Domain::Inet, UDP), raw(&mut w, 0, Domain::Inet, ICMP));
    let tcp = raw(&mut w, 0, Domain::Inet, 6);
    let to = w.bound_udp(0, "127.0.0.1:5000");
    let from = w.bound_udp(0, "127.0.0.1:4000");
    send(&mut w, from, b"hi", "127.0.0.1:5000").unwrap();
    let copy = w.recv(0, udp).unwrap();
    assert_eq!((&copy[20..26], &copy[28..]), (&[0x0f, 0xa0, 0x13, 0x88, 0, 10][..], &b"hi"[..]));
    assert_eq!(w.recv(0, to), Ok(b"hi".to_vec()));
    send(&mut w, from, b"hi", "127.0.0.1:1").unwrap();
    assert_eq!(w.recv(0, udp).unwrap().len(), 30);
    let error = w.recv(0, icmp).unwrap();
    assert_eq!((error[20], error[21], error[28], error.len()), (3, 3, 0x45, 58));
    w.connect(0, "127.0.0.1:1");
    w.settle();
    assert_eq!(w.recv(0, tcp).unwrap()[20 + 13], 2, "SYN");
    assert_eq!(w.recv(0, tcp).unwrap()[20 + 13], 0x14, "RST, ACK");
}

#[test]
fn whole_packets_of_a_program() {
    for (w, to) in [(World::one(), [127, 0, 0, 1]), (World::two(), [10, 0, 0, 2])] {
        let mut w = w;
        let at = w.hosts.len() - 1;
        let target = std::net::Ipv4Addr::from(to);
        let receiver = w.bound_udp(at, &format!("{target}:5000"));
        let s = raw(&mut w, 0, Domain::Inet, 255);
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, UDP, 0, 0, 0, 0, 0, 0];
        packet.extend(to);
        packet.extend([0, 5, 0x13, 0x88, 0, 10, 0, 0, b'h', b'd']);
        let name = format!("{target}:0");
        assert_eq!(send(&mut w, s, &packet, &name), Ok(30));
        let now = w.now;
        let got = w.hosts[at].recv_from(receiver, false, now).unwrap();
        assert_eq!((got.from.port(), got.payload.to_vec()), (5, b"hd".to_vec()));
        assert_eq!(send(&mut w, s, &packet[..10], &name), Err(Errno::EINVAL));
        packet[0] = 0x42;
        assert_eq!(send(&mut w, s, &packet, &name), Err(Errno::EINVAL));
        packet[0] = 0x45;
        packet.resize(65_600, 0);
        assert_eq!(send(&mut w, s, &packet, &name), Err(Errno::EMSGSIZE));
    }
}

#[test]
fn options_of_raw_sockets() {
    let mut w = World::one();
    let (icmp, udp) = (raw(&mut w, 0, Domain::Inet, ICMP), raw(&mut w, 0, Domain::Inet, UDP));
    let (icmp6, udp6) = (raw(&mut w, 0, Domain::Inet6, ICMPV6), raw(&mut w, 0, Domain::Inet6, UDP));
    let plain = w.udp(0, Domain::Inet);
    set(&mut w, icmp, SOL_RAW, 1, &256u32.to_ne_bytes()).unwrap();
    assert_eq!(get(&mut w, icmp, SOL_RAW, 1), Ok(256));
    send(&mut w, icmp, &ECHO, "127.0.0.1:0").unwrap();
    assert_eq!(w.recv(0, icmp).unwrap()[20], 0, "the request is filtered");
    assert_eq!(get(&mut w, udp, SOL_RAW, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(get(&mut w, udp, SOL_RAW, 2), Err(Errno::ENOPROTOOPT));
    assert_eq!((get(&mut w, icmp, IPPROTO_IP, 3), get(&mut w, plain, IPPROTO_IP, 3)), (Ok(0), Ok(0)));
    assert_eq!(set(&mut w, plain, IPPROTO_IP, 3, &[1]), Err(Errno::ENOPROTOOPT));
    assert_eq!(get(&mut w, icmp6, IPPROTO_IPV6, 7), Ok(2));
    assert_eq!(set(&mut w, icmp6, IPPROTO_IPV6, 7, &2i32.to_ne_bytes()), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, icmp6, SOL_RAW, 7, &4i32.to_ne_bytes()), Ok(()));
    assert_eq!(get(&mut w, udp6, IPPROTO_IPV6, 7), Ok(-1));
    assert_eq!(set(&mut w, udp6, IPPROTO_IPV6, 7, &3i32.to_ne_bytes()), Err(Errno::EINVAL));
    assert_eq!(set(&mut w, udp6, IPPROTO_IPV6, 7, &6i32.to_ne_bytes()), Ok(()));
    assert_eq!(get(&mut w, udp6, 58, 1), Err(Errno::EOPNOTSUPP));
    let receiver = w.bound_udp(0, "[::1]:5000");
    let datagram = [0, 5, 0x13, 0x88, 0, 10, 0, 0, b'v', b'6'];
    assert_eq!(send(&mut w, udp6, &datagram, "[::1]:0"), Ok(10));
    assert_eq!(w.recv(0, receiver), Ok(b"v6".to_vec()));
    assert_eq!(send(&mut w, udp6, b"abc", "[::1]:0"), Err(Errno::EINVAL));
}

#[test]
fn own_protocols_and_errors() {
    let mut w = World::two();
    let (a, b) = (raw(&mut w, 0, Domain::Inet, 253), raw(&mut w, 1, Domain::Inet, 253));
    assert_eq!(send(&mut w, a, b"zz", "10.0.0.2:0"), Ok(2));
    assert_eq!(&w.recv(1, b).unwrap()[20..], b"zz");
    let now = w.now;
    w.hosts[1].close(b, now);
    w.host().connect(a, addr("10.0.0.2:0"), now).unwrap();
    assert_eq!(send(&mut w, a, b"zz", "10.0.0.2:0"), Ok(2));
    assert_eq!(w.recv(0, a), Err(Errno::ENOPROTOOPT), "protocol unreachable");
    let icmp = raw(&mut w, 0, Domain::Inet, ICMP);
    assert_eq!(send(&mut w, icmp, b"", "127.0.0.1:0"), Err(Errno::EFAULT));
    assert_eq!(send(&mut w, icmp, &[0; 65_516], "127.0.0.1:0"), Err(Errno::EMSGSIZE));
    assert_eq!(send(&mut w, icmp, &[0; 65_515], "127.0.0.1:0"), Ok(65_515));
}
