// setsockopt: what is set is read back; doubling, limits and booleans as Linux has them; wrong arguments.
#include "check.h"

static int fd;

static void set(int level, int name, const char *text, int value) {
    int seen = -77;
    socklen_t length = sizeof seen;
    errno = 0;
    int answer = setsockopt(fd, level, name, &value, sizeof value), error = errno;
    getsockopt(fd, level, name, &seen, &length);
    printf("  %s to %d: %s, reads %d\n", text, value, answer < 0 ? strerrorname_np(error) : "done", seen);
}
#define SET(level, name, value) set(level, name, #name, value)

static void generic(int family, int type) {
    SECTION("%s %s", family_name(family), type == SOCK_STREAM ? "stream" : "datagram");
    fd = socket(family, type, 0);
    SET(SOL_SOCKET, SO_REUSEADDR, 1);
    SET(SOL_SOCKET, SO_REUSEADDR, 7);
    SET(SOL_SOCKET, SO_REUSEADDR, 0);
    SET(SOL_SOCKET, SO_REUSEPORT, 1);
    SET(SOL_SOCKET, SO_KEEPALIVE, 1);
    SET(SOL_SOCKET, SO_BROADCAST, 1);
    SET(SOL_SOCKET, SO_OOBINLINE, 1);
    SET(SOL_SOCKET, SO_DONTROUTE, 1);
    SET(SOL_SOCKET, SO_PRIORITY, 3);
    SET(SOL_SOCKET, SO_SNDBUF, 20000);
    SET(SOL_SOCKET, SO_RCVBUF, 20000);
    SET(SOL_SOCKET, SO_SNDBUF, 1);
    SET(SOL_SOCKET, SO_RCVBUF, 1);
    SET(SOL_SOCKET, SO_SNDBUF, 0);
    SET(SOL_SOCKET, SO_RCVLOWAT, 100);
    SET(SOL_SOCKET, SO_RCVLOWAT, 0);
    SET(SOL_SOCKET, SO_TIMESTAMP, 1);
    SET(SOL_SOCKET, SO_TYPE, 1);
    SET(SOL_SOCKET, SO_ERROR, 1);
    SET(SOL_SOCKET, SO_ACCEPTCONN, 1);
    SET(SOL_SOCKET, 9999, 1);
    SET(1234, 1, 1);
    if (family == AF_INET) {
        SET(IPPROTO_IP, IP_TTL, 12);
        SET(IPPROTO_IP, IP_TTL, 0);
        SET(IPPROTO_IP, IP_TTL, 256);
        SET(IPPROTO_IP, IP_TTL, -1);
        SET(IPPROTO_IP, IP_TOS, 0x10);
        SET(IPPROTO_IP, IP_RECVERR, 1);
        SET(IPPROTO_IP, 9999, 1);
    } else {
        SET(IPPROTO_IPV6, IPV6_V6ONLY, 1);
        SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 12);
        SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256);
        SET(IPPROTO_IPV6, IPV6_TCLASS, 0x20);
    }
}

static void tcp(void) {
    SECTION("TCP");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    SET(IPPROTO_TCP, TCP_NODELAY, 1);
    SET(IPPROTO_TCP, TCP_NODELAY, 0);
    SET(IPPROTO_TCP, TCP_CORK, 1);
    SET(IPPROTO_TCP, TCP_KEEPIDLE, 100);
    SET(IPPROTO_TCP, TCP_KEEPIDLE, 0);
    SET(IPPROTO_TCP, TCP_KEEPIDLE, 32768);
    SET(IPPROTO_TCP, TCP_KEEPINTVL, 5);
    SET(IPPROTO_TCP, TCP_KEEPCNT, 3);
    SET(IPPROTO_TCP, TCP_KEEPCNT, 128);
    SET(IPPROTO_TCP, TCP_SYNCNT, 2);
    SET(IPPROTO_TCP, TCP_SYNCNT, 0);
    SET(IPPROTO_TCP, TCP_MAXSEG, 1000);
    SET(IPPROTO_TCP, TCP_MAXSEG, 10);
    SET(IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    SET(IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
    SET(IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    SET(IPPROTO_TCP, TCP_LINGER2, 10);
    SET(IPPROTO_TCP, 9999, 1);
}

static void structures(void) {
    SECTION("structures");
    struct linger linger = {1, 30};
    struct timeval limit = {1, 500000}, invalid = {1, 2000000};
    socklen_t length = sizeof linger;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    memset(&linger, 0, sizeof linger);
    TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length));
    CHECK(linger.l_onoff == 1 && linger.l_linger == 30);
    TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, 4));
    TRY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    TRY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &invalid, sizeof invalid));
    TRY(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, 8));
    length = sizeof limit;
    memset(&limit, 0, sizeof limit);
    TRY(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
    CHECK(limit.tv_sec == 1 && limit.tv_usec == 500000);
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nonesuch", 8));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    char name[16] = "";
    length = sizeof name;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length));
    CHECK(strcmp(name, "reno") == 0);
}

static void wrong(void) {
    SECTION("wrong arguments");
    int value = 1;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY(setsockopt(CLOSED, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
    TRY(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
    TRY(setsockopt(foreign_file(), SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
    TRY(setsockopt(foreign_pipe(), SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, BAD, sizeof value));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof value));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 3));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 0));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, -1));
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 100));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, BAD, sizeof value));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, 1));
    TRY(setsockopt(fd, IPPROTO_IP, IP_TTL, &value, 1));
    TRY(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value));
    TRY(setsockopt(socket(AF_INET, SOCK_DGRAM, 0), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
}

// RCVLOWAT holds poll and a blocking read back until so much has come.
static void low_water(void) {
    SECTION("SO_RCVLOWAT at work");
    int ends[2], five = 5;
    char text[16];
    tcp_pair(AF_INET, ends);
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_RCVLOWAT, &five, sizeof five));
    TRY(send(ends[0], "abc", 3, 0));
    QUIET(ends[1], POLLIN);
    TRY(send(ends[0], "de", 2, 0));
    EVENTS(ends[1], POLLIN);
    TRY(recv(ends[1], text, sizeof text, 0));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        generic(family, SOCK_STREAM);
        generic(family, SOCK_DGRAM);
    }
    tcp();
    structures();
    wrong();
    low_water();
    return 0;
}
