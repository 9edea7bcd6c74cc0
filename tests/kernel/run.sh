#!/bin/bash
# The kernel behaviours that the design leans on, asked of the running kernel alone (docs/serving.md says why
# each is needed).
#   run.sh [--quick]     ends with `N passed, M failed`
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
begin "$@"

for source in "$here"/*.c; do
    name=$(basename "$source" .c)
    if ! gcc -std=gnu11 -O1 -Wall -Wextra -pthread -o "$WORK/$name" "$source" >"$WORK/log" 2>&1; then
        fail "$name" "does not compile" "$WORK/log"
    elif timeout -k 2 30 "$WORK/$name" >"$WORK/log" 2>&1 </dev/null; then
        pass "$name"
    else
        fail "$name" "status $?" "$WORK/log"
    fi
done
finish
