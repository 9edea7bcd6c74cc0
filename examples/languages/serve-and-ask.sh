#!/bin/bash
# One server and its clients, in the host where this script runs:
#   serve-and-ask.sh DIRECTORY ADDRESS PORT SERVER CLIENT...
# SERVER and CLIENT are names of files in DIRECTORY/../commands that hold a command line, which gets ADDRESS
# and PORT. Left in DIRECTORY: CLIENT.out and CLIENT.status for each client, server.err.
. "$(dirname "$0")/../../tests/lib.sh"

directory=$1 address=$2 port=$3 server=$4
shift 4
cd "$directory" || exit 1
commands=../commands

read -ra command <"$commands/$server"
for ((i = 0; i < ${#command[@]}; i++)); do
    case ${command[i]} in ADDRESS) command[i]=$address ;; PORT) command[i]=$port ;; esac
done
"${command[@]}" </dev/null >server.out 2>server.err &
server_pid=$!
echo $server_pid >server.pid
wait_for 20 grep -q '^ready' server.err || { echo "the server is not ready" >>server.err; exit 1; }
for client in "$@"; do
    read -ra command <"$commands/$client"
    timeout -k 2 20 "${command[@]}" "$address" "$port" <../lines >"$client.out" 2>"$client.err"
    echo $? >"$client.status"
done
end_process $server_pid
rm -f server.pid
