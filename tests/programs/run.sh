#!/bin/bash
# Real programs, unmodified: each natively once, then on the engine path and on the direct path; then, when
# root runs this, all of it again as nobody.
#   run.sh [--quick] [PROGRAM...]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"

options=() programs=()
for argument in "$@"; do
    case $argument in -*) options+=("$argument") ;; *) programs+=("$argument") ;; esac
done
begin "${options[@]}"
[ ${#programs[@]} -gt 0 ] || programs=(curl redis nginx go postgres socat nc iperf3 memcached sshd ss)

# Everything that a test needs, where every user can read it.
kit=$WORK/kit
mkdir "$kit"
cp "$here"/*.sh "$here/../lib.sh" "$kit"
CGO_ENABLED=0 GO111MODULE=off GOCACHE=$WORK/go.cache go build -o "$kit/go-http" "$here/go/main.go"
given=$SOCKEYE
[ ! -x "$given" ] || cp "$given" "$kit/sockeye"
SOCKEYE=$kit/sockeye
chmod -R a+rX "$kit"

# run_as USER COMMAND...: as ourselves, or as nobody with a runtime directory of its own.
run_as() {
    local user=$1
    shift
    if [ "$user" = ourselves ]; then "$@"; else
        setpriv --reuid=nobody --regid=nogroup --clear-groups \
            env HOME="$WORK/run" XDG_RUNTIME_DIR="$WORK/run" USER=nobody LOGNAME=nobody "$@"
    fi
}

# A path's command, as words.
wrapper() {
    case $1 in
        native) ;;
        engine) echo "$SOCKEYE run --" ;;
        direct) echo "$SOCKEYE run --direct --" ;;
    esac
}

# run_program NAME PATH USER
run_program() {
    local name=$1 path=$2 user=$3 directory=$WORK/run
    path_exists "$path" || { fail "$name $path as $user" "no executable at $given"; return; }
    rm -rf "$directory"
    mkdir -m 755 "$directory"
    [ "$user" = ourselves ] || chown nobody:nogroup "$directory"
    free_port
    NEXT_PORT=$((NEXT_PORT + 5))
    # shellcheck disable=SC2046
    (cd "$directory" && TAKEN=$path run_as "$user" timeout -k 5 180 $(wrapper "$path") \
        bash "$kit/$name.sh" "$PORT" ${QUICK:+quick}) >"$WORK/log" 2>&1 </dev/null
    local status=$?
    if [ $status -eq 0 ]; then pass "$name $path as $user"; else fail "$name $path as $user" "status $status" "$WORK/log"; fi
}

users=(ourselves)
[ "$(id -u)" != 0 ] || users+=(nobody)
for user in "${users[@]}"; do
    for name in "${programs[@]}"; do
        for path in $PATHS; do run_program "$name" "$path" "$user"; done
    done
done
finish
