#!/bin/bash
# Instructions of six hot paths, counted by callgrind: the same on every run and every machine of a kind, so
# a change that makes a path dearer is seen although wall times are noisy.
#   instructions.sh             prints `NAME count N kept K change C` a path; fails when one is more than 10 % over K
#   instructions.sh --update    writes what was counted to instructions.txt
# A count is instructions for one byte (bulk), round trip, connection or packet: the difference of a long and
# a short run, divided by the difference of their work.
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
KEPT=$here/instructions.txt
[ $# -eq 0 ] || [ "$*" = --update ] || { echo "usage: $0 [--update]" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "missing: valgrind" >&2; exit 1; }
cargo build -q --release -p sockeye-bench || exit 1
BENCH=${CARGO_TARGET_DIR:-target}/release/sockeye-bench

# glibc copies much with one `rep movsb`, which callgrind counts once a byte: vectors instead, as on any machine.
export GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000

# counted NAME TURNS: instructions and work of a run.
counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BENCH" --hot "$1" --turns "$2" 2>&1 |
        awk -v name="$1" '$1 == name { work = $2 } /Collected/ { instructions = $NF } END { print instructions, work }'
}

# Warm first: the short run has passed what happens once.
per_unit() {
    { counted "$1" "$2"; counted "$1" $(($2 * 2)); } |
        awk 'NR == 1 { i = $1; w = $2 } NR == 2 { if ($2 <= w) exit 1; printf "%.3f\n", ($1 - i) / ($2 - w) }'
}

status=0 fresh=$(mktemp) || exit 1
trap 'rm -f "$fresh"' EXIT
while read -r name turns; do
    count=$(per_unit "$name" "$turns") || { echo "$name: not counted" >&2; exit 1; }
    echo "$name $count" >>"$fresh"
    kept=$(awk -v name="$name" '$1 == name { print $2 }' "$KEPT" 2>/dev/null)
    awk -v name="$name" -v count="$count" -v kept="${kept:-0}" 'BEGIN {
        if (kept == 0) { printf "%s count %s kept none\n", name, count; exit 1 }
        change = count / kept - 1
        grown = (change > 0.1)
        printf "%s count %s kept %s change %+.1f%%%s\n", name, count, kept, change * 100, grown ? " GROWN" : ""
        exit grown
    }' || status=1
done <<'END'
bulk-1500 200
bulk-64k 400
roundtrip-tcp 40
roundtrip-udp 40
connect 60
link 400
END
if [ "$*" = --update ]; then
    cp "$fresh" "$KEPT"
    exit 0
fi
exit $status
