#!/bin/bash
# Every echo server with every line client: natively, on the engine path and on the direct path, over IPv4
# and IPv6. A server starts once per path and family and is asked by all clients in turn.
#   matrix.sh [--quick]     ends with `N passed, M failed`; quick: over IPv6 only the C and Java NIO clients
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/lib.sh"
begin "$@"

servers=(c csharp java nio haskell ruby python node go forking inetd threaded)
clients=(c csharp java nio haskell ruby python node go)
build=$WORK/build commands=$WORK/commands
jvm="java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData"

# Compiles one language; what cannot be built makes its pairs fail below.
compile() {
    mkdir -p "$build/$1"
    cd "$here/$1" || return 1
    case $1 in
        c) for source in *.c; do gcc -O1 -Wall -D_GNU_SOURCE -o "$build/c/${source%.c}" "$source" || return 1; done ;;
        csharp) mcs -out:"$build/csharp/Server.exe" Server.cs && mcs -out:"$build/csharp/Client.exe" Client.cs ;;
        java | nio) javac -d "$build/$1" ./*.java ;;
        haskell) for part in Server Client; do
                     ghc -v0 -O0 -outputdir "$build/haskell/$part.o" -o "$build/haskell/$part" "$part.hs" || return 1
                 done ;;
        go) for part in server client; do
                CGO_ENABLED=0 GOCACHE=$build/go.cache GOFLAGS=-mod=mod GO111MODULE=off \
                    go build -o "$build/go/$part" "$part.go" || return 1
            done ;;
        *) need "${1/python/python3}" ;;
    esac
}

# One file for each server and client, holding its command line.
write_commands() {
    mkdir -p "$commands"
    local into=$build name
    server_is() { echo "$2 ADDRESS PORT ${3:-}" >"$commands/$1-server"; }
    client_is() { echo "$2" >"$commands/$1-client"; }
    server_is c "$into/c/server";                      client_is c "$into/c/client"
    server_is csharp "mono $into/csharp/Server.exe";   client_is csharp "mono $into/csharp/Client.exe"
    server_is java "$jvm -cp $into/java Server";       client_is java "$jvm -cp $into/java Client"
    server_is nio "$jvm -cp $into/nio NioServer";      client_is nio "$jvm -cp $into/nio NioClient"
    server_is haskell "$into/haskell/Server";          client_is haskell "$into/haskell/Client"
    server_is ruby "ruby $here/ruby/server.rb";        client_is ruby "ruby $here/ruby/client.rb"
    server_is python "python3 $here/python/server.py"; client_is python "python3 $here/python/client.py"
    server_is node "node $here/node/server.js";        client_is node "node $here/node/client.js"
    server_is go "$into/go/server";                    client_is go "$into/go/client"
    server_is forking "$into/c/forking"
    server_is inetd "$into/c/inetd" cat
    server_is threaded "ruby $here/ruby/threaded.rb"
    server_is c-datagram "$into/c/datagram-server"
    client_is c-datagram "$into/c/datagram-client"
    server_is python-datagram "python3 $here/python/datagram_server.py"
    client_is python-datagram "python3 $here/python/datagram_client.py"
}

# What every client sends: short, empty, long and not ASCII.
write_lines() {
    printf 'hello\n\nzweite Zeile: äöü €\n'
    head -c 5000 /dev/zero | tr '\0' x
    printf '\nlast line\n'
}

# ask PATH ADDRESS SERVER CLIENT...: one server, then one result for each client.
ask() {
    local path=$1 address=$2 server=$3 client directory=$WORK/run
    shift 3
    rm -rf "$directory"
    mkdir "$directory"
    free_port
    if path_exists "$path"; then
        on_path "$path" 120 bash "$here/serve-and-ask.sh" "$directory" "$address" "$PORT" "$server-server" \
            "${@/%/-client}" >"$directory/log" 2>&1 </dev/null
    else
        echo "no executable at $SOCKEYE" >"$directory/log"
    fi
    for client in "$@"; do
        if [ "$(cat "$directory/$client-client.status" 2>/dev/null)" = 0 ] &&
            cmp -s "$WORK/lines" "$directory/$client-client.out"; then
            pass "$server server, $client client, $address, $path"
        else
            cat "$directory/$client-client.err" "$directory/server.err" >>"$directory/log" 2>/dev/null
            SHOW_LINES=6 fail "$server server, $client client, $address, $path" \
                "status $(cat "$directory/$client-client.status" 2>/dev/null || echo none)" "$directory/log"
        fi
    done
}

for language in c csharp java nio haskell ruby python node go; do
    (compile "$language") >"$WORK/build.log" 2>&1 || { echo "$language does not build:"; cat "$WORK/build.log"; }
done
write_commands
write_lines >"$WORK/lines"
for path in $PATHS; do
    for address in 127.0.0.1 ::1; do
        asking=("${clients[@]}")
        [ -z "$QUICK" ] || [ $address = 127.0.0.1 ] || asking=(c nio)
        for server in "${servers[@]}"; do ask "$path" $address "$server" "${asking[@]}"; done
        for server in c python; do ask "$path" $address $server-datagram c-datagram python-datagram; done
    done
done
finish
