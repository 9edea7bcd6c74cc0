// The ends of notification: a second listener in the same tree is EBUSY; once the listener is closed the calls answer
// ENOSYS, also the one that waits; when every child is dead the listener reports HUP.
#include "seccomp.h"

static int wants_another(int wire) {
    (void)wire;
    return notify_sysinfo(0) == -1 && errno == EBUSY ? 0 : 1;
}
static int outlives(int wire) {
    char byte;
    if (ask(1) != -1 || errno != ENOSYS) return 1;
    if (write(wire, "w", 1) != 1 || read(wire, &byte, 1) != 1) return 2;
    return ask(2) == -1 && errno == ENOSYS ? 0 : 3;
}
static int waits(int wire) {
    char byte;
    return read(wire, &byte, 1) != 1;
}

int main(void) {
    begin();
    HOLDS(status_of(start_child(0, wants_another)) == 0);

    Child child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, outlives);
    char byte;
    next_call(child);
    close(child.listener);
    HOLDS(read(child.wire, &byte, 1) == 1 && write(child.wire, "g", 1) == 1);
    HOLDS(status_of(child) == 0);

    child = start_child(0, waits);
    struct pollfd entry = {.fd = child.listener, .events = POLLIN};
    HOLDS(poll(&entry, 1, 30) == 0);
    kill(child.pid, SIGKILL);
    HOLDS(status_of(child) == 1000 + SIGKILL);
    HOLDS(poll(&entry, 1, 2000) == 1 && entry.revents == POLLHUP);
    return 0;
}
