// shutdown: each direction, both ends, what poll sees, wrong states and arguments.
#include "check.h"

static void writing(int family) {
    SECTION("%s: SHUT_WR", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    TRY(send(ends[0], "last words", 10, 0));
    TRY(shutdown(ends[0], SHUT_WR));
    EVENTS(ends[1], POLLRDHUP);
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
    EVENTS(ends[1], POLLIN | POLLOUT | POLLRDHUP);
    EVENTS(ends[0], POLLOUT);
    QUIET(ends[0], POLLIN | POLLRDHUP);
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(send(ends[1], "answer", 6, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(shutdown(ends[1], SHUT_WR));
    EVENTS(ends[0], POLLIN | POLLRDHUP | POLLHUP);
    TRY(recv(ends[0], text, sizeof text, 0));
    EVENTS(ends[1], POLLIN | POLLOUT | POLLRDHUP);
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(shutdown(ends[1], SHUT_RDWR));
}

static void reading(int family) {
    SECTION("%s: SHUT_RD", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    TRY(send(ends[1], "early", 5, 0));
    CHECK(await_bytes(ends[0], 5));
    TRY(shutdown(ends[0], SHUT_RD));
    EVENTS(ends[0], POLLIN | POLLRDHUP);
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[1], "late", 4, 0));
    QUIET(ends[1], POLLRDHUP);
    TRY(send(ends[1], "still fine", 10, 0));
    TRY(send(ends[0], "mine too", 8, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
}

static void both(int family) {
    SECTION("%s: SHUT_RDWR", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    TRY(shutdown(ends[0], SHUT_RDWR));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[0], "x", 1, 0));
    EVENTS(ends[1], POLLIN | POLLRDHUP);
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(close(ends[1]));
    EVENTS(ends[0], POLLHUP);
}

// A reader that already waits is woken by its own end's shutdown.
static void wakes(int family) {
    SECTION("%s: a waiting reader", family_name(family));
    int ends[2];
    char byte;
    tcp_pair(family, ends);
    if (fork() == 0) {
        usleep(80000);
        shutdown(ends[0], SHUT_RDWR);
        _exit(0);
    }
    TRY(recv(ends[0], &byte, 1, 0));
    wait(NULL);
    Address where;
    int listener = tcp_listener(family, 1, &where);
    if (fork() == 0) {
        usleep(80000);
        shutdown(listener, SHUT_RDWR);
        _exit(0);
    }
    TRY(accept(listener, NULL, NULL));
    wait(NULL);
    TRY(listen(listener, 1));
    int client = socket(family, SOCK_STREAM, 0);
    TRY(connect(client, &where.any, where.length));
}

static void wrong(void) {
    SECTION("wrong states and arguments");
    int ends[2], fresh = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    tcp_pair(AF_INET, ends);
    TRY(shutdown(CLOSED, SHUT_WR));
    TRY(shutdown(-1, SHUT_WR));
    TRY(shutdown(foreign_file(), SHUT_WR));
    TRY(shutdown(foreign_pipe(), SHUT_WR));
    TRY(shutdown(ends[0], 3));
    TRY(shutdown(ends[0], -1));
    TRY(shutdown(fresh, SHUT_WR));
    TRY(shutdown(fresh, SHUT_RD));
    TRY(shutdown(udp, SHUT_RD));
    TRY(shutdown(udp, SHUT_WR));
    Address where;
    char byte;
    udp_socket(AF_INET, &where);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    TRY(connect(udp, &where.any, where.length));
    TRY(shutdown(udp, SHUT_RD));
    TRY(recv(udp, &byte, 1, 0));
    TRY(send(udp, "x", 1, 0));
    TRY(shutdown(udp, SHUT_WR));
    TRY(send(udp, "x", 1, 0));
}

// What was sent before the end of sending arrives.
static void datagram_then_end(void) {
    SECTION("a datagram, then the end");
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof where;
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), came = 0;
    struct timeval limit = {.tv_sec = 2};
    bind(receiver, (struct sockaddr *)&where, sizeof where);
    getsockname(receiver, (struct sockaddr *)&where, &length);
    setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    for (int i = 0; i < 20; i++) {
        char room[8];
        int sender = socket(AF_INET, SOCK_DGRAM, 0);
        connect(sender, (struct sockaddr *)&where, sizeof where);
        send(sender, "last", 4, 0);
        shutdown(sender, SHUT_WR);
        came += recv(receiver, room, sizeof room, 0) == 4;
        close(sender);
    }
    CHECK(came == 20);
    close(receiver);
}

int main(void) {
    begin();
    datagram_then_end();
    EACH_FAMILY(family) {
        writing(family);
        reading(family);
        both(family);
        wakes(family);
    }
    wrong();
    return 0;
}
