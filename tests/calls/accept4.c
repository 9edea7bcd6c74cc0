// accept4: its flags and what an accepted socket takes over from its listener.
#include "check.h"

static void flags(int family) {
    SECTION("%s: flags", family_name(family));
    Address where;
    int listener = tcp_listener(family, 5, &where);
    for (int i = 0; i < 4; i++) connected_to(&where);
    TRY(accept4(listener, NULL, NULL, 1));
    TRY(accept4(listener, NULL, NULL, SOCK_NONBLOCK | 0x100));
    int plain = accept4(listener, NULL, NULL, 0);
    TRY(fcntl(plain, F_GETFD));
    CHECK((fcntl(plain, F_GETFL) & O_NONBLOCK) == 0);
    int loose = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    TRY(fcntl(loose, F_GETFD));
    CHECK((fcntl(loose, F_GETFL) & O_NONBLOCK) != 0);
    char byte;
    TRY(read(loose, &byte, 1));
    int guarded = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    TRY(fcntl(guarded, F_GETFD));
    int both = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    TRY(fcntl(both, F_GETFD));
    CHECK((fcntl(both, F_GETFL) & O_NONBLOCK) != 0);
    nonblocking(listener);
    TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    TRY(accept4(CLOSED, NULL, NULL, 0));
    TRY(accept4(foreign_file(), NULL, NULL, 0));
    TRY(accept4(socket(family, SOCK_STREAM, 0), NULL, NULL, 0));
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, level, name, &value, &length);
    return value;
}

static void inherited(void) {
    SECTION("options taken over");
    Address where;
    int on = 1, idle = 77, ttl = 33, listener = bound(AF_INET, SOCK_STREAM, &where);
    TRY(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    TRY(setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    TRY(setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle));
    TRY(setsockopt(listener, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl));
    struct timeval limit = {.tv_usec = 50000}, seen;
    TRY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    TRY(listen(listener, 2));
    connected_to(&where);
    int fd = accept4(listener, NULL, NULL, 0);
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
    CHECK(option(fd, IPPROTO_IP, IP_TTL) == 33);
    CHECK(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 0);
    CHECK(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    socklen_t length = sizeof seen;
    TRY(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &seen, &length));
    CHECK(seen.tv_sec == 0 && seen.tv_usec >= 50000 && seen.tv_usec < 60000);
    char byte;
    TRY(read(fd, &byte, 1));
}

int main(void) {
    begin();
    EACH_FAMILY(family) flags(family);
    inherited();
    return 0;
}
