#!/bin/bash
# All tests, one after the other: what README calls the second command.
#   test.sh     prints each step with its closing line; ends with `N passed, M failed`, which sums the steps
#
# As root it first installs what the tests need from Debian; otherwise it prints the one line that does and
# ends. A step that fails is told with the end of its output and does not stop the others.
cd "$(dirname "$0")" || exit 1
. tests/lib.sh
begin "$@"
bash tests/install.sh || exit 1

SOCKEYE=${CARGO_TARGET_DIR:-$ROOT/target}/release/sockeye
portable=(-p sockeye-core -p sockeye-lab)

# step NAME COMMAND...: runs it; a closing line `N passed, M failed` or `N checks passed` is shown beside it.
step() {
    local name=$1 log=$WORK/log began=$SECONDS status closing
    shift
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    closing=$(tail -n 1 "$log" | grep -xE '[0-9]+ (passed, [0-9]+ failed|checks passed)')
    if [ $status -eq 0 ]; then
        PASSED=$((PASSED + 1))
        echo "ok    $name ($((SECONDS - began)) s)${closing:+: $closing}"
    else
        fail "$name" "status $status after $((SECONDS - began)) s${closing:+: $closing}"
        if grep -q '^FAIL' "$log"; then head -n 60 "$log" | sed 's/^/      /'
        else tail -n 30 "$log" | sed 's/^/      /'; fi
    fi
}

# Adds what a check needs to the toolchain, where rustup rules it; asked every time, since it costs nothing.
toolchain() {
    command -v rustup >/dev/null || return 0
    rustup component add rustfmt clippy && rustup target add "$@"
}

# The run-time targets that need no C compiler of their own: nothing is linked.
check_for() {
    local target=$1
    shift
    cargo check -q --target "$target" "$@"
}

# Printed, not judged: a machine that does other things as well says little about speed.
benches() { bash benches/programs.sh --quick; }

# As an ordinary user even when root tests: that is the promise.
demo() {
    if [ "$(id -u)" != 0 ]; then cargo run -q --release -- demo; return; fi
    # The user nobody has no toolchain: that the README's command finds its program is asked as root.
    cargo run -q --release -- --version || return 1
    local room
    room=$(mktemp -d /tmp/sockeye-demo.XXXXXX) && cp "$SOCKEYE" "$room/sockeye" && chown -R nobody "$room" &&
        setpriv --reuid=nobody --regid=nogroup --clear-groups \
            env -u XDG_RUNTIME_DIR HOME="$room" TMPDIR="$room" "$room/sockeye" demo
    local status=$?
    rm -rf "$room"
    return $status
}

step "targets" toolchain x86_64-unknown-none x86_64-pc-windows-gnu aarch64-apple-darwin aarch64-unknown-linux-gnu
step "format" cargo fmt --check
step "clippy" cargo clippy -q --workspace --all-targets -- -D warnings
step "core and lab without an operating system" cargo build -q "${portable[@]}" --target x86_64-unknown-none
step "Windows" check_for x86_64-pc-windows-gnu "${portable[@]}" -p sockeye
step "macOS" check_for aarch64-apple-darwin "${portable[@]}" -p sockeye
step "aarch64 Linux" check_for aarch64-unknown-linux-gnu --workspace
step "cargo test" cargo test -q --workspace
step "cargo test, every feature" cargo test -q -p sockeye --all-features
step "clippy, every feature" cargo clippy -q -p sockeye --all-features --all-targets -- -D warnings
step "release build" cargo build -q --release --workspace
step "simulation" cargo run -q --release -p sockeye-lab --example simulate -- --seeds 10000
step "throughput in simulated time" cargo test -q --release -p sockeye-lab --test throughput

step "tests/kernel" bash tests/kernel/run.sh --quick
step "examples/article" bash examples/article/run.sh --quick
step "tests/calls" bash tests/calls/run.sh --quick
step "examples/languages" bash examples/languages/matrix.sh --quick
step "tests/sockopts" bash tests/sockopts/run.sh --quick
step "tests/differential" bash tests/differential/run.sh --quick
step "C library" bash crates/sockeye-ffi/tests/run.sh
step "tests/twin" bash tests/twin/run.sh
step "tests/link" bash tests/link/run.sh --quick
step "tests/storm" bash tests/storm/run.sh --quick
step "tests/programs" bash tests/programs/run.sh --quick
step "tests/supervisor" bash tests/supervisor/run.sh --quick
step "demo" demo
echo
benches
echo
finish
