#!/bin/bash
# ss of iproute2, which asks by NETLINK_SOCK_DIAG: states, queues, addresses, processes, figures, timers, filters.
. "$(dirname "$0")/inside.sh"
start sockets python3 -c '
import socket, sys, time
port = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", port), backlog=7)
six = socket.create_server(("::1", port), family=socket.AF_INET6)
client = socket.create_connection(("127.0.0.1", port))
server, _ = listener.accept()
waiting = socket.create_connection(("::1", port))
client.send(b"hello"), server.recv(5)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("127.0.0.1", port))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(("127.0.0.1", port))
ended = socket.create_connection(("127.0.0.1", port))
other, _ = listener.accept()
ended.close()
other.recv(1)
other.close()
open("ready", "w").close()
time.sleep(60)
' "$PORT"
wait_for 10 test -e ready
process="python3.*pid=[0-9]*,fd"

# shows COUNT PATTERN OPTION...: ss has so many lines with the pattern.
shows() {
    local count=$1 pattern=$2
    shift 2
    ss -H -n "$@" >shown
    [ "$(tr -s ' ' <shown | grep -cE -- "$pattern")" = "$count" ] && return
    echo "ss -H -n $*: not $count times $pattern:"
    cat shown
    exit 1
}

shows 1 "^LISTEN 0 7 127.0.0.1:$PORT 0.0.0.0:\* users:\(\(\"$process=3\)\)" -tlp "sport = :$PORT"
shows 1 "^LISTEN 1 [0-9]+ \[::1\]:$PORT \[::\]:\*" -tl6 "sport = :$PORT"
shows 1 "^0 0 127.0.0.1:$PORT 127.0.0.1:[0-9]+ users:\(\(\"$process=6\)\)" -tp state established "sport = :$PORT and dst 127.0.0.0/8"
shows 0 . -t state established "sport = :$PORT and dst 10.0.0.0/8"
shows 4 . -t state established "sport = :$PORT or dport = :$PORT"
shows 1 "timer:\(timewait,[0-9.]+(sec|min)" -tao state time-wait "dport = :$PORT"
shows 1 "rto:[0-9.]+ .*mss:[0-9]+ " -ti state established "dport = :$PORT and dst 127.0.0.1"
# TCP does not see the bytes of the direct path.
if [ "$TAKEN" != direct ]; then
    shows 1 "bytes_sent:5 bytes_acked:[56] " -ti state established "dport = :$PORT and dst 127.0.0.1"
    shows 1 "bytes_received:5" -ti state established "sport = :$PORT and src 127.0.0.1"
fi
shows 1 "^UNCONN 0 0 127.0.0.1:$PORT 0.0.0.0:\*" -ua "sport = :$PORT"
shows 1 "^ESTAB 0 0 127.0.0.1:[0-9]+ 127.0.0.1:$PORT" -uam "dport = :$PORT"
shows 1 "skmem:\(r0,rb[0-9]+,t0,tb[0-9]+" -uam "dport = :$PORT"
