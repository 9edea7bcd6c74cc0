#!/bin/bash
# What the tests need from Debian. As root: installs what is missing; otherwise prints the one line that does.
packages=(
    gcc libc6-dev musl-tools python3 curl iproute2 procps iputils-ping net-tools strace
    ruby ghc libghc-network-dev mono-mcs mono-runtime libmono-system-core4.0-cil golang-go
    redis-server redis-tools nginx-light wrk postgresql socat netcat-openbsd iperf3 memcached
    openssh-server openssh-client tshark valgrind pkgconf
)

# Node and a Java compiler may also have come from elsewhere.
commands=(node:nodejs javac:default-jdk-headless)

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
for pair in "${commands[@]}"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q || exit 1
# No package may start its server: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi
apt-get install -q -y --no-install-recommends "${missing[@]}"
