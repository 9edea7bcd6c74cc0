//! Errors and readiness of the calls, each as the kernel answers it.

mod world;

use sockeye_core::host::{Domain, Kind, SendControl, Shutdown};
use sockeye_core::{Errno, Payload, Readiness};
use world::{World, addr};

const SOL_SOCKET: i32 = 1;
const IPPROTO_IP: i32 = 0;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_IPV6: i32 = 41;

fn payload(len: usize) -> Payload {
    Payload::from(bytes::Bytes::from(vec![7; len]))
}

#[test]
fn a_fresh_stream() {
    let mut w = World::one();
    let s = w.tcp(0, Domain::Inet);
    let now = w.now;
    assert_eq!(w.hosts[0].readiness(s), Readiness::OUT | Readiness::HUP);
    assert_eq!(w.recv(0, s), Err(Errno::ENOTCONN));
    assert_eq!(w.host().send(s, b"x", now), Err(Errno::EPIPE));
    assert_eq!(w.host().accept(s), Err(Errno::EINVAL));
    assert_eq!(w.host().peer_addr(s), Err(Errno::ENOTCONN));
    assert_eq!(w.host().local_addr(s), Ok(addr("0.0.0.0:0")));
    assert_eq!(w.host().shutdown(s, Shutdown::Both, now), Err(Errno::ENOTCONN));
    assert_eq!(w.recv(0, s), Ok(vec![]));
    assert_eq!(w.hosts[0].readiness(s).bits(), 0x2015);
}

#[test]
fn a_listener() {
    let mut w = World::one();
    let s = w.listen(0, "127.0.0.1:80", 1);
    let now = w.now;
    assert_eq!(w.hosts[0].readiness(s), Readiness::empty());
    assert_eq!(w.recv(0, s), Err(Errno::ENOTCONN));
    assert_eq!(w.host().send(s, b"x", now), Err(Errno::EPIPE));
    assert_eq!(w.host().connect(s, addr("127.0.0.1:1"), now), Err(Errno::EISCONN));
    assert_eq!(w.host().bind(s, addr("127.0.0.1:81")), Err(Errno::EINVAL));
    assert_eq!(w.host().accept(s), Err(Errno::EAGAIN));
    assert_eq!(w.host().queued_in(s), Err(Errno::EINVAL));
    assert_eq!(w.host().shutdown(s, Shutdown::Write, now), Ok(()));
    assert_eq!(w.host().shutdown(s, Shutdown::Read, now), Ok(()));
    assert_eq!(w.host().accept(s), Err(Errno::EINVAL));
    assert_eq!(w.host().listen(s, 1), Ok(()));
    assert_eq!(w.host().local_addr(s), Ok(addr("127.0.0.1:80")));
}

#[test]
fn refused_and_tried_again() {
    let mut w = World::one();
    let s = w.connect(0, "127.0.0.1:80");
    let now = w.now;
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::EALREADY));
    w.settle();
    assert_eq!(w.hosts[0].readiness(s).bits(), 0x201d);
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::ECONNREFUSED));
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.recv(0, s), Err(Errno::ECONNREFUSED));
    assert_eq!(w.recv(0, s), Ok(vec![]));
    assert_eq!(w.hosts[0].readiness(s).bits(), 0x2015);
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::ECONNABORTED));
    w.listen(0, "127.0.0.1:80", 1);
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Ok(()));
    assert_eq!(w.host().connect(s, addr("127.0.0.1:80"), now), Err(Errno::EISCONN));
}

#[test]
fn names_that_cannot_be() {
    let mut w = World::one();
    let (s4, s6) = (w.tcp(0, Domain::Inet), w.tcp(0, Domain::Inet6));
    let now = w.now;
    let host = w.host();
    assert_eq!(host.bind(s4, addr("10.9.9.9:80")), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(host.bind(s4, addr("[::1]:80")), Err(Errno::EAFNOSUPPORT));
    assert_eq!(host.connect(s4, addr("[::1]:80"), now), Err(Errno::EAFNOSUPPORT));
    assert_eq!(host.connect(s6, addr("127.0.0.1:80"), now), Err(Errno::EAFNOSUPPORT));
    assert_eq!(host.connect(s4, addr("8.8.8.8:80"), now), Err(Errno::ENETUNREACH));
    assert_eq!(host.connect(s4, addr("224.0.0.1:80"), now), Err(Errno::ENETUNREACH));
    assert_eq!(host.connect(s4, addr("255.255.255.255:80"), now), Err(Errno::ENETUNREACH));
    host.setsockopt(s6, IPPROTO_IPV6, 26, &1i32.to_ne_bytes(), now).unwrap();
    assert_eq!(host.bind(s6, addr("[::ffff:127.0.0.1]:80")), Err(Errno::EINVAL));
    assert_eq!(host.connect(s6, addr("[::ffff:127.0.0.1]:80"), now), Err(Errno::ENETUNREACH));
    host.bind(s4, addr("127.0.0.1:0")).unwrap();
    assert_eq!(host.bind(s4, addr("127.0.0.1:0")), Err(Errno::EINVAL));
    let bound = host.socket(Domain::Inet6, Kind::Stream, 0).unwrap();
    host.bind(bound, addr("[::1]:0")).unwrap();
    assert_eq!(host.connect(bound, addr("[::ffff:127.0.0.1]:80"), now), Err(Errno::ENETUNREACH));
    let bound = host.socket(Domain::Inet6, Kind::Stream, 0).unwrap();
    host.bind(bound, addr("[::ffff:127.0.0.1]:0")).unwrap();
    assert_eq!(host.connect(bound, addr("[::1]:80"), now), Err(Errno::EAFNOSUPPORT));
}

#[test]
fn a_loopback_source_does_not_leave() {
    let mut w = World::two();
    let s = w.tcp(0, Domain::Inet);
    let now = w.now;
    w.host().bind(s, addr("127.0.0.1:0")).unwrap();
    assert_eq!(w.host().connect(s, addr("8.8.8.8:80"), now), Err(Errno::EINVAL));
}

#[test]
fn kinds_and_protocols() {
    let mut w = World::one();
    for (kind, protocol, expected) in [
        (Kind::Stream, 6, Ok(6)),
        (Kind::Datagram, 17, Ok(17)),
        (Kind::Stream, 17, Err(Errno::EPROTONOSUPPORT)),
        (Kind::Datagram, 6, Err(Errno::EPROTONOSUPPORT)),
    ] {
        let made = w.host().socket(Domain::Inet, kind, protocol);
        let now = w.now;
        let number = made.map(|id| {
            i32::from_ne_bytes(
                w.host().getsockopt(id, SOL_SOCKET, 38, 4, now).unwrap()[..].try_into().unwrap(),
            )
        });
        assert_eq!(number, expected);
    }
}

#[test]
fn datagram_errors() {
    let mut w = World::one();
    let s = w.udp(0, Domain::Inet);
    let now = w.now;
    let none = SendControl::default();
    let mut send = |to: Option<&str>, len| w.host().send_to(s, payload(len), to.map(addr), &none, now);
    assert_eq!(send(None, 1), Err(Errno::EDESTADDRREQ));
    assert_eq!(send(Some("255.255.255.255:9"), 1), Err(Errno::EACCES));
    assert_eq!(send(Some("127.255.255.255:9"), 1), Err(Errno::EACCES));
    assert_eq!(send(Some("127.0.0.1:0"), 1), Err(Errno::EINVAL));
    assert_eq!(send(Some("127.0.0.1:9"), 65508), Err(Errno::EMSGSIZE));
    assert_eq!(send(Some("127.0.0.1:9"), 65507), Ok(65507));
    assert_eq!(send(Some("8.8.8.8:9"), 1), Err(Errno::ENETUNREACH));
    assert_eq!(send(Some("[::1]:9"), 1), Err(Errno::EAFNOSUPPORT));
    assert_eq!(w.host().listen(s, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.host().accept(s), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.host().shutdown(s, Shutdown::Read, now), Err(Errno::ENOTCONN));
    assert_eq!(w.hosts[0].readiness(s).bits(), 0x2005);
    assert_eq!(w.recv(0, s), Err(Errno::EAGAIN));
}

#[test]
fn a_refused_datagram_is_told_to_who_is_connected() {
    let mut w = World::one();
    let s = w.udp(0, Domain::Inet);
    let now = w.now;
    w.host().connect(s, addr("127.0.0.1:9"), now).unwrap();
    assert_eq!(w.host().send(s, b"x", now), Ok(1));
    assert_eq!(w.hosts[0].readiness(s), Readiness::OUT | Readiness::ERR);
    assert_eq!(w.host().send(s, b"x", now), Err(Errno::ECONNREFUSED));
    assert_eq!(w.host().send(s, b"x", now), Ok(1));
    assert_eq!(w.recv(0, s), Err(Errno::ECONNREFUSED));
    assert_eq!(w.recv(0, s), Err(Errno::EAGAIN));
    let unconnected = w.udp(0, Domain::Inet);
    let none = SendControl::default();
    w.host().send_to(unconnected, payload(1), Some(addr("127.0.0.1:9")), &none, now).unwrap();
    assert_eq!(w.recv(0, unconnected), Err(Errno::EAGAIN));
    w.host().setsockopt(unconnected, IPPROTO_IP, 11, &1i32.to_ne_bytes(), now).unwrap();
    w.host().send_to(unconnected, payload(3), Some(addr("127.0.0.1:9")), &none, now).unwrap();
    let error = w.host().recv_error(unconnected).unwrap();
    assert_eq!((error.errno, error.origin, error.icmp_type, error.icmp_code), (Errno::ECONNREFUSED, 2, 3, 3));
    assert_eq!((error.destination, error.payload.len()), (addr("127.0.0.1:9"), 3));
}

#[test]
fn options_answer_as_on_linux() {
    let mut w = World::one();
    let (t, u, u6) = (w.tcp(0, Domain::Inet), w.udp(0, Domain::Inet), w.udp(0, Domain::Inet6));
    let now = w.now;
    let one = 1i32.to_ne_bytes();
    for (id, level, name, value, expected) in [
        (u, IPPROTO_TCP, 1, &one[..], Err(Errno::ENOPROTOOPT)),
        (u, IPPROTO_IPV6, 26, &one[..], Err(Errno::ENOPROTOOPT)),
        (u6, IPPROTO_IP, 1, &one[..], Ok(())),
        (u, 999, 1, &one[..], Err(Errno::ENOPROTOOPT)),
        (u, SOL_SOCKET, 3, &one[..], Err(Errno::ENOPROTOOPT)),
        (t, IPPROTO_TCP, 200, &one[..], Err(Errno::ENOPROTOOPT)),
        (t, IPPROTO_TCP, 13, b"nope", Err(Errno::ENOENT)),
        (t, IPPROTO_TCP, 13, b"reno", Ok(())),
        (t, IPPROTO_TCP, 1, b"x", Err(Errno::EINVAL)),
        (t, SOL_SOCKET, 2, b"x", Err(Errno::EINVAL)),
        (t, IPPROTO_IP, 1, b"x", Ok(())),
        (t, IPPROTO_TCP, 31, b"tls", Err(Errno::ENOENT)),
        (t, IPPROTO_IP, 2, &[0; 4], Err(Errno::EINVAL)),
        (u6, IPPROTO_IPV6, 19, &2i32.to_ne_bytes(), Err(Errno::EINVAL)),
        (t, SOL_SOCKET, 20, b"1234", Err(Errno::EINVAL)),
        (t, IPPROTO_IP, 35, &[224, 1, 1, 1, 127, 0, 0, 1], Err(Errno::EPROTO)),
        (u, IPPROTO_IP, 35, &[224, 1, 1, 1, 127, 0, 0, 1], Ok(())),
        (t, IPPROTO_TCP, 9, &5i32.to_ne_bytes(), Ok(())),
        (t, SOL_SOCKET, 7, &one[..], Ok(())),
        (t, SOL_SOCKET, 8, &one[..], Ok(())),
        (u, SOL_SOCKET, 8, &(-1i32).to_ne_bytes(), Ok(())),
    ] {
        assert_eq!(w.host().setsockopt(id, level, name, value, now), expected, "set {level} {name}");
    }
    for (id, level, name, expected) in [
        (t, IPPROTO_TCP, 9, Ok(7)),
        (t, SOL_SOCKET, 7, Ok(4608)),
        (t, SOL_SOCKET, 8, Ok(2304)),
        (u, SOL_SOCKET, 7, Ok(212_992)),
        (u, SOL_SOCKET, 8, Ok(425_984)),
        (t, IPPROTO_TCP, 2, Ok(536)),
        (t, IPPROTO_TCP, 8, Ok(60)),
        (t, IPPROTO_IP, 2, Ok(64)),
        (u, IPPROTO_IP, 33, Ok(1)),
        (u, IPPROTO_IP, 10, Ok(1)),
        (u, IPPROTO_IP, 14, Err(Errno::ENOTCONN)),
        (u, SOL_SOCKET, 200, Err(Errno::ENOPROTOOPT)),
        (t, SOL_SOCKET, 30, Ok(0)),
        (t, SOL_SOCKET, 39, Ok(2)),
    ] {
        let got = w.host().getsockopt(id, level, name, 4, now);
        assert_eq!(
            got.map(|v| i32::from_ne_bytes(v[..].try_into().unwrap())),
            expected,
            "get {level} {name}"
        );
    }
}

#[test]
fn calls_on_a_dead_socket_say_ebadf() {
    let mut w = World::one();
    let s = w.tcp(0, Domain::Inet);
    let now = w.now;
    w.host().close(s, now);
    w.host().close(s, now);
    assert!(!w.hosts[0].contains(s));
    assert_eq!(w.host().bind(s, addr("127.0.0.1:1")), Err(Errno::EBADF));
    assert_eq!(w.host().connect(s, addr("127.0.0.1:1"), now), Err(Errno::EBADF));
    assert_eq!(w.recv(0, s), Err(Errno::EBADF));
    assert_eq!(w.hosts[0].readiness(s), Readiness::empty());
}

/// The values are those that the kernel gives back at 250 ticks a second.
#[test]
fn timeouts_are_rounded_to_ticks() {
    let mut w = World::one();
    let (s, now) = (w.tcp(0, Domain::Inet), w.now);
    let timeval = |s: i64, us: i64| [s.to_ne_bytes(), us.to_ne_bytes()].concat();
    for (set, get) in [
        ((0, 1), (0, 4000)),
        ((1, 500_000), (1, 500_000)),
        ((1, 500_001), (1, 504_000)),
        ((0, 999_999), (1, 0)),
        ((-1, 5), (0, 0)),
        ((1 << 60, 5), (0, 0)),
    ] {
        w.host().setsockopt(s, SOL_SOCKET, 20, &timeval(set.0, set.1), now).unwrap();
        for name in [20, 66] {
            let value = w.host().getsockopt(s, SOL_SOCKET, name, 16, now).unwrap();
            assert_eq!(&value[..], &timeval(get.0, get.1)[..]);
        }
    }
    for us in [1_000_000, -1] {
        assert_eq!(w.host().setsockopt(s, SOL_SOCKET, 20, &timeval(0, us), now), Err(Errno::EDOM));
    }
    assert_eq!(w.host().setsockopt(s, SOL_SOCKET, 21, &[0; 8], now), Err(Errno::EINVAL));
}

#[test]
fn a_datagram_socket_keeps_what_streams_act_on() {
    let mut w = World::one();
    let (s, now) = (w.udp(0, Domain::Inet), w.now);
    for (name, set, get) in [(9, 1, 1), (10, 7, 1), (18, 100, 100), (18, 0, 1), (18, -1, i32::MAX)] {
        w.host().setsockopt(s, SOL_SOCKET, name, &i32::to_ne_bytes(set), now).unwrap();
        let value = w.host().getsockopt(s, SOL_SOCKET, name, 4, now).unwrap();
        assert_eq!(&value[..], &i32::to_ne_bytes(get)[..], "{name}");
    }
}

#[test]
fn unknown_levels() {
    let mut w = World::one();
    let now = w.now;
    for (domain, kind, level, get) in [
        (Domain::Inet, Kind::Stream, 41, Errno::EOPNOTSUPP),
        (Domain::Inet, Kind::Stream, -1, Errno::EOPNOTSUPP),
        (Domain::Inet, Kind::Stream, 6, Errno::ENOPROTOOPT),
        (Domain::Inet, Kind::Datagram, 6, Errno::EOPNOTSUPP),
        (Domain::Inet, Kind::Datagram, 17, Errno::ENOPROTOOPT),
        (Domain::Inet6, Kind::Stream, 17, Errno::ENOPROTOOPT),
        (Domain::Inet6, Kind::Datagram, -1, Errno::ENOPROTOOPT),
    ] {
        let s = w.host().socket(domain, kind, 0).unwrap();
        assert_eq!(w.host().getsockopt(s, level, 12345, 4, now), Err(get), "{domain:?} {kind:?} {level}");
        assert_eq!(w.host().setsockopt(s, level, 12345, &[0; 4], now), Err(Errno::ENOPROTOOPT));
    }
}

/// `tcp_congestion_control`: what new sockets, and the connections of new listeners, use.
#[test]
fn the_host_s_congestion_control_is_a_new_socket_s() {
    use sockeye_core::tcp::{Congestion, Limits};
    let mut w = World::one();
    let old = w.tcp(0, Domain::Inet);
    let limits = Limits { congestion: Congestion::Bbr, ..w.host().tcp_limits().clone() };
    w.host().set_tcp_limits(limits);
    let listener = w.listen(0, "127.0.0.1:80", 1);
    let (client, child) = w.pair(listener, 0, 0, "127.0.0.1:80");
    let now = w.now;
    for (id, name) in [(old, "cubic"), (client, "bbr"), (child, "bbr")] {
        let value = w.host().getsockopt(id, 6, 13, 16, now).unwrap();
        assert!(value.starts_with(name.as_bytes()), "{name}: {value:?}");
    }
    // TCP_CC_INFO: BBR's rate, once something has arrived; nothing of CUBIC.
    assert_eq!(w.host().getsockopt(old, 6, 26, 64, now).map(|v| v.len()), Ok(0));
    w.host().send(client, &[1; 3000], now).unwrap();
    w.pass(100);
    let now = w.now;
    w.host().send(client, &[1; 3000], now).unwrap();
    w.pass(100);
    let now = w.now;
    let info = w.host().getsockopt(client, 6, 26, 64, now).unwrap();
    assert_eq!(info.len(), 20);
    // Startup's gain of 2.77, in 256ths.
    assert_eq!(info[12..16], 709u32.to_ne_bytes());
}
