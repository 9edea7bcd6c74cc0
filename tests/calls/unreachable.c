// Datagrams that nobody takes: which socket hears of them and how often, and ports that are bound unasked.
#include "check.h"

static Address nobody(int family) {
    Address where;
    close(udp_socket(family, &where));
    return where;
}
static int error_of(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static void connected(int family) {
    SECTION("connected, %s", family_name(family));
    Address gone = nobody(family), other;
    int fd = socket(family, SOCK_DGRAM, 0), receiver = udp_socket(family, &other);
    TRY(connect(fd, &gone.any, gone.length));
    TRY(send(fd, "x", 1, 0));
    EVENTS(fd, POLLERR);
    // It stays through calls that do not ask for it.
    TRY(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int)));
    TRY(shutdown(fd, SHUT_WR));
    EVENTS(fd, POLLERR);
    TRY(sendto(fd, "x", 1, 0, &other.any, other.length));
    EVENTS(fd, POLLOUT | POLLERR);
    TRY(sendto(fd, "x", 1, MSG_NOSIGNAL, &other.any, other.length));
    CHECK(error_of(fd) == 0);
    // Not of what went to somebody else.
    fd = socket(family, SOCK_DGRAM, 0);
    TRY(connect(fd, &other.any, other.length));
    TRY(sendto(fd, "x", 1, 0, &gone.any, gone.length));
    QUIET(fd, POLLERR);
    CHECK(error_of(fd) == 0);
    close(receiver);
}

static void unconnected(int family) {
    SECTION("unconnected, %s", family_name(family));
    Address gone = nobody(family);
    int fd = socket(family, SOCK_DGRAM, 0);
    TRY(sendto(fd, "x", 1, 0, &gone.any, gone.length));
    QUIET(fd, POLLERR);
    TRY(sendto(fd, "x", 1, 0, &gone.any, gone.length));
    CHECK(error_of(fd) == 0);
}

// A peer with port 0 is any port of its address.
static void port_zero(int family) {
    SECTION("connected to port 0, %s", family_name(family));
    Address zero = loopback(family, 0), sender;
    int fd = socket(family, SOCK_DGRAM, 0), from = udp_socket(family, &sender);
    char text[8];
    TRY(connect(fd, &zero.any, zero.length));
    Address where = local_of(fd);
    CHECK(port_of(&where) != 0);
    TRY(sendto(from, "hello", 5, 0, &where.any, where.length));
    EVENTS(fd, POLLIN);
    TRY(recv(fd, text, sizeof text, 0));
}

static void bound_unasked(int family) {
    SECTION("bound before the arguments are looked at, %s", family_name(family));
    Address where = loopback(family, 0), zero = loopback(family, 0);
    int fd = socket(family, SOCK_DGRAM, 0);
    TRY(connect(fd, &zero.any, 3));
    TRY(bind(fd, &where.any, where.length));
    fd = socket(family, SOCK_DGRAM, 0);
    TRY(sendto(fd, "x", 1, 0, &zero.any, zero.length));
    TRY(bind(fd, &where.any, where.length));
    fd = socket(family, SOCK_DGRAM, 0);
    struct msghdr empty = {0};
    TRY(sendmsg(fd, &empty, 0));
    TRY(bind(fd, &where.any, where.length));
}

static void after_shutdown(int family) {
    SECTION("received after the end of receiving, %s", family_name(family));
    Address where, from = {.length = sizeof from.room};
    int fd = udp_socket(family, &where);
    char text[8];
    TRY(shutdown(fd, SHUT_RD));
    TRY(recvfrom(fd, text, sizeof text, 0, &from.any, &from.length));
    TRY(sendto(fd, "late", 4, 0, &where.any, where.length));
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, sizeof text, MSG_DONTWAIT, &from.any, &from.length));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        connected(family);
        unconnected(family);
        port_zero(family);
        bound_unasked(family);
        after_shutdown(family);
    }
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    Address wildcard4 = address(AF_INET6, "::ffff:0.0.0.0", 0), there = loopback(AF_INET6, 9);
    TRY(bind(fd, &wildcard4.any, wildcard4.length));
    TRY(connect(fd, &there.any, there.length));
    return 0;
}
