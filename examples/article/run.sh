#!/bin/bash
# The article's programs: builds each, runs server and client natively, on the engine path, on the direct
# path and over a bad link, and compares what both print with transcripts/NAME.txt (ephemeral ports apart).
#   run.sh [--quick]      ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
PATHS=${PATHS:-native engine direct link}
. "$here/../../tests/lib.sh"
begin "$@"

pairs=(c csharp java haskell ruby python node)

# Compiles what one language needs into $WORK/build/NAME; says nothing unless it fails.
build() {
    local into=$WORK/build/$1
    mkdir -p "$into"
    case $1 in
        c) for part in server client; do
               gcc -Wall -O1 -o "$into/$part" "$here/c/$part.c" || return 1
           done ;;
        csharp) mcs -out:"$into/Server.exe" "$here/csharp/Server.cs" &&
                mcs -out:"$into/Client.exe" "$here/csharp/Client.cs" ;;
        java) javac -d "$into" "$here"/java/*.java ;;
        haskell) for part in Server Client; do
                     ghc -v0 -O0 -outputdir "$into/$part.o" -o "$into/$part" "$here/haskell/$part.hs" || return 1
                 done ;;
        ruby) need ruby ;;
        python) need python3 ;;
        node) need node ;;
    esac
}

# Sets `command` to what starts the given part (server or client) of a language.
command_of() {
    local into=$WORK/build/$1 part=$2
    case $1 in
        c) command=("$into/$part") ;;
        csharp) command=(mono "$into/${part^}.exe") ;;
        java) command=(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$into" "${part^}") ;;
        haskell) command=("$into/${part^}") ;;
        ruby) command=(ruby "$here/ruby/$part.rb") ;;
        python) command=(python3 "$here/python/$part.py") ;;
        node) command=(node "$here/node/$part.js") ;;
    esac
    command+=("$PORT")
}

# What the user types at each end; only the programs that ask get something.
typed() {
    case $1/$2 in
        haskell/client) printf 'first line\nzweite Zeile: äöü\n\nlast line\n' ;;
        python/client) printf 'hello\nhow are you?\ngrüße\nq\n' ;;
        python/server) printf 'hello yourself\nfine\ngood bye\n' ;;
    esac
}

transcript() {
    local part
    for part in server client; do
        echo "== $part"
        cat "$1/$part.out"
    done | sed -E "s/\('127\.0\.0\.1', [0-9]+\)/('127.0.0.1', PORT)/; s/^\(localhost:[0-9]+\)/(localhost:PORT)/"
    cat "$1/client.status"
}

# run_pair NAME PATH
run_pair() {
    local name=$1 path=$2 directory=$WORK/$1-$2 expected=$here/transcripts/$1.txt
    local server client lines
    path_exists "$path" || { fail "$name $path" "no executable at $SOCKEYE"; return; }
    mkdir -p "$directory"
    typed "$name" server >"$directory/server.in"
    typed "$name" client >"$directory/client.in"
    free_port
    command_of "$name" server; server=("${command[@]}")
    command_of "$name" client; client=("${command[@]}")
    lines=$(sed -n '/^== server$/,/^== client$/p' "$expected" | sed '1d;$d' | wc -l)
    on_path "$path" 60 bash "$here/pair.sh" "$directory" "$lines" "${server[@]}" -- "${client[@]}" \
        >"$directory/log" 2>&1 </dev/null
    local status=$?
    transcript "$directory" >"$directory/transcript" 2>>"$directory/log"
    if [ "$status" -eq 0 ] && diff "$expected" "$directory/transcript" >"$directory/diff"; then
        pass "$name $path"
    else
        cat "$directory/log" "$directory/client.err" >>"$directory/diff" 2>/dev/null
        fail "$name $path" "status $status, transcript differs" "$directory/diff"
    fi
}

for name in "${pairs[@]}"; do
    if build "$name" >"$WORK/build.log" 2>&1; then
        for path in $PATHS; do run_pair "$name" "$path"; done
    else
        for path in $PATHS; do fail "$name $path" "cannot be built" "$WORK/build.log"; done
    fi
done
finish
