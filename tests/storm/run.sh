#!/bin/bash
# Storms: signals every 100 us, a million sockets, ten thousand connections at once, ports bound again at
# once; natively, on the engine path and on the direct path, with the kernel's results as the expected ones.
#   run.sh [--quick]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
begin "$@"

connections=3000 rounds=6000 million=1000000 crowd=10000 rebinds=500
[ -z "$QUICK" ] || connections=500 rounds=1000 million=50000 crowd=2000 rebinds=50
# A process holds its end of all connections, and the supervisor one for each end: ten thousand where the limit
# allows it or can be raised, else as many as fit.
limit=$(ulimit -Hn)
[ "$limit" != unlimited ] || limit=1000000
[ -n "$QUICK" ] || ! (ulimit -Hn 20200) 2>/dev/null || limit=20200
[ -n "$QUICK" ] || crowd=10000
[ $crowd -le $(((limit - 200) / 2)) ] || crowd=$(((limit - 200) / 2))

for source in "$here"/*.c; do
    gcc -std=gnu11 -O2 -Wall -static -pthread -o "$WORK/$(basename "$source" .c)" "$source" 2>"$WORK/gcc" ||
        fail "$(basename "$source")" "does not compile" "$WORK/gcc"
done

# storm NAME EXPECTED PROGRAM ARGUMENTS...
storm() {
    local name=$1 expected=$2 program=$3 path
    shift 3
    for path in $PATHS; do
        if ! path_exists "$path"; then
            fail "$name $path" "no executable at $SOCKEYE"
            continue
        fi
        on_path "$path" 150 "$WORK/$program" "$@" >"$WORK/out" 2>&1 </dev/null
        local status=$?
        if [ $status -eq 0 ] && [ "$(cat "$WORK/out")" = "$expected" ]; then
            pass "$name $path"
        else
            fail "$name $path" "status $status" "$WORK/out"
        fi
    done
}

# Sums resident memory (KiB) and descriptors from the program's parent up to the command that we started.
supervisor_size() {
    local pid=$1 top=$2 memory=0 descriptors=0 up
    while [ "$pid" -gt 1 ] && [ "$pid" != "$top" ]; do
        up=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
        memory=$((memory + $(awk '/^VmRSS:/ { print $2 }' "/proc/$up/status")))
        descriptors=$((descriptors + $(ls "/proc/$up/fd" | wc -l)))
        pid=$up
    done
    echo "$memory $descriptors"
}

# A million sockets, and the supervisor's size before and after: 2 MiB more at most, no descriptor more.
million_sockets() {
    local path=$1 command=("$SOCKEYE" run --) top word pid before after
    [ "$path" != direct ] || command=("$SOCKEYE" run --direct --)
    [ "$path" != native ] || command=()
    coproc MILLION { exec "${command[@]}" "$WORK/million" "$million"; }
    top=$MILLION_PID
    echo "$top" >"$WORK/million.pid"
    read -r -t 60 word pid <&"${MILLION[0]}" && [ "$word" = warm ] || return 1
    before=$(supervisor_size "$pid" "$top")
    echo go >&"${MILLION[1]}"
    read -r -t 300 word pid <&"${MILLION[0]}" && [ "$word" = done ] || return 1
    sleep 0.2
    after=$(supervisor_size "$pid" "$top")
    echo go >&"${MILLION[1]}"
    wait "$top" || return 1
    rm "$WORK/million.pid"
    echo "before $before after $after"
    awk -v b="$before" -v a="$after" \
        'BEGIN { split(b, x); split(a, y); exit !(y[1] <= x[1] + 2048 && y[2] <= x[2]) }'
}

for kind in plain restart; do
    storm "accept in three threads, $kind" "$(printf 'served once: all\nsignals arrived: yes\nEINTR from accept: as it must be')" \
        accept $kind $connections
    storm "calls, $kind" "$(for call in socket bind setsockopt getsockname connect shutdown sendto; do
        echo "$call: 0 wrong of $rounds"
    done; echo 'few were interrupted: yes'; echo 'signals arrived: yes')" calls $kind $rounds
done
storm "a crowd" "$(printf 'open at once: %d\nthe server: 0' $crowd)" crowd $crowd
storm "bound again" "always free at once" rebind $rebinds
for path in $PATHS; do
    if ! path_exists "$path"; then fail "a million sockets $path" "no executable at $SOCKEYE"
    elif million_sockets "$path" >"$WORK/out" 2>&1; then pass "a million sockets $path"
    else fail "a million sockets $path" "the supervisor grew, or the program failed" "$WORK/out"; fi
done
finish
