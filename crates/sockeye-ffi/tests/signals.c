// Signals end the waits that Linux lets them end, whatever SA_RESTART says, on the program's own thread; masks hold for
// the wait; a sleeper that a signal took away does not swallow another's wake-up.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "sockeye_bsd.h"
#include <netinet/in.h>

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            return 1; \
        } \
    } while (0)

static volatile sig_atomic_t alarms;
static pthread_t handled_by;

static void on_alarm(int number) {
    (void)number;
    alarms++;
    handled_by = pthread_self();
}

// An alarm in that many milliseconds, for the process.
static void alarm_in(long ms) {
    struct itimerval once = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &once, NULL);
}

struct waiter {
    int epoll, found, error;
};

static void *wait_for_it(void *argument) {
    struct waiter *waiter = argument;
    struct epoll_event event;
    waiter->found = epoll_wait(waiter->epoll, &event, 1, 10000);
    waiter->error = errno;
    return NULL;
}

static struct sockaddr_in server;

// What the other thread does, once the signal has come.
static void *answer(void *argument) {
    int kind = *(int *)argument, fd = socket(AF_INET, kind, 0);
    usleep(120000);
    connect(fd, (struct sockaddr *)&server, sizeof server);
    send(fd, "answer", 6, 0);
    usleep(100000);
    close(fd);
    return NULL;
}

// Calls that wait for one socket: EINTR with a plain handler; a restart with SA_RESTART, but where the socket has a time
// limit; what was asked for comes to the one that waits on.
static int calls(void) {
    char text[16];
    for (int restart = 0; restart < 2; restart++) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0};
        sigaction(SIGALRM, &action, NULL);
        for (int kind = SOCK_STREAM; kind <= SOCK_DGRAM; kind++) {
            pthread_t thread;
            int fd = socket(AF_INET, kind, 0), before = alarms;
            socklen_t length = sizeof server;
            server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            MUST(bind(fd, (struct sockaddr *)&server, sizeof server) == 0);
            MUST(getsockname(fd, (struct sockaddr *)&server, &length) == 0);
            if (kind == SOCK_STREAM) MUST(listen(fd, 4) == 0);
            alarm_in(40);
            if (restart) pthread_create(&thread, NULL, answer, &kind);
            int accepted = kind == SOCK_STREAM ? accept(fd, NULL, NULL) : fd;
            if (!restart && kind == SOCK_STREAM) {
                MUST(accepted == -1 && errno == EINTR && alarms == before + 1);
                continue;
            }
            long n = recv(accepted, text, sizeof text, 0);
            if (restart) pthread_join(thread, NULL);
            MUST(alarms == before + 1);
            MUST(restart ? n == 6 : n == -1 && errno == EINTR);
            struct timeval limit = {5, 0};
            MUST(setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
            alarm_in(40);
            if (kind == SOCK_DGRAM) MUST(recv(accepted, text, sizeof text, 0) == -1 && errno == EINTR);
        }
    }
    // A write that a signal ends tells what was taken; after nothing it is EINTR.
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    static char bulk[4 << 20];
    int ends[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    alarm_in(40);
    ssize_t taken = write(ends[0], bulk, sizeof bulk);
    MUST(taken > 0 && taken < (ssize_t)sizeof bulk);
    alarm_in(40);
    MUST(write(ends[0], bulk, 1) == -1 && errno == EINTR);
    puts("signals end calls");
    return 0;
}

int main(void) {
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof where;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    MUST(bind(fd, (struct sockaddr *)&where, sizeof where) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&where, &length) == 0);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);

    struct pollfd entry = {.fd = fd, .events = POLLIN};
    alarm_in(20);
    MUST(poll(&entry, 1, 5000) == -1 && errno == EINTR && alarms == 1);
    MUST(pthread_equal(handled_by, pthread_self()));
    alarm_in(20);
    MUST(select(0, NULL, NULL, NULL, &(struct timeval){5, 0}) == -1 && errno == EINTR && alarms == 2);
    alarm_in(20);
    MUST(epoll_wait(epoll, &event, 1, 5000) == -1 && errno == EINTR && alarms == 3);

    // With the signal masked the time goes by; what came meanwhile is handled after it.
    sigset_t masked;
    sigemptyset(&masked);
    sigaddset(&masked, SIGALRM);
    alarm_in(10);
    MUST(epoll_pwait(epoll, &event, 1, 60, &masked) == 0);
    MUST(alarms == 4);
    // Blocked outside and let through inside; not where there is something ready.
    sigprocmask(SIG_BLOCK, &masked, NULL);
    sigset_t none;
    sigemptyset(&none);
    raise(SIGALRM);
    MUST(epoll_pwait(epoll, &event, 1, 5000, &none) == -1 && errno == EINTR && alarms == 5);
    MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&where, sizeof where) == 1);
    MUST(poll(&entry, 1, 5000) == 1);
    raise(SIGALRM);
    MUST(ppoll(&entry, 1, &(struct timespec){5, 0}, &none) == 1 && alarms == 5);
    sigprocmask(SIG_UNBLOCK, &masked, NULL);
    MUST(alarms == 6);
    char byte;
    MUST(recv(fd, &byte, 1, 0) == 1);

    // Two threads wait; a signal ends one, a datagram the other.
    struct waiter waiters[2] = {{.epoll = epoll}, {.epoll = epoll}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, wait_for_it, &waiters[i]);
    usleep(50000);
    pthread_kill(threads[0], SIGALRM);
    pthread_join(threads[0], NULL);
    MUST(waiters[0].found == -1 && waiters[0].error == EINTR);
    MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&where, sizeof where) == 1);
    pthread_join(threads[1], NULL);
    MUST(waiters[1].found == 1);
    puts("signals end waits");
    return calls();
}
