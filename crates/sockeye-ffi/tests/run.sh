#!/bin/bash
# The C library: the programs of tests/calls compiled against it, which must print what they print on the kernel; many
# threads; the examples in C, Python and Ruby; every exported function declared; memory by valgrind.
#   run.sh [--quick]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../../tests/lib.sh"
begin "$@"
cargo build -q --release -p sockeye-ffi || exit 1
libraries=$(realpath "${CARGO_TARGET_DIR:-$ROOT/target}")/release
include=$here/../include
link=(-L"$libraries" -lsockeye -Wl,-rpath,"$libraries" -pthread)
[ -e "$libraries/libsockeye.so" ] || { echo "no libsockeye.so in $libraries"; exit 1; }

# Those that fork (the hosts are in one process), or are about files of the kernel, are left out.
calls=(accept4 batches bind connect errqueue getpeername getsockname getsockopt inq listen peek_off port_range ppoll
    pselect readv recvmmsg recvmsg save_syn select send sendmmsg sendmsg sendto setsockopt socket socketpair
    threads udplite unconnected unix_datagram unix_rights unix_stream unreachable urgent)

# accepted CALL: the lines in which it may differ, as diff prints them, from differences.txt (see tests/calls/run.sh).
accepted() {
    awk -v call="$1" '/^#/ { next } /^[a-z0-9_]+: / { on = index($0, call ": ") == 1; next } on && /^[<>]/' \
        "$here/differences.txt"
}

for call in "${calls[@]}"; do
    source=$ROOT/tests/calls/$call.c
    gcc -std=gnu11 -O1 -w -pthread -o "$WORK/native" "$source" &&
        gcc -std=gnu11 -D_GNU_SOURCE -O1 -w -include "$include/sockeye_bsd.h" -o "$WORK/ours" "$source" "$here/host.c" \
            "${link[@]}" 2>"$WORK/gcc" || { fail "$call" "does not compile" "$WORK/gcc"; continue; }
    (cd "$WORK" && alone timeout 60 ./native >native.out 2>&1; timeout 60 ./ours >ours.out 2>&1)
    diff "$WORK/native.out" "$WORK/ours.out" >"$WORK/diff"
    if grep '^[<>]' "$WORK/diff" | cmp -s - <(accepted "$call"); then pass "$call"; else
        fail "$call" "differs from the kernel" "$WORK/diff"
    fi
done

# program NAME SOURCE...: compiles and runs, which must end well.
program() {
    local name=$1
    shift
    if gcc -std=gnu11 -g -O1 -Wall -Wextra -I"$include" -o "$WORK/$name" "$@" "${link[@]}" >"$WORK/log" 2>&1 &&
        timeout 60 "$WORK/$name" >>"$WORK/log" 2>&1; then pass "$name"; else fail "$name" "status $?" "$WORK/log"; fi
}
program crowd "$here/threads.c" "$here/host.c"
program signals "$here/signals.c" "$here/host.c"
program echo "$here/../examples/echo.c"
program names "$here/names.c"
program winsock -I"$include/winsock" "$here"/winsock/{server,client,pair}.c "$here/host.c"
if valgrind -q --error-exitcode=9 --leak-check=no "$WORK/echo" >"$WORK/log" 2>&1; then pass "echo in valgrind"; else
    fail "echo in valgrind" "status $?" "$WORK/log"
fi
for example in "python3 $here/../examples/echo.py" "ruby $here/../examples/echo.rb"; do
    # shellcheck disable=SC2086
    if SOCKEYE_LIBRARY=$libraries/libsockeye.so timeout 60 $example >"$WORK/log" 2>&1; then pass "${example%% *}"; else
        fail "${example%% *}" "status $?" "$WORK/log"
    fi
done

# Installed, found by pkg-config, linked statically.
if bash "$here/../install.sh" "$WORK/prefix" >"$WORK/log" 2>&1 &&
    flags=$(PKG_CONFIG_PATH=$WORK/prefix/lib/pkgconfig pkg-config --static --cflags --libs sockeye 2>>"$WORK/log") &&
    rm "$WORK/prefix/lib/libsockeye.so" &&
    gcc -o "$WORK/static" "$here/../examples/echo.c" $flags >>"$WORK/log" 2>&1 && timeout 60 "$WORK/static" >>"$WORK/log"
then pass "installed"; else fail "installed" "status $?" "$WORK/log"; fi

# What the library exports and what the header declares are the same.
nm -D --defined-only "$libraries/libsockeye.so" | awk '$3 ~ /^sockeye_/ { print $3 }' | sort >"$WORK/exported"
grep -oE '\bsockeye_[a-z0-9_]+\(' "$include/sockeye.h" | tr -d '(' | sort -u >"$WORK/declared"
if cmp -s "$WORK/exported" "$WORK/declared"; then pass "header"; else
    diff "$WORK/exported" "$WORK/declared" >"$WORK/log"
    fail "header" "declares other functions than the library has" "$WORK/log"
fi
finish
