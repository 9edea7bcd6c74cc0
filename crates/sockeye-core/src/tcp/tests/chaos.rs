//! What no one planned: lossy paths with everything at once, forged segments, self-connection.

use super::basics::pattern;
use super::harness::World;
use crate::packet::Payload;
use crate::tcp::{Congestion, Connection, Segment, Settings, State};
use crate::wire::tcp::{Flags, Options, Seq, TcpHeader};
use alloc::vec::Vec;
use core::time::Duration;
use proptest::prelude::*;

/// Both ends send `data` at once in odd pieces, then close; gives what came out, each side's.
fn exchange(world: &mut World, data: &[u8]) -> [Vec<u8>; 2] {
    let (mut sent, mut out) = ([0, 0], [Vec::new(), Vec::new()]);
    let until = world.now + Duration::from_secs(3600);
    let mut buf = [0; 3000];
    loop {
        for (at, out) in out.iter_mut().enumerate() {
            let piece = 1 + world.rng.below(4000) as usize;
            let end = data.len().min(sent[at] + piece);
            if let Ok(n) = world.at(at, |c, ctx| c.send(&data[sent[at]..end], ctx)) {
                sent[at] += n;
                if sent[at] == data.len() {
                    world.at(at, |c, ctx| c.shutdown_write(ctx)).unwrap();
                }
            }
            while let Ok(n @ 1..) = world.at(at, |c, ctx| c.recv(&mut buf, false, ctx)) {
                out.extend_from_slice(&buf[..n]);
            }
        }
        if !world.step(until) {
            return out;
        }
    }
}

#[test]
fn both_directions_survive_a_bad_path_and_end_in_order() {
    for seed in 0..40 {
        let mut world = World::new(1000 + seed);
        world.ends[0].settings.nodelay = seed % 2 == 0;
        world.ends[1].limits.timestamps = seed % 3 != 0;
        world.ends[0].limits.window_scaling = seed % 5 != 0;
        world.ends[0].limits.sack = seed % 4 != 0;
        world.ends[1].settings.congestion = [Congestion::Reno, Congestion::Cubic][seed as usize % 2];
        world.ends[1].settings.receive_buffer = 16_384 << (seed % 4);
        world.ends[1].settings.receive_buffer_locked = true;
        world.handshake();
        world.path.loss = seed as u32 % 8;
        world.path.duplicate = seed as u32 % 4;
        world.path.jitter = Duration::from_millis(seed % 6);
        let data = pattern(60_000);
        let out = exchange(&mut world, &data);
        for (at, out) in out.iter().enumerate() {
            assert!(*out == data, "seed {seed}: end {at} got {} bytes", out.len());
            assert_eq!(world.state(at), State::Closed, "seed {seed}");
            assert_eq!(world.connection(at).error(), None, "seed {seed}");
        }
    }
}

#[test]
fn a_connection_to_itself_is_a_simultaneous_open() {
    let mut world = World::new(1);
    let (address, now) = (world.ends[0].address, world.now);
    world.ends[0].with_ctx(now, |_, ctx| {
        let mut me = Connection::connect(address, address, Seq(77), 1460, &Settings::default(), ctx);
        me.settings_mut().nodelay = true;
        let talk = |me: &mut Connection, ctx: &mut crate::tcp::Ctx<'_>| {
            while let Some(segment) = me.transmit(ctx) {
                me.arrive(segment, ctx);
            }
        };
        talk(&mut me, ctx);
        assert_eq!(me.state(), State::Established);
        me.send(b"to myself", ctx).unwrap();
        talk(&mut me, ctx);
        let mut buf = [0; 16];
        assert_eq!(me.recv(&mut buf, false, ctx), Ok(9));
        me.close(ctx);
        talk(&mut me, ctx);
        assert_eq!(me.state(), State::TimeWait);
    });
}

/// A segment whose numbers are near those that count.
fn forged() -> impl Strategy<Value = (i32, i32, u8, u16, usize, Option<(i32, u32)>)> {
    let near = prop_oneof![-3i32..4, -70_000i32..70_000, any::<i32>()];
    let other = prop_oneof![-3i32..4, -70_000i32..70_000, any::<i32>()];
    (near, other, any::<u8>(), any::<u16>(), 0usize..3000, proptest::option::of((-10i32..10, any::<u32>())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Nothing that arrives panics, and a connection that it leaves alive comes to an end by the clock.
    #[test]
    fn no_segment_panics(seed in any::<u16>(), segments in proptest::collection::vec((0u8..8, forged()), 1..40)) {
        let mut world = World::connected(u64::from(seed));
        let data = pattern(5000);
        for (act, (seq, ack, flags, window, len, stamps)) in segments {
            match act {
                0 => { let _ = world.at(1, |c, ctx| c.send(&data, ctx)); }
                1 => world.run(Duration::from_millis(300)),
                2 => { let _ = world.at(1, |c, ctx| c.recv(&mut [0; 700], false, ctx)); }
                3 if len < 100 => { let _ = world.at(1, |c, ctx| c.shutdown_write(ctx)); }
                _ => {}
            }
            let connection = world.connection(1);
            let header = TcpHeader {
                src_port: 1000,
                dst_port: 80,
                seq: connection.rcv.nxt + seq as u32,
                ack: connection.snd.una + ack as u32,
                flags: Flags::from_bits_retain(flags),
                window,
                urgent: 0,
                options: Options {
                    sack: [(connection.snd.una + ack as u32, connection.snd.una + seq as u32)].into_iter().collect(),
                    timestamps: stamps.map(|(off, echo)| (connection.rcv.ts_recent.wrapping_add(off as u32), echo)),
                    ..Options::default()
                },
                ecn: 0,
            };
            let payload = Payload::from(bytes::Bytes::copy_from_slice(&data[..len]));
            world.inject(1, Segment { header, payload });
        }
        world.path.cut = true;
        world.at(0, |c, ctx| c.abort(ctx));
        world.at(1, |c, ctx| c.close(ctx));
        world.run(Duration::from_secs(4000));
        prop_assert_eq!(world.state(1), State::Closed);
    }
}
