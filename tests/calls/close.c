// close: what the peer sees, the last of several descriptors, the port afterwards, lingering.
#include "check.h"

static void last_one(int family) {
    SECTION("%s: the last descriptor counts", family_name(family));
    int ends[2];
    char byte;
    tcp_pair(family, ends);
    int copy = dup(ends[0]);
    TRY(close(ends[0]));
    QUIET(ends[1], POLLIN | POLLRDHUP);
    TRY(send(copy, "x", 1, 0));
    TRY(recv(ends[1], &byte, 1, 0));
    TRY(close(copy));
    EVENTS(ends[1], POLLIN | POLLRDHUP);
    TRY(recv(ends[1], &byte, 1, 0));
    TRY(send(copy, "x", 1, 0));
    TRY(close(copy));
}

static void unread(int family) {
    SECTION("%s: queued data survives", family_name(family));
    static char block[100000];
    int ends[2], total = 0, got;
    tcp_pair(family, ends);
    nonblocking(ends[0]);
    int sent = send(ends[0], block, sizeof block, 0);
    CHECK(sent > 0);
    TRY(close(ends[0]));
    while ((got = recv(ends[1], block, sizeof block, 0)) > 0) total += got;
    CHECK(total == sent);
    CHECK(got == 0);
}

// The port is free for the very next call.
static void port_again(int family, int type) {
    SECTION("%s %s: the port at once", family_name(family), type == SOCK_STREAM ? "stream" : "datagram");
    Address where = loopback(family, 0);
    int fd = socket(family, type, 0), again = 0;
    TRY(bind(fd, &where.any, where.length));
    where = local_of(fd);
    for (int i = 0; i < 500; i++) {
        if (type == SOCK_STREAM) listen(fd, 1);
        close(fd);
        fd = socket(family, type, 0);
        again += bind(fd, &where.any, where.length) == 0;
    }
    CHECK(again == 500);
    int copy = dup(fd), other = socket(family, type, 0);
    TRY(close(fd));
    TRY(bind(other, &where.any, where.length));
    TRY(close(copy));
    TRY(bind(other, &where.any, where.length));
}

// After the connection has gone through TIME-WAIT at the server, only REUSEADDR lets it bind again.
static void time_wait(int family) {
    SECTION("%s: TIME-WAIT", family_name(family));
    Address where;
    int on = 1, listener = bound(family, SOCK_STREAM, &where);
    TRY(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    TRY(listen(listener, 1));
    int client = connected_to(&where);
    int fd = accept(listener, NULL, NULL);
    char byte;
    TRY(close(fd));
    TRY(recv(client, &byte, 1, 0));
    TRY(close(client));
    TRY(close(listener));
    usleep(50000);
    int again = socket(family, SOCK_STREAM, 0);
    TRY(bind(again, &where.any, where.length));
    TRY(setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    TRY(bind(again, &where.any, where.length));
    TRY(listen(again, 1));
}

static void lingering(int family) {
    SECTION("%s: lingering", family_name(family));
    int ends[2];
    struct linger patient = {.l_onoff = 1, .l_linger = 2};
    char text[8];
    tcp_pair(family, ends);
    TRY(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &patient, sizeof patient));
    TRY(send(ends[0], "bye", 3, 0));
    TRY(close(ends[0]));
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
}

// A process that dies without closing closes all the same.
static void killed(int family) {
    SECTION("%s: the owner is killed", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        pause();
    }
    close(ends[0]);
    QUIET(ends[1], POLLIN | POLLRDHUP);
    struct timespec start = now();
    TRY(kill(child, SIGKILL));
    EVENTS(ends[1], POLLIN | POLLRDHUP);
    CHECK(elapsed_ms(&start) < 1000);
    wait(NULL);
}

// What was written before the reset has been sent, and is read before the reset is told.
static void data_then_reset(int family) {
    SECTION("%s: data, then a reset", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    struct linger none = {.l_onoff = 1};
    TRY(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &none, sizeof none));
    TRY(write(ends[0], "last words", 10));
    TRY(close(ends[0]));
    await(ends[1], POLLERR);
    char text[16] = "";
    TRY(recv(ends[1], text, 4, 0));
    TRY(recv(ends[1], text + 4, sizeof text - 5, 0));
    CHECK(strcmp(text, "last words") == 0);
    close(ends[1]);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        last_one(family);
        unread(family);
        port_again(family, SOCK_STREAM);
        port_again(family, SOCK_DGRAM);
        time_wait(family);
        lingering(family);
        data_then_reset(family);
        killed(family);
    }
    SECTION("wrong arguments");
    TRY(close(CLOSED));
    TRY(close(-1));
    return 0;
}
