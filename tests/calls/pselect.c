// pselect: the mask that lets a signal in for the wait only, the timeout that stays, wrong arguments.
#include "check.h"
#include <sys/select.h>

static volatile int signals;
static void count(int signal) {
    (void)signal;
    signals++;
}

int main(void) {
    begin();
    int ends[2];
    sigset_t blocked, during;
    tcp_pair(AF_INET, ends);
    signal(SIGUSR1, count);
    sigemptyset(&blocked);
    sigemptyset(&during);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    SECTION("a pending signal");
    TRY(raise(SIGUSR1));
    CHECK(signals == 0);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(ends[1], &in);
    struct timespec limit = {2, 0};
    TRY(pselect(ends[1] + 1, &in, NULL, NULL, &limit, &during));
    CHECK(signals == 1);
    CHECK(limit.tv_sec == 2);
    SECTION("data");
    TRY(send(ends[0], "x", 1, 0));
    FD_ZERO(&in);
    FD_SET(ends[1], &in);
    TRY(pselect(ends[1] + 1, &in, NULL, NULL, &limit, &during));
    CHECK(FD_ISSET(ends[1], &in));
    SECTION("nothing");
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    limit = (struct timespec){0, 50000000};
    TRY(pselect(ends[0] + 1, &in, NULL, NULL, &limit, NULL));
    CHECK(limit.tv_nsec == 50000000);
    CHECK(!FD_ISSET(ends[0], &in));
    SECTION("wrong arguments");
    limit.tv_nsec = 1000000000;
    TRY(pselect(0, NULL, NULL, NULL, &limit, NULL));
    limit.tv_nsec = 1000;
    TRY(pselect(-1, NULL, NULL, NULL, &limit, NULL));
    FD_ZERO(&in);
    int closed = dup(1);
    close(closed);
    FD_SET(closed, &in);
    TRY(pselect(closed + 1, &in, NULL, NULL, &limit, NULL));
    return 0;
}
