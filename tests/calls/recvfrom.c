// recvfrom: the sender's address on datagrams, its absence on streams, peeking, truncation, waiting.
#include "check.h"

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where, from, mine;
    int fd = udp_socket(family, &where), sender = udp_socket(family, &mine);
    char text[16];
    TRY(sendto(sender, "first", 5, 0, &where.any, where.length));
    TRY(sendto(sender, "a longer second", 15, 0, &where.any, where.length));
    TRY(sendto(sender, "", 0, 0, &where.any, where.length));
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, sizeof text, MSG_PEEK, &from.any, &from.length));
    printf("  from %s, length right: %d\n", shown(&from, port_of(&mine)), from.length == where.length);
    memset(&from, 0, sizeof from);
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, sizeof text, 0, &from.any, &from.length));
    printf("  from %s\n", shown(&from, port_of(&mine)));
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, 4, MSG_PEEK | MSG_TRUNC, &from.any, &from.length));
    TRY(recvfrom(fd, text, 4, 0, &from.any, &from.length));
    CHECK(memcmp(text, "a lo", 4) == 0);
    from.length = 6;
    memset(&from.room, 0x33, sizeof from.room);
    TRY(recvfrom(fd, text, 4, 0, &from.any, &from.length));
    CHECK(from.length == where.length);
    CHECK(((char *)&from.room)[6] == 0x33);
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, 4, MSG_DONTWAIT, &from.any, &from.length));
    CHECK(from.length == sizeof from.room);
}

static void waiting(int family) {
    SECTION("%s: waiting", family_name(family));
    Address where, from = {.length = sizeof from.room};
    int fd = udp_socket(family, &where);
    char text[16];
    struct timeval limit = {.tv_usec = 100000};
    TRY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    struct timespec start = now();
    TRY(recvfrom(fd, text, sizeof text, 0, &from.any, &from.length));
    CHECK(elapsed_ms(&start) >= 95 && elapsed_ms(&start) < 1500);
    limit.tv_usec = 0;
    TRY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    if (fork() == 0) {
        usleep(80000);
        int sender = socket(family, SOCK_DGRAM, 0);
        sendto(sender, "late", 4, 0, &where.any, where.length);
        _exit(0);
    }
    TRY(recvfrom(fd, text, sizeof text, 0, &from.any, &from.length));
    wait(NULL);
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[16];
    Address from;
    tcp_pair(family, ends);
    TRY(send(ends[0], "abcdef", 6, 0));
    CHECK(await_bytes(ends[1], 6));
    from.length = sizeof from.room;
    TRY(recvfrom(ends[1], text, 2, MSG_PEEK, &from.any, &from.length));
    TRY(recvfrom(ends[1], text, 2, 0, &from.any, &from.length));
    CHECK(from.length == 0);
    TRY(recvfrom(ends[1], text, 2, 0, NULL, NULL));
    TRY(recvfrom(ends[1], text, sizeof text, 0, &from.any, &from.length));
    CHECK(memcmp(text, "ef", 2) == 0);
    TRY(shutdown(ends[0], SHUT_WR));
    from.length = sizeof from.room;
    TRY(recvfrom(ends[1], text, sizeof text, 0, &from.any, &from.length));
    TRY(recvfrom(ends[1], text, sizeof text, MSG_DONTWAIT, &from.any, &from.length));
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address where, from = {.length = sizeof from.room};
    int fd = udp_socket(AF_INET, &where);
    char text[16];
    TRY(recvfrom(CLOSED, text, 1, 0, &from.any, &from.length));
    TRY(recvfrom(-1, text, 1, 0, &from.any, &from.length));
    TRY(recvfrom(foreign_file(), text, 1, 0, &from.any, &from.length));
    TRY(recvfrom(foreign_pipe(), text, 1, 0, &from.any, &from.length));
    for (int i = 0; i < 6; i++) sendto(fd, "abc", 3, 0, &where.any, where.length);
    TRY(recvfrom(fd, BAD, 3, 0, &from.any, &from.length));
    TRY(recvfrom(fd, text, 3, 0, BAD, &from.length));
    from.length = -1;
    TRY(recvfrom(fd, text, 3, 0, &from.any, &from.length));
    from.length = sizeof from.room;
    TRY(recvfrom(fd, text, 3, 0, NULL, &from.length));
    int unnamed = socket(AF_INET, SOCK_DGRAM, 0);
    TRY(recvfrom(unnamed, text, 3, MSG_DONTWAIT, &from.any, &from.length));
    TRY(recvfrom(socket(AF_INET, SOCK_STREAM, 0), text, 1, 0, &from.any, &from.length));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        datagrams(family);
        waiting(family);
        streams(family);
    }
    wrong();
    return 0;
}
