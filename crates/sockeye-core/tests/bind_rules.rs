//! Who may share a port: every pair of sockets, compared with what the kernel said (`linux/bind_rules.py`).

mod world;

use sockeye_core::Errno;
use sockeye_core::host::{Domain, Host, Kind, SocketId};
use world::{World, addr, family};

const ADDRESSES: [&str; 7] =
    ["0.0.0.0", "127.0.0.1", "127.0.0.2", "[::]", "[::]/only", "[::1]", "[::ffff:127.0.0.1]"];
const FLAGS: [&str; 4] = ["", "a", "p", "ap"];

fn make(w: &mut World, kind: Kind, address: &str, flags: &str) -> (SocketId, String) {
    let (bare, only) = address.split_once('/').map_or((address, false), |(bare, _)| (bare, true));
    let name = format!("{bare}:20000");
    let id = w.host().socket(family(&name), kind, 0).unwrap();
    let now = w.now;
    let mut set = |level, option, on: bool| {
        w.hosts[0].setsockopt(id, level, option, &i32::from(on).to_ne_bytes(), now).unwrap();
    };
    if family(&name) == Domain::Inet6 {
        set(41, 26, only);
    }
    set(1, 2, flags.contains('a'));
    set(1, 15, flags.contains('p'));
    (id, name)
}

fn second(host: &mut Host, kind: Kind, id: SocketId, name: &str) -> char {
    match host.bind(id, addr(name)) {
        Ok(()) => {}
        Err(Errno::EADDRINUSE) => return 'b',
        Err(_) => return '?',
    }
    match kind {
        Kind::Stream => match host.listen(id, 1) {
            Ok(()) => '.',
            Err(Errno::EADDRINUSE) => 'l',
            Err(_) => '?',
        },
        _ => '.',
    }
}

#[test]
fn ports_are_shared_as_on_linux() {
    let mut table = include_str!("linux/bind_rules.txt").lines();
    let kinds: Vec<_> = ADDRESSES.iter().flat_map(|a| FLAGS.iter().map(move |f| (*a, *f))).collect();
    let mut wrong = Vec::new();
    for (title, kind, listens) in [
        ("tcp bound", Kind::Stream, false),
        ("tcp listening", Kind::Stream, true),
        ("udp", Kind::Datagram, false),
    ] {
        assert_eq!(table.next(), Some(title));
        for (address, flags) in &kinds {
            let row = table.next().unwrap();
            for ((other, other_flags), expected) in kinds.iter().zip(row.chars()) {
                let mut w = World::one();
                let (first, name) = make(&mut w, kind, address, flags);
                w.host().bind(first, addr(&name)).unwrap();
                if listens {
                    w.host().listen(first, 1).unwrap();
                }
                let (id, name) = make(&mut w, kind, other, other_flags);
                let got = second(w.host(), kind, id, &name);
                if got != expected {
                    wrong.push(format!(
                        "{title}: {address} {flags}, then {other} {other_flags}: {got}, Linux {expected}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
