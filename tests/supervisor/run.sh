#!/bin/bash
# What the supervisor promises whatever happens to programs, fronts, terminals and itself: each piece of this
# folder prints a line a check, which is counted here.
#   run.sh [--quick] [PIECE...]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"

options=() pieces=()
for argument in "$@"; do
    case $argument in -*) options+=("$argument") ;; *) pieces+=("$argument") ;; esac
done
begin "${options[@]}"
[ ${#pieces[@]} -gt 0 ] || pieces=(killed gone status shown terminal exec publish strangers names features)
given=$SOCKEYE
# Where every user can execute it.
[ ! -x "$given" ] || cp "$given" "$WORK/sockeye"
SOCKEYE=$WORK/sockeye
# Hosts of other people and of other tests are not to be seen.
mkdir -m 700 "$WORK/runtime"
export WORK QUICK SOCKEYE XDG_RUNTIME_DIR=$WORK/runtime PYTHONDONTWRITEBYTECODE=1

for piece in "${pieces[@]}"; do
    path_exists engine || { fail "$piece" "no executable at $given"; continue; }
    case $piece in
        features | names) command=(bash "$here/$piece.sh") ;;
        *) command=(python3 "$here/$piece.py") ;;
    esac
    timeout -k 5 120 "${command[@]}" >"$WORK/out" 2>"$WORK/err" </dev/null
    status=$?
    while read -r word rest; do
        case $word in
            ok) pass "$piece: $rest" ;;
            FAIL) fail "$piece: ${rest%%: *}" "${rest#*: }" ;;
        esac
    done <"$WORK/out"
    [ $status -eq 0 ] || fail "$piece" "ended early, status $status" "$WORK/err"
done
finish
