//! Membership of groups in every form, source filters, and who hears what. The answers are those of the kernel.

mod world;

use sockeye_core::host::{Domain, SendControl, SocketId};
use sockeye_core::{Errno, Payload};
use std::net::{IpAddr, Ipv4Addr};
use world::{World, addr, eth};

const GROUP: &str = "239.9.9.9";
const GROUP6: &str = "ff02::9";
const HOME: &str = "127.0.0.1";
const IP: i32 = 0;
const IPV6: i32 = 41;

fn storage(text: &str) -> Vec<u8> {
    let mut bytes = match text.parse().unwrap() {
        IpAddr::V4(v4) => [2u16.to_ne_bytes().as_slice(), &[0; 2], &v4.octets()].concat(),
        IpAddr::V6(v6) => [10u16.to_ne_bytes().as_slice(), &[0; 6], &v6.octets()].concat(),
    };
    bytes.resize(128, 0);
    bytes
}

/// `struct group_req`, or with a source `struct group_source_req`.
fn request(interface: u32, addresses: &[&str]) -> Vec<u8> {
    let mut bytes = [interface.to_ne_bytes(), [0; 4]].concat();
    addresses.iter().for_each(|text| bytes.extend(storage(text)));
    bytes
}

/// `struct ip_mreq` and `struct ip_mreq_source`.
fn mreq(addresses: &[&str]) -> Vec<u8> {
    addresses.iter().flat_map(|text| text.parse::<Ipv4Addr>().unwrap().octets()).collect()
}

struct Case {
    w: World,
    id: SocketId,
}

impl Case {
    fn new(domain: Domain) -> Self {
        let mut w = World::one();
        let id = w.udp(0, domain);
        Self { w, id }
    }

    fn set(&mut self, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        let (id, now) = (self.id, self.w.now);
        self.w.host().setsockopt(id, level, name, value, now)
    }
}

#[test]
fn sources_of_a_group_that_is_open() {
    let mut c = Case::new(Domain::Inet);
    let (group, from) = (request(1, &[GROUP]), request(1, &[GROUP, HOME]));
    let by_address = mreq(&[GROUP, HOME, HOME]);
    assert_eq!(c.set(IP, 42, &group), Ok(()));
    assert_eq!(c.set(IP, 42, &group), Err(Errno::EADDRINUSE));
    assert_eq!(c.set(IP, 35, &by_address[..8]), Err(Errno::EADDRINUSE));
    assert_eq!(c.set(IP, 43, &from), Ok(()));
    assert_eq!(c.set(IP, 38, &by_address), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(c.set(IP, 44, &from), Ok(()));
    assert_eq!(c.set(IP, 37, &by_address), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(c.set(IP, 39, &by_address), Err(Errno::EINVAL));
    assert_eq!(c.set(IP, 45, &group), Ok(()));
    assert_eq!(c.set(IP, 45, &group), Err(Errno::EADDRNOTAVAIL));
}

#[test]
fn sources_of_a_group_for_some() {
    let mut c = Case::new(Domain::Inet);
    let by_address = mreq(&[GROUP, HOME, HOME]);
    let other = request(1, &[GROUP, "127.0.0.2"]);
    assert_eq!(c.set(IP, 38, &by_address), Err(Errno::EINVAL), "not a member");
    assert_eq!(c.set(IP, 39, &by_address), Ok(()));
    assert_eq!(c.set(IP, 39, &by_address), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(c.set(IP, 46, &other), Ok(()));
    assert_eq!(c.set(IP, 35, &by_address[..8]), Err(Errno::EADDRINUSE));
    assert_eq!(c.set(IP, 38, &by_address), Err(Errno::EINVAL), "the other mode");
    assert_eq!(c.set(IP, 40, &mreq(&[GROUP, HOME, "127.0.0.9"])), Err(Errno::EADDRNOTAVAIL));
    assert_eq!((c.set(IP, 40, &by_address), c.set(IP, 47, &other)), (Ok(()), Ok(())));
    assert_eq!(c.set(IP, 47, &other), Err(Errno::EINVAL), "the last took the group along");
    for n in 0..11 {
        let set = c.set(IP, 46, &request(1, &[GROUP, &format!("127.0.1.{n}")]));
        assert_eq!(set, if n < 10 { Ok(()) } else { Err(Errno::ENOBUFS) });
    }
}

#[test]
fn requests_that_are_wrong() {
    let mut c = Case::new(Domain::Inet);
    for (name, value, errno) in [
        (42, request(1, &["1.2.3.4"]), Errno::EINVAL),
        (42, request(1, &[GROUP6]), Errno::EINVAL),
        (42, vec![1, 0, 0, 0], Errno::EINVAL),
        (42, request(77, &[GROUP]), Errno::ENODEV),
        (39, mreq(&[GROUP, HOME]), Errno::EINVAL),
        (39, mreq(&["1.1.1.1", HOME, HOME]), Errno::EINVAL),
        (41, [mreq(&[GROUP, HOME]), vec![1, 0, 0, 0, 1, 0, 0, 0]].concat(), Errno::EINVAL),
        (41, [mreq(&[GROUP, HOME]), vec![1, 0, 0, 0, 255, 255, 255, 255]].concat(), Errno::EINVAL),
    ] {
        assert_eq!(c.set(IP, name, &value), Err(errno), "{name} {value:?}");
    }
    let mut c = Case::new(Domain::Inet6);
    for (name, value, errno) in [
        (42, request(1, &[GROUP]), Errno::EADDRNOTAVAIL),
        (46, request(1, &[GROUP6, HOME]), Errno::EADDRNOTAVAIL),
        (42, request(1, &["fe80::9"]), Errno::EINVAL),
        (46, request(77, &[GROUP6, "::1"]), Errno::ENODEV),
        (43, request(1, &[GROUP6, "::1"]), Errno::EINVAL),
    ] {
        assert_eq!(c.set(IPV6, name, &value), Err(errno), "{name}");
    }
    assert_eq!(c.set(IP, 42, &request(1, &[GROUP])), Ok(()), "IPv4's groups on a socket of IPv6");
}

/// Whether a member with these options hears a datagram from `source` on lo.
fn hears(options: &[(i32, Vec<u8>)], source: &str) -> bool {
    let mut w = World::one();
    let now = w.now;
    let (member, sender) = (w.bound_udp(0, &format!("{GROUP}:5353")), w.bound_udp(0, &format!("{source}:0")));
    for (name, value) in options {
        w.host().setsockopt(member, IP, *name, value, now).unwrap();
    }
    w.host().setsockopt(sender, IP, 32, &mreq(&[HOME]), now).unwrap();
    let (payload, to) = (Payload::from(bytes::Bytes::from_static(b"m")), addr(&format!("{GROUP}:5353")));
    w.host().send_to(sender, payload, Some(to), &SendControl::default(), now).unwrap();
    w.recv(0, member).is_ok()
}

#[test]
fn members_hear_whom_they_want() {
    let (join, join_source) = ((35, mreq(&[GROUP, HOME])), (39, mreq(&[GROUP, HOME, HOME])));
    let block = (38, mreq(&[GROUP, HOME, "127.0.0.2"]));
    assert!(hears(std::slice::from_ref(&join), HOME));
    assert!(hears(std::slice::from_ref(&join_source), HOME));
    assert!(!hears(&[join_source], "127.0.0.2"));
    assert!(!hears(&[join.clone(), block.clone()], "127.0.0.2"));
    assert!(hears(&[join.clone(), block], HOME));
    let only = [mreq(&[GROUP, HOME]), vec![1, 0, 0, 0, 1, 0, 0, 0], mreq(&["127.0.0.3"])].concat();
    assert!(!hears(&[join.clone(), (41, only.clone())], HOME));
    assert!(hears(&[join, (41, only)], "127.0.0.3"));
    assert!(!hears(&[], HOME), "nobody is a member");
}

/// By the interface that the route leads to, the host's own members hear it too, and so do others'.
#[test]
fn groups_on_a_link() {
    let mut w =
        World::of(vec![eth("a", &["10.0.0.1/24", "fd00::1/64"]), eth("b", &["10.0.0.2/24", "fd00::2/64"])]);
    let now = w.now;
    for (any, group, level) in [("0.0.0.0:5353", GROUP, IP), ("[::]:5354", GROUP6, IPV6)] {
        let members = [w.bound_udp(0, any), w.bound_udp(1, any)];
        for (host, member) in members.into_iter().enumerate() {
            w.hosts[host].setsockopt(member, level, 42, &request(0, &[group]), now).unwrap();
        }
        let sender = w.udp(0, world::family(any));
        let to = std::net::SocketAddr::new(group.parse().unwrap(), addr(any).port());
        let payload = Payload::from(bytes::Bytes::from_static(b"all"));
        w.host().send_to(sender, payload, Some(to), &SendControl::default(), now).unwrap();
        w.settle();
        for (host, member) in members.into_iter().enumerate() {
            assert_eq!(w.recv(host, member), Ok(b"all".to_vec()), "{group} on host {host}");
        }
    }
}
