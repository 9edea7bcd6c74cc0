// ppoll: the signal mask for the wait, the timeout, wrong arguments.
#include "check.h"

static volatile int signals;
static void count(int signal) {
    (void)signal;
    signals++;
}

int main(void) {
    begin();
    int ends[2];
    sigset_t blocked, during;
    struct timespec limit = {2, 0}, invalid = {0, -1};
    tcp_pair(AF_INET6, ends);
    signal(SIGUSR1, count);
    sigemptyset(&blocked);
    sigemptyset(&during);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    struct pollfd entry = {.fd = ends[1], .events = POLLIN};
    TRY(raise(SIGUSR1));
    TRY(ppoll(&entry, 1, &limit, &during));
    CHECK(signals == 1);
    TRY(send(ends[0], "x", 1, 0));
    TRY(ppoll(&entry, 1, &limit, &during));
    CHECK(entry.revents == POLLIN);
    entry.fd = ends[0];
    limit = (struct timespec){0, 30000000};
    TRY(ppoll(&entry, 1, &limit, NULL));
    TRY(ppoll(&entry, 1, &invalid, NULL));
    TRY(ppoll(BAD, 1, &limit, NULL));
    TRY(syscall(SYS_ppoll, &entry, 1, &limit, BAD, 8));
    return 0;
}
