// read: a socket is a file: short reads, the end, non-blocking, zero lengths, wrong arguments.
#include "check.h"

static void streams(int family) {
    SECTION("%s", family_name(family));
    int ends[2];
    char text[32] = "";
    tcp_pair(family, ends);
    TRY(write(ends[0], "0123456789", 10));
    CHECK(await_bytes(ends[1], 10));
    TRY(read(ends[1], text, 3));
    TRY(read(ends[1], text, 0));
    TRY(read(ends[1], text, sizeof text));
    CHECK(memcmp(text, "3456789", 7) == 0);
    nonblocking(ends[1]);
    TRY(read(ends[1], text, sizeof text));
    TRY(write(ends[0], "end", 3));
    TRY(shutdown(ends[0], SHUT_WR));
    await(ends[1], POLLRDHUP);
    TRY(read(ends[1], text, sizeof text));
    TRY(read(ends[1], text, sizeof text));
    TRY(read(ends[1], text, sizeof text));
    TRY(pread(ends[1], text, 1, 0));
    TRY(lseek(ends[1], 0, SEEK_CUR));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    char text[16];
    int fd = udp_socket(family, &where);
    TRY(sendto(fd, "a message", 9, 0, &where.any, where.length));
    TRY(sendto(fd, "", 0, 0, &where.any, where.length));
    TRY(sendto(fd, "next", 4, 0, &where.any, where.length));
    TRY(read(fd, text, 4));
    TRY(read(fd, text, 4));
    TRY(read(fd, text, 16));
    nonblocking(fd);
    TRY(read(fd, text, 16));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
    SECTION("wrong arguments");
    int ends[2];
    char byte;
    tcp_pair(AF_INET, ends);
    TRY(read(CLOSED, &byte, 1));
    TRY(read(-1, &byte, 1));
    TRY(write(ends[0], "xy", 2));
    CHECK(await_bytes(ends[1], 2));
    TRY(read(ends[1], BAD, 1));
    TRY(read(ends[1], &byte, 1));
    SECTION("sockets that are not connected");
    TRY(read(tcp_listener(AF_INET, 1, NULL), &byte, 1));
    TRY(read(socket(AF_INET, SOCK_STREAM, 0), &byte, 1));
    return 0;
}
