#!/bin/bash
# The link of the host's own traffic, the sequence and the capture: what programs notice, and what is shown.
#   run.sh [--quick]     ends with `N passed, M failed`
#   run.sh --ladder      prints the ladder that README begins with, and tests nothing
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"

# Times and ephemeral ports differ from run to run; the lines do not.
ladder() { timeout 30 "$SOCKEYE" run --sequence --delay 10ms --loss 10% --seed 10 -- python3 "$here/hello.py" 2>&1; }
masked() { sed -E 's/^ *[0-9]+\.[0-9]{3}/ TIME/; s/[[:space:]]+$//'; }
if [ "${1:-}" = --ladder ]; then ladder; exit; fi
begin "$@"
need python3 && need tshark || fail "tools" "missing"

# run_link OPTIONS... -- PROGRAM ARGUMENTS: the output goes to $WORK/out and $WORK/err.
run_link() { timeout 60 "$SOCKEYE" run "$@" >"$WORK/out" 2>"$WORK/err" </dev/null; }

# check NAME CONDITION...
check() {
    local name=$1
    shift
    if "$@"; then pass "$name"; else fail "$name" "$*" "$WORK/out"; fi
}

field() { sed -nE "s/.*\b$1 ([0-9]+).*/\1/p" "$WORK/out"; }

run_link -- python3 "$here/datagrams.py"
check "datagrams without a link" [ "$(cat "$WORK/out")" = "lost 0 twice 0 late 0" ]
run_link --delay 5ms --loss 10% --duplicate 10% --reorder 10% --seed 1 -- python3 "$here/datagrams.py"
for what in lost twice late; do check "datagrams $what" [ "$(field $what)" -ge 25 ]; done
check "not too many lost" [ "$(field lost)" -le 80 ]

for seed in 1 2; do
    run_link --delay 3ms --loss 1% --seed $seed -- python3 "$here/transfer.py"
    check "a stream survives loss, seed $seed" [ "$(field retransmissions)" -ge 3 ]
done
run_link --rate 40mbit --delay 2ms -- python3 "$here/transfer.py"
check "a stream over a slow link" [ -n "$(field retransmissions)" ]

# The same seed meets the same packets, however the scheduler has it.
for name in first second; do
    run_link --sequence --json --delay 1ms --loss 4% --seed 5 -- python3 "$here/messages.py"
    python3 "$here/fates.py" "$WORK/err" >"$WORK/$name"
done
check "packets are dropped" grep -q dropped "$WORK/first"
dropped() { grep dropped "$WORK/$1"; }
check "the same seed drops the same" [ "$(dropped first)" = "$(dropped second)" ]
run_link --sequence --json --delay 1ms --loss 4% --seed 6 -- python3 "$here/messages.py"
python3 "$here/fates.py" "$WORK/err" >"$WORK/other"
check "another seed drops others" [ "$(dropped first)" != "$(dropped other)" ]

run_link --delay 2ms --loss 5% --seed 5 --capture "$WORK/capture.pcapng" --sequence --json -- python3 "$here/messages.py"
tshark -r "$WORK/capture.pcapng" -T fields -e ip.len -e tcp.checksum.status -e frame.comment -o tcp.check_checksum:TRUE \
    >"$WORK/out" 2>"$WORK/tshark"
packets() { grep -c '"event":"packet"' "$WORK/err"; }
check "tshark reads every packet" [ "$(wc -l <"$WORK/out")" = "$(packets)" ]
check "checksums are right" [ "$(cut -f2 "$WORK/out" | sort -u)" = 1 ]
check "each has a comment" [ "$(cut -f3 "$WORK/out" | grep -cE '^(delivered after [0-9.]+ ms|dropped: loss 5 %, drew [0-9.]+ %)')" = "$(packets)" ]
check "as many dropped as drawn" [ "$(grep -c 'dropped: loss' "$WORK/out")" = "$(grep -c '"delivered":false' "$WORK/err")" ]
check "whose it is" grep -qE 'from python3\[[0-9]+\] fd [0-9]+; to python3' "$WORK/out"

ladder | masked >"$WORK/out"
sed -n '/^```ladder$/,/^```$/p' "$ROOT/README.md" | sed '1d;$d' >"$WORK/readme"
masked <"$WORK/readme" >"$WORK/expected"
check "README's ladder is this program's" diff "$WORK/expected" "$WORK/out"
check "it has at most 25 lines" [ "$(wc -l <"$WORK/readme")" -le 25 ]
check "it shows a loss" grep -q 'dropped: loss 10 %' "$WORK/readme"

# refused WORDS... -- OPTIONS...: status 125 or clap's 2, and the words in what is said.
refused() {
    local words=$1
    shift
    "$SOCKEYE" run "$@" -- true >"$WORK/out" 2>&1
    local status=$?
    check "refused: $*" [ $status -ne 0 ]
    check "says: $words" grep -qF -- "$words" "$WORK/out"
}
refused "'20' is not a time (write 1.5s, 20ms or 200us)" --delay 20
refused "'150%' is not a share" --loss 150%
refused "'fast' is not a rate" --rate fast
refused "cannot write the capture" --capture /nowhere/x
refused "--direct leaves no packets" --direct --loss 1%
refused "--sequence" --json
refused "--delay" --reorder 1%
finish
