//! Round trips: what is put is taken, by us and by another parser; and no bytes make anything panic.

use super::icmp::IcmpHeader;
use super::ipv4::Ipv4Header;
use super::ipv6::{Fragment, Ipv6Header};
use super::udp::UdpHeader;
use super::*;
use crate::Packet;
use crate::packet::Payload;
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::Ipv4Addr;
use proptest::prelude::*;

fn packet(bytes: &[u8]) -> Packet {
    Packet::new(Payload::from(Bytes::copy_from_slice(bytes)))
}

fn contiguous(packet: &Packet) -> Packet {
    let mut bytes = Vec::new();
    packet.write_to(&mut bytes);
    Packet::from_bytes(Bytes::from(bytes))
}

fn ipv4_header() -> impl Strategy<Value = Ipv4Header> {
    any::<(u32, u32, u8, u8, u8, u16, bool, bool, u16)>().prop_map(|h| Ipv4Header {
        src: Ipv4Addr::from(h.0),
        dst: Ipv4Addr::from(h.1),
        protocol: h.2,
        ttl: h.3,
        tos: h.4,
        id: h.5,
        dont_fragment: h.6,
        more_fragments: h.7,
        fragment_offset: usize::from(h.8 & 0x1fff) * 8,
    })
}

fn ipv6_header() -> impl Strategy<Value = Ipv6Header> {
    let fragment = proptest::option::of(any::<(u16, bool, u32)>());
    (any::<(u128, u128, u8, u8, u32)>(), 64u8..250, fragment).prop_map(|(h, protocol, fragment)| Ipv6Header {
        src: Ipv6Addr::from(h.0),
        dst: Ipv6Addr::from(h.1),
        protocol,
        hop_limit: h.2,
        traffic_class: h.3,
        flow_label: h.4 & 0xf_ffff,
        fragment: fragment.map(|(offset, more, id)| Fragment { offset: usize::from(offset & !7), more, id }),
    })
}

proptest! {
    #[test]
    fn ipv4_comes_back(header in ipv4_header(), body in proptest::collection::vec(any::<u8>(), 0..100), pad in 0usize..9) {
        let mut sent = packet(&body);
        header.put(&mut sent);
        let mut bytes = Vec::new();
        sent.write_to(&mut bytes);
        let theirs = etherparse::Ipv4Header::from_slice(&bytes).unwrap().0;
        prop_assert_eq!(theirs.header_checksum, theirs.calc_header_checksum());
        prop_assert_eq!((theirs.identification, theirs.dont_fragment), (header.id, header.dont_fragment));
        // What a link pads is cut off.
        bytes.resize(bytes.len() + pad, 0xee);
        let mut got = Packet::from_bytes(Bytes::from(bytes));
        prop_assert_eq!(Ipv4Header::take(&mut got), Ok(header));
        prop_assert_eq!(got.into_payload().to_vec(), body);
    }

    #[test]
    fn ipv6_comes_back(header in ipv6_header(), body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut sent = packet(&body);
        header.put(&mut sent);
        let mut got = contiguous(&sent);
        prop_assert_eq!(Ipv6Header::take(&mut got), Ok(header));
        prop_assert_eq!(got.into_payload().to_vec(), body);
    }

    #[test]
    fn udp_and_icmp_come_back(v4: bool, ports: (u16, u16), kind: u8, rest: u32,
                              body in proptest::collection::vec(any::<u8>(), 0..100), flip in 0usize..2000) {
        let (src, dst): (IpAddr, IpAddr) = match v4 {
            true => ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
            false => (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::UNSPECIFIED.into()),
        };
        let udp = UdpHeader { src_port: ports.0, dst_port: ports.1 };
        let mut sent = packet(&body);
        udp.put(&mut sent, src, dst);
        prop_assert_eq!(UdpHeader::take(&mut contiguous(&sent), src, dst), Ok(udp));
        let mut bytes = Vec::new();
        sent.write_to(&mut bytes);
        let bit = flip % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        // One bit makes it wrong; the length and the checksum itself may make it something else again.
        if !(32..64).contains(&bit) {
            let got = UdpHeader::take(&mut Packet::from_bytes(Bytes::from(bytes)), src, dst);
            prop_assert_eq!(got, Err(WireError::Checksum));
        }
        let icmp = IcmpHeader { kind, code: 0, rest };
        let mut sent = packet(&body);
        icmp.put(&mut sent, src, dst);
        prop_assert_eq!(IcmpHeader::take(&mut contiguous(&sent), src, dst), Ok(icmp));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (a, b) = (IpAddr::from([1, 2, 3, 4]), IpAddr::from([5, 6, 7, 8]));
        let made = || Packet::from_bytes(Bytes::copy_from_slice(&bytes));
        let _ = Ipv4Header::take(&mut made());
        let _ = Ipv6Header::take(&mut made());
        let _ = UdpHeader::take(&mut made(), a, b);
        let _ = IcmpHeader::take(&mut made(), a, b);
        let _ = segment::take(made(), a, b);
        let _ = Ipv4Header::quoted(&bytes);
        let _ = Ipv6Header::quoted(&bytes);
    }
}
