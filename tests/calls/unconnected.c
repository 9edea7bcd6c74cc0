// Streams without a connection: shut before they have one, refused and used again, listeners that end.
#include "check.h"

static Address nobody(int family) {
    Address where;
    close(bound(family, SOCK_STREAM, &where));
    return where;
}

static void shut_before(int family) {
    SECTION("shut before connect and listen, %s", family_name(family));
    Address where;
    int listener = tcp_listener(family, 2, &where), fd = socket(family, SOCK_STREAM, 0);
    TRY(shutdown(fd, SHUT_RD));
    EVENTS(fd, POLLIN | POLLOUT | POLLRDHUP);
    TRY(connect(fd, &where.any, where.length));
    EVENTS(fd, POLLIN | POLLOUT | POLLRDHUP);
    fd = socket(family, SOCK_STREAM, 0);
    TRY(shutdown(fd, SHUT_WR));
    TRY(connect(fd, &where.any, where.length));
    EVENTS(fd, POLLOUT);
    TRY(send(fd, "x", 1, MSG_NOSIGNAL));
    fd = socket(family, SOCK_STREAM, 0);
    TRY(shutdown(fd, SHUT_RD));
    TRY(listen(fd, 1));
    QUIET(fd, POLLIN | POLLOUT | POLLRDHUP);
    where = local_of(fd);
    int client = connected_to(&where), taken = accept(fd, NULL, NULL);
    CHECK(client >= 0 && taken >= 0);
    EVENTS(taken, POLLIN | POLLOUT | POLLRDHUP);
    close(listener);
}

static void refused(int family) {
    SECTION("refused and used again, %s", family_name(family));
    Address nowhere = nobody(family), where;
    int listener = tcp_listener(family, 1, &where), fd = socket(family, SOCK_STREAM, 0);
    nonblocking(fd);
    TRY(connect(fd, &nowhere.any, nowhere.length));
    EVENTS(fd, POLLERR);
    TRY(connect(fd, &nowhere.any, nowhere.length));
    EVENTS(fd, POLLIN | POLLOUT | POLLRDHUP);
    TRY(connect(fd, &where.any, where.length));
    EVENTS(fd, POLLOUT);
    TRY(connect(fd, &where.any, where.length));
    close(listener);
}

// A connect that failed leaves the socket free to be bound, though its error waits.
static void bound_after(int family) {
    SECTION("bound after a connect that failed, %s", family_name(family));
    Address nowhere = nobody(family), where = loopback(family, 0);
    int fd = socket(family, SOCK_STREAM, 0);
    nonblocking(fd);
    TRY(connect(fd, &nowhere.any, nowhere.length));
    EVENTS(fd, POLLERR);
    TRY(bind(fd, &where.any, where.length));
    TRY(bind(fd, &where.any, where.length));
    TRY(connect(fd, &nowhere.any, nowhere.length));
    fd = socket(family, SOCK_STREAM, 0);
    TRY(shutdown(fd, SHUT_RD));
    TRY(connect(fd, &nowhere.any, nowhere.length));
    EVENTS(fd, POLLIN | POLLOUT | POLLRDHUP);
    fd = tcp_listener(family, 1, NULL);
    TRY(connect(fd, &nowhere.any, 2));
    TRY(connect(fd, &nowhere.any, 1));
}

static void ended_listener(int family) {
    SECTION("a listener that was shut, %s", family_name(family));
    int fd = tcp_listener(family, 1, NULL);
    TRY(shutdown(fd, SHUT_RDWR));
    EVENTS(fd, POLLIN | POLLOUT | POLLRDHUP);
    TRY(accept(fd, NULL, NULL));
    TRY(listen(fd, 1));
    QUIET(fd, POLLIN | POLLOUT | POLLRDHUP);
}

static void messages(int family) {
    SECTION("messages, %s", family_name(family));
    int sockets[] = {socket(family, SOCK_STREAM, 0), tcp_listener(family, 1, NULL)};
    char byte = 'x';
    for (int i = 0; i < 2; i++) {
        int fd = sockets[i];
        struct iovec part = {&byte, 1}, bad = {BAD, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        struct msghdr astray = {.msg_iov = &bad, .msg_iovlen = 1};
        TRY(sendmsg(fd, &message, 0));
        TRY(sendmsg(fd, &astray, MSG_NOSIGNAL));
        TRY(recvmsg(fd, &message, MSG_DONTWAIT));
        TRY(sendto(fd, "x", 1, 0, BAD, 16));
        TRY(sendto(fd, "x", 1, 0, (void *)&astray, -1));
    }
    TRY(shutdown(sockets[0], SHUT_RD));
    TRY(recvfrom(sockets[0], &byte, 1, 0, (void *)&(Address){0}.any, &(socklen_t){0}));
}

// Who has one address of IPv6 is for IPv6 only.
static void only(void) {
    SECTION("IPV6_V6ONLY after bind");
    const char *texts[] = {"::1", "::", "::ffff:127.0.0.1"};
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET6, SOCK_STREAM, 0), value = 0;
        socklen_t length = sizeof value;
        Address where = address(AF_INET6, texts[i], 0);
        TRY(bind(fd, &where.any, where.length));
        TRY(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length));
        CHECK(value == 1);
    }
}

int main(void) {
    begin();
    only();
    EACH_FAMILY(family) {
        shut_before(family);
        refused(family);
        bound_after(family);
        ended_listener(family);
        messages(family);
    }
    return 0;
}
