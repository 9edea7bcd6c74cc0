// sendto: datagrams to named peers, on connected sockets, to nobody, too long; on streams; wrong arguments.
#include "check.h"

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where, other, from = {.length = sizeof from.room};
    int to = udp_socket(family, &where), second = udp_socket(family, &other);
    int fd = socket(family, SOCK_DGRAM, 0);
    char text[32];
    Address before = local_of(fd);
    CHECK(port_of(&before) == 0);
    TRY(sendto(fd, "hello", 5, 0, &where.any, where.length));
    Address after = local_of(fd);
    CHECK(port_of(&after) != 0);
    TRY(recvfrom(to, text, sizeof text, 0, &from.any, &from.length));
    printf("  it came from %s\n", shown(&from, port_of(&after)));
    TRY(sendto(to, "answer", 6, 0, &from.any, from.length));
    TRY(recv(fd, text, sizeof text, 0));
    TRY(sendto(fd, "", 0, 0, &where.any, where.length));
    TRY(recv(to, text, sizeof text, 0));
    TRY(connect(fd, &where.any, where.length));
    TRY(sendto(fd, "aside", 5, 0, &other.any, other.length));
    TRY(recv(second, text, sizeof text, 0));
    TRY(sendto(fd, "to the peer", 11, 0, NULL, 0));
    TRY(recv(to, text, sizeof text, 0));
    Address everywhere = wildcard(family, port_of(&where));
    int third = socket(family, SOCK_DGRAM, 0);
    TRY(sendto(third, "wild", 4, 0, &everywhere.any, everywhere.length));
    TRY(recv(to, text, sizeof text, 0));
    Address self = local_of(second);
    TRY(sendto(second, "myself", 6, 0, &self.any, self.length));
    TRY(recv(second, text, sizeof text, 0));
}

// Order and boundaries hold on a host's own addresses, each datagram arrives once.
static void many(int family) {
    SECTION("%s: a hundred datagrams", family_name(family));
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0), right = 0;
    char text[200];
    for (int i = 0; i < 100; i++) {
        memset(text, i, sizeof text);
        require(sendto(fd, text, i + 1, 0, &where.any, where.length) == i + 1, "sendto");
    }
    for (int i = 0; i < 100; i++)
        right += recv(to, text, sizeof text, 0) == i + 1 && text[0] == i && text[i] == i;
    CHECK(right == 100);
    TRY(recv(to, text, sizeof text, MSG_DONTWAIT));
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[16];
    Address elsewhere = loopback(family, 9);
    tcp_pair(family, ends);
    TRY(sendto(ends[0], "x", 1, 0, &elsewhere.any, elsewhere.length));
    TRY(sendto(ends[0], "yz", 2, 0, NULL, 0));
    CHECK(await_bytes(ends[1], 3));
    TRY(recv(ends[1], text, sizeof text, 0));
    int fresh = socket(family, SOCK_STREAM, 0);
    TRY(sendto(fresh, "x", 1, MSG_NOSIGNAL, &elsewhere.any, elsewhere.length));
}

static void wrong(void) {
    SECTION("wrong arguments");
    static char large[70000];
    Address where, six = loopback(AF_INET6, 9), zero = loopback(AF_INET, 0), odd;
    int to = udp_socket(AF_INET, &where), fd = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
    TRY(sendto(CLOSED, "x", 1, 0, &where.any, where.length));
    TRY(sendto(-1, "x", 1, 0, &where.any, where.length));
    TRY(sendto(foreign_file(), "x", 1, 0, &where.any, where.length));
    TRY(sendto(foreign_pipe(), "x", 1, 0, &where.any, where.length));
    TRY(sendto(fd, "x", 1, 0, NULL, 0));
    TRY(sendto(fd, BAD, 5, 0, &where.any, where.length));
    TRY(sendto(fd, "x", 1, 0, BAD, where.length));
    TRY(sendto(fd, "x", 1, 0, &where.any, 8));
    TRY(sendto(fd, "x", 1, 0, &where.any, -1));
    TRY(sendto(fd, "x", 1, 0, &where.any, 129));
    TRY(sendto(fd, "x", 1, 0, &six.any, six.length));
    TRY(sendto(fd, "x", 1, 0, &zero.any, zero.length));
    TRY(sendto(fd6, "x", 1, 0, &six.any, 20));
    odd = where;
    odd.any.sa_family = 99;
    TRY(sendto(fd, "x", 1, 0, &odd.any, odd.length));
    TRY(sendto(fd, large, sizeof large, 0, &where.any, where.length));
    TRY(sendto(fd, large, 65508, 0, &where.any, where.length));
    TRY(sendto(fd, large, 65507, 0, &where.any, where.length));
    TRY(recv(to, large, sizeof large, 0));
    TRY(sendto(fd, "x", 1, MSG_OOB, &where.any, where.length));
    Address broadcast = address(AF_INET, "255.255.255.255", 9);
    TRY(sendto(fd, "x", 1, 0, &broadcast.any, broadcast.length));
    Address four_in_six = address(AF_INET6, "::ffff:127.0.0.1", port_of(&where));
    TRY(sendto(fd6, "mapped", 6, 0, &four_in_six.any, four_in_six.length));
    TRY(recv(to, large, sizeof large, 0));
}

// Nobody there: an unconnected socket never learns, a connected one does, once.
static void nobody(int family) {
    SECTION("%s: nobody there", family_name(family));
    Address where;
    close(udp_socket(family, &where));
    char byte;
    int fd = socket(family, SOCK_DGRAM, 0);
    TRY(sendto(fd, "x", 1, 0, &where.any, where.length));
    TRY(sendto(fd, "x", 1, 0, &where.any, where.length));
    TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
    TRY(connect(fd, &where.any, where.length));
    TRY(send(fd, "x", 1, 0));
    EVENTS(fd, 0);
    TRY(sendto(fd, "x", 1, 0, &where.any, where.length));
    TRY(connect(fd, &where.any, where.length));
    TRY(send(fd, "x", 1, 0));
    await(fd, 0);
    int error = -1;
    socklen_t length = sizeof error;
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == ECONNREFUSED);
    TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
}

// One sender and many receivers that do not read: nobody's datagrams wait for anybody else's.
static void unread(void) {
    enum { RECEIVERS = 40, EACH = 20, LENGTH = 4000 };
    SECTION("many who do not read");
    static char bytes[LENGTH + 1];
    int receivers[RECEIVERS], sender = socket(AF_INET, SOCK_DGRAM, 0), came = 0;
    struct sockaddr_in where[RECEIVERS];
    struct timeval limit = {.tv_sec = 5};
    for (int i = 0; i < RECEIVERS; i++) {
        socklen_t length = sizeof where[i];
        where[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        receivers[i] = socket(AF_INET, SOCK_DGRAM, 0);
        bind(receivers[i], (struct sockaddr *)&where[i], sizeof where[i]);
        getsockname(receivers[i], (struct sockaddr *)&where[i], &length);
        setsockopt(receivers[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        for (int n = 0; n < EACH; n++)
            sendto(sender, bytes, LENGTH, 0, (struct sockaddr *)&where[i], sizeof where[i]);
    }
    for (int i = RECEIVERS - 1; i >= 0; i--)
        for (int n = 0; n < EACH; n++) came += recv(receivers[i], bytes, sizeof bytes, 0) == LENGTH;
    CHECK(came == RECEIVERS * EACH);
}

int main(void) {
    begin();
    unread();
    EACH_FAMILY(family) {
        datagrams(family);
        many(family);
        streams(family);
        nobody(family);
    }
    wrong();
    return 0;
}
