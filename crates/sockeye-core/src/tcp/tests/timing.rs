//! What happens when: retransmission, probes, acknowledgements, keepalive, ends.

use super::basics::{pattern, transfer};
use super::harness::World;
use crate::errno::Errno;
use crate::tcp::State;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// When end 0 sent segments, in milliseconds since `from` lines of the log.
fn times(world: &World, from: usize) -> Vec<u64> {
    let of_end_0 = world.log[from..].iter().filter(|line| line.split(' ').nth(1) == Some("0"));
    of_end_0.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn retransmissions_back_off_for_300_seconds() {
    let mut world = World::connected(1);
    world.path.cut = true;
    let from = world.log.len();
    world.at(0, |c, ctx| c.send(b"into the void", ctx)).unwrap();
    world.run(300 * S);
    let times = times(&world, from);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps[0], 210, "the round trip and Linux's least of 200 ms");
    assert_eq!(gaps[1], 210, "the first was a tail loss probe");
    for pair in gaps[1..].windows(2) {
        assert!(pair[1] == (pair[0] * 2).min(120_000) || pair[1].abs_diff(pair[0] * 2) <= 1, "{gaps:?}");
    }
    assert_eq!(world.state(0), State::Established);
    assert_eq!(world.connection(0).info(world.now).total_retrans as usize, times.len() - 1);
    world.path.cut = false;
    world.run(120 * S);
    assert_eq!(world.connection(1).received(), 13);
    assert_eq!(world.connection(0).send_queued(), 0);
}

/// Simulated time costs what happens in it, not how long it is.
#[test]
fn three_hundred_seconds_of_back_off_take_less_than_a_millisecond() {
    extern crate std;
    let least = (0..20).map(|seed| {
        let mut world = World::connected(seed);
        world.path.cut = true;
        world.at(0, |c, ctx| c.send(b"into the void", ctx)).unwrap();
        let began = std::time::Instant::now();
        world.run(300 * S);
        assert!(world.connection(0).info(world.now).total_retrans >= 8);
        began.elapsed()
    });
    let least = least.min().unwrap();
    assert!(least < MS, "{least:?} for 300 s");
}

#[test]
fn a_dead_path_is_given_up_after_linux_s_924_seconds() {
    let mut world = World::connected(2);
    world.path.cut = true;
    world.at(0, |c, ctx| c.send(b"x", ctx)).unwrap();
    world.run(924 * S);
    assert_eq!(world.state(0), State::Established);
    world.run(130 * S);
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ETIMEDOUT));
}

#[test]
fn the_user_s_timeout_is_kept() {
    let mut world = World::connected(3);
    world.at(0, |c, _| c.settings_mut().user_timeout_ms = 3000);
    world.path.cut = true;
    world.at(0, |c, ctx| c.send(b"x", ctx)).unwrap();
    world.run(2900 * MS);
    assert_eq!(world.state(0), State::Established);
    world.run(500 * MS);
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ETIMEDOUT));
}

#[test]
fn a_single_loss_is_repaired_without_a_timeout() {
    let mut world = World::connected(4);
    world.filter = |from, segment, n| from == 0 && segment.payload.len() == 1448 && n == 21;
    let data = pattern(100_000);
    assert!(transfer(&mut world, &data, 10 * S) == data);
    let counters = &world.ends[0].counters;
    assert_eq!((counters.fast_retransmits, counters.timeouts, counters.retrans_segs), (1, 0, 1));
}

#[test]
fn a_shut_window_is_probed_until_it_opens() {
    let mut world = World::new(5);
    world.ends[1].settings.receive_buffer = 8192;
    world.ends[1].settings.receive_buffer_locked = true;
    world.handshake();
    let data = pattern(20_000);
    world.at(0, |c, ctx| c.send(&data, ctx)).unwrap();
    world.run(60 * S);
    let received = world.connection(1).received();
    assert!((3968..=4096).contains(&received));
    assert!(world.ends[0].counters.window_probes >= 5);
    // The window update is lost: a probe finds out.
    world.path.cut = true;
    let mut buf = vec![0; 1 << 16];
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(received));
    world.run(S);
    world.path.cut = false;
    let mut out = buf[..received].to_vec();
    for _ in 0..2000 {
        world.run(100 * MS);
        while let Ok(n @ 1..) = world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)) {
            out.extend_from_slice(&buf[..n]);
        }
    }
    assert!(out == data, "{} bytes", out.len());
}

#[test]
fn small_writes_wait_for_nagle_unless_told_otherwise() {
    for (nodelay, segments) in [(false, 2), (true, 5)] {
        let mut world = World::connected(6);
        world.at(0, |c, _| c.settings_mut().nodelay = nodelay);
        let from = world.log.len();
        for _ in 0..5 {
            world.at(0, |c, ctx| c.send(b"x", ctx)).unwrap();
        }
        world.run(100 * MS);
        assert_eq!(world.connection(1).received(), 5);
        assert_eq!(times(&world, from).len(), segments);
    }
}

#[test]
fn cork_holds_back_for_200_milliseconds_at_most() {
    let mut world = World::connected(7);
    world.at(0, |c, _| c.settings_mut().cork = true);
    world.at(0, |c, ctx| c.send(b"corked", ctx)).unwrap();
    world.run(150 * MS);
    assert_eq!(world.connection(1).received(), 0);
    world.run(100 * MS);
    assert_eq!(world.connection(1).received(), 6);
    world.at(0, |c, ctx| c.send(b"more", ctx)).unwrap();
    world.at(0, |c, ctx| {
        c.settings_mut().cork = false;
        c.settings_changed(ctx);
    });
    world.run(10 * MS);
    assert_eq!(world.connection(1).received(), 10);
}

#[test]
fn acknowledgements_come_at_once_at_first_and_are_delayed_in_an_exchange() {
    let mut world = World::connected(8);
    world.at(0, |c, ctx| c.send(b"x", ctx)).unwrap();
    world.run(11 * MS);
    assert_eq!(world.connection(0).send_queued(), 0);
    world.at(1, |c, ctx| c.send(b"y", ctx)).unwrap();
    world.run(20 * MS);
    world.at(0, |c, ctx| c.send(b"z", ctx)).unwrap();
    world.run(30 * MS);
    assert_eq!(world.connection(0).send_queued(), 1);
    world.run(40 * MS);
    assert_eq!(world.connection(0).send_queued(), 0);
    assert_eq!(world.ends[1].counters.delayed_acks, 1);
}

#[test]
fn keepalive_finds_a_dead_peer() {
    let mut world = World::connected(9);
    world.at(0, |c, ctx| {
        let settings = c.settings_mut();
        (settings.keepalive, settings.keep_idle_s) = (true, 10);
        (settings.keep_interval_s, settings.keep_count) = (2, 3);
        c.settings_changed(ctx);
    });
    world.run(100 * S);
    assert_eq!(world.state(0), State::Established);
    assert!((8..=10).contains(&world.ends[0].counters.keepalive_probes));
    world.path.cut = true;
    world.run(5 * S);
    assert_eq!(world.state(0), State::Established);
    world.run(12 * S);
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ETIMEDOUT));
}

#[test]
fn an_orphan_does_not_wait_for_ever() {
    let mut world = World::connected(10);
    world.at(0, |c, ctx| c.close(ctx));
    world.run(60 * S);
    assert_eq!(world.state(0), State::FinWait2);
    world.run(S);
    assert!(world.connection(0).is_finished());
}

#[test]
fn a_lost_fin_and_a_lost_handshake_are_repaired() {
    let mut world = World::new(11);
    world.filter = |_, _, n| n <= 2;
    world.ends[1].listens = true;
    world.open(0);
    world.run(4 * S);
    assert_eq!((world.state(0), world.state(1)), (State::Established, State::Established));
    world.filter = |_, segment, n| segment.header.flags.contains(crate::wire::tcp::Flags::FIN) && n % 4 != 0;
    world.at(0, |c, ctx| c.close(ctx));
    world.at(1, |c, ctx| c.close(ctx));
    world.run(30 * S);
    assert!(matches!(world.state(0), State::TimeWait | State::Closed));
    assert!(matches!(world.state(1), State::TimeWait | State::Closed));
}

#[test]
fn a_full_accept_queue_drops_the_last_segment_and_data_completes_it_later() {
    let mut world = World::new(12);
    world.ends[1].listens = true;
    world.ends[1].room = false;
    world.open(0);
    world.run(100 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::Established, State::Closed));
    world.ends[1].room = true;
    world.at(0, |c, ctx| c.send(b"early", ctx)).unwrap();
    world.run(100 * MS);
    assert_eq!((world.state(1), world.connection(1).received()), (State::Established, 5));
}

#[test]
fn a_deferred_accept_waits_for_data() {
    let mut world = World::new(13);
    world.ends[1].listens = true;
    world.ends[1].settings.defer_accept_s = 5;
    world.open(0);
    world.run(500 * MS);
    assert!(world.ends[1].connection.is_none());
    world.at(0, |c, ctx| c.send(b"GET", ctx)).unwrap();
    world.run(100 * MS);
    assert_eq!(world.connection(1).received(), 3);
    // Without data the wait ends with the SYN|ACK that goes out behind it.
    let mut world = World::new(14);
    world.ends[1].listens = true;
    world.ends[1].settings.defer_accept_s = 5;
    world.open(0);
    world.run(10 * S);
    assert_eq!(world.state(1), State::Established);
}
