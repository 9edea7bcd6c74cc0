# One-line verbs; nothing needs just.
check:
    cargo fmt --check && cargo clippy --workspace --all-targets -- -D warnings

test:
    bash test.sh

bench *ARGS:
    cargo run --release -p sockeye-bench -- {{ARGS}}

programs *ARGS:
    bash benches/programs.sh {{ARGS}}

instructions *ARGS:
    bash benches/instructions.sh {{ARGS}}

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

sim SEED:
    cargo run --release -p sockeye-lab --example simulate -- --seed {{SEED}}
