// Calls that the kernel does not interrupt, under signals every 100 us: each gives what it gives in peace, and
// has its effect once. Prints the wrong answers of each call.
// Under a plain handler a call may say EINTR where the signal came before the supervisor had received it
// (docs/COMPATIBILITY.md): it must then have had no effect, and those calls must be few.
//   calls plain|restart ROUNDS
#include "storm.h"

static int rounds, restarting;
static long wrong, interrupted, checked;

static int was_interrupted(long result) { return !restarting && result == -1 && errno == EINTR; }

static void check(int fact, const char *call, long result) {
    checked++;
    if (fact) return;
    if (was_interrupted(result)) {
        interrupted++;
        return;
    }
    if (wrong++ < 3) printf("%s: %ld %s\n", call, result, strerrorname_np(errno));
}
// Repeats a call that was interrupted, counting it: what it does must then be done once.
#define THROUGH(call)                                                                          \
    ({                                                                                         \
        long answer_;                                                                          \
        while (was_interrupted(answer_ = (call))) checked++, interrupted++;                    \
        answer_;                                                                               \
    })

static void done(const char *call) {
    printf("%s: %ld wrong of %d\n", call, wrong, rounds);
    wrong = 0;
}

static void sockets(void) {
    for (int i = 0; i < rounds; i++) {
        int fd = THROUGH(socket(i % 2 ? AF_INET6 : AF_INET, i % 3 ? SOCK_STREAM : SOCK_DGRAM, 0));
        check(fd >= 0, "socket", fd);
        close(fd);
    }
    done("socket");
}

static void binds(void) {
    struct sockaddr_in any = loopback(0);
    for (int i = 0; i < rounds; i++) {
        int fd = THROUGH(socket(AF_INET, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0));
        int answer = THROUGH(bind(fd, (struct sockaddr *)&any, sizeof any));
        check(answer == 0, "bind", answer);
        close(fd);
    }
    done("bind");
}

static void options(void) {
    int fd = THROUGH(socket(AF_INET, SOCK_STREAM, 0)), seen;
    socklen_t length = sizeof seen;
    for (int i = 0; i < rounds; i++) {
        int on = i % 2, answer = THROUGH(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
        check(answer == 0, "setsockopt", answer);
        answer = THROUGH(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &seen, &length));
        check(answer == 0 && seen == on, "getsockopt", answer);
    }
    close(fd);
    done("setsockopt");
}

static void names(void) {
    struct sockaddr_in where, seen;
    int fd = bound(SOCK_STREAM, &where);
    for (int i = 0; i < rounds; i++) {
        socklen_t length = sizeof seen;
        int answer = THROUGH(getsockname(fd, (struct sockaddr *)&seen, &length));
        check(answer == 0 && seen.sin_port == where.sin_port, "getsockname", answer);
    }
    close(fd);
    done("getsockname");
}

// The kernel may interrupt a connect under a plain handler; it then goes on by itself and ends well.
static int connect_through(int fd, const struct sockaddr_in *where) {
    if (connect(fd, (const struct sockaddr *)where, sizeof *where) == 0) return 0;
    if (errno != EINTR || restarting) return -1;
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    int error = -1;
    socklen_t length = sizeof error;
    while (poll(&entry, 1, 2000) < 0 && errno == EINTR) continue;
    THROUGH(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
    struct sockaddr_in peer;
    length = sizeof peer;
    if (!error && THROUGH(getpeername(fd, (struct sockaddr *)&peer, &length)) != 0) {
        // Interrupted before it was begun.
        checked++, interrupted++;
        return connect_through(fd, where);
    }
    errno = error;
    return error ? -1 : 0;
}

// connect and shutdown together: each connection is accepted once and ends with the shutdown.
static void connections(void) {
    struct sockaddr_in where;
    int listener = bound(SOCK_STREAM, &where);
    long wrong_shutdowns = 0;
    need(THROUGH(listen(listener, 16)) == 0, "listen");
    fcntl(listener, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < rounds; i++) {
        char byte;
        int fd = THROUGH(socket(AF_INET, SOCK_STREAM, 0)), answer = connect_through(fd, &where);
        check(answer == 0, "connect", answer);
        struct pollfd entry = {.fd = listener, .events = POLLIN};
        while (poll(&entry, 1, 2000) < 0 && errno == EINTR) continue;
        int derived = THROUGH(accept(listener, NULL, NULL));
        check(derived >= 0, "accept", derived);
        answer = THROUGH(shutdown(fd, SHUT_WR));
        wrong_shutdowns += answer != 0;
        ssize_t length;
        while ((length = recv(derived, &byte, 1, 0)) < 0 && errno == EINTR) continue;
        check(length == 0, "recv", length);
        close(fd);
        close(derived);
    }
    check(THROUGH(accept(listener, NULL, NULL)) < 0 && errno == EAGAIN, "one more than connected", 0);
    close(listener);
    done("connect");
    wrong = wrong_shutdowns;
    done("shutdown");
}

// Every datagram carries its number and must arrive once.
static void datagrams(void) {
    struct sockaddr_in where;
    int to = bound(SOCK_DGRAM, &where), fd = THROUGH(socket(AF_INET, SOCK_DGRAM, 0)), got;
    for (int i = 0; i < rounds; i++) {
        ssize_t answer = THROUGH(sendto(fd, &i, sizeof i, 0, (struct sockaddr *)&where, sizeof where));
        check(answer == sizeof i, "sendto", answer);
        struct pollfd entry = {.fd = to, .events = POLLIN};
        while (poll(&entry, 1, 2000) < 0 && errno == EINTR) continue;
        answer = recv(to, &got, sizeof got, MSG_DONTWAIT);
        check(answer == sizeof got && got == i, "recv", answer);
    }
    struct pollfd entry = {.fd = to, .events = POLLIN};
    sigset_t storm;
    sigemptyset(&storm);
    sigaddset(&storm, SIGUSR1);
    sigprocmask(SIG_BLOCK, &storm, NULL);
    int more = poll(&entry, 1, 50);
    check(more == 0, "a datagram too many", more);
    done("sendto");
}

int main(int argc, char **argv) {
    need(argc == 3, "usage");
    rounds = atoi(argv[2]);
    restarting = strcmp(argv[1], "restart") == 0;
    handle_signals(restarting ? SA_RESTART : 0);
    timer_t timer = storm_here();
    sockets();
    binds();
    options();
    names();
    connections();
    datagrams();
    timer_delete(timer);
    printf("few were interrupted: %s\n", interrupted * 3 < checked ? "yes" : "NO");
    if (getenv("VERBOSE")) fprintf(stderr, "%ld of %ld calls were interrupted\n", interrupted, checked);
    printf("signals arrived: %s\n", signals_seen > 100 ? "yes" : "NO");
    return 0;
}
