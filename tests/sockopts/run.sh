#!/bin/bash
# Every option of `sockeye sockopts --json` on sockets of every kind, set and read on the kernel and here: values,
# lengths and errors are the same, but for the options of differences.txt, each with its reason.
#   run.sh [--quick]     ends with `N passed, M failed`, one for each option and kind of socket
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
begin "$@"

gcc -std=gnu11 -O1 -Wall -Wextra -Wno-nonnull -D_GNU_SOURCE -o "$WORK/probe" "$here/probe.c" || exit 1
"$SOCKEYE" sockopts --json >"$WORK/table.json" || fail "sockopts --json" "exit status $?"
python3 - "$WORK/table.json" >"$WORK/list" <<'PYTHON'
import json, sys
for row in json.load(open(sys.argv[1])):
    print(row["level_number"], row["number"], row["name"])
PYTHON
# A host belongs to its user, who may set what elsewhere the administrator may: so the kernel is asked as one.
administrator=()
[ "$(id -u)" = 0 ] || administrator=(unshare -Urn sh -c 'ip link set lo up && exec "$0"')
on_path native 120 "${administrator[@]}" "$WORK/probe" <"$WORK/list" >"$WORK/native" 2>"$WORK/native.err" ||
    fail "probe on the kernel" "exit status $?" "$WORK/native.err"
on_path engine 120 "$WORK/probe" <"$WORK/list" >"$WORK/engine" 2>"$WORK/engine.err" ||
    fail "probe here" "exit status $?" "$WORK/engine.err"
# One line for each option and kind: `ok`, or `FAIL` and why.
python3 "$here/compare.py" "$here/differences.txt" "$WORK/table.json" "$WORK/native" "$WORK/engine" >"$WORK/verdicts"
while read -r verdict what reason; do
    if [ "$verdict" = ok ]; then pass "$what"; else fail "$what" "$reason"; fi
done <"$WORK/verdicts"
finish
