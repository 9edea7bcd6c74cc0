//! Socket filters where they stand: UDP, raw, listeners, connections. The answers are those of the kernel.

mod world;

use sockeye_core::filter::Instruction;
use sockeye_core::host::{Domain, Kind, SendControl, SocketId};
use sockeye_core::{Errno, Payload};
use world::{World, addr};

const SOL_SOCKET: i32 = 1;

fn program(of: &[(u16, u8, u8, u32)]) -> Vec<Instruction> {
    of.iter()
        .map(|&(code, jump_true, jump_false, k)| Instruction { code, jump_true, jump_false, k })
        .collect()
}

/// Lets everything in whose byte at `at` is `is`.
fn byte_is(at: u32, is: u32) -> Vec<Instruction> {
    program(&[(0x30, 0, 0, at), (0x15, 0, 1, is), (0x06, 0, 0, 0xffff), (0x06, 0, 0, 0)])
}

fn at_most(len: u32) -> Vec<Instruction> {
    program(&[(0x06, 0, 0, len)])
}

fn send(w: &mut World, from: SocketId, bytes: &[u8], to: &str) {
    let (now, payload) = (w.now, Payload::from(bytes::Bytes::copy_from_slice(bytes)));
    w.host().send_to(from, payload, Some(addr(to)), &SendControl::default(), now).unwrap();
}

#[test]
fn datagrams_are_cut_and_dropped() {
    let mut w = World::one();
    let (to, from) = (w.bound_udp(0, "127.0.0.1:5000"), w.udp(0, Domain::Inet));
    for (filter, got) in [
        (at_most(10), Some(&[0x11, 0x22][..])),
        (at_most(8), Some(&[])),
        (at_most(4), Some(&[])),
        (at_most(0), None),
        (byte_is(8, 0x11), Some(&[0x11, 0x22, 0x33])),
        (byte_is(0xfff0_0009, 17), Some(&[0x11, 0x22, 0x33])),
        (byte_is(0xfff0_0009, 6), None),
        (program(&[(0x20, 0, 0, 100), (0x06, 0, 0, 100)]), None),
    ] {
        w.host().attach_filter(to, &filter).unwrap();
        send(&mut w, from, &[0x11, 0x22, 0x33], "127.0.0.1:5000");
        assert_eq!(w.recv(0, to), got.map(<[u8]>::to_vec).ok_or(Errno::EAGAIN), "{filter:?}");
    }
    assert_eq!(w.host().counters().socket_filter_drops, 3);
}

#[test]
fn raw_sockets_see_the_ip_header() {
    let mut w = World::one();
    let raw = w.host().socket(Domain::Inet, Kind::Raw, 17).unwrap();
    let from = w.udp(0, Domain::Inet);
    w.bound_udp(0, "127.0.0.1:5000");
    w.host().attach_filter(raw, &byte_is(9, 17)).unwrap();
    send(&mut w, from, b"hey", "127.0.0.1:5000");
    assert_eq!(w.recv(0, raw).unwrap().len(), 31);
    w.host().attach_filter(raw, &at_most(24)).unwrap();
    send(&mut w, from, b"hey", "127.0.0.1:5000");
    assert_eq!(w.recv(0, raw).unwrap().len(), 24);
}

/// A server for requests from one client address only.
#[test]
fn a_listener_for_one_address() {
    let mut w = World::one();
    let listener = w.listen(0, "0.0.0.0:80", 8);
    w.host().attach_filter(listener, &byte_is(0xfff0_000f, 2)).unwrap();
    w.connect(0, "127.0.0.1:80");
    w.pass(500);
    assert_eq!(w.host().accept(listener), Err(Errno::EAGAIN));
    let now = w.now;
    let client = w.tcp(0, Domain::Inet);
    w.host().bind(client, addr("127.0.0.2:0")).unwrap();
    assert_eq!(w.host().connect(client, addr("127.0.0.1:80"), now), Err(Errno::EINPROGRESS));
    w.settle();
    let server = w.host().accept(listener).unwrap();
    w.host().send(client, b"abc", now).unwrap();
    w.settle();
    assert_eq!(w.recv(0, server), Ok(b"abc".to_vec()));
    assert_eq!(w.host().setsockopt(server, SOL_SOCKET, 27, &[0; 4], now), Ok(()), "it was inherited");
    w.host().attach_filter(server, &at_most(0)).unwrap();
    w.host().send(client, b"abc", now).unwrap();
    w.pass(2000);
    assert_eq!(w.recv(0, server), Err(Errno::EAGAIN));
    let now = w.now;
    w.host().setsockopt(server, SOL_SOCKET, 27, &[0; 4], now).unwrap();
    w.pass(10_000);
    assert_eq!(w.recv(0, server), Ok(b"abc".to_vec()));
}

#[test]
fn attached_detached_and_locked() {
    let mut w = World::one();
    let (s, now) = (w.udp(0, Domain::Inet), w.now);
    let mut set = |name, value: i32| w.host().setsockopt(s, SOL_SOCKET, name, &value.to_ne_bytes(), now);
    assert_eq!(set(27, 0), Err(Errno::ENOENT));
    assert_eq!(set(26, 0), Err(Errno::EINVAL));
    assert_eq!(set(44, 1), Ok(()));
    assert_eq!((set(44, 0), set(27, 0)), (Err(Errno::EPERM), Err(Errno::EPERM)));
    assert_eq!((set(60, 0), set(60, 1), set(60, 2)), (Ok(()), Err(Errno::EOPNOTSUPP), Err(Errno::EINVAL)));
    assert_eq!(w.host().attach_filter(s, &at_most(1)), Err(Errno::EPERM));
    let locked = w.host().getsockopt(s, SOL_SOCKET, 44, 4, now).unwrap();
    assert_eq!(&locked[..], &1i32.to_ne_bytes());
    let other = w.udp(0, Domain::Inet);
    assert_eq!(w.host().attach_filter(other, &[]), Err(Errno::EINVAL));
}
