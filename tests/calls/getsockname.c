// getsockname: before and after bind, connect and accept; short buffers; wrong arguments.
#include "check.h"

static void names(int family, int type) {
    SECTION("%s %s", family_name(family), type == SOCK_STREAM ? "stream" : "datagram");
    int fd = socket(family, type, 0);
    Address name = {.length = sizeof name.room};
    TRY(getsockname(fd, &name.any, &name.length));
    CHECK(name.length == (family == AF_INET ? sizeof name.v4 : sizeof name.v6));
    CHECK(name.any.sa_family == family);
    printf("  fresh: %s\n", shown(&name, 0));
    Address any = wildcard(family, 0);
    TRY(bind(fd, &any.any, any.length));
    name = local_of(fd);
    printf("  bound to the wildcard: %s\n", shown(&name, port_of(&name)));
    CHECK(port_of(&name) >= 1024);
    Address peer;
    int other = type == SOCK_STREAM ? tcp_listener(family, 1, &peer) : udp_socket(family, &peer);
    int port = port_of(&name);
    TRY(connect(fd, &peer.any, peer.length));
    name = local_of(fd);
    printf("  connected: %s\n", shown(&name, port));
    if (type == SOCK_STREAM) {
        name = local_of(accept(other, NULL, NULL));
        printf("  accepted: %s\n", shown(&name, port_of(&peer)));
    }
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address name = {.length = sizeof name.room};
    int fd = tcp_listener(AF_INET, 1, NULL);
    TRY(getsockname(CLOSED, &name.any, &name.length));
    TRY(getsockname(-1, &name.any, &name.length));
    TRY(getsockname(foreign_file(), &name.any, &name.length));
    TRY(getsockname(foreign_pipe(), &name.any, &name.length));
    TRY(getsockname(fd, BAD, &name.length));
    TRY(getsockname(fd, &name.any, BAD));
    TRY(getsockname(fd, &name.any, NULL));
    name.length = -1;
    TRY(getsockname(fd, &name.any, &name.length));
    name.length = 0;
    TRY(getsockname(fd, NULL, &name.length));
    CHECK(name.length == sizeof name.v4);
    memset(&name.room, 0x44, sizeof name.room);
    name.length = 5;
    TRY(getsockname(fd, &name.any, &name.length));
    CHECK(name.length == sizeof name.v4);
    CHECK(((char *)&name.room)[5] == 0x44);
    CHECK(name.any.sa_family == AF_INET);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        names(family, SOCK_STREAM);
        names(family, SOCK_DGRAM);
    }
    wrong();
    return 0;
}
