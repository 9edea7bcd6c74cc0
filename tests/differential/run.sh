#!/bin/bash
# Random sequences of socket calls, played on the kernel and under Sockeye: every result, errno and the readiness
# of every socket after each step must be the same, but for what docs/COMPATIBILITY.md excepts.
#   run.sh [--sequences N] [--seed S] [--first N] [--direct] [--quick] [--only N] [--file STEPS] [--jobs N]
# --quick is the fixed set that always runs: sequences of seed 1 on the engine path. (The direct path differs in what
# docs/COMPATIBILITY.md lists for it; its exceptions are not written yet.) Ends with `N passed, M failed`.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"

options=() begin_with=()
for argument in "$@"; do
    case $argument in --quick) begin_with+=("$argument") ;; *) options+=("$argument") ;; esac
done
begin "${begin_with[@]}"
path_exists engine || { echo "no executable at $SOCKEYE"; exit 1; }
gcc -std=gnu11 -O1 -Wall -Wextra -pthread -o "$WORK/player" "$here/player.c" "$here/steps.c" || exit 1

# compare OPTION...: the last line that it prints says how many.
compare() {
    python3 -B "$here/differential.py" --player "$WORK/player" --sockeye "$SOCKEYE" --work "$WORK" \
        --document "$ROOT/docs/COMPATIBILITY.md" "$@" | tee "$WORK/out"
    read -r passed _ failed _ < <(tail -n 1 "$WORK/out")
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + ${failed:-1}))
}

if [ -n "$QUICK" ] && [ ${#options[@]} -eq 0 ]; then
    compare --sequences 800 --seed 1
else
    compare "${options[@]}"
fi
finish
