// select: readable, writable, ended, refused, timeouts, more than one descriptor, wrong arguments.
#include "check.h"
#include <sys/select.h>

// Shows one descriptor's three answers.
static void look(const char *when, int fd, int limit_ms) {
    fd_set in, out, other;
    struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    FD_SET(fd, &in);
    FD_SET(fd, &out);
    FD_SET(fd, &other);
    int count = select(fd + 1, &in, &out, &other, &limit);
    printf("  %s: %d%s%s%s\n", when, count, FD_ISSET(fd, &in) ? " read" : "", FD_ISSET(fd, &out) ? " write" : "",
           FD_ISSET(fd, &other) ? " except" : "");
}

static int readable(int fd, int limit_ms) {
    fd_set in;
    struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
    FD_ZERO(&in);
    FD_SET(fd, &in);
    return select(fd + 1, &in, NULL, NULL, &limit);
}

static void states(int family) {
    SECTION("%s", family_name(family));
    Address where;
    int listener = tcp_listener(family, 3, &where), fresh = socket(family, SOCK_STREAM, 0);
    char text[16];
    look("a listener", listener, 20);
    look("a fresh stream", fresh, 20);
    int client = connected_to(&where);
    TRY(readable(listener, 3000));
    look("a listener with a client", listener, 20);
    int fd = accept(listener, NULL, NULL);
    look("a connected stream", fd, 20);
    TRY(send(client, "x", 1, 0));
    TRY(readable(fd, 3000));
    look("a stream with data", fd, 20);
    TRY(recv(fd, text, 1, 0));
    TRY(readable(fd, 50));
    TRY(shutdown(client, SHUT_WR));
    TRY(readable(fd, 3000));
    look("an ended stream", fd, 20);
    close(listener);
    int unlucky = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(unlucky, &where.any, where.length));
    TRY(readable(unlucky, 3000));
    look("a refused stream", unlucky, 20);
    int udp = udp_socket(family, &where);
    look("a datagram socket", udp, 20);
    TRY(sendto(udp, "x", 1, 0, &where.any, where.length));
    TRY(readable(udp, 3000));
    look("with a datagram", udp, 20);
}

static void several(void) {
    SECTION("several at once");
    int ends[2], udp;
    Address where;
    tcp_pair(AF_INET, ends);
    udp = udp_socket(AF_INET, &where);
    TRY(sendto(udp, "x", 1, 0, &where.any, where.length));
    TRY(send(ends[0], "x", 1, 0));
    await(udp, POLLIN);
    await(ends[1], POLLIN);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &in);
    FD_SET(udp, &in);
    struct timeval limit = {2, 0};
    TRY(select(1000, &in, NULL, NULL, &limit));
    CHECK(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &in) && FD_ISSET(udp, &in));
}

static void wrong(void) {
    SECTION("wrong arguments");
    struct timeval limit = {0, 1000}, negative = {-1, 0};
    fd_set in;
    FD_ZERO(&in);
    int closed = dup(1);
    close(closed);
    FD_SET(closed, &in);
    TRY(select(closed + 1, &in, NULL, NULL, &limit));
    TRY(select(-1, NULL, NULL, NULL, &limit));
    TRY(select(0, NULL, NULL, NULL, &negative));
    TRY(select(8, BAD, NULL, NULL, &limit));
    TRY(select(0, NULL, NULL, NULL, &limit));
    struct timespec start = now();
    limit.tv_usec = 100000;
    TRY(select(0, NULL, NULL, NULL, &limit));
    CHECK(elapsed_ms(&start) >= 99);
}

int main(void) {
    begin();
    EACH_FAMILY(family) states(family);
    several();
    wrong();
    return 0;
}
