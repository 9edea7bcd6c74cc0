#!/usr/bin/env bash
# The example `twin` natively, under `sockeye run` and in simulated time: the same lines.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build -q -p sockeye-cli
cargo build -q -p sockeye --features tokio --example twin
target=${CARGO_TARGET_DIR:-target}/debug
passed=0 failed=0
want=$("$target/examples/twin" simulated)
compare() {
    local name=$1 want=$2
    shift 2
    local got
    if got=$("$@") && [[ $got == "$want" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name differs:"
        diff <(echo "$want") <(echo "$got") || true
    fi
}
compare "the kernel" "$want" "$target/examples/twin" native
# docs/COMPATIBILITY.md: recv after a write that met a reset.
served=${want/%its end: 0/its end: errno 104}
compare "sockeye run" "$served" "$target/sockeye" run -- "$target/examples/twin" native
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
