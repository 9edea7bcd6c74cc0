// socket: families, types, protocols, flags, and what a fresh socket is.
#include "check.h"

static void kinds(int family) {
    SECTION("%s", family_name(family));
    int tcp = socket(family, SOCK_STREAM, 0), udp = socket(family, SOCK_DGRAM, 0);
    CHECK(tcp >= 0);
    CHECK(udp >= 0);
    CHECK(socket(family, SOCK_STREAM, IPPROTO_TCP) >= 0);
    CHECK(socket(family, SOCK_DGRAM, IPPROTO_UDP) >= 0);
    TRY(socket(family, SOCK_STREAM, IPPROTO_UDP));
    TRY(socket(family, SOCK_DGRAM, IPPROTO_TCP));
    TRY(socket(family, SOCK_SEQPACKET, 0));
    TRY(socket(family, SOCK_RDM, 0));
    TRY(socket(family, 0, 0));
    TRY(socket(family, 77, 0));
    TRY(socket(family, SOCK_STREAM | 0x100000, 0));
    TRY(socket(family, SOCK_STREAM, -1));
    TRY(socket(family, SOCK_STREAM, 1000));
    TRY(socket(family, SOCK_STREAM, 200));

    int value = -1;
    socklen_t length = sizeof value;
    TRY(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, &length));
    CHECK(value == SOCK_STREAM);
    TRY(getsockopt(udp, SOL_SOCKET, SO_TYPE, &value, &length));
    CHECK(value == SOCK_DGRAM);
    TRY(getsockopt(tcp, SOL_SOCKET, SO_DOMAIN, &value, &length));
    CHECK(value == family);
    TRY(getsockopt(tcp, SOL_SOCKET, SO_PROTOCOL, &value, &length));
    CHECK(value == IPPROTO_TCP);
    TRY(getsockopt(udp, SOL_SOCKET, SO_PROTOCOL, &value, &length));
    CHECK(value == IPPROTO_UDP);
    printf("  a fresh stream polls %s\n", events_text(await(tcp, POLLIN | POLLOUT | POLLRDHUP)));
    printf("  a fresh datagram socket polls %s\n", events_text(await(udp, POLLIN | POLLOUT | POLLRDHUP)));
}

static void flags(void) {
    SECTION("flags");
    int plain = socket(AF_INET, SOCK_STREAM, 0);
    TRY(fcntl(plain, F_GETFD));
    CHECK((fcntl(plain, F_GETFL) & O_NONBLOCK) == 0);
    CHECK((fcntl(plain, F_GETFL) & O_ACCMODE) == O_RDWR);
    int marked = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    TRY(fcntl(marked, F_GETFD));
    CHECK((fcntl(marked, F_GETFL) & O_NONBLOCK) != 0);
    int lowest = socket(AF_INET, SOCK_DGRAM, 0);
    close(lowest);
    CHECK(socket(AF_INET6, SOCK_STREAM, 0) == lowest);
}

static void families(void) {
    SECTION("families");
    TRY(socket(-1, SOCK_STREAM, 0));
    TRY(socket(AF_UNSPEC, SOCK_STREAM, 0));
    TRY(socket(1000, SOCK_STREAM, 0));
    CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    CHECK(socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0);
    TRY(socket(AF_UNIX, SOCK_STREAM, 99));
}

int main(void) {
    begin();
    EACH_FAMILY(family) kinds(family);
    flags();
    families();
    return 0;
}
