#!/bin/bash
# curl against python's http.server, IPv4 and IPv6; a large body arrives whole.
. "$(dirname "$0")/inside.sh"
size=200000000
[ -z "$QUICK" ] || size=20000000
mkdir files
echo 'a small page' >files/small
head -c $size /dev/urandom >files/large
start four python3 -m http.server --bind 127.0.0.1 --directory files "$PORT"
start six python3 -m http.server --bind ::1 --directory files $((PORT + 1))
serving 127.0.0.1 "$PORT"
serving ::1 $((PORT + 1))
fetch="timeout 60 curl -sS --noproxy *"
set -f
same "$($fetch "http://127.0.0.1:$PORT/small" "http://127.0.0.1:$PORT/small")" "$(printf 'a small page\na small page')"
same "$($fetch "http://[::1]:$((PORT + 1))/small")" 'a small page'
same "$($fetch -o /dev/null -w '%{http_code}' "http://localhost:$PORT/none")" 404
expected=$(sha256sum <files/large)
same "$($fetch "http://127.0.0.1:$PORT/large" | sha256sum)" "$expected"
same "$($fetch "http://[::1]:$((PORT + 1))/large" | sha256sum)" "$expected"
if $fetch "http://127.0.0.1:$((PORT + 2))/" 2>refused.log; then false; else same $? 7; fi
