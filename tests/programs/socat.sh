#!/bin/bash
# socat as forking echo server, relay and datagram server.
. "$(dirname "$0")/inside.sh"
start echo socat "TCP4-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
start relay socat "TCP6-LISTEN:$((PORT + 1)),bind=[::1],reuseaddr,fork" "TCP4:127.0.0.1:$PORT"
start datagrams socat -T 2 "UDP4-LISTEN:$((PORT + 2)),bind=127.0.0.1,fork" EXEC:cat
serving 127.0.0.1 "$PORT"
serving ::1 $((PORT + 1))
head -c 300000 /dev/urandom >sent
timeout 30 socat -t 5 - "TCP4:127.0.0.1:$PORT" <sent >back
cmp sent back
timeout 30 socat -t 5 - "TCP6:[::1]:$((PORT + 1))" <sent >back
cmp sent back
answered() { [ "$(echo 'a datagram' | timeout 5 socat -t 0.5 - "UDP4:127.0.0.1:$((PORT + 2))" 2>&1)" = 'a datagram' ]; }
wait_for 10 answered
if timeout 20 socat - "TCP4:127.0.0.1:$((PORT + 3))" </dev/null 2>refused.log; then false; fi
grep -q 'Connection refused' refused.log
