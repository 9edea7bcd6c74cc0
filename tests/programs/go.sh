#!/bin/bash
# A static Go program, net/http at both ends: many requests over kept and new connections, a large body.
. "$(dirname "$0")/inside.sh"
program=$(dirname "$0")/go-http
start four "$program" serve "127.0.0.1:$PORT"
start six "$program" serve "[::1]:$((PORT + 1))"
serving 127.0.0.1 "$PORT"
serving ::1 $((PORT + 1))
same "$(timeout 60 "$program" ask "http://127.0.0.1:$PORT")" '800 answers, all right'
same "$(timeout 60 "$program" ask "http://[::1]:$((PORT + 1))")" '800 answers, all right'
