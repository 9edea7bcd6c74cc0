// ADDFD with SEND installs a descriptor and answers the call with its number in one step, or does neither when the
// call is gone. ADDFD with SETFD replaces what a number stands for and leaves its copies alone.
#include "seccomp.h"

static int add(Child child, struct seccomp_notif call, int fd, unsigned flags, int number) {
    struct seccomp_notif_addfd request = {
        .id = call.id, .flags = flags, .srcfd = fd, .newfd = number, .newfd_flags = O_CLOEXEC};
    return ioctl(child.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
}

static int uses_it(int wire) {
    (void)wire;
    int fd = ask(1);
    return fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && write(fd, "hello", 5) == 5 ? 0 : 1;
}

static int is_interrupted(int wire) {
    handle(0);
    int lowest = dup(0), next;
    close(lowest);
    if (ask(1) != -1 || errno != EINTR) return 1;
    char byte;
    if (write(wire, "i", 1) != 1 || read(wire, &byte, 1) != 1) return 2;
    next = dup(0);
    return next == lowest ? 0 : 3;
}

static int is_replaced(int wire) {
    (void)wire;
    int null = open("/dev/null", O_RDWR);
    if (dup2(null, 50) != 50 || dup2(50, 51) != 51) return 1;
    if (ask(1) != 0) return 2;
    struct stat facts;
    if (fstat(50, &facts) || !S_ISSOCK(facts.st_mode)) return 3;
    return fstat(51, &facts) == 0 && S_ISCHR(facts.st_mode) ? 0 : 4;
}

int main(void) {
    begin();
    int ends[2];
    char text[8];
    stream_pair(ends);
    Child child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uses_it);
    struct seccomp_notif call = next_call(child);
    HOLDS(add(child, call, ends[0], SECCOMP_ADDFD_FLAG_SEND, 0) >= 0);
    HOLDS(!valid(child, call));
    HOLDS(recv(ends[1], text, sizeof text, 0) == 5);
    HOLDS(status_of(child) == 0);

    child = start_child(0, is_interrupted);
    call = next_call(child);
    kill(child.pid, SIGUSR1);
    HOLDS(read(child.wire, text, 1) == 1);
    HOLDS(add(child, call, ends[0], SECCOMP_ADDFD_FLAG_SEND, 0) == -1 && errno == ENOENT);
    HOLDS(write(child.wire, "g", 1) == 1);
    HOLDS(status_of(child) == 0);

    child = start_child(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, is_replaced);
    call = next_call(child);
    HOLDS(add(child, call, ends[0], SECCOMP_ADDFD_FLAG_SETFD, 50) == 50);
    HOLDS(answer(child, call, 0, 0) == 0);
    HOLDS(status_of(child) == 0);
    return 0;
}
