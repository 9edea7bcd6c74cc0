// socketpair, and Unix sockets by path: they stay the machine's, beside the Internet sockets.
#include "check.h"

int main(void) {
    begin();
    int ends[2];
    char text[16];
    SECTION("pairs");
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    TRY(write(ends[0], "hello", 5));
    TRY(read(ends[1], text, sizeof text));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(read(ends[1], text, sizeof text));
    TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    TRY(send(ends[0], "one", 3, 0));
    TRY(send(ends[0], "two", 3, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    TRY(socketpair(AF_INET, SOCK_STREAM, 0, ends));
    TRY(socketpair(AF_INET6, SOCK_DGRAM, 0, ends));
    TRY(socketpair(1000, SOCK_STREAM, 0, ends));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD));
    SECTION("by path");
    Address path = {.length = sizeof path.local};
    path.local.sun_family = AF_UNIX;
    strcpy(path.local.sun_path, "by-path");
    unlink("by-path");
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY(bind(listener, &path.any, path.length));
    TRY(connect(client, &path.any, path.length));
    TRY(listen(listener, 1));
    TRY(connect(client, &path.any, path.length));
    int fd = accept(listener, NULL, NULL);
    TRY(write(client, "by path", 7));
    TRY(read(fd, text, sizeof text));
    Address name = {.length = sizeof name.local};
    TRY(getpeername(client, &name.any, &name.length));
    CHECK(strcmp(name.local.sun_path, "by-path") == 0);
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    TRY(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    CHECK(peer.pid == getpid() && peer.uid == getuid());
    int value = 0;
    length = sizeof value;
    TRY(getsockopt(client, SOL_SOCKET, SO_DOMAIN, &value, &length));
    CHECK(value == AF_UNIX);
    TRY(unlink("by-path"));
    return 0;
}
