// getpeername: connected and not, after the peer has left, short buffers, wrong arguments.
#include "check.h"

static void show_peer(const char *when, int fd, int port) {
    Address peer = {.length = sizeof peer.room};
    if (getpeername(fd, &peer.any, &peer.length) < 0) printf("  %s: %s\n", when, strerrorname_np(errno));
    else printf("  %s: %s, %d bytes\n", when, shown(&peer, port), (int)peer.length);
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    Address where;
    int listener = tcp_listener(family, 1, &where), client = socket(family, SOCK_STREAM, 0);
    show_peer("fresh", client, 0);
    show_peer("listening", listener, 0);
    TRY(connect(client, &where.any, where.length));
    int fd = accept(listener, NULL, NULL);
    Address name = local_of(client);
    show_peer("the client's", client, port_of(&where));
    show_peer("the server's", fd, port_of(&name));
    TRY(shutdown(client, SHUT_WR));
    EVENTS(fd, POLLIN);
    show_peer("half closed", fd, port_of(&name));
    TRY(close(fd));
    EVENTS(client, POLLIN | POLLRDHUP);
    show_peer("after both ends", client, 0);
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    int fd = socket(family, SOCK_DGRAM, 0);
    udp_socket(family, &where);
    show_peer("fresh", fd, 0);
    TRY(connect(fd, &where.any, where.length));
    show_peer("connected", fd, port_of(&where));
    Address none = {.length = sizeof(struct sockaddr)};
    TRY(connect(fd, &none.any, none.length));
    show_peer("dissolved", fd, 0);
}

static void wrong(void) {
    SECTION("wrong arguments");
    int ends[2];
    Address name = {.length = sizeof name.room};
    tcp_pair(AF_INET, ends);
    TRY(getpeername(CLOSED, &name.any, &name.length));
    TRY(getpeername(-1, &name.any, &name.length));
    TRY(getpeername(foreign_file(), &name.any, &name.length));
    TRY(getpeername(foreign_pipe(), &name.any, &name.length));
    TRY(getpeername(ends[0], BAD, &name.length));
    TRY(getpeername(ends[0], &name.any, BAD));
    name.length = -1;
    TRY(getpeername(ends[0], &name.any, &name.length));
    name.length = 3;
    TRY(getpeername(ends[0], &name.any, &name.length));
    CHECK(name.length == sizeof name.v4);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
    wrong();
    return 0;
}
