#!/bin/bash
# redis-server under redis-cli and redis-benchmark, plain and pipelined.
. "$(dirname "$0")/inside.sh"
requests=20000
[ -z "$QUICK" ] || requests=3000
start server redis-server --port "$PORT" --bind 127.0.0.1 ::1 --save '' --appendonly no --dir "$PWD"
serving 127.0.0.1 "$PORT"
same "$(timeout 20 redis-cli -p "$PORT" set key value)" OK
same "$(timeout 20 redis-cli -h ::1 -p "$PORT" get key)" value
timeout 60 redis-benchmark -p "$PORT" -q -n $requests -c 50 -r 1000 -t set,get,lpush >benchmark.log
timeout 60 redis-benchmark -p "$PORT" -q -n $requests -c 20 -P 16 -t get >>benchmark.log
same "$(tr '\r' '\n' <benchmark.log | grep -c 'requests per second, p50')" 4
same "$(timeout 20 redis-cli -p "$PORT" llen mylist)" $requests
timeout 20 redis-cli -p "$PORT" shutdown nosave
