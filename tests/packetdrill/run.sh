#!/bin/bash
# Runs packetdrill's scripts on Sockeye: PACKETDRILL=/path/to/packetdrill run.sh [--ipv6|--mapped] DIR...
#   Each script found below DIR runs once, unchanged, against libsockeye.so; ends with `N passed, M failed`.
#   VERBOSE=1 shows what a failing script says. Needs root or user namespaces.
#
# packetdrill is not part of the repository. A script sets sysctls by commands of its own: it runs in a network
# namespace that is its own too, and the library reads them there. The namespace has a device tun0, since scripts
# name it. What they flush by `ip`, read by `nstat`, ask of `tc` (the discipline fq, which paces) and set by `sysctl` where
# the kernel has no such congestion control would be the kernel's: commands of those names, first in the path, ask the
# library instead.
cd "$(dirname "$0")/../.." || exit 1

if [ "$1" = --inside ]; then # in the namespace: --inside DIRECTORY COMMAND...
    ip link set lo up
    ip tuntap add dev tun0 mode tun 2>/dev/null || ip link add tun0 type dummy
    room=$(mktemp -d) && trap 'rm -rf "$room"' EXIT
    cat >"$room/ip" <<'SHIM'
#!/bin/sh
[ "$1 $2" = "tcp_metrics flush" ] && printf x >>"$SOCKEYE_FLUSHES"
PATH=${PATH#*:} exec ip "$@"
SHIM
    printf '#!/bin/sh\ncat "$SOCKEYE_COUNTERS" 2>/dev/null || :\n' >"$room/nstat"
    cat >"$room/tc" <<'SHIM'
#!/bin/sh
[ "$1 $3" = "qdisc dev" ] && printf '%s\n' "$*" >"$SOCKEYE_QDISC"
PATH=${PATH#*:} exec tc "$@"
SHIM
    cat >"$room/sysctl" <<'SHIM'
#!/bin/sh
for word; do
    case $word in net[./]ipv4[./]tcp_congestion_control=*) echo "${word#*=}" >"$SOCKEYE_CONGESTION" ;; esac
done
PATH=${PATH#*:} exec sysctl "$@"
SHIM
    chmod +x "$room/ip" "$room/nstat" "$room/tc" "$room/sysctl"
    export PATH=$room:$PATH SOCKEYE_FLUSHES=$room/flushes SOCKEYE_COUNTERS=$room/counters SOCKEYE_QDISC=$room/qdisc
    export SOCKEYE_CONGESTION=$room/congestion
    cd "$2" && shift 2 && "$@"
    exit
fi

family=(--ip_version=ipv4 -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable
    -D CMSG_LEVEL_IP=SOL_IP -D CMSG_TYPE_RECVERR=IP_RECVERR)
ends=(--local_ip=192.168.0.1 --gateway_ip=192.168.0.1 --netmask_ip=255.255.0.0 --remote_ip=192.0.2.1)
local=192.168.0.1/16 mtu=1500 other='*v6.pkt' separator='\.'
case $1 in
--ipv6)
    ends=(--local_ip=fd3d:0a0b:17d6::1 --gateway_ip=fd3d:0a0b:17d6:8888::1 --remote_ip=fd3d:fa7b:d17d::1)
    family=(--ip_version=ipv6 --mtu=1520 -D TFO_COOKIE=c1d1e9742a47a9bc -D CODE=address_unreachable
        -D CMSG_LEVEL_IP=SOL_IPV6 -D CMSG_TYPE_RECVERR=IPV6_RECVERR)
    local=fd3d:a0b:17d6::1/48 mtu=1520 other='*v4.pkt' separator=:
    shift
    ;;
--mapped)
    family=(--ip_version=ipv4-mapped-ipv6 -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable
        -D CMSG_LEVEL_IP=SOL_IPV6 -D CMSG_TYPE_RECVERR=IPV6_RECVERR)
    shift
    ;;
esac

if [ ! -x "$PACKETDRILL" ]; then
    echo "PACKETDRILL names no program: set it to the path of packetdrill" >&2
    exit 2
fi
if [ $# = 0 ]; then
    echo "usage: PACKETDRILL=/path/to/packetdrill $0 [--ipv6|--mapped] DIR..." >&2
    exit 2
fi
PACKETDRILL=$(realpath "$PACKETDRILL")
cargo build -q --release -p sockeye-ffi || exit 1
library=$(realpath "${CARGO_TARGET_DIR:-target}")/release/libsockeye.so
own=$PWD/tests/packetdrill/run.sh
namespace=(unshare -n)
[ "$(id -u)" = 0 ] || namespace=(unshare -rn)

passed=0 failed=0
while read -r script; do
    # A script may name the addresses that it wants; else they are packetdrill's documented ones.
    named=$(sed -n "s/^--local_ip=\(.*$separator.*\)/\1/p" "$script")
    addresses=local=${named:-${local%/*}}/${local#*/} given=()
    [ -n "$named" ] || given=("${ends[@]}")
    output=$(timeout 60 "${namespace[@]}" bash "$own" --inside "$(dirname "$script")" \
        env LD_PRELOAD="$library" "$PACKETDRILL" --send_omit_free --so_filename="$library" \
        --so_flags="$addresses,mtu=$mtu" "${family[@]}" "${given[@]}" "$(basename "$script")" 2>&1 </dev/null)
    if [ $? = 0 ]; then
        passed=$((passed + 1))
        echo "ok    $script"
    else
        failed=$((failed + 1))
        echo "FAIL  $script"
        [ -z "$VERBOSE" ] || sed 's/^/      /' <<<"$output"
    fi
done < <(find "${@/#/}" -name '*.pkt' ! -name "$other" | sort)
echo "$passed passed, $failed failed"
[ $failed = 0 ]
