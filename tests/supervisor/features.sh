#!/bin/bash
# The other ways, forced: without pidfds of threads, without synchronous wake-ups, without the killable wait.
# Call programs and two languages on each. Prints `ok NAME` or `FAIL NAME: reason`.
here=$(cd "$(dirname "$0")" && pwd)
calls=(socket bind listen accept connect close fork threads recvmsg sendto epoll poll shutdown exec)
[ -n "${QUICK:-}" ] || calls+=(recvfrom sendmsg select dup scm_rights getsockname getpeername sendfile eintr)

for feature in pidfd-thread sync-wake-up wait-killable pidfd-thread,sync-wake-up,wait-killable; do
    export SOCKEYE_WITHOUT=$feature
    # Without the killable wait a signal may repeat a call, which docs/serving.md says.
    tried=()
    for call in "${calls[@]}"; do
        case $feature/$call in *wait-killable*/eintr) ;; *) tried+=("$call") ;; esac
    done
    if PATHS="native engine direct" bash "$here/../calls/run.sh" "${tried[@]}" >"$WORK/calls" 2>&1; then
        echo "ok calls without $feature: $(tail -n 1 "$WORK/calls")"
    else
        echo "FAIL calls without $feature: $(grep FAIL "$WORK/calls" | head -n 5 | tr '\n' ' ') $(tail -n 1 "$WORK/calls")"
    fi
    for language in python node; do
        if "$SOCKEYE" run -- bash "$here/features/$language.sh" >"$WORK/pair" 2>&1; then
            echo "ok $language without $feature"
        else
            echo "FAIL $language without $feature: $(tail -n 3 "$WORK/pair" | tr '\n' ' ')"
        fi
    done
    case $("$SOCKEYE" run --check) in
        *"pidfd of a thread (6.9): yes"*) there=yes ;;
        *) there=no ;;
    esac
    case $feature/$there in
        pidfd-thread*/yes) echo "FAIL --check without $feature: it says that pidfds of threads are there" ;;
        *) echo "ok --check without $feature" ;;
    esac
done
