// What the call programs share. Each prints the calls that it makes and what they answer, in symbols and
// without anything that changes from run to run, so that the output on the kernel is the expected output.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// An address that no program has mapped, and a descriptor that nobody has opened.
static void *volatile BAD = (void *)8;
enum { CLOSED = 900 };

typedef struct {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    };
} Address;

// Makes a call once and prints its text, its result and, if it failed, its errno.
#define TRY(call)                            \
    ({                                       \
        errno = 0;                           \
        long result_ = (long)(call);         \
        report(#call, result_, errno);       \
        result_;                             \
    })
#define CHECK(fact) printf("  %s: %s\n", #fact, (fact) ? "yes" : "no")
#define SECTION(...) (printf("\n# "), printf(__VA_ARGS__), printf("\n"))
#define EACH_FAMILY(name) for (int name = AF_INET; name; name = name == AF_INET ? AF_INET6 : 0)

static inline void report(const char *text, long result, int error) {
    if (result == -1) printf("  %s = -1 %s\n", text, error ? strerrorname_np(error) : "0");
    else printf("  %s = %ld\n", text, result);
}

static inline void timed_out(int signal) {
    (void)signal;
    static const char text[] = "  TIMED OUT\n";
    if (write(1, text, sizeof text - 1) < 0) _exit(4);
    _exit(3);
}

// First call of every program: nothing hangs, broken pipes are results.
static inline void begin(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, timed_out);
    alarm(20);
}

static inline void require(int fact, const char *what) {
    if (fact) return;
    printf("  cannot go on: %s: %s\n", what, strerrorname_np(errno));
    exit(2);
}

static inline const char *family_name(int family) { return family == AF_INET6 ? "AF_INET6" : "AF_INET"; }

static inline Address address(int family, const char *text, int port) {
    Address made = {.length = family == AF_INET6 ? sizeof made.v6 : sizeof made.v4};
    made.any.sa_family = family;
    void *bytes = family == AF_INET6 ? (void *)&made.v6.sin6_addr : (void *)&made.v4.sin_addr;
    require(inet_pton(family, text, bytes) == 1, "inet_pton");
    made.v4.sin_port = htons(port);
    return made;
}
static inline Address loopback(int family, int port) {
    return address(family, family == AF_INET6 ? "::1" : "127.0.0.1", port);
}
static inline Address wildcard(int family, int port) {
    return address(family, family == AF_INET6 ? "::" : "0.0.0.0", port);
}
static inline int port_of(const Address *of) { return ntohs(of->v4.sin_port); }

static inline Address local_of(int fd) {
    Address found = {.length = sizeof found.room};
    require(getsockname(fd, &found.any, &found.length) == 0, "getsockname");
    return found;
}

// The text of an address; a port that the system chose is shown as a word.
static inline const char *shown(const Address *of, int chosen_port) {
    static char text[120];
    char host[INET6_ADDRSTRLEN] = "?";
    int family = of->any.sa_family, port = port_of(of);
    if (family == AF_UNSPEC) return "unspecified";
    inet_ntop(family, family == AF_INET6 ? (void *)&of->v6.sin6_addr : (void *)&of->v4.sin_addr, host, sizeof host);
    if (port == 0) snprintf(text, sizeof text, "%s port 0", host);
    else snprintf(text, sizeof text, "%s port %s", host, port == chosen_port ? "as expected" : "another");
    return text;
}

static inline int bound(int family, int type, Address *where) {
    int fd = socket(family, type, 0);
    Address any_port = loopback(family, 0);
    require(fd >= 0 && bind(fd, &any_port.any, any_port.length) == 0, "bind");
    if (where) *where = local_of(fd);
    return fd;
}
static inline int tcp_listener(int family, int backlog, Address *where) {
    int fd = bound(family, SOCK_STREAM, where);
    require(listen(fd, backlog) == 0, "listen");
    return fd;
}
static inline int udp_socket(int family, Address *where) { return bound(family, SOCK_DGRAM, where); }

static inline int connected_to(const Address *where) {
    int fd = socket(where->any.sa_family, SOCK_STREAM, 0);
    require(fd >= 0 && connect(fd, &where->any, where->length) == 0, "connect");
    return fd;
}
// A connected pair: ends[0] is the client, ends[1] what accept gave.
static inline void tcp_pair(int family, int ends[2]) {
    Address where;
    int listener = tcp_listener(family, 1, &where);
    ends[0] = connected_to(&where);
    ends[1] = accept(listener, NULL, NULL);
    require(ends[1] >= 0, "accept");
    close(listener);
}

static inline void nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Waits (3 s at most) until one of the events is there; gives what poll reported.
static inline short await_ms(int fd, short events, int limit_ms) {
    struct pollfd entry = {.fd = fd, .events = events};
    while (poll(&entry, 1, limit_ms) < 0 && errno == EINTR) continue;
    return entry.revents;
}
static inline short await(int fd, short events) { return await_ms(fd, events, 3000); }
// Waits until so many bytes or the end have come, then leaves them to the caller; 0 if they never came.
static inline int await_bytes(int fd, int count) {
    int have = 0;
    for (int tick = 0; tick < 1000; tick++) {
        if (ioctl(fd, FIONREAD, &have) == 0 && have >= count) return 1;
        usleep(3000);
    }
    return 0;
}

static inline const char *events_text(int events) {
    static const struct { int bit; const char *name; } names[] = {
        {POLLIN, "IN"}, {POLLPRI, "PRI"}, {POLLOUT, "OUT"}, {POLLERR, "ERR"}, {POLLHUP, "HUP"},
        {POLLNVAL, "NVAL"}, {POLLRDHUP, "RDHUP"}};
    static char text[80];
    text[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (events & names[i].bit) strcat(strcat(text, text[0] ? "|" : ""), names[i].name);
    return text[0] ? text : "none";
}
#define EVENTS(fd, wanted) printf("  await(%s, %s) = %s\n", #fd, #wanted, events_text(await(fd, wanted)))
// For events that should not come: looks for 60 ms only.
#define QUIET(fd, wanted) \
    printf("  within 60 ms %s shows %s of %s\n", #fd, events_text(await_ms(fd, wanted, 60)), #wanted)

// The descriptors that a socket call is tried on although they are none of its kind.
static inline int foreign_file(void) { return open("/dev/null", O_RDWR); }
static inline int foreign_pipe(void) {
    int ends[2];
    require(pipe(ends) == 0, "pipe");
    close(ends[1]);
    return ends[0];
}

static inline long elapsed_ms(const struct timespec *since) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}
static inline struct timespec now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at;
}
