//! What an idle connection costs: a hundred thousand of them, both ends in one host, by the process's resident
//! memory. Each has carried a byte both ways, so that whatever is made on first use has been made.
#![cfg(target_os = "linux")]

mod world;

use sockeye_core::SocketId;
use world::World;

const CONNECTIONS: usize = 100_000;
const PER_LISTENER: usize = 10_000;
/// Bytes for one end of one connection, all tables counted.
const END_MAX: usize = 1750;

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn exchange(w: &mut World, (client, server): (SocketId, SocketId)) {
    let now = w.now;
    for (from, to) in [(client, server), (server, client)] {
        assert_eq!(w.host().send(from, b"x", now), Ok(1));
        w.settle();
        assert_eq!(w.host().recv(to, &mut [0; 4], false, now), Ok(1));
    }
    while w.host().next_event().is_some() {}
}

#[test]
fn an_idle_connection_is_small() {
    let mut w = World::one();
    let before = resident_bytes();
    for n in 0..CONNECTIONS / PER_LISTENER {
        let name = format!("127.0.0.1:{}", 1000 + n);
        let listener = w.listen(0, &name, 1);
        for _ in 0..PER_LISTENER {
            let pair = w.pair(listener, 0, 0, &name);
            exchange(&mut w, pair);
        }
    }
    w.pass(1000);
    let per_end = (resident_bytes() - before) / (2 * CONNECTIONS);
    println!("{per_end} bytes for an end of an idle connection");
    assert!(per_end <= END_MAX, "{per_end} bytes for an end of an idle connection");
}
