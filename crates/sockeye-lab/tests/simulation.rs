//! The scenarios of the `simulate` example: a first few hundred seeds, and that a seed is a seed.

#[path = "../examples/simulate/scenario.rs"]
mod scenario;

use scenario::{Scenario, Summary};

#[test]
fn the_first_seeds_pass() {
    let mut total = Summary { steps: 0, bytes: 0, trace: 0 };
    for seed in 0..300 {
        let one = Scenario::new(seed).run().unwrap_or_else(|what| {
            panic!("{what}\ncargo run --release -p sockeye-lab --example simulate -- --seed {seed}")
        });
        total.steps += one.steps;
        total.bytes += one.bytes;
    }
    assert!(total.steps > 20_000 && total.bytes > 10_000_000, "they do something: {total:?}");
}

#[test]
fn the_same_seed_gives_the_same_packets_byte_for_byte() {
    let first = Scenario::new(5).run();
    assert!(first.as_ref().is_ok_and(|summary| summary.bytes > 100_000), "{first:?}");
    for _ in 0..100 {
        assert_eq!(Scenario::new(5).run(), first);
    }
    assert_ne!(Scenario::new(6).run(), first);
}
