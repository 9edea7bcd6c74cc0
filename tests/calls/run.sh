#!/bin/bash
# One program per call: what each prints on the kernel is what it must print on the engine path and on the direct
# path, but for the lines listed in engine-differences.txt and direct-differences.txt.
#   run.sh [--quick] [CALL...]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"

options=() calls=()
for argument in "$@"; do
    case $argument in -*) options+=("$argument") ;; *) calls+=("$argument") ;; esac
done
begin "${options[@]}"
if [ ${#calls[@]} -eq 0 ]; then
    for source in "$here"/*.c; do calls+=("$(basename "$source" .c)"); done
fi

mkdir -p "$WORK/bin" "$WORK/native" "$WORK/engine" "$WORK/direct"

# Two compilers at a time; what fails to compile has no binary and says why below.
compile() {
    printf '%s\n' "${calls[@]}" | xargs -P 2 -I CALL \
        sh -c "gcc -std=gnu11 -O1 -Wall -Wextra -Wno-nonnull -Wno-stringop-overflow -pthread -o '$WORK/bin/CALL' '$here/CALL.c' 2>'$WORK/CALL.gcc'"
}

# run_call CALL PATH: leaves the output and the exit status in $WORK/PATH/CALL.
run_call() {
    local out=$WORK/$2/$1 path=${2/native/alone}
    mkdir -p "$out.dir"
    (cd "$out.dir" && on_path "$path" 40 "$WORK/bin/$1" >"$out" 2>"$out.err" </dev/null)
    echo "exit status $?" >>"$out"
}

# accepted CALL PATH: its accepted differences, the lines of PATH-differences.txt between `CALL: reason` and the next
# such line, as diff prints them (`< kernel` and `> ours`). All of them must be there: one that has gone is told, too.
accepted() {
    awk -v call="$1" '/^#/ { next } /^[a-z0-9_]+: / { on = index($0, call ": ") == 1; next } on && /^[<>]/' \
        "$here/$2-differences.txt"
}

compare() {
    local call=$1 path=$2
    diff "$WORK/native/$call" "$WORK/$path/$call" >"$WORK/diff"
    if grep '^[<>]' "$WORK/diff" | cmp -s - <(accepted "$call" "$path"); then
        pass "$call $path"
    else
        cat "$WORK/$path/$call.err" >>"$WORK/diff"
        fail "$call $path" "differs from the kernel" "$WORK/diff"
    fi
}

compile
for call in "${calls[@]}"; do
    if [ ! -x "$WORK/bin/$call" ]; then
        fail "$call" "does not compile" "$WORK/$call.gcc"
        continue
    fi
    run_call "$call" native
    for path in $PATHS; do
        if ! path_exists "$path"; then
            fail "$call $path" "no executable at $SOCKEYE"
        elif [ "$path" != native ]; then
            run_call "$call" "$path"
            compare "$call" "$path"
        elif grep -qE 'TIMED OUT|cannot go on|^exit status [^0]' "$WORK/native/$call"; then
            fail "$call native" "does not end well" "$WORK/native/$call"
        else
            pass "$call native"
        fi
    done
done
finish
