//! Handshake, data, close: the walks of RFC 9293's figures.

use super::harness::World;
use crate::errno::Errno;
use crate::readiness::Readiness;
use crate::tcp::State;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Sends `data` from end 0 to end 1 as room permits; gives what came out.
pub(super) fn transfer(world: &mut World, data: &[u8], limit: Duration) -> Vec<u8> {
    let (mut sent, mut out, mut buf) = (0, Vec::new(), vec![0; 1 << 16]);
    let until = world.now + limit;
    loop {
        while sent < data.len() {
            match world.at(0, |c, ctx| c.send(&data[sent..], ctx)) {
                Ok(n) => sent += n,
                Err(Errno::EAGAIN) => break,
                Err(error) => panic!("send: {error}"),
            }
        }
        while let Ok(n @ 1..) = world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)) {
            out.extend_from_slice(&buf[..n]);
        }
        if out.len() == data.len() || !world.step(until) {
            return out;
        }
    }
}

pub(super) fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[test]
fn a_connection_opens_carries_and_closes() {
    let mut world = World::connected(1);
    assert_eq!(world.at(0, |c, ctx| c.send(b"hello", ctx)), Ok(5));
    world.run(20 * MS);
    let mut buf = [0; 16];
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, true, ctx)), Ok(5));
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(5));
    assert_eq!(&buf[..5], b"hello");
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Err(Errno::EAGAIN));
    world.at(0, |c, ctx| c.close(ctx));
    assert_eq!(world.state(0), State::FinWait1);
    world.run(60 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::FinWait2, State::CloseWait));
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(0));
    world.at(1, |c, ctx| c.close(ctx));
    assert_eq!(world.state(1), State::LastAck);
    world.run(20 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::TimeWait, State::Closed));
    assert!(world.connection(1).is_finished());
    world.run(61_000 * MS);
    assert_eq!(world.state(0), State::Closed);
    assert!(world.connection(0).is_finished());
}

#[test]
fn both_ends_may_open_at_once() {
    let mut world = World::new(2);
    world.open(0);
    world.open(1);
    world.run(50 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::Established, State::Established));
    assert_eq!(transfer(&mut world, b"crossed", 100 * MS), b"crossed");
}

#[test]
fn both_ends_may_close_at_once() {
    let mut world = World::connected(3);
    world.at(0, |c, ctx| c.close(ctx));
    world.at(1, |c, ctx| c.close(ctx));
    world.run(7 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::Closing, State::Closing));
    world.run(10 * MS);
    assert_eq!((world.state(0), world.state(1)), (State::TimeWait, State::TimeWait));
}

#[test]
fn a_megabyte_arrives_whole() {
    let mut world = World::connected(4);
    let data = pattern(1 << 20);
    assert!(transfer(&mut world, &data, 60_000 * MS) == data);
    assert_eq!(world.connection(0).info(world.now).total_retrans, 0);
}

#[test]
fn loss_reordering_and_duplicates_do_not_change_the_stream() {
    for seed in 0..12 {
        let mut world = World::connected(100 + seed);
        world.path.loss = 3 + seed as u32 % 4;
        world.path.duplicate = 3;
        world.path.jitter = Duration::from_micros(1500 * (seed % 3));
        let data = pattern(300_000);
        let out = transfer(&mut world, &data, Duration::from_secs(600));
        assert!(out == data, "seed {seed}: {} of {} bytes", out.len(), data.len());
    }
}

#[test]
fn readiness_is_that_of_linux() {
    use Readiness as R;
    let mut world = World::new(5);
    world.ends[1].listens = true;
    world.open(0);
    assert_eq!(world.connection(0).readiness(), R::empty());
    world.run(50 * MS);
    assert!(world.at(0, |c, _| c.take_ready()));
    assert_eq!(world.connection(0).readiness(), R::OUT);
    world.at(1, |c, ctx| c.send(b"x", ctx)).unwrap();
    world.run(10 * MS);
    assert!(world.at(0, |c, _| c.take_ready()));
    assert_eq!(world.connection(0).readiness(), R::IN | R::OUT);
    world.at(1, |c, ctx| c.shutdown_write(ctx)).unwrap();
    world.run(10 * MS);
    assert_eq!(world.connection(0).readiness(), R::IN | R::OUT | R::RDHUP);
    world.at(0, |c, ctx| c.shutdown_write(ctx)).unwrap();
    assert_eq!(world.connection(0).readiness(), R::IN | R::OUT | R::RDHUP | R::HUP);
}

#[test]
fn a_refused_connection_says_so_once() {
    let mut world = World::new(6);
    world.open(0);
    world.run(20 * MS);
    assert_eq!(world.state(0), State::Closed);
    use Readiness as R;
    assert_eq!(world.connection(0).readiness(), R::IN | R::OUT | R::ERR | R::HUP | R::RDHUP);
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ECONNREFUSED));
    assert_eq!(world.at(0, |c, _| c.take_error()), None);
    assert!(world.connection(0).is_finished());
}

#[test]
fn an_unanswered_connect_times_out_after_127_seconds() {
    let mut world = World::new(7);
    world.path.cut = true;
    world.open(0);
    world.run(Duration::from_secs(126));
    assert_eq!(world.state(0), State::SynSent);
    assert_eq!(world.log.len(), 7);
    world.run(Duration::from_secs(2));
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ETIMEDOUT));
}

#[test]
fn a_reset_leaves_the_data_then_says_so_once() {
    let mut world = World::connected(8);
    world.at(1, |c, ctx| c.send(b"last words", ctx)).unwrap();
    world.run(10 * MS);
    world.at(1, |c, ctx| c.abort(ctx));
    world.run(10 * MS);
    let mut buf = [0; 4];
    assert_eq!(world.at(0, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(4));
    assert_eq!(world.at(0, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(4));
    assert_eq!(world.at(0, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(2));
    assert_eq!(world.at(0, |c, ctx| c.recv(&mut buf, false, ctx)), Err(Errno::ECONNRESET));
    assert_eq!(world.at(0, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(0));
    assert_eq!(world.at(0, |c, ctx| c.send(b"x", ctx)), Err(Errno::EPIPE));
}

#[test]
fn a_write_after_a_reset_fails_with_its_reason_then_with_epipe() {
    let mut world = World::connected(9);
    world.at(1, |c, ctx| c.abort(ctx));
    world.run(10 * MS);
    assert_eq!(world.at(0, |c, ctx| c.send(b"x", ctx)), Err(Errno::ECONNRESET));
    assert_eq!(world.at(0, |c, ctx| c.send(b"x", ctx)), Err(Errno::EPIPE));
    let mut world = World::connected(10);
    world.at(1, |c, ctx| c.close(ctx));
    world.run(60 * MS);
    assert_eq!(world.state(0), State::CloseWait);
    world.at(0, |c, ctx| c.send(b"nobody reads this", ctx)).unwrap();
    world.run(20 * MS);
    assert_eq!(world.at(0, |c, ctx| c.send(b"x", ctx)), Err(Errno::EPIPE));
    assert_eq!(world.ends[1].counters.abort_on_data, 1);
}

#[test]
fn closing_with_unread_data_resets() {
    let mut world = World::connected(11);
    world.at(0, |c, ctx| c.send(b"unread", ctx)).unwrap();
    world.run(20 * MS);
    world.at(1, |c, ctx| c.close(ctx));
    world.run(20 * MS);
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ECONNRESET));
    assert!(world.connection(1).is_finished());
}

#[test]
fn data_after_shutdown_of_reading_is_accepted() {
    let mut world = World::connected(12);
    world.at(1, |c, _| c.shutdown_read());
    world.at(0, |c, ctx| c.send(b"still", ctx)).unwrap();
    world.run(60 * MS);
    let mut buf = [0; 8];
    assert_eq!(world.connection(0).send_queued(), 0);
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(5));
    assert_eq!(world.at(1, |c, ctx| c.recv(&mut buf, false, ctx)), Ok(0));
}
