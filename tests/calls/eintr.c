// Signals in waiting calls: EINTR with a plain handler, a restart with SA_RESTART, as each call has it.
#include "check.h"

static volatile int signals;
static void count(int signal) {
    (void)signal;
    signals++;
}

static void handle(int flags) {
    struct sigaction action = {.sa_handler = count, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    signals = 0;
}

// A child that signals us after 80 ms and, when asked, does the awaited thing after 160 ms.
static pid_t soon(void (*then)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child) return child;
    usleep(80000);
    kill(getppid(), SIGUSR1);
    usleep(80000);
    if (then) then();
    _exit(0);
}
static void over(pid_t child) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    CHECK(signals == 1);
}

static Address where;
static int ends[2], udp;
static void come(void) { connected_to(&where); }
static void say(void) { if (write(ends[0], "x", 1) < 0) _exit(1); }
static void post(void) { sendto(udp, "datagram", 8, 0, &where.any, where.length); }

static void waiting(int flags) {
    SECTION("%s", flags ? "SA_RESTART" : "a plain handler");
    char text[16];
    Address from = {.length = sizeof from.room};
    handle(flags);
    int listener = tcp_listener(AF_INET, 4, &where);
    pid_t child = soon(flags ? come : NULL);
    CHECK(accept(listener, NULL, NULL) >= 0 || errno == EINTR);
    printf("  accept: %s\n", errno == EINTR && !flags ? "EINTR" : "a client");
    over(child);
    handle(flags);
    tcp_pair(AF_INET, ends);
    child = soon(flags ? say : NULL);
    TRY(recv(ends[1], text, sizeof text, 0));
    over(child);
    handle(flags);
    udp = udp_socket(AF_INET, &where);
    child = soon(flags ? post : NULL);
    TRY(recvfrom(udp, text, sizeof text, 0, &from.any, &from.length));
    over(child);
    handle(flags);
    child = soon(flags ? post : NULL);
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    TRY(recvmsg(udp, &message, 0));
    over(child);
    handle(flags);
    child = soon(NULL);
    struct pollfd entry = {.fd = ends[1], .events = POLLIN};
    TRY(poll(&entry, 1, 3000));
    over(child);
}

// With a receive timeout the kernel does not restart.
static void with_timeout(void) {
    SECTION("SA_RESTART and SO_RCVTIMEO");
    struct timeval limit = {2, 0};
    int listener = tcp_listener(AF_INET, 4, &where);
    char text[4];
    TRY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    handle(SA_RESTART);
    pid_t child = soon(NULL);
    TRY(accept(listener, NULL, NULL));
    over(child);
    udp = udp_socket(AF_INET, &where);
    Address from = {.length = sizeof from.room};
    TRY(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    handle(SA_RESTART);
    child = soon(NULL);
    TRY(recvfrom(udp, text, sizeof text, 0, &from.any, &from.length));
    over(child);
}

// A connect that waits (the queue is full): interrupted, it goes on; restarted, it joins.
static void connecting(int flags) {
    SECTION("connect, %s", flags ? "SA_RESTART" : "a plain handler");
    int listener = tcp_listener(AF_INET, 0, &where), fd = socket(AF_INET, SOCK_STREAM, 0);
    connected_to(&where);
    handle(flags);
    pid_t child = soon(NULL);
    if (flags && fork() == 0) {
        usleep(300000);
        accept(listener, NULL, NULL);
        usleep(2500000);
        _exit(0);
    }
    TRY(connect(fd, &where.any, where.length));
    over(child);
    if (!flags) {
        TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
        TRY(connect(fd, &where.any, where.length));
        CHECK(accept(listener, NULL, NULL) >= 0);
    }
    EVENTS(fd, POLLOUT);
}

int main(void) {
    begin();
    waiting(0);
    waiting(SA_RESTART);
    with_timeout();
    connecting(0);
    connecting(SA_RESTART);
    return 0;
}
