#!/bin/bash
# The other ways, forced: without pidfds of threads, without synchronous wake-ups, without the killable wait.
# Call programs and two languages on each: what fails with everything there (tests/calls tells that) is not told
# again, what fails only without a feature is. Prints `ok NAME` or `FAIL NAME: reason`.
here=$(cd "$(dirname "$0")" && pwd)
calls=(socket accept fork threads recvmsg sendto exec scm_rights)
[ -n "${QUICK:-}" ] || calls+=(bind listen connect close epoll poll shutdown recvfrom sendmsg select dup eintr)

failures() { PATHS=engine bash "$here/../calls/run.sh" "$@" 2>&1 | grep ^FAIL | sort; }
failures "${calls[@]}" >"$WORK/with"

features=(pidfd-thread sync-wake-up wait-killable)
[ -n "${QUICK:-}" ] || features+=(pidfd-thread,sync-wake-up,wait-killable)
for feature in "${features[@]}"; do
    export SOCKEYE_WITHOUT=$feature
    # Without the killable wait a signal may repeat a call, which docs/serving.md says.
    tried=()
    for call in "${calls[@]}"; do
        case $feature/$call in *wait-killable*/eintr) ;; *) tried+=("$call") ;; esac
    done
    failures "${tried[@]}" | comm -13 "$WORK/with" - >"$WORK/without"
    if [ -s "$WORK/without" ]; then echo "FAIL calls without $feature: $(tr '\n' ' ' <"$WORK/without")"
    else echo "ok calls without $feature"; fi
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
