// send: flags, a full buffer, a peer that has left, wrong states and arguments.
#include "check.h"

static volatile int pipes;
static void count_pipe(int signal) {
    (void)signal;
    pipes++;
}

static void normal(int family) {
    SECTION("%s", family_name(family));
    int ends[2];
    char text[32];
    tcp_pair(family, ends);
    TRY(send(ends[0], "hello", 5, 0));
    TRY(send(ends[0], "", 0, 0));
    TRY(send(ends[0], " more", 5, MSG_MORE));
    TRY(send(ends[0], " end", 4, MSG_NOSIGNAL | MSG_DONTWAIT));
    CHECK(await_bytes(ends[1], 14));
    TRY(recv(ends[1], text, sizeof text, 0));
    CHECK(memcmp(text, "hello more end", 14) == 0);
    TRY(send(ends[1], "back", 4, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[0], text, 0, MSG_DONTWAIT));
    TRY(sendto(ends[0], "named", 5, 0, BAD, 0));
}

// A non-blocking sender stops at EAGAIN, is not writable, and is again once the peer has read.
static void full(int family) {
    SECTION("%s: a full buffer", family_name(family));
    static char block[65536];
    int ends[2];
    tcp_pair(family, ends);
    nonblocking(ends[0]);
    long sent = 0, got, read_back = 0;
    do
        while ((got = send(ends[0], block, sizeof block, 0)) > 0) sent += got;
    while (await_ms(ends[0], POLLOUT, 150) & POLLOUT);
    CHECK(errno == EAGAIN);
    CHECK(sent > 65536);
    QUIET(ends[0], POLLOUT);
    while (read_back < sent && (got = recv(ends[1], block, sizeof block, 0)) > 0) read_back += got;
    CHECK(read_back == sent);
    EVENTS(ends[0], POLLOUT);
    TRY(send(ends[0], block, 1, 0));
    TRY(recv(ends[1], block, sizeof block, 0));
}

static void broken(int family) {
    SECTION("%s: the peer has left", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(send(ends[0], "x", 1, MSG_NOSIGNAL));
    signal(SIGPIPE, count_pipe);
    pipes = 0;
    TRY(send(ends[0], "x", 1, MSG_NOSIGNAL));
    CHECK(pipes == 0);
    TRY(send(ends[0], "x", 1, 0));
    CHECK(pipes == 1);
    signal(SIGPIPE, SIG_IGN);
    tcp_pair(family, ends);
    TRY(close(ends[1]));
    EVENTS(ends[0], POLLIN | POLLRDHUP);
    TRY(send(ends[0], "x", 1, 0));
    EVENTS(ends[0], POLLHUP);
    TRY(send(ends[0], "x", 1, 0));
    char byte;
    TRY(recv(ends[0], &byte, 1, 0));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    static char large[70000];
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    TRY(send(fd, "x", 1, 0));
    TRY(connect(fd, &where.any, where.length));
    TRY(send(fd, "one", 3, 0));
    TRY(send(fd, "", 0, 0));
    TRY(send(fd, large, sizeof large, 0));
    TRY(send(fd, large, 65508, 0));
    CHECK(send(fd, large, 40000, 0) == 40000);
    TRY(recv(to, large, sizeof large, 0));
    TRY(recv(to, large, sizeof large, 0));
    TRY(recv(to, large, sizeof large, 0));
    await(to, POLLIN);
    TRY(recv(to, large, sizeof large, MSG_DONTWAIT));
}

static void wrong(void) {
    SECTION("wrong arguments");
    int ends[2];
    tcp_pair(AF_INET, ends);
    TRY(send(CLOSED, "x", 1, 0));
    TRY(send(-1, "x", 1, 0));
    TRY(send(foreign_file(), "x", 1, 0));
    TRY(send(foreign_pipe(), "x", 1, 0));
    TRY(send(ends[0], BAD, 1, 0));
    TRY(send(ends[0], NULL, 1, 0));
    TRY(send(ends[0], BAD, 0, 0));
    Address where;
    udp_socket(AF_INET, &where);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    TRY(connect(udp, &where.any, where.length));
    TRY(send(udp, BAD, 10, 0));
    TRY(send(udp, "x", 1, MSG_OOB));
}

static void unconnected(void) {
    SECTION("an unconnected stream");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY(send(fd, "x", 1, 0));
    TRY(send(fd, "x", 1, MSG_DONTWAIT));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        normal(family);
        full(family);
        broken(family);
        datagrams(family);
    }
    wrong();
    unconnected();
    return 0;
}
