// getsockopt: the values of fresh sockets, lengths shorter and longer than the value, wrong arguments.
#include "check.h"

#define OPTION(fd, level, name)                                                        \
    do {                                                                               \
        int value_ = -77;                                                              \
        socklen_t length_ = sizeof value_;                                             \
        if (getsockopt(fd, level, name, &value_, &length_) == 0)                       \
            printf("  %s: %d, %d bytes\n", #name, value_, (int)length_);               \
        else                                                                           \
            printf("  %s: %s\n", #name, strerrorname_np(errno));                       \
    } while (0)

static void fresh(int family) {
    int tcp = socket(family, SOCK_STREAM, 0), udp = socket(family, SOCK_DGRAM, 0);
    int both[] = {tcp, udp};
    for (int i = 0; i < 2; i++) {
        SECTION("%s %s", family_name(family), i ? "datagram" : "stream");
        OPTION(both[i], SOL_SOCKET, SO_TYPE);
        OPTION(both[i], SOL_SOCKET, SO_DOMAIN);
        OPTION(both[i], SOL_SOCKET, SO_PROTOCOL);
        OPTION(both[i], SOL_SOCKET, SO_ERROR);
        OPTION(both[i], SOL_SOCKET, SO_ACCEPTCONN);
        OPTION(both[i], SOL_SOCKET, SO_REUSEADDR);
        OPTION(both[i], SOL_SOCKET, SO_REUSEPORT);
        OPTION(both[i], SOL_SOCKET, SO_KEEPALIVE);
        OPTION(both[i], SOL_SOCKET, SO_BROADCAST);
        OPTION(both[i], SOL_SOCKET, SO_DONTROUTE);
        OPTION(both[i], SOL_SOCKET, SO_OOBINLINE);
        OPTION(both[i], SOL_SOCKET, SO_PRIORITY);
        OPTION(both[i], SOL_SOCKET, SO_RCVLOWAT);
        OPTION(both[i], SOL_SOCKET, SO_SNDLOWAT);
        OPTION(both[i], SOL_SOCKET, SO_TIMESTAMP);
        OPTION(both[i], SOL_SOCKET, SO_MARK);
        OPTION(both[i], SOL_SOCKET, 9999);
        if (family == AF_INET) {
            OPTION(both[i], IPPROTO_IP, IP_TTL);
            OPTION(both[i], IPPROTO_IP, IP_TOS);
            OPTION(both[i], IPPROTO_IP, IP_RECVERR);
            OPTION(both[i], IPPROTO_IP, IP_MULTICAST_TTL);
            OPTION(both[i], IPPROTO_IP, 9999);
        } else {
            OPTION(both[i], IPPROTO_IPV6, IPV6_V6ONLY);
            OPTION(both[i], IPPROTO_IPV6, IPV6_UNICAST_HOPS);
            OPTION(both[i], IPPROTO_IPV6, IPV6_TCLASS);
            OPTION(both[i], IPPROTO_IPV6, 9999);
        }
        OPTION(both[i], IPPROTO_TCP, TCP_NODELAY);
        OPTION(both[i], 1234, 1);
    }
    SECTION("%s: TCP", family_name(family));
    OPTION(tcp, IPPROTO_TCP, TCP_MAXSEG);
    OPTION(tcp, IPPROTO_TCP, TCP_CORK);
    OPTION(tcp, IPPROTO_TCP, TCP_KEEPIDLE);
    OPTION(tcp, IPPROTO_TCP, TCP_KEEPINTVL);
    OPTION(tcp, IPPROTO_TCP, TCP_KEEPCNT);
    OPTION(tcp, IPPROTO_TCP, TCP_SYNCNT);
    OPTION(tcp, IPPROTO_TCP, TCP_LINGER2);
    OPTION(tcp, IPPROTO_TCP, TCP_DEFER_ACCEPT);
    OPTION(tcp, IPPROTO_TCP, TCP_USER_TIMEOUT);
    OPTION(tcp, IPPROTO_TCP, TCP_QUICKACK);
    OPTION(tcp, IPPROTO_TCP, 9999);
}

static void structures(void) {
    SECTION("structures");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct linger linger = {-1, -1};
    struct timeval limit = {-1, -1};
    socklen_t length = sizeof linger;
    TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
    CHECK(linger.l_onoff == 0 && linger.l_linger == 0 && length == sizeof linger);
    length = sizeof limit;
    TRY(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
    CHECK(limit.tv_sec == 0 && limit.tv_usec == 0 && length == sizeof limit);
    length = sizeof limit;
    TRY(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length));
    struct tcp_info info;
    Address where;
    int listener = tcp_listener(AF_INET, 1, &where), client = connected_to(&where);
    length = 8;
    memset(&info, 0xee, sizeof info);
    TRY(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK(length == 8 && info.tcpi_state == TCP_ESTABLISHED);
    length = 8;
    TRY(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK(info.tcpi_state == TCP_LISTEN);
    length = 8;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK(info.tcpi_state == TCP_CLOSE);
    int size = 0;
    length = sizeof size;
    TRY(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length));
    CHECK(size >= 4096);
    TRY(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length));
    CHECK(size >= 4096);
}

static void wrong(void) {
    SECTION("lengths and wrong arguments");
    int fd = socket(AF_INET, SOCK_STREAM, 0), value = 0x55555555;
    socklen_t length = 1;
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
    CHECK(length == 1 && value == 0x55555501);
    length = 0;
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
    CHECK(length == 0);
    long wide[2] = {-1, -1};
    length = sizeof wide;
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, wide, &length));
    CHECK(length == 4);
    length = -1;
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
    length = -1;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
    length = sizeof value;
    TRY(getsockopt(CLOSED, SOL_SOCKET, SO_TYPE, &value, &length));
    TRY(getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &length));
    TRY(getsockopt(foreign_file(), SOL_SOCKET, SO_TYPE, &value, &length));
    TRY(getsockopt(foreign_pipe(), SOL_SOCKET, SO_TYPE, &value, &length));
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, BAD, &length));
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, BAD));
    TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NULL));
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, BAD));
    TRY(getsockopt(fd, -1, SO_TYPE, &value, &length));
    TRY(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length));
}

int main(void) {
    begin();
    EACH_FAMILY(family) fresh(family);
    structures();
    wrong();
    return 0;
}
