//! Against blind attackers and old segments: RFC 5961, PAWS, resets, ICMP.

use super::harness::World;
use crate::errno::Errno;
use crate::packet::Payload;
use crate::tcp::{IcmpError, Segment, State};
use crate::wire::tcp::{Flags, Options, Seq, TcpHeader};
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// The places that end 0's next segment to end 1 would have: sequence and acknowledgement number.
fn place(world: &World) -> (Seq, Seq) {
    (world.connection(0).snd.nxt, world.connection(0).rcv.nxt)
}

fn segment(seq: Seq, ack: Seq, flags: Flags) -> Segment {
    let header =
        TcpHeader { src_port: 1000, dst_port: 80, seq, ack, flags, window: 500, ..TcpHeader::default() };
    Segment { header, payload: Payload::new() }
}

#[test]
fn only_an_exact_reset_ends_the_connection() {
    let mut world = World::connected(1);
    let (seq, ack) = place(&world);
    world.inject(1, segment(seq + 1, ack, Flags::RST));
    assert_eq!(world.ends[1].counters.challenge_acks, 1);
    world.inject(1, segment(seq + 2, ack, Flags::RST));
    assert_eq!(world.ends[1].counters.ack_skipped, 1);
    world.inject(1, segment(seq + u32::MAX, ack, Flags::RST));
    world.inject(1, segment(seq + (1 << 30), ack, Flags::RST));
    assert_eq!(world.state(1), State::Established);
    world.inject(1, segment(seq, ack, Flags::RST));
    assert_eq!(world.state(1), State::Closed);
    assert_eq!(world.at(1, |c, _| c.take_error()), Some(Errno::ECONNRESET));
}

#[test]
fn a_syn_on_a_connection_is_challenged() {
    let mut world = World::connected(2);
    let (seq, ack) = place(&world);
    let before = world.log.len();
    world.inject(1, segment(seq, ack, Flags::SYN));
    assert_eq!(world.state(1), State::Established);
    assert_eq!(world.log.len(), before + 1);
    assert_eq!(world.ends[1].counters.syn_challenges, 1);
}

#[test]
fn data_with_an_impossible_acknowledgement_is_dropped() {
    let mut world = World::connected(3);
    let (seq, ack) = place(&world);
    for wrong in [ack + 1, ack + (1 << 30), ack + (1 << 31)] {
        let mut forged = segment(seq, wrong, Flags::ACK);
        forged.payload = bytes::Bytes::from_static(b"forged").into();
        world.inject(1, forged);
    }
    assert_eq!(world.connection(1).received(), 0);
}

#[test]
fn an_old_timestamp_is_refused() {
    let mut world = World::connected(4);
    let (seq, ack) = place(&world);
    let recent = world.connection(1).rcv.ts_recent;
    let mut old = segment(seq, ack, Flags::ACK);
    old.header.options = Options { timestamps: Some((recent.wrapping_sub(5), 0)), ..Options::default() };
    old.payload = bytes::Bytes::from_static(b"old").into();
    world.inject(1, old);
    assert_eq!((world.connection(1).received(), world.ends[1].counters.paws_estab), (0, 1));
}

#[test]
fn icmp_ends_an_attempt_and_is_only_noted_later() {
    let mut world = World::new(5);
    world.path.cut = true;
    world.open(0);
    let iss = world.connection(0).snd.iss;
    world.at(0, |c, ctx| c.icmp_error(IcmpError::Soft(Errno::EHOSTUNREACH), iss + 9, ctx));
    assert_eq!((world.state(0), world.ends[0].counters.out_of_window_icmps), (State::SynSent, 1));
    world.at(0, |c, ctx| c.icmp_error(IcmpError::Soft(Errno::EHOSTUNREACH), iss, ctx));
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::EHOSTUNREACH));

    let mut world = World::connected(6);
    world.path.cut = true;
    world.at(0, |c, ctx| c.send(b"x", ctx)).unwrap();
    let una = world.connection(0).snd.una;
    world.at(0, |c, ctx| c.icmp_error(IcmpError::Hard(Errno::ECONNREFUSED), una, ctx));
    assert_eq!(world.state(0), State::Established);
    world.run(Duration::from_secs(1200));
    assert_eq!(world.at(0, |c, _| c.take_error()), Some(Errno::ECONNREFUSED));
}

#[test]
fn a_smaller_path_mtu_cuts_what_is_in_flight() {
    let mut world = World::connected(7);
    world.filter = |_, segment, _| segment.payload.len() > 1000;
    let data = super::basics::pattern(5000);
    world.at(0, |c, ctx| c.send(&data, ctx)).unwrap();
    let una = world.connection(0).snd.una;
    world.at(0, |c, ctx| c.icmp_error(IcmpError::Mtu(1000), una, ctx));
    world.run(100 * MS);
    assert_eq!(world.connection(1).received(), 5000);
}

#[test]
fn a_new_syn_may_take_the_place_of_time_wait() {
    let mut world = World::connected(8);
    world.at(0, |c, ctx| c.close(ctx));
    world.run(60 * MS);
    world.at(1, |c, ctx| c.close(ctx));
    world.run(60 * MS);
    let mut time_wait = world.at(0, |c, _| c.take_time_wait()).unwrap();
    assert!(world.connection(0).is_finished());
    assert!(time_wait.may_reuse(world.now).is_none());
    assert!(time_wait.may_reuse(world.now + 2000 * MS).is_some());
    let now = world.now;
    let ended = world.connection(1).snd.nxt;
    let syn = |seq| segment(seq, Seq(0), Flags::SYN);
    world.ends[0].with_ctx(now, |_, ctx| {
        use crate::tcp::TimeWaitOutcome as Outcome;
        assert!(matches!(time_wait.arrive(&syn(ended + 1000), ctx), Outcome::Reuse(_)));
        assert!(matches!(time_wait.arrive(&syn(ended + u32::MAX), ctx), Outcome::Ack(_)));
        assert!(matches!(time_wait.arrive(&segment(ended + 9, Seq(0), Flags::RST), ctx), Outcome::Ignore));
        assert!(matches!(time_wait.arrive(&segment(ended, Seq(0), Flags::RST), ctx), Outcome::Gone));
    });
}
