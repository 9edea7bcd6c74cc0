// With WAIT_KILLABLE_RECV a call that was received is not interrupted by signals: it stays valid, the handler
// runs after the answer, once. Without it, the call ends with EINTR, or is restarted and notified again. And with it
// too, as long as the notification has not been received: only a supervisor that receives at once hides that.
#include "seccomp.h"

static int asks(int wire) {
    (void)wire;
    handle(0);
    long result = ask(1);
    return result == 5 && handled == 1 ? 0 : 1;
}
static int is_interrupted(int wire) {
    (void)wire;
    handle(0);
    return ask(1) == -1 && errno == EINTR && handled == 1 ? 0 : 1;
}
static int is_restarted(int wire) {
    (void)wire;
    handle(SA_RESTART);
    return ask(1) == 6 && handled == 1 ? 0 : 1;
}

int main(void) {
    begin();
    Child child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, asks);
    struct seccomp_notif call = next_call(child);
    kill(child.pid, SIGUSR1);
    pause_ms(50);
    HOLDS(valid(child, call));
    HOLDS(answer(child, call, 5, 0) == 0);
    HOLDS(status_of(child) == 0);

    // A deadly signal ends even such a call.
    child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, asks);
    call = next_call(child);
    kill(child.pid, SIGKILL);
    HOLDS(status_of(child) == 1000 + SIGKILL);
    HOLDS(!valid(child, call) && errno == ENOENT);

    // Not received yet: the signal still interrupts, and what waited is gone.
    child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, is_interrupted);
    struct pollfd entry = {.fd = child.listener, .events = POLLIN};
    HOLDS(poll(&entry, 1, 2000) == 1);
    kill(child.pid, SIGUSR1);
    HOLDS(status_of(child) == 0);
    HOLDS(!(events_of(child.listener, POLLIN) & POLLIN));

    child = start_child(0, is_interrupted);
    call = next_call(child);
    kill(child.pid, SIGUSR1);
    HOLDS(status_of(child) == 0);
    HOLDS(!valid(child, call) && errno == ENOENT);
    HOLDS(answer(child, call, 0, 0) == -1 && errno == ENOENT);

    child = start_child(0, is_restarted);
    call = next_call(child);
    kill(child.pid, SIGUSR1);
    struct seccomp_notif again = next_call(child);
    HOLDS(again.id != call.id);
    HOLDS(answer(child, again, 6, 0) == 0);
    HOLDS(status_of(child) == 0);
    return 0;
}
