#!/bin/bash
# Names inside a host, in six languages: localhost, the host's own name, the machine's name, their reverse; any
# other name is unknown at once. Prints `ok NAME` or `FAIL NAME: reason`.
here=$(cd "$(dirname "$0")" && pwd)/names
cd "$WORK" || exit 1
# A name that no lookup has cached, and one that the machine's real resolver would know.
unknown=(no-such-host.example www.rust-lang.org)
host=names$$

judge() { # NAME REASON
    if [ -z "$2" ]; then echo "ok $1"; else echo "FAIL $1: ${2//$'\n'/ / }"; fi
}

gcc -O1 -Wall -static-libgcc -o names-c "$here/names.c" && javac -d . "$here/Names.java" &&
    CGO_ENABLED=0 GO111MODULE=off GOCACHE=$WORK/go.cache go build -o names-go "$here/names.go" || exit 1

look_up() { # LANGUAGE NAME...
    local language=$1
    shift
    case $language in
        c) ./names-c "$@" ;;
        go) ./names-go "$@" ;;
        python) python3 "$here/names.py" "$@" ;;
        ruby) ruby "$here/names.rb" "$@" ;;
        node) node "$here/names.js" "$@" ;;
        java) java -Xshare:auto -XX:TieredStopAtLevel=1 -cp . Names "$@" ;;
    esac
}

# The seconds that a language takes for some names, start and all; the answers are left in `out`.
seconds() {
    local before=$EPOCHREALTIME
    look_up "$@" >out 2>&1
    echo "$(date +%s.%N) $before" | awk '{ print $1 - $2 }'
}

inside() {
    local language=$1 name reason took plain
    look_up "$language" localhost "$host" "$(hostname)" >out 2>err
    reason=
    grep -qE '^localhost: (127\.0\.0\.1|::1), which is localhost' out || reason="localhost is not found"
    grep -qE "^$host: (10\.0\.0\.1|fd53:6f63:6b65:[0:]*1), which is $host" out || reason="$reason; the host's name is not found"
    grep -qE "^$(hostname): [0-9a-f.:]+, which is " out || reason="$reason; the machine's name is not found"
    judge "$language: localhost, the host's name, their reverse" "${reason:+$reason: $(cat out err)}"
    # What it takes beyond a number, which needs no resolver: the language's start is not ours.
    plain=$(seconds "$language" 127.0.0.1)
    took=$(seconds "$language" "${unknown[@]}")
    reason=
    [ "$(grep -c 'not found' out)" = 2 ] || reason="$(cat out)"
    awk -v a="$took" -v b="$plain" 'BEGIN { exit !(a - b < 0.4) }' || reason="$reason; took $took s, a number $plain s"
    judge "$language: others are unknown at once" "$reason"
}

if [ "${1:-}" = inside ]; then
    host=$2
    for language in c python ruby node java go; do inside "$language"; done
    python3 - <<'END'
import socket
names = sorted(name for _, name in socket.if_nameindex())
print("ok if_nameindex" if names == ["eth0", "lo"] else f"FAIL if_nameindex: {names}")
END
    # Node lists them by getifaddrs(3).
    found=$(node -p 'Object.entries(os.networkInterfaces()).map(([n, a]) => [n, ...a.map((x) => x.address)].join(" ")).join("; ")')
    reason=
    case $found in *lo*127.0.0.1*::1*eth0*10.0.0.1*fd53:*) ;; *) reason=$found ;; esac
    judge getifaddrs "$reason"
    exit 0
fi
"$SOCKEYE" run --name "$host" -- bash "$0" inside "$host"
