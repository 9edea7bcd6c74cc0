#!/bin/bash
# PostgreSQL (a process per connection, its socket inherited) with pgbench over TCP. It refuses to be root:
# root's test runs it as nobody.
. "$(dirname "$0")/inside.sh"
transactions=200
[ -z "$QUICK" ] || transactions=40
bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chown nobody:nogroup .
fi
"${as[@]}" "$bin/initdb" -D "$PWD/data" -A trust -U tester --no-sync >init.log 2>&1
start server "${as[@]}" "$bin/postgres" -D "$PWD/data" -p "$PORT" -k "$PWD" -c fsync=off \
    -c listen_addresses='127.0.0.1,::1'
ready() { "$bin/pg_isready" -q -h 127.0.0.1 -p "$PORT" -U tester; }
wait_for 30 ready
export PGHOST=127.0.0.1 PGPORT=$PORT PGUSER=tester PGDATABASE=postgres
timeout 60 "$bin/pgbench" -q -i -s 1 >pgbench.log 2>&1
timeout 60 "$bin/pgbench" -c 4 -j 2 -t $transactions >>pgbench.log 2>&1
timeout 60 "$bin/pgbench" -n -C -c 2 -t 20 >>pgbench.log 2>&1
same "$(timeout 20 psql -Atc 'select count(*) from pgbench_history')" $((4 * transactions + 40))
same "$(timeout 20 psql -h ::1 -Atc "select repeat('x', 3000000)" | wc -c)" 3000001
