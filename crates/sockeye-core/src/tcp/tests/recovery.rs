//! Loss recovery, mechanism by mechanism, on a path that loses exactly what each test says.

use super::basics::{pattern, transfer};
use super::harness::World;
use crate::tcp::Connection;
use crate::tcp::State;
use alloc::vec::Vec;
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

impl Connection {
    /// The scoreboard agrees with the block.
    pub(crate) fn check_board(&self) {
        if !matches!(self.state(), State::Closed | State::SynSent | State::SynReceived | State::TimeWait) {
            self.recovery.board.check(self.snd.una, self.snd.nxt);
        }
    }
}

fn retransmitted(world: &World) -> u64 {
    world.ends[0].counters.retrans_segs
}

#[test]
fn sack_is_used_when_both_ends_want_it() {
    for (ours, theirs) in [(true, true), (true, false), (false, true)] {
        let mut world = World::new(1);
        (world.ends[0].limits.sack, world.ends[1].limits.sack) = (ours, theirs);
        world.handshake();
        for end in 0..2 {
            assert_eq!(world.connection(end).info(world.now).sack, ours && theirs);
        }
    }
}

/// RFC 6675: what is missing is sent again once, within one round trip, and nothing else.
#[test]
fn several_losses_of_one_window_are_repaired_at_once() {
    let mut world = World::connected(2);
    world.filter =
        |from, segment, n| from == 0 && segment.payload.len() == 1448 && (61..91).contains(&n) && n % 3 == 0;
    let data = pattern(400_000);
    assert!(transfer(&mut world, &data, 10 * S) == data);
    let lost = 400_000 / 1448;
    assert!(retransmitted(&world) > 1 && retransmitted(&world) < lost / 10, "{}", retransmitted(&world));
    let counters = &world.ends[0].counters;
    assert_eq!((counters.timeouts, counters.fast_retransmits, counters.dsack_recv), (0, 1, 0));
}

/// RFC 8985, 7: the last segments of a flight are lost, and no timeout is needed.
#[test]
fn a_lost_tail_is_probed() {
    for lost in 1..4 {
        let mut world = World::connected(3);
        let data = pattern(1448 * 8);
        world.at(0, |c, ctx| c.send(&data, ctx)).unwrap();
        world.run(30 * MS);
        world.filter = |from, segment, _| from == 0 && !segment.payload.is_empty();
        world.at(0, |c, ctx| c.send(&pattern(1448 * lost), ctx)).unwrap();
        world.filter = |_, _, _| false;
        world.run(S);
        let counters = &world.ends[0].counters;
        assert_eq!((counters.timeouts, counters.loss_probes), (0, 1), "{lost} lost");
        assert_eq!(world.connection(0).send_queued(), 0);
        assert_eq!(retransmitted(&world), lost as u64);
    }
}

/// RFC 5682: the path stalls, the timer expires, the originals arrive: nothing was lost.
#[test]
fn a_spurious_timeout_is_undone() {
    let mut world = World::connected(4);
    let data = pattern(1 << 20);
    let mut sent = 0;
    for _ in 0..20 {
        sent += world.at(0, |c, ctx| c.send(&data[sent..], ctx)).unwrap_or(0);
        world.run(10 * MS);
        let mut buf = [0; 1 << 16];
        while let Ok(1..) = world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)) {}
    }
    let before = world.connection(0).info(world.now).snd_cwnd;
    world.path.delay = 700 * MS;
    world.at(0, |c, ctx| c.send(&data, ctx)).unwrap();
    world.run(5 * S);
    let counters = &world.ends[0].counters;
    assert!(counters.timeouts >= 1 && counters.undos >= 1, "{counters:?}");
    assert!(world.connection(0).info(world.now).snd_cwnd >= before);
}

/// RFC 5682, 3.1 step 2: new data that may not go must not hold up what is lost.
#[test]
fn a_timeout_is_repaired_when_new_data_is_held_back() {
    let mut world = World::connected(8);
    world.at(0, |c, _| c.settings_mut().cork = true);
    world.path.cut = true;
    world.at(0, |c, ctx| c.send(&pattern(1448 * 5), ctx)).unwrap();
    world.run(100 * MS);
    world.at(0, |c, ctx| c.send(&pattern(100), ctx)).unwrap();
    world.path.cut = false;
    world.run(300 * MS);
    assert_eq!(world.ends[0].counters.timeouts, 1);
    assert!(world.connection(1).received() >= 1448 * 5, "{}", world.connection(1).received());
}

/// RFC 8985, 6: reordering costs at first, then it is waited for; what was reduced in vain comes back.
#[test]
fn reordering_is_learnt() {
    let mut world = World::connected(5);
    world.path.jitter = 3 * MS;
    let data = pattern(2 << 20);
    assert!(transfer(&mut world, &data, 100 * S) == data);
    let counters = &world.ends[0].counters;
    assert_eq!(counters.timeouts, 0);
    let segments = (2 << 20) / 1448;
    assert!(retransmitted(&world) < segments / 20, "{} of {segments}", retransmitted(&world));
    assert!(counters.dsack_recv > 0 && counters.undos > 0, "{counters:?}");
}

/// RFC 3042: two segments arrive out of three, and their news lets new ones go, whose news repairs the loss.
#[test]
fn limited_transmit_saves_a_small_window() {
    let mut world = World::new(6);
    world.ends[0].limits.sack = false;
    world.ends[0].limits.initial_window_segments = 3;
    world.handshake();
    world.filter = |from, segment, n| from == 0 && segment.payload.len() == 1448 && n == 7;
    let data = pattern(1448 * 6);
    assert!(transfer(&mut world, &data, 10 * S) == data);
    assert_eq!((world.ends[0].counters.timeouts, world.ends[0].counters.fast_retransmits), (0, 1));
}

/// RFC 6937: the retransmissions of a recovery are spread over it, and it ends at the threshold.
#[test]
fn the_window_shrinks_in_proportion() {
    let mut world = World::connected(7);
    world.filter = |from, segment, n| from == 0 && segment.payload.len() == 1448 && n == 201;
    let data = pattern(1 << 20);
    let mut windows = Vec::new();
    let mut sent = 0;
    let mut buf = [0; 1 << 16];
    for _ in 0..400 {
        sent += world.at(0, |c, ctx| c.send(&data[sent..], ctx)).unwrap_or(0);
        world.run(MS / 2);
        let info = world.connection(0).info(world.now);
        if info.ca_state == 3 {
            windows.push((info.snd_cwnd, info.snd_ssthresh));
        }
        while let Ok(1..) = world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)) {}
    }
    assert!(!windows.is_empty());
    for (window, threshold) in windows {
        assert!(window >= threshold.min(3) && window <= 2 * threshold, "{window} of {threshold}");
    }
    assert_eq!(world.ends[0].counters.timeouts, 0);
}

/// One seed for each mixture of loss, reordering and duplication: no timeouts but at heavy loss, all arrives.
#[test]
fn random_loss_is_repaired_without_timeouts() {
    for seed in 0..20 {
        let mut world = World::connected(100 + seed);
        world.path.loss = 2;
        world.path.jitter = Duration::from_millis(seed % 3);
        world.path.duplicate = seed as u32 % 2;
        let data = pattern(300_000);
        assert!(transfer(&mut world, &data, 60 * S) == data, "seed {seed}");
        assert!(world.ends[0].counters.timeouts <= 1, "seed {seed}: {:?}", world.ends[0].counters);
    }
}
