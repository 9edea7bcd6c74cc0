//! What a sender does beside sending: pacing, rates, limits, room, times.

use super::harness::World;
use crate::tcp::{Congestion, StampKind, Stamping};
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Bytes that end 1 has got, read away as they come, while end 0 sends for `time`.
fn bulk(world: &mut World, time: Duration) -> u64 {
    let data = [7; 20_000];
    let until = world.now + time;
    while world.now < until {
        while world.at(0, |c, ctx| c.send(&data, ctx)).is_ok_and(|n| n == data.len()) {}
        world.run(MS);
        world.at(1, |c, ctx| c.consume(c.received(), ctx));
    }
    world.connection(1).info(world.now).bytes_received
}

#[test]
fn a_rate_that_was_asked_for_is_kept() {
    let mut world = World::connected(1);
    world.at(0, |c, ctx| {
        c.settings_mut().pacing_rate_max = 1_000_000;
        c.settings_changed(ctx);
    });
    let bytes = bulk(&mut world, Duration::from_secs(2));
    assert!((1_900_000..2_050_000).contains(&bytes), "{bytes} bytes in 2 s at 1 MB/s");
    let info = world.connection(0).info(world.now);
    assert_eq!(info.max_pacing_rate, 1_000_000);
    assert!((900_000..1_100_000).contains(&info.delivery_rate), "{}", info.delivery_rate);
}

#[test]
fn bbr_paces_and_knows_the_rate_of_delivery() {
    let mut world = World::new(2);
    world.ends[0].settings.congestion = Congestion::Bbr;
    world.handshake();
    world.at(0, |c, ctx| {
        c.settings_mut().pacing_rate_max = 500_000;
        c.settings_changed(ctx);
    });
    let bytes = bulk(&mut world, Duration::from_secs(3));
    assert!((1_400_000..1_600_000).contains(&bytes), "{bytes}");
    let info = world.connection(0).info(world.now);
    assert!(info.pacing_rate < 2_000_000 && info.snd_cwnd < 40, "{info:?}");
}

#[test]
fn a_program_that_sends_little_limits_the_rate_itself() {
    let mut world = World::connected(3);
    for _ in 0..20 {
        world.at(0, |c, ctx| c.send(&[1; 100], ctx)).unwrap();
        world.run(50 * MS);
    }
    let info = world.connection(0).info(world.now);
    assert!(info.delivery_rate_app_limited && info.delivery_rate > 0, "{info:?}");
}

#[test]
fn what_limits_a_sender_is_timed() {
    let mut world = World::connected(4);
    // Nobody reads: the peer's window shuts.
    let data = [3; 60_000];
    while world.at(0, |c, ctx| c.send(&data, ctx)).is_ok() {
        world.run(10 * MS);
    }
    world.run(Duration::from_secs(1));
    let info = world.connection(0).info(world.now);
    assert!(info.rwnd_limited >= Duration::from_millis(900), "{info:?}");
    assert!(info.busy >= info.rwnd_limited && info.sndbuf_limited.is_zero(), "{info:?}");
    // An idle sender is not busy.
    let mut world = World::connected(5);
    world.at(0, |c, ctx| c.send(&[1; 100], ctx)).unwrap();
    world.run(Duration::from_secs(1));
    let busy = world.connection(0).info(world.now).busy;
    assert!(busy > 9 * MS && busy < 100 * MS, "{busy:?}");
}

#[test]
fn little_may_wait_unsent_where_that_was_asked_for() {
    let mut world = World::connected(6);
    world.at(0, |c, ctx| {
        c.settings_mut().notsent_lowat = 4000;
        c.settings_changed(ctx);
    });
    let data = [5; 400_000];
    let taken = world.at(0, |c, ctx| c.send(&data, ctx)).unwrap();
    // A first window goes, and one chunk behind it waits: no more, whatever the buffer has free.
    assert!(taken < 100_000, "{taken}");
    assert!(!world.connection(0).readiness().contains(crate::readiness::Readiness::OUT));
    world.run(Duration::from_secs(1));
    world.at(1, |c, ctx| c.consume(c.received(), ctx));
    assert!(world.connection(0).readiness().contains(crate::readiness::Readiness::OUT));
}

#[test]
fn the_times_of_a_write_are_told() {
    let mut world = World::connected(7);
    world.at(0, |c, _| c.set_stamping(Stamping::all()));
    let began = world.now;
    world.at(0, |c, ctx| c.send(&[1; 500], ctx)).unwrap();
    world.at(0, |c, ctx| c.send(&[2; 500], ctx)).unwrap();
    world.run(Duration::from_secs(1));
    let stamps: alloc::vec::Vec<_> =
        core::iter::from_fn(|| world.ends[0].connection.as_mut().unwrap().take_stamp()).collect();
    let of = |kind| stamps.iter().filter(move |s| s.kind == kind).collect::<alloc::vec::Vec<_>>();
    for kind in [StampKind::Scheduled, StampKind::Sent, StampKind::Acknowledged] {
        assert_eq!(of(kind).iter().map(|s| s.key).collect::<alloc::vec::Vec<_>>(), [499, 999], "{kind:?}");
    }
    assert_eq!(of(StampKind::Sent)[0].at, began);
    assert!(of(StampKind::Acknowledged)[0].at >= began + 10 * MS);
}

/// The harness's path with a narrower MTU than it says, and no ICMP: what is longer vanishes.
fn swallows_long_ones(_: usize, segment: &crate::tcp::Segment, _: u64) -> bool {
    segment.payload.len() > 1200
}

#[test]
fn the_path_s_mtu_is_found_by_probes() {
    let mut world = World::new(9);
    world.ends[0].limits.mtu_probing = 2;
    world.filter = swallows_long_ones;
    world.handshake();
    assert_eq!(world.connection(0).info(world.now).snd_mss, 1012);
    let bytes = bulk(&mut world, Duration::from_secs(3));
    assert!(bytes > 1_000_000, "{bytes}");
    let info = world.connection(0).info(world.now);
    assert!((1185..=1200).contains(&info.snd_mss), "{}", info.snd_mss);
    assert_eq!(world.ends[0].counters.timeouts, 0);
    assert_eq!(info.snd_ssthresh, 0x7fff_ffff, "a lost probe is no congestion");
}

#[test]
fn a_black_hole_is_got_around() {
    let mut world = World::new(10);
    world.ends[0].limits.mtu_probing = 1;
    world.filter = swallows_long_ones;
    world.handshake();
    assert_eq!(world.connection(0).info(world.now).snd_mss, 1448);
    let bytes = bulk(&mut world, Duration::from_secs(20));
    assert!(bytes > 1_000_000, "{bytes}");
    let mss = world.connection(0).info(world.now).snd_mss;
    assert!((1185..=1200).contains(&mss), "{mss}");
}
