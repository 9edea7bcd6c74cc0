#!/bin/bash
# iperf3: TCP in both directions and in parallel, UDP.
. "$(dirname "$0")/inside.sh"
start server iperf3 -s -p "$PORT"
serving 127.0.0.1 "$PORT"
# measure NAME ARGUMENTS...: the bytes that the receiver counted.
measure() {
    local name=$1
    shift
    timeout 40 iperf3 -c 127.0.0.1 -p "$PORT" -t 1 -J "$@" >"$name.json"
    python3 -c 'import json, sys
end = json.load(open(sys.argv[1]))["end"]
print(int((end.get("sum_received") or end["sum"])["bytes"]))' "$name.json"
}
[ "$(measure forward)" -gt 1000000 ]
[ "$(measure backward -R)" -gt 1000000 ]
[ "$(measure parallel -P 4)" -gt 1000000 ]
[ "$(measure datagrams -u -b 20M -l 1200)" -gt 1000000 ]
