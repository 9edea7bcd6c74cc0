#!/bin/bash
# Served programs against the kernel's loopback TCP: one static C program, runs interleaved in pairs, the
# median of the pairs' ratios. Above 1 we are ahead.
#   programs.sh [--quick]     prints `PATH NAME ours X kernel Y ratio R` per case and path
# X and Y are operations per second; for bulk-64k bytes per second.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tests/lib.sh"
begin "$@"

PAIRS=7 SECONDS_EACH=1
[ -z "$QUICK" ] || PAIRS=3 SECONDS_EACH=0.4
program=$WORK/programs
gcc -O2 -static -Wall -o "$program" "$here/programs.c" || exit 1

median() { sort -g | awk '{ v[NR] = $1 } END { printf "%s\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

measure() { on_path "$1" 90 "$program" "$2" "$SECONDS_EACH" </dev/null; }

# run_case PATH NAME: the pairs alternate which of the two goes first.
run_case() {
    local path=$1 name=$2 pair ours kernel
    : >"$WORK/pairs"
    for ((pair = 0; pair < PAIRS; pair++)); do
        if ((pair % 2)); then
            ours=$(measure "$path" "$name") && kernel=$(measure native "$name") || return 1
        else
            kernel=$(measure native "$name") && ours=$(measure "$path" "$name") || return 1
        fi
        awk -v ours="$ours" -v kernel="$kernel" 'BEGIN { print ours, kernel, ours / kernel }' >>"$WORK/pairs"
    done
    printf '%s %s ours %s kernel %s ratio %.2f\n' "$path" "$name" \
        "$(cut -d' ' -f1 "$WORK/pairs" | median)" "$(cut -d' ' -f2 "$WORK/pairs" | median)" \
        "$(cut -d' ' -f3 "$WORK/pairs" | median)"
}

status=0
for path in $PATHS; do
    [ "$path" != native ] || [ "$PATHS" = native ] || continue
    path_exists "$path" || { echo "no executable at $SOCKEYE" >&2; exit 1; }
    for name in roundtrip messages-64 bulk-64k connect; do
        run_case "$path" "$name" || { echo "$path $name: failed" >&2; status=1; }
    done
done
exit $status
