// poll: the events of every state of a socket, several entries, timeouts, wrong descriptors.
#include "check.h"

enum { ALL = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };
#define STATE(when, fd) printf("  %s: %s\n", when, events_text(await_ms(fd, ALL, 20)))

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    Address where;
    char text[8];
    int fresh = socket(family, SOCK_STREAM, 0), listener = bound(family, SOCK_STREAM, &where);
    STATE("fresh", fresh);
    STATE("bound", listener);
    TRY(listen(listener, 4));
    STATE("listening", listener);
    int client = connected_to(&where);
    EVENTS(listener, POLLIN);
    int fd = accept(listener, NULL, NULL);
    STATE("the listener after accept", listener);
    STATE("connected", client);
    STATE("accepted", fd);
    TRY(send(client, "x", 1, 0));
    EVENTS(fd, POLLIN);
    TRY(recv(fd, text, 1, 0));
    STATE("read empty", fd);
    TRY(shutdown(client, SHUT_WR));
    EVENTS(fd, POLLIN | POLLRDHUP);
    STATE("after its own SHUT_WR", client);
    TRY(close(fd));
    EVENTS(client, POLLHUP);
    STATE("both ended", client);
    struct linger hard = {1, 0};
    client = connected_to(&where);
    fd = accept(listener, NULL, NULL);
    TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
    TRY(close(fd));
    EVENTS(client, POLLERR);
    STATE("reset", client);
    TRY(recv(client, text, 1, 0));
    STATE("reset, error taken", client);
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    char text[8];
    int fd = udp_socket(family, &where);
    STATE("bound", fd);
    TRY(sendto(fd, "", 0, 0, &where.any, where.length));
    EVENTS(fd, POLLIN);
    TRY(recv(fd, text, 1, 0));
    STATE("read empty", fd);
}

static void several(void) {
    SECTION("several entries");
    int ends[2];
    tcp_pair(AF_INET, ends);
    TRY(send(ends[0], "x", 1, 0));
    await(ends[1], POLLIN);
    struct pollfd entries[] = {{ends[0], POLLIN, 0}, {-1, POLLIN, 7}, {ends[1], POLLIN, 0}, {CLOSED, POLLIN, 0},
                               {ends[1], POLLOUT, 0}, {ends[0], 0, 0}};
    TRY(poll(entries, 6, 1000));
    for (int i = 0; i < 6; i++) printf("  entry %d: %s\n", i, events_text(entries[i].revents));
    struct timespec start = now();
    TRY(poll(entries, 1, 100));
    CHECK(elapsed_ms(&start) >= 99);
    TRY(poll(entries, 1, 0));
    TRY(poll(NULL, 0, 0));
    TRY(poll(BAD, 1, 0));
    if (fork() == 0) {
        usleep(60000);
        send(ends[1], "y", 1, 0);
        _exit(0);
    }
    TRY(poll(entries, 1, -1));
    wait(NULL);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
    several();
    return 0;
}
