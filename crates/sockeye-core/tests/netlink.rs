//! What programs read of interfaces: the messages of `getifaddrs`, byte by byte where it matters.

mod world;

use world::{World, eth};

/// `struct nlmsghdr`, then the family byte and padding.
fn request(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(16 + body.len() as u32).to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&77u32.to_ne_bytes());
    bytes.extend_from_slice(&0u32.to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Kind, flags, body of every message.
fn messages(datagrams: &[Vec<u8>]) -> Vec<(u16, u16, Vec<u8>)> {
    let mut all = Vec::new();
    for datagram in datagrams {
        let mut at = 0;
        while at < datagram.len() {
            let word = |i: usize| u32::from_ne_bytes(datagram[at + i..at + i + 4].try_into().unwrap());
            let half = |i: usize| u16::from_ne_bytes(datagram[at + i..at + i + 2].try_into().unwrap());
            assert_eq!((word(8), word(12)), (77, 4242));
            let len = word(0) as usize;
            all.push((half(4), half(6), datagram[at + 16..at + len].to_vec()));
            at += len.next_multiple_of(4);
        }
        assert_eq!(at, datagram.len());
    }
    all
}

fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    while bytes.len() >= 4 {
        let len = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        if u16::from_ne_bytes([bytes[2], bytes[3]]) == wanted {
            return Some(&bytes[4..len]);
        }
        bytes = &bytes[len.next_multiple_of(4).min(bytes.len())..];
    }
    None
}

#[test]
fn links_and_addresses_are_dumped() {
    let w = World::of(vec![eth("a", &["10.0.0.1/24", "fd00::1/64"])]);
    let dump = 0x301;
    let links = messages(&w.hosts[0].netlink_route(&request(18, dump, &[0; 16]), 4242));
    assert_eq!(links.iter().map(|m| (m.0, m.1)).collect::<Vec<_>>(), [(16, 2), (16, 2), (3, 2)]);
    assert_eq!(attribute(&links[0].2[16..], 3), Some(&b"lo\0"[..]));
    assert_eq!(attribute(&links[1].2[16..], 3), Some(&b"eth0\0"[..]));
    assert_eq!(attribute(&links[0].2[16..], 4), Some(&65536u32.to_ne_bytes()[..]));
    // UP, LOOPBACK, RUNNING, LOWER_UP as on Linux.
    assert_eq!(links[0].2[8..12], 0x1_0049u32.to_ne_bytes());
    let addresses = messages(&w.hosts[0].netlink_route(&request(22, dump, &[0]), 4242));
    let shown: Vec<_> = addresses
        .iter()
        .filter(|m| m.0 == 20)
        .map(|m| (m.2[0], m.2[1], m.2[4], attribute(&m.2[8..], 1).unwrap()))
        .collect();
    let mut lo6 = [0; 16];
    lo6[15] = 1;
    let mut eth6 = lo6;
    (eth6[0], eth6[1]) = (0xfd, 0);
    assert_eq!(
        shown,
        [(2, 8, 1, &[127, 0, 0, 1][..]), (2, 24, 2, &[10, 0, 0, 1]), (10, 128, 1, &lo6), (10, 64, 2, &eth6)]
    );
    assert_eq!(attribute(&addresses[1].2[8..], 4), Some(&[10, 0, 0, 255][..]));
    assert_eq!(attribute(&addresses[1].2[8..], 3), Some(&b"eth0\0"[..]));
    let v6 = messages(&w.hosts[0].netlink_route(&request(22, dump, &[10]), 4242));
    assert_eq!(v6.len(), 3);
}

#[test]
fn routes_are_dumped_and_asked_for() {
    let w = World::of(vec![eth("a", &["10.0.0.1/24"])]);
    let routes = messages(&w.hosts[0].netlink_route(&request(26, 0x301, &[2]), 4242));
    assert_eq!(routes.iter().filter(|m| m.0 == 24).map(|m| m.2[1]).collect::<Vec<_>>(), [24, 0]);
    let mut ask = vec![2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    ask.extend_from_slice(&[8, 0, 1, 0, 10, 0, 0, 9]);
    let found = messages(&w.hosts[0].netlink_route(&request(26, 1, &ask), 4242));
    assert_eq!(attribute(&found[0].2[12..], 4), Some(&2u32.to_ne_bytes()[..]));
    assert_eq!(attribute(&found[0].2[12..], 7), Some(&[10, 0, 0, 1][..]));
}

#[test]
fn what_would_change_something_is_refused() {
    let w = World::one();
    let answer = messages(&w.hosts[0].netlink_route(&request(16, 5, &[0; 16]), 4242));
    assert_eq!(answer[0].0, 2);
    assert_eq!(answer[0].2[..4], (-1i32).to_ne_bytes());
    let unknown = messages(
        &w.hosts[0].netlink_route(&request(18, 1, &[0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 4242),
    );
    assert_eq!(unknown[0].2[..4], (-19i32).to_ne_bytes());
    assert!(w.hosts[0].netlink_route(&[1, 2, 3], 4242).is_empty());
}

/// `struct inet_diag_req_v2` for all states.
fn diag(family: u8, protocol: u8, extensions: u8) -> Vec<u8> {
    let mut body = vec![family, protocol, extensions, 0];
    body.extend_from_slice(&u32::MAX.to_ne_bytes());
    body.resize(56, 0);
    body
}

/// State, ports, user and inode of each `struct inet_diag_msg`.
fn shown(datagrams: &[Vec<u8>]) -> Vec<(u8, u16, u16, u32, u32)> {
    let all = messages(datagrams).into_iter().filter(|(kind, ..)| *kind == 20);
    all.map(|(_, _, body)| {
        let word = |at: usize| u32::from_ne_bytes(body[at..at + 4].try_into().unwrap());
        let port = |at: usize| u16::from_be_bytes(body[at..at + 2].try_into().unwrap());
        (body[1], port(4), port(6), word(64), word(68))
    })
    .collect()
}

#[test]
fn sockets_are_dumped_with_their_owners() {
    use sockeye_core::netlink::diag::Owner;
    let mut w = World::one();
    let listener = w.listen(0, "127.0.0.1:80", 5);
    let (client, server) = w.pair(listener, 0, 0, "127.0.0.1:80");
    let port = w.hosts[0].local_addr(client).unwrap().port();
    let udp = w.bound_udp(0, "127.0.0.1:53");
    for (id, tag) in [(listener, 1), (client, 2), (server, 3), (udp, 4)] {
        w.hosts[0].set_owner_tag(id, tag);
    }
    // The third is not to be seen.
    let owner = |tag: u64| (tag != 3).then_some(Owner { inode: 100 + tag as u32, uid: 7 });
    let now = w.now;
    let mut ask = |flags, body: &[u8]| w.hosts[0].netlink_diag(&request(20, flags, body), 4242, &owner, now);
    let tcp = ask(0x301, &diag(2, 6, 2));
    assert_eq!(shown(&tcp), [(10, 80, 0, 7, 101), (1, port, 80, 7, 102)]);
    let info = messages(&tcp).into_iter().nth(1).unwrap().2;
    assert_eq!(attribute(&info[72..], 2).map(|info| info[0]), Some(1), "tcpi_state");
    assert_eq!(messages(&tcp).last().map(|m| m.0), Some(3), "NLMSG_DONE");
    assert_eq!(shown(&ask(0x301, &diag(2, 17, 0))), [(7, 53, 0, 7, 104)]);
    assert_eq!(shown(&ask(0x301, &diag(10, 6, 0))), []);

    // One by its addresses, and one that is not there; a family that is not ours.
    let mut one = diag(2, 6, 0);
    one[8..12].copy_from_slice(&[(port >> 8) as u8, port as u8, 0, 80]);
    one[12..16].copy_from_slice(&[127, 0, 0, 1]);
    one[28..32].copy_from_slice(&[127, 0, 0, 1]);
    assert_eq!(shown(&ask(1, &one)), [(1, port, 80, 7, 102)]);
    one[11] = 81;
    assert_eq!(messages(&ask(1, &one))[0].2[..4], (-2i32).to_ne_bytes());
    assert_eq!(messages(&ask(0x301, &diag(1, 0, 0)))[0].2[..4], (-2i32).to_ne_bytes());
    assert_eq!(messages(&ask(0x301, &[2, 6, 0, 0]))[0].2[..4], (-22i32).to_ne_bytes());
}
