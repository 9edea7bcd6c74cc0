#!/bin/bash
# One pair, in the host where this script runs: pair.sh DIRECTORY SERVER-LINES SERVER... -- CLIENT...
# The server says "ready" on its standard error once it listens. Left in DIRECTORY: server.out, client.out
# and client.status. A server that loops for ever is ended once it has printed SERVER-LINES lines.
. "$(dirname "$0")/../../tests/lib.sh"

directory=$1 server_lines=$2
shift 2
server=()
while [ "$1" != -- ]; do server+=("$1"); shift; done
shift

cd "$directory" || exit 1
"${server[@]}" <server.in >server.out 2>server.err &
server_pid=$!
echo $server_pid >server.pid
wait_for 20 grep -q '^ready' server.err || { echo "the server is not ready"; cat server.err; } >>server.out

timeout -k 2 30 "$@" <client.in >client.out 2>client.err
echo "status $?" >client.status
wait_for 10 line_count_is server.out "$server_lines" || echo "the server printed too little" >>server.out
end_process $server_pid
rm -f server.pid
