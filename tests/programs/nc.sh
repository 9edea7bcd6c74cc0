#!/bin/bash
# netcat: a file each way, port probes, datagrams.
. "$(dirname "$0")/inside.sh"
# What fits a carrier while nobody reads it (five writes of 16 KiB): nc leaves when its peer has ended and its own
# writes are blocked, on the kernel as well.
head -c 64000 /dev/urandom >sent
listens() { grep -q Listening "$1.log" 2>/dev/null; }
timeout 40 nc -n -v -l -N 127.0.0.1 "$PORT" <sent >received 2>server.log &
server=$!
wait_for 10 listens server
timeout 30 nc -N 127.0.0.1 "$PORT" <sent >back
wait $server
cmp sent received
cmp sent back
start keeper nc -n -v -l -k ::1 $((PORT + 1))
wait_for 10 listens keeper
timeout 10 nc -z ::1 $((PORT + 1))
if timeout 10 nc -z 127.0.0.1 $((PORT + 2)); then false; fi
timeout 20 nc -u -l -W 1 127.0.0.1 $((PORT + 3)) >datagram </dev/null &
server=$!
arrived() { echo hello | timeout 2 nc -u -w 1 127.0.0.1 $((PORT + 3)); [ -s datagram ]; }
wait_for 10 arrived
wait $server || true
same "$(head -n 1 datagram)" hello
