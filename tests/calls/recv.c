// recv: short reads, peeking, waiting for all, the end, resets, timeouts, wrong states and arguments.
#include "check.h"

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[64] = "";
    tcp_pair(family, ends);
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(send(ends[0], "abcdefghij", 10, 0));
    CHECK(await_bytes(ends[1], 10));
    TRY(recv(ends[1], text, 4, MSG_PEEK));
    TRY(recv(ends[1], text, 4, 0));
    CHECK(memcmp(text, "abcd", 4) == 0);
    TRY(recv(ends[1], text, 0, 0));
    TRY(recv(ends[1], text, 3, MSG_WAITALL));
    TRY(recv(ends[1], text, sizeof text, 0));
    CHECK(memcmp(text, "hij", 3) == 0);
    if (fork() == 0) {
        for (int i = 0; i < 5; i++) {
            usleep(20000);
            send(ends[0], "12345678", 8, 0);
        }
        _exit(0);
    }
    TRY(recv(ends[1], text, 40, MSG_WAITALL));
    TRY(send(ends[0], "last", 4, 0));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(recv(ends[1], text, 40, MSG_WAITALL));
    TRY(recv(ends[1], text, 40, MSG_WAITALL));
    TRY(recv(ends[1], text, 40, MSG_DONTWAIT));
    TRY(recv(ends[1], text, 40, MSG_PEEK));
    TRY(send(ends[1], "still open", 10, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    wait(NULL);
}

static void timeouts(void) {
    SECTION("timeouts");
    int ends[2], udp = udp_socket(AF_INET, NULL);
    char byte;
    tcp_pair(AF_INET, ends);
    struct timeval limit = {.tv_usec = 100000};
    struct timespec start = now();
    TRY(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    TRY(recv(ends[0], &byte, 1, 0));
    CHECK(elapsed_ms(&start) >= 95);
    start = now();
    TRY(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    TRY(recv(udp, &byte, 1, 0));
    CHECK(elapsed_ms(&start) >= 95);
    CHECK(elapsed_ms(&start) < 1500);
    nonblocking(ends[0]);
    TRY(recv(ends[0], &byte, 1, 0));
}

// Closing with unread data resets: what was sent before still arrives, then the error, then the end.
static void resets(int family) {
    SECTION("%s: reset", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    TRY(send(ends[0], "unread", 6, 0));
    CHECK(await_bytes(ends[1], 6));
    TRY(send(ends[1], "first", 5, 0));
    CHECK(await_bytes(ends[0], 5));
    TRY(close(ends[1]));
    EVENTS(ends[0], POLLRDHUP);
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[0], "x", 1, 0));

    tcp_pair(family, ends);
    struct linger hard = {.l_onoff = 1};
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
    TRY(close(ends[1]));
    EVENTS(ends[0], POLLIN | POLLRDHUP);
    int error = -1;
    socklen_t length = sizeof error;
    TRY(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == ECONNRESET);
    TRY(recv(ends[0], text, sizeof text, 0));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    int fd = udp_socket(family, &where), from = socket(family, SOCK_DGRAM, 0);
    char text[16];
    TRY(connect(from, &where.any, where.length));
    TRY(recv(fd, text, sizeof text, MSG_DONTWAIT));
    TRY(send(from, "a long message", 14, 0));
    TRY(send(from, "", 0, 0));
    TRY(send(from, "short", 5, 0));
    TRY(recv(fd, text, 6, MSG_PEEK));
    TRY(recv(fd, text, 6, MSG_PEEK | MSG_TRUNC));
    TRY(recv(fd, text, 6, 0));
    TRY(recv(fd, text, 6, 0));
    TRY(recv(fd, text, 16, MSG_WAITALL));
    TRY(recv(fd, text, 16, MSG_DONTWAIT));
}

static void wrong(void) {
    SECTION("wrong arguments");
    int ends[2];
    char byte;
    tcp_pair(AF_INET, ends);
    TRY(recv(CLOSED, &byte, 1, 0));
    TRY(recv(-1, &byte, 1, 0));
    TRY(recv(foreign_file(), &byte, 1, 0));
    TRY(recv(foreign_pipe(), &byte, 1, 0));
    TRY(send(ends[0], "x", 1, 0));
    CHECK(await_bytes(ends[1], 1));
    TRY(recv(ends[1], BAD, 1, 0));
    TRY(recv(ends[1], &byte, 1, 0));
    TRY(recv(ends[1], &byte, 1, MSG_OOB));
}

static void unconnected(void) {
    SECTION("an unconnected stream");
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY(recv(fd, &byte, 1, 0));
    TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        resets(family);
        datagrams(family);
    }
    timeouts();
    wrong();
    unconnected();
    return 0;
}
