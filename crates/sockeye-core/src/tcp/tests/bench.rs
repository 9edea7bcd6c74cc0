//! How fast two connections in memory are. Run with
//! `cargo test --release -p sockeye-core tcp::tests::bench -- --ignored --nocapture`.

extern crate std;

use super::harness::{End, World};
use crate::tcp::Connection;
use alloc::vec;
use core::time::Duration;
use std::println;
use std::time::Instant as Clock;

/// A world whose path is an ideal link of the loopback's size.
fn ideal() -> World {
    let mut world = World::new(1);
    world.path.delay = Duration::ZERO;
    world.ends.iter_mut().for_each(|end| end.mss_path = 65495);
    world.handshake();
    world
}

/// Moves segments both ways until neither end has any.
fn exchange(world: &mut World) {
    let now = world.now;
    loop {
        let [a, b] = &mut world.ends;
        if pump(a, b, now) + pump(b, a, now) == 0 {
            return;
        }
    }
}

fn pump(from: &mut End, to: &mut End, now: crate::Instant) -> usize {
    let mut moved = 0;
    while let Some(segment) = from.with_ctx(now, |c, ctx| c.unwrap().transmit(ctx)) {
        to.with_ctx(now, |c, ctx| c.unwrap().arrive(segment, ctx));
        moved += 1;
    }
    moved
}

#[test]
#[ignore = "a measurement"]
fn bulk() {
    let mut world = ideal();
    let (mut moved, total, mut calls) = (0usize, 40usize << 30, 0u64);
    let start = Clock::now();
    while moved < total {
        let now = world.now;
        let end = &mut world.ends[0];
        let pool = &mut end.pool;
        while let Ok(area) = end.connection.as_mut().unwrap().send_reserve(64 << 10, pool) {
            let n = area.len();
            area[0] = 1;
            let mut ctx = crate::tcp::Ctx {
                now,
                rng: &mut end.rng,
                limits: &end.limits,
                counters: &mut end.counters,
                pool,
            };
            end.connection.as_mut().unwrap().send_commit(n, &mut ctx);
            calls += 1;
        }
        exchange(&mut world);
        moved += world.ends[1].with_ctx(now, |c, ctx| {
            let connection = c.unwrap();
            let n = connection.received();
            let slices: usize = connection.recv_slices().iter().map(|slice| slice.len()).sum();
            assert!(slices > 0);
            connection.consume(n, ctx);
            n
        });
        exchange(&mut world);
        world.now += Duration::from_micros(1);
    }
    let ns = start.elapsed().as_nanos() as f64;
    println!(
        "bulk, by reference: {:.1} GB/s, {:.0} ns per commit of 64 KiB",
        moved as f64 / ns,
        ns / calls as f64
    );
}

#[test]
#[ignore = "a measurement"]
fn bulk_copied() {
    let mut world = ideal();
    let data = vec![1; 64 << 10];
    let mut buf = vec![0; 64 << 10];
    let (mut moved, total) = (0usize, 10usize << 30);
    let start = Clock::now();
    while moved < total {
        let now = world.now;
        while world.ends[0].with_ctx(now, |c, ctx| c.unwrap().send(&data, ctx)).is_ok() {}
        exchange(&mut world);
        while let Ok(n @ 1..) = world.ends[1].with_ctx(now, |c, ctx| c.unwrap().recv(&mut buf, false, ctx)) {
            moved += n;
        }
        exchange(&mut world);
        world.now += Duration::from_micros(1);
    }
    let ns = start.elapsed().as_nanos() as f64;
    println!("bulk, copied in and out: {:.1} GB/s", moved as f64 / ns);
}

#[test]
#[ignore = "a measurement"]
fn round_trips() {
    let mut world = ideal();
    let mut buf = [0; 16];
    let rounds = 2_000_000;
    let start = Clock::now();
    for _ in 0..rounds {
        for from in [0, 1] {
            let now = world.now;
            world.ends[from].with_ctx(now, |c, ctx| c.unwrap().send(b"x", ctx)).unwrap();
            let [a, b] = &mut world.ends;
            if from == 0 {
                pump(a, b, now)
            } else {
                pump(b, a, now)
            };
            let n = world.ends[1 - from].with_ctx(now, |c, ctx| c.unwrap().recv(&mut buf, false, ctx));
            assert_eq!(n, Ok(1));
            world.now += Duration::from_micros(1);
        }
    }
    println!("round trip of one byte: {} ns", start.elapsed().as_nanos() / rounds);
    println!("size of a connection: {} bytes", size_of::<Connection>());
}
