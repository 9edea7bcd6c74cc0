//! The fuzzers' targets on inputs that they have found and on random ones: whatever comes, no panic, no broken invariant.

#[path = "../../../fuzz/targets.rs"]
mod targets;

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Random programs; `FUZZ_SEEDS=100000` makes it a search.
#[test]
fn random_programs_break_nothing() {
    let seeds = std::env::var("FUZZ_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    for seed in 0..seeds {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut program = vec![0; 100 + (rng.next_u32() % 900) as usize];
        rng.fill_bytes(&mut program);
        let run = std::panic::catch_unwind(|| targets::calls(&program));
        assert!(run.is_ok(), "seed {seed} breaks it");
        targets::control(&program);
    }
}

#[test]
fn the_corpus_breaks_nothing() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let mut count = 0;
    for (name, target) in [("calls", targets::calls as fn(&[u8])), ("control", targets::control)] {
        for entry in std::fs::read_dir(format!("{corpus}/{name}")).expect("the corpus") {
            let path = entry.expect("an entry").path();
            let input = std::fs::read(&path).expect("a file");
            let run = std::panic::catch_unwind(|| target(&input));
            assert!(run.is_ok(), "{} breaks it", path.display());
            count += 1;
        }
    }
    assert!(count > 0, "no corpus");
}
