// listen: bound and unbound sockets, the backlog, listening again, and what a listener refuses.
#include "check.h"

static void states(int family) {
    SECTION("%s: states", family_name(family));
    int fd = socket(family, SOCK_STREAM, 0);
    TRY(listen(fd, 1));
    Address chosen = local_of(fd);
    CHECK(port_of(&chosen) != 0);
    TRY(listen(fd, 5));
    int accepting = -1;
    socklen_t length = sizeof accepting;
    TRY(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length));
    CHECK(accepting == 1);
    char byte;
    TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
    TRY(send(fd, "x", 1, MSG_NOSIGNAL));
    Address peer = {.length = sizeof peer.room};
    TRY(getpeername(fd, &peer.any, &peer.length));
    Address here = loopback(family, port_of(&chosen));
    TRY(connect(fd, &here.any, here.length));
    TRY(bind(fd, &here.any, here.length));
    int other = socket(family, SOCK_STREAM, 0);
    TRY(connect(other, &here.any, here.length));
    TRY(listen(other, 1));
    TRY(shutdown(fd, SHUT_RD));
    TRY(accept4(fd, NULL, NULL, SOCK_NONBLOCK));
    Address kept = local_of(fd);
    CHECK(port_of(&kept) == port_of(&chosen));
    int late = socket(family, SOCK_STREAM, 0);
    TRY(connect(late, &here.any, here.length));
}

// Three clients may be waiting with a backlog of 2: the kernel admits one more than it was told.
static void backlog(int family) {
    SECTION("%s: backlog", family_name(family));
    Address where;
    int listener = tcp_listener(family, 2, &where), connected = 0;
    for (int i = 0; i < 3; i++) {
        int client = socket(family, SOCK_STREAM, 0);
        connected += connect(client, &where.any, where.length) == 0;
    }
    CHECK(connected == 3);
    int more = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(more, &where.any, where.length));
    struct pollfd entry = {.fd = more, .events = POLLOUT};
    TRY(poll(&entry, 1, 150));
    CHECK(accept(listener, NULL, NULL) >= 0);
    EVENTS(more, POLLOUT);
    for (int i = 0; i < 3; i++) CHECK(accept(listener, NULL, NULL) >= 0);
    nonblocking(listener);
    TRY(accept(listener, NULL, NULL));
}

static void wrong(void) {
    SECTION("wrong arguments");
    TRY(listen(CLOSED, 1));
    TRY(listen(-1, 1));
    TRY(listen(foreign_file(), 1));
    TRY(listen(foreign_pipe(), 1));
    TRY(listen(socket(AF_INET, SOCK_DGRAM, 0), 1));
    TRY(listen(socket(AF_INET6, SOCK_DGRAM, 0), 1));
    TRY(listen(socket(AF_INET, SOCK_STREAM, 0), 0));
    TRY(listen(socket(AF_INET, SOCK_STREAM, 0), -1));
    TRY(listen(socket(AF_INET, SOCK_STREAM, 0), 1 << 30));
}

// What waits in the queue is reset when the listener closes.
static void closing(int family) {
    SECTION("%s: the listener closes over a waiting client", family_name(family));
    Address where;
    int listener = tcp_listener(family, 2, &where), client = connected_to(&where);
    TRY(close(listener));
    EVENTS(client, POLLIN | POLLRDHUP);
    char byte;
    TRY(recv(client, &byte, 1, 0));
    TRY(recv(client, &byte, 1, 0));
    int late = socket(family, SOCK_STREAM, 0);
    TRY(connect(late, &where.any, where.length));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        states(family);
        backlog(family);
        closing(family);
    }
    wrong();
    return 0;
}
