//! Two hosts joined by a link: real packets, checked by another parser.

mod world;

use sockeye_core::host::{Domain, IfIndex, SendControl};
use sockeye_core::tcp::State;
use sockeye_core::{Errno, Packet, Payload};
use world::{World, addr, eth};

#[test]
fn streams_cross_the_link_also_when_packets_are_lost() {
    for (at, lose) in [
        ("10.0.0.2:80", vec![]),
        ("[fd00::2]:80", vec![]),
        ("10.0.0.2:80", vec![1, 2, 5, 9, 17, 30, 31, 32]),
        ("[fd00::2]:80", vec![2, 3, 7, 8, 40]),
    ] {
        let mut w = World::two();
        w.lose = lose;
        let listener = w.listen(1, at, 8);
        let client = w.connect(0, at);
        w.pass(10_000);
        let server = w.hosts[1].accept(listener).unwrap();
        let data: Vec<u8> = (0..300_000u32).map(|i| (i % 253) as u8).collect();
        let (mut sent, mut got) = (0, Vec::new());
        while got.len() < data.len() {
            let now = w.now;
            sent += w.hosts[0].send(client, &data[sent..], now).unwrap_or(0);
            w.pass(50);
            while let Ok(bytes) = w.recv(1, server) {
                assert!(!bytes.is_empty());
                got.extend(bytes);
            }
            assert!(w.now.as_millis() < 200_000, "it takes too long");
        }
        assert!(got == data);
    }
}

#[test]
fn headers_are_what_another_parser_reads() {
    for to in ["10.0.0.2:80", "[fd00::2]:80"] {
        let mut w = World::two();
        let s = w.connect(0, to);
        let mut out = Vec::new();
        let now = w.now;
        w.host().transmit(now, 8, &mut out);
        let udp = w.udp(0, world::family(to));
        let payload = Payload::from(bytes::Bytes::from_static(b"hello"));
        w.host().send_to(udp, payload, Some(addr(to)), &SendControl::default(), now).unwrap();
        w.host().transmit(now, 8, &mut out);
        assert_eq!(out.len(), 2);
        for (interface, packet) in out {
            assert_eq!(interface, IfIndex(2));
            let mut bytes = Vec::new();
            packet.write_to(&mut bytes);
            let theirs = etherparse::PacketHeaders::from_ip_slice(&bytes).unwrap();
            let payload = theirs.payload.slice();
            match (theirs.net.unwrap(), theirs.transport.unwrap()) {
                (etherparse::NetHeaders::Ipv4(ip, _), etherparse::TransportHeader::Tcp(tcp)) => {
                    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                    assert_eq!(tcp.checksum, tcp.calc_checksum_ipv4(&ip, payload).unwrap());
                    assert!(ip.dont_fragment && tcp.syn && ip.time_to_live == 64);
                }
                (etherparse::NetHeaders::Ipv6(ip, _), etherparse::TransportHeader::Tcp(tcp)) => {
                    assert_eq!(tcp.checksum, tcp.calc_checksum_ipv6(&ip, payload).unwrap());
                }
                (etherparse::NetHeaders::Ipv4(ip, _), etherparse::TransportHeader::Udp(udp)) => {
                    assert_eq!(udp.checksum, udp.calc_checksum_ipv4(&ip, payload).unwrap());
                    assert_eq!((udp.destination_port, payload), (80, &b"hello"[..]));
                }
                (etherparse::NetHeaders::Ipv6(ip, _), etherparse::TransportHeader::Udp(udp)) => {
                    assert_eq!(udp.checksum, udp.calc_checksum_ipv6(&ip, payload).unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
        w.host().close(s, now);
    }
}

#[test]
fn long_datagrams_are_cut_and_put_together() {
    for to in ["10.0.0.2:53", "[fd00::2]:53"] {
        let mut w = World::two();
        let server = w.bound_udp(1, to);
        let client = w.udp(0, world::family(to));
        let data: Vec<u8> = (0..20_000u32).map(|i| (i % 251) as u8).collect();
        let now = w.now;
        let payload = Payload::from(bytes::Bytes::from(data.clone()));
        w.host().send_to(client, payload, Some(addr(to)), &SendControl::default(), now).unwrap();
        w.settle();
        assert!(w.carried > 10);
        assert_eq!(w.hosts[1].recv_from(server, false, now).unwrap().payload.to_vec(), data);
        assert_eq!(w.hosts[1].next_deadline(), None);
        // Forbidden to be cut.
        let (level, name) = if addr(to).is_ipv4() { (0, 10) } else { (41, 23) };
        w.host().setsockopt(client, level, name, &2i32.to_ne_bytes(), now).unwrap();
        let payload = Payload::from(bytes::Bytes::from(data));
        let sent = w.host().send_to(client, payload, Some(addr(to)), &SendControl::default(), now);
        assert_eq!(sent, Err(Errno::EMSGSIZE));
    }
}

#[test]
fn a_datagram_with_a_lost_piece_is_given_up() {
    let mut w = World::two();
    w.lose = vec![2];
    w.bound_udp(1, "10.0.0.2:53");
    let client = w.udp(0, Domain::Inet);
    let now = w.now;
    let payload = Payload::from(bytes::Bytes::from(vec![1; 5000]));
    w.host().send_to(client, payload, Some(addr("10.0.0.2:53")), &SendControl::default(), now).unwrap();
    w.settle();
    assert!(w.hosts[1].next_deadline().is_some());
    w.pass(31_000);
    assert_eq!(w.hosts[1].counters().ip_reasm_fails, 1);
}

#[test]
fn refusals_come_back() {
    for to in ["10.0.0.2:9", "[fd00::2]:9"] {
        let mut w = World::two();
        let s = w.connect(0, to);
        let udp = w.udp(0, world::family(to));
        let now = w.now;
        w.host().connect(udp, addr(to), now).unwrap();
        w.host().send(udp, b"x", now).unwrap();
        w.settle();
        assert_eq!(w.host().connect(s, addr(to), now), Err(Errno::ECONNREFUSED));
        assert_eq!(w.recv(0, udp), Err(Errno::ECONNREFUSED));
    }
}

#[test]
fn echoes_are_answered() {
    let mut w = World::two();
    let builder = etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 20).icmpv4_echo_request(7, 9);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, b"ping").unwrap();
    let now = w.now;
    w.hosts[1].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), now);
    let mut out = Vec::new();
    w.hosts[1].transmit(now, 8, &mut out);
    let mut bytes = Vec::new();
    out[0].1.write_to(&mut bytes);
    let theirs = etherparse::PacketHeaders::from_ip_slice(&bytes).unwrap();
    let Some(etherparse::TransportHeader::Icmpv4(icmp)) = theirs.transport else { panic!("no ICMP") };
    assert!(matches!(icmp.icmp_type, etherparse::Icmpv4Type::EchoReply(h) if (h.id, h.seq) == (7, 9)));
    assert_eq!(icmp.checksum, icmp.icmp_type.calc_checksum(theirs.payload.slice()));
    assert_eq!(theirs.payload.slice(), b"ping");
}

#[test]
fn packets_for_others_and_from_nowhere_are_dropped() {
    let mut w = World::two();
    let now = w.now;
    for (from, to) in
        [([10, 0, 0, 1], [10, 0, 0, 9]), ([127, 0, 0, 1], [10, 0, 0, 2]), ([10, 0, 0, 1], [127, 0, 0, 1])]
    {
        let mut bytes = Vec::new();
        etherparse::PacketBuilder::ipv4(from, to, 20).tcp(1, 80, 1, 1).write(&mut bytes, b"").unwrap();
        w.hosts[1].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), now);
    }
    assert!(!w.hosts[1].wants_transmit());
    assert_eq!(w.hosts[1].counters().ip_in_addr_errors, 1);
    assert_eq!(w.hosts[1].counters().ip_martian_source, 2);
}

/// A host whose gate leads to a host that stands for the machine outside: a client there has any address.
#[test]
fn a_gate_lets_true_addresses_in() {
    let mut inside = eth("inside", &["10.0.0.1/24"]);
    inside.interfaces[0].trusted_gate = true;
    let mut outside = eth("outside", &["10.0.0.2/24"]);
    outside.any_source = true;
    let mut w = World::of(vec![inside, outside]);
    let listener = w.listen(0, "127.0.0.1:80", 8);
    let everywhere = w.listen(0, "0.0.0.0:81", 8);
    for (from, to, at) in [
        ("203.0.113.7:5000", "10.0.0.1:81", everywhere),
        ("127.0.0.1:5000", "10.0.0.1:81", everywhere),
        ("127.0.0.1:5001", "127.0.0.1:80", listener),
    ] {
        let client = w.tcp(1, Domain::Inet);
        let now = w.now;
        w.hosts[1].setsockopt(client, 1, 62, &2i32.to_ne_bytes(), now).unwrap();
        w.hosts[1].bind(client, addr(from)).unwrap();
        assert_eq!(w.hosts[1].connect(client, addr(to), now), Err(Errno::EINPROGRESS));
        w.settle();
        let server = w.host().accept(at).unwrap();
        assert_eq!(w.host().peer_addr(server), Ok(addr(from)));
        w.host().send(server, b"hello", now).unwrap();
        w.settle();
        assert_eq!(w.recv(1, client), Ok(b"hello".to_vec()));
    }
    // The same four values inside are somebody else.
    let client = w.tcp(0, Domain::Inet);
    let now = w.now;
    w.host().bind(client, addr("127.0.0.1:5001")).unwrap();
    assert_eq!(w.host().connect(client, addr("127.0.0.1:80"), now), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.hosts[0].info(client, now).unwrap().state, State::Established);
}

#[test]
fn no_packet_panics() {
    use proptest::prelude::*;
    proptest!(|(version in prop_oneof![Just(0x45u8), Just(0x60u8), any::<u8>()],
                bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200)| {
        let mut w = World::of(vec![eth("a", &["10.0.0.1/24", "fd00::1/64"])]);
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        if version == 0x45 && bytes.len() > 20 {
            let len = (bytes.len() as u16).to_be_bytes();
            bytes[2..4].copy_from_slice(&len);
            bytes[6..8].fill(0);
            bytes[16..20].copy_from_slice(&[10, 0, 0, 1]);
            bytes[10..12].fill(0);
            let mut sum = sockeye_core::wire::checksum::Checksum::default();
            sum.add(&bytes[..20]);
            let sum = sum.finish().to_be_bytes();
            bytes[10..12].copy_from_slice(&sum);
        }
        let mut packet = Packet::from_bytes(bytes.clone().into());
        packet.pull(cut.min(bytes.len()).min(128));
        w.host().deliver(IfIndex(2), packet, sockeye_core::Instant(1));
        w.settle();
    });
}

#[test]
fn a_link_local_peer_needs_its_interface() {
    let mut w = World::of(vec![eth("a", &["fe80::1/64"]), eth("b", &["fe80::2/64"])]);
    let listener = w.listen(1, "[::]:80", 8);
    let now = w.now;
    let s = w.tcp(0, Domain::Inet6);
    assert_eq!(w.host().bind(s, addr("[fe80::1]:0")), Err(Errno::EINVAL));
    let mut to = addr("[fe80::2]:80");
    if let std::net::SocketAddr::V6(v6) = &mut to {
        v6.set_scope_id(2);
    }
    assert_eq!(w.host().connect(s, to, now), Err(Errno::EINPROGRESS));
    w.settle();
    assert!(w.hosts[1].accept(listener).is_ok());
}

/// One piece of an IPv4 datagram to 10.0.0.2 (RFC 791, 3.1).
fn piece(offset: usize, more: bool, bytes: &[u8]) -> Packet {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + bytes.len() as u16).to_be_bytes());
    packet.extend([0, 7]);
    packet.extend(((offset as u16 / 8) | (u16::from(more) << 13)).to_be_bytes());
    packet.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    let sum = packet.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum::<u32>();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(bytes);
    Packet::from_bytes(packet.into())
}

/// Pieces may reach further than any packet: such a datagram is given up, and no answer quotes it.
#[test]
fn pieces_longer_than_a_packet() {
    let mut w = World::two();
    let now = w.now;
    let mut first = vec![0; 65_512];
    first[..8].copy_from_slice(&[0, 1, 0, 2, 0xff, 0xf8, 0, 0]);
    w.hosts[1].deliver(IfIndex(2), piece(0, true, &first), now);
    w.hosts[1].deliver(IfIndex(2), piece(65_512, false, &[0; 16]), now);
    assert_eq!(w.hosts[1].counters().ip_reasm_fails, 1);
    w.hosts[1].deliver(IfIndex(2), piece(0, true, &first[..65_504]), now);
    first[4..6].copy_from_slice(&65_512u16.to_be_bytes());
    w.hosts[1].deliver(IfIndex(2), piece(0, false, &first), now);
    assert_eq!(w.hosts[1].counters().udp_no_ports, 1);
}
