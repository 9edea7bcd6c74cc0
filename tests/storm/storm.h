// What the storm programs share: signals every 100 us at one thread, loopback addresses, plain failure.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile long signals_seen;

static inline void need(int fact, const char *what) {
    if (fact) return;
    printf("FAILED: %s: %s\n", what, strerrorname_np(errno));
    exit(1);
}

static inline void count_signal(int signal) {
    (void)signal;
    __sync_fetch_and_add(&signals_seen, 1);
}

// Flags 0 for a plain handler, or SA_RESTART. A program that hangs is ended after two minutes.
static inline void handle_signals(int flags) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGUSR1, &action, NULL);
    alarm(120);
}

// From now on this thread gets a signal every 100 us.
static inline timer_t storm_here(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    struct itimerspec every = {{0, 100000}, {0, 100000}};
    event._sigev_un._tid = syscall(SYS_gettid);
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
    need(timer_settime(timer, 0, &every, NULL) == 0, "timer_settime");
    return timer;
}

static inline struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// A bound socket and the address that it got.
// Repeats a call that a signal interrupted.
#define AGAIN(call)                                                \
    ({                                                             \
        long again_;                                               \
        while ((again_ = (call)) == -1 && errno == EINTR) continue; \
        again_;                                                    \
    })

static inline int bound(int type, struct sockaddr_in *where) {
    socklen_t length = sizeof *where;
    int fd = AGAIN(socket(AF_INET, type, 0));
    *where = loopback(0);
    need(fd >= 0 && AGAIN(bind(fd, (struct sockaddr *)where, length)) == 0, "bind");
    need(AGAIN(getsockname(fd, (struct sockaddr *)where, &length)) == 0, "getsockname");
    return fd;
}

static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
