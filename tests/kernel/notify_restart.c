// The answer -ERESTARTSYS (512) to a call whose thread has a signal pending becomes EINTR under a plain handler
// and a second notification under SA_RESTART; without a signal it would leak to the program as it is.
#include "seccomp.h"

enum { ERESTARTSYS = 512 };

static int plain(int wire) {
    (void)wire;
    handle(0);
    return ask(1) == -1 && errno == EINTR && handled == 1 ? 0 : 1;
}
static int restarting(int wire) {
    (void)wire;
    handle(SA_RESTART);
    return ask(1) == 8 && handled == 1 ? 0 : 1;
}
static int leaking(int wire) {
    (void)wire;
    return ask(1) == -1 && errno == ERESTARTSYS ? 0 : 1;
}

// Whether /proc shows the signal as pending for the thread or its process.
static int pending(pid_t pid) {
    char path[40], line[200];
    unsigned long all = 0, mask;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    HOLDS(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "SigPnd: %lx", &mask) == 1 || sscanf(line, "ShdPnd: %lx", &mask) == 1) all |= mask;
    fclose(file);
    return all >> (SIGUSR1 - 1) & 1;
}

int main(void) {
    begin();
    Child child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, plain);
    struct seccomp_notif call = next_call(child);
    HOLDS(!pending(child.pid));
    kill(child.pid, SIGUSR1);
    HOLDS(pending(child.pid));
    HOLDS(answer(child, call, 0, -ERESTARTSYS) == 0);
    HOLDS(status_of(child) == 0);

    child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, restarting);
    call = next_call(child);
    kill(child.pid, SIGUSR1);
    HOLDS(answer(child, call, 0, -ERESTARTSYS) == 0);
    struct seccomp_notif again = next_call(child);
    HOLDS(again.id != call.id && again.data.args[0] == 1);
    HOLDS(answer(child, again, 8, 0) == 0);
    HOLDS(status_of(child) == 0);

    child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, leaking);
    HOLDS(answer(child, next_call(child), 0, -ERESTARTSYS) == 0);
    HOLDS(status_of(child) == 0);
    return 0;
}
