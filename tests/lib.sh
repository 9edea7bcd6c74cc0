# What the test scripts share: arguments, paths, counting, the temporary directory, the last line.
# Sourced, never run. A test script calls `begin "$@"` first and `finish` last; a script that runs inside a
# host only borrows the functions.
#
# PATHS    which ways to run a program: any of `native engine direct link` (the first three unless set)
# SOCKEYE  the command under test (target/release/sockeye below the repository root unless set)

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The system's own interpreters first: a user's shims may be unreadable to the other users we run as.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
SOCKEYE=${SOCKEYE:-$ROOT/target/release/sockeye}
PATHS=${PATHS:-native engine direct}
export PATH SOCKEYE LC_ALL=C.UTF-8

QUICK=
PASSED=0
FAILED=0

# begin ARGUMENTS: reads the arguments and makes the temporary directory.
begin() {
    local argument
    for argument in "$@"; do
        case $argument in
            --quick) QUICK=1 ;;
            *) echo "usage: $0 [--quick]" >&2; exit 2 ;;
        esac
    done
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/sockeye-test.XXXXXX")
    chmod 755 "$WORK"
    trap clean_up EXIT
    trap 'exit 130' INT TERM
}

# Ends what a test left running, by the process ids that it wrote down, and removes the directory.
clean_up() {
    local file pid
    for file in $(find "$WORK" -name '*.pid' 2>/dev/null); do
        read -r pid <"$file" && [ -n "$pid" ] && end_process "$pid"
    done
    rm -rf "$WORK"
}
pass() { PASSED=$((PASSED + 1)); [ -z "${VERBOSE:-}" ] || echo "ok    $1"; }

# fail NAME REASON [FILE]: the reason and the head of a file that explains it.
fail() {
    FAILED=$((FAILED + 1))
    echo "FAIL  $1: $2"
    [ -z "${3:-}" ] || [ ! -s "$3" ] || head -n "${SHOW_LINES:-15}" "$3" | sed 's/^/      /'
}

# The last line of every test script, alone; the exit status says the same.
finish() {
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
    exit
}

# A path that cannot be tested is a failure, never a skip.
path_exists() { [ "$1" = native ] || [ -x "$SOCKEYE" ]; }

# on_path PATH SECONDS COMMAND...: runs the command natively, natively alone or in a host of its own.
on_path() {
    local path=$1 limit=$2
    shift 2
    case $path in
        native) timeout -k 5 "$limit" "$@" ;;
        alone) alone timeout -k 5 "$limit" "$@" ;;
        engine) timeout -k 5 "$limit" "$SOCKEYE" run -- "$@" ;;
        direct) timeout -k 5 "$limit" "$SOCKEYE" run --direct -- "$@" ;;
        # A bad link under all that the host sends to itself.
        link) timeout -k 5 "$limit" "$SOCKEYE" run --delay 2ms --jitter 1ms --loss 2% --duplicate 1% --reorder 2% \
            --seed 7 -- "$@" ;;
        *) echo "unknown path $path" >&2; return 2 ;;
    esac
}

# alone COMMAND...: in a network of its own, where no other program of the machine holds a port, with the way out for
# broadcasts that every connected machine has. As root only: another user would have to become root of a user
# namespace, and what a program may do would change with it.
alone() {
    if [ "$(id -u)" != 0 ]; then "$@"; else
        unshare --net -- sh -c 'ip link set lo up && ip route add broadcast 255.255.255.255 dev lo && exec "$@"' alone "$@"
    fi
}

# Ends one process that we started: TERM, then KILL when two seconds did not suffice.
end_process() {
    local tick
    kill "$1" 2>/dev/null || return 0
    for ((tick = 0; tick < 100; tick++)); do
        kill -0 "$1" 2>/dev/null || return 0
        case $(ps -o stat= -p "$1" 2>/dev/null) in Z*) return 0 ;; esac
        sleep 0.02
    done
    kill -9 "$1" 2>/dev/null
    return 0
}

# wait_for SECONDS COMMAND...: until the command succeeds; looks often, gives up in the end.
wait_for() {
    local ticks=$(($1 * 50)) tick
    shift
    for ((tick = 0; tick < ticks; tick++)); do
        "$@" && return 0
        sleep 0.02
    done
    return 1
}

# start NAME COMMAND...: in the background; NAME.log has the output, NAME.pid the process id.
STARTED=()
start() {
    local name=$1
    shift
    "$@" >"$name.log" 2>&1 </dev/null &
    STARTED+=($!)
    echo $! >"$name.pid"
}
end_started() {
    local pid
    for pid in "${STARTED[@]}"; do end_process "$pid"; done
    rm -f ./*.pid
}

port_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
line_count_is() { [ "$(wc -l 2>/dev/null <"$1")" -ge "$2" ]; }

# A port below the ephemeral range on which nobody listens; needed natively, where the machine is shared.
NEXT_PORT=$((20000 + ($$ * 131) % 11000))
free_port() {
    while :; do
        NEXT_PORT=$((NEXT_PORT + 1))
        [ "$NEXT_PORT" -lt 32000 ] || NEXT_PORT=20000
        port_open 127.0.0.1 "$NEXT_PORT" || break
    done
    PORT=$NEXT_PORT
}

# need COMMAND...: names what is missing; `tests/install.sh` installs it.
need() {
    local command missing=
    for command in "$@"; do
        command -v "$command" >/dev/null || missing="$missing $command"
    done
    [ -z "$missing" ] || { echo "missing:$missing (bash tests/install.sh)"; return 1; }
}
