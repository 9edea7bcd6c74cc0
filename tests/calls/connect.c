// connect: success, refusal, non-blocking, datagrams, dissolving (AF_UNSPEC), using a socket again.
#include "check.h"

static int error_of(int fd) {
    int error = -1;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}
#define ERROR_OF(fd) printf("  SO_ERROR of %s: %s\n", #fd, strerrorname_np(error_of(fd)))

// A port on which nobody listens.
static Address nobody(int family) {
    Address where;
    close(tcp_listener(family, 1, &where));
    return where;
}

static void blocking(int family) {
    SECTION("%s: blocking", family_name(family));
    Address where, any = wildcard(family, 0);
    int listener = tcp_listener(family, 5, &where), fd = socket(family, SOCK_STREAM, 0);
    TRY(connect(fd, &where.any, where.length));
    TRY(connect(fd, &where.any, where.length));
    CHECK(await(fd, POLLOUT) == POLLOUT);
    Address to_wildcard = wildcard(family, port_of(&where));
    int second = socket(family, SOCK_STREAM, 0);
    TRY(connect(second, &to_wildcard.any, to_wildcard.length));
    Address peer = {.length = sizeof peer.room};
    TRY(getpeername(second, &peer.any, &peer.length));
    printf("  the wildcard reaches %s\n", shown(&peer, port_of(&where)));

    int named = socket(family, SOCK_STREAM, 0);
    TRY(bind(named, &any.any, any.length));
    int chosen = ({ Address at = local_of(named); port_of(&at); });
    TRY(connect(named, &where.any, where.length));
    Address local = local_of(named);
    printf("  bound to the wildcard, connected from %s\n", shown(&local, chosen));
    close(listener);
}

static void refused(int family) {
    SECTION("%s: refused", family_name(family));
    Address where = nobody(family);
    int fd = socket(family, SOCK_STREAM, 0);
    TRY(connect(fd, &where.any, where.length));
    ERROR_OF(fd);
    TRY(connect(fd, &where.any, where.length));
    Address open;
    int listener = tcp_listener(family, 1, &open);
    TRY(connect(fd, &open.any, open.length));
    TRY(send(fd, "x", 1, 0));
    char byte;
    TRY(recv(accept(listener, NULL, NULL), &byte, 1, 0));
    Address zero = loopback(family, 0);
    int other = socket(family, SOCK_STREAM, 0);
    TRY(connect(other, &zero.any, zero.length));
}

static void in_background(int family) {
    SECTION("%s: non-blocking", family_name(family));
    Address where, closed = nobody(family);
    int listener = tcp_listener(family, 5, &where);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(fd, &where.any, where.length));
    EVENTS(fd, POLLOUT);
    ERROR_OF(fd);
    TRY(connect(fd, &where.any, where.length));
    TRY(connect(fd, &where.any, where.length));
    char byte;
    TRY(recv(fd, &byte, 1, 0));
    CHECK(accept(listener, NULL, NULL) >= 0);

    int unlucky = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(unlucky, &closed.any, closed.length));
    EVENTS(unlucky, POLLOUT | POLLIN | POLLRDHUP);
    ERROR_OF(unlucky);
    ERROR_OF(unlucky);
    int asks = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(asks, &closed.any, closed.length));
    await(asks, POLLOUT);
    TRY(connect(asks, &closed.any, closed.length));
    int reads = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(reads, &closed.any, closed.length));
    await(reads, POLLOUT);
    TRY(recv(reads, &byte, 1, 0));
    TRY(recv(reads, &byte, 1, 0));
}

static void dissolved(int family) {
    SECTION("%s: AF_UNSPEC", family_name(family));
    Address where, none = {.length = sizeof(struct sockaddr)};
    int listener = tcp_listener(family, 5, &where), fd = connected_to(&where);
    int inside = accept(listener, NULL, NULL);
    TRY(connect(fd, &none.any, none.length));
    Address peer = {.length = sizeof peer.room};
    TRY(getpeername(fd, &peer.any, &peer.length));
    EVENTS(inside, POLLIN | POLLRDHUP);
    char byte;
    TRY(recv(inside, &byte, 1, 0));
    TRY(connect(fd, &where.any, where.length));
    CHECK(accept(listener, NULL, NULL) >= 0);
    TRY(send(fd, "again", 5, 0));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address first, second, none = {.length = sizeof(struct sockaddr)};
    int one = udp_socket(family, &first), two = udp_socket(family, &second), fd = socket(family, SOCK_DGRAM, 0);
    TRY(connect(fd, &first.any, first.length));
    Address local = local_of(fd);
    printf("  connected from %s\n", shown(&local, 0));
    TRY(send(fd, "to one", 6, 0));
    TRY(connect(fd, &second.any, second.length));
    TRY(send(fd, "to two", 6, 0));
    char text[16];
    TRY(recv(one, text, sizeof text, 0));
    TRY(recv(two, text, sizeof text, 0));
    TRY(sendto(one, "stranger", 8, 0, &local.any, local.length));
    TRY(sendto(two, "friend", 6, 0, &local.any, local.length));
    TRY(recv(fd, text, sizeof text, 0));
    TRY(connect(fd, &none.any, none.length));
    TRY(send(fd, "to nobody", 9, 0));
    TRY(connect(fd, &first.any, first.length));
    TRY(close(one));
    TRY(send(fd, "to nobody", 9, 0));
    TRY(recv(fd, text, sizeof text, 0));
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address where, six = loopback(AF_INET6, 1), odd;
    tcp_listener(AF_INET, 5, &where);
    int fd = socket(AF_INET, SOCK_STREAM, 0), fd6 = socket(AF_INET6, SOCK_STREAM, 0);
    TRY(connect(CLOSED, &where.any, where.length));
    TRY(connect(-1, &where.any, where.length));
    TRY(connect(foreign_file(), &where.any, where.length));
    TRY(connect(foreign_pipe(), &where.any, where.length));
    TRY(connect(fd, BAD, where.length));
    TRY(connect(fd, &where.any, 0));
    TRY(connect(fd, &where.any, 1));
    TRY(connect(fd, &where.any, 15));
    TRY(connect(fd, &where.any, -1));
    TRY(connect(fd, &where.any, 129));
    TRY(connect(fd, &six.any, six.length));
    TRY(connect(fd6, &where.any, where.length));
    TRY(connect(fd6, &six.any, 20));
    odd = where;
    odd.any.sa_family = 99;
    TRY(connect(fd, &odd.any, odd.length));
    Address broadcast = address(AF_INET, "255.255.255.255", 9);
    TRY(connect(socket(AF_INET, SOCK_DGRAM, 0), &broadcast.any, broadcast.length));
    TRY(connect(fd, &where.any, where.length));
    Address mapped = address(AF_INET6, "::ffff:127.0.0.1", port_of(&where));
    TRY(connect(fd6, &mapped.any, mapped.length));
}

// The four values of a connection are unique: a second socket of the same name cannot have them.
static void unique(int family) {
    SECTION("%s: the same pair twice", family_name(family));
    Address where, mine = loopback(family, 0);
    int on = 1;
    tcp_listener(family, 5, &where);
    int first = socket(family, SOCK_STREAM, 0), second = socket(family, SOCK_STREAM, 0);
    setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    TRY(bind(first, &mine.any, mine.length));
    mine = local_of(first);
    TRY(bind(second, &mine.any, mine.length));
    TRY(connect(first, &where.any, where.length));
    TRY(connect(second, &where.any, where.length));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        blocking(family);
        refused(family);
        in_background(family);
        dissolved(family);
        datagrams(family);
        unique(family);
    }
    wrong();
    return 0;
}
