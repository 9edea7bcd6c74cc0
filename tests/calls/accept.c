// accept: the derived socket and its addresses, order, timeouts, what is not inherited, wrong arguments.
#include "check.h"

static void derived(int family) {
    SECTION("%s: the derived socket", family_name(family));
    Address where, peer = {.length = sizeof peer.room};
    int listener = tcp_listener(family, 5, &where), client = connected_to(&where);
    int fd = accept(listener, &peer.any, &peer.length);
    CHECK(fd >= 0);
    Address of_client = local_of(client), local = local_of(fd);
    CHECK(peer.length == where.length);
    printf("  the peer is %s\n", shown(&peer, port_of(&of_client)));
    printf("  its own address is %s\n", shown(&local, port_of(&where)));
    TRY(send(client, "hello", 5, 0));
    char text[8];
    TRY(recv(fd, text, sizeof text, 0));
    TRY(close(listener));
    TRY(send(fd, "still here", 10, 0));
    TRY(recv(client, text, sizeof text, 0));
    TRY(recv(client, text, sizeof text, 0));
}

static void order(int family) {
    SECTION("%s: first come, first served", family_name(family));
    Address where;
    int listener = tcp_listener(family, 16, &where), clients[8], in_order = 0;
    for (int i = 0; i < 8; i++) {
        clients[i] = connected_to(&where);
        char name = 'a' + i;
        require(write(clients[i], &name, 1) == 1, "write");
    }
    for (int i = 0; i < 8; i++) {
        char name = 0;
        int fd = accept(listener, NULL, NULL);
        in_order += read(fd, &name, 1) == 1 && name == 'a' + i;
    }
    CHECK(in_order == 8);
}

static void waiting(void) {
    SECTION("waiting");
    Address where;
    int listener = tcp_listener(AF_INET, 5, &where);
    struct timeval limit = {.tv_usec = 120000};
    TRY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    struct timespec start = now();
    TRY(accept(listener, NULL, NULL));
    CHECK(elapsed_ms(&start) >= 115);
    CHECK(elapsed_ms(&start) < 1000);
    nonblocking(listener);
    TRY(accept(listener, NULL, NULL));
    QUIET(listener, POLLIN);
    int client = connected_to(&where);
    EVENTS(listener, POLLIN | POLLOUT);
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(fcntl(fd, F_GETFD) == 0);
    close(client);

    if (fork() == 0) {
        usleep(100000);
        connected_to(&where);
        _exit(0);
    }
    int patient = tcp_listener(AF_INET, 5, &where);
    if (fork() == 0) {
        usleep(100000);
        int late = connected_to(&where);
        send(late, "late", 4, 0);
        _exit(0);
    }
    char text[8];
    fd = accept(patient, NULL, NULL);
    CHECK(fd >= 0);
    TRY(recv(fd, text, sizeof text, 0));
    while (wait(NULL) > 0) continue;
}

// A client that came, wrote and left is still accepted, with its bytes and its end.
static void gone(int family) {
    SECTION("%s: the client has left", family_name(family));
    Address where, peer = {.length = sizeof peer.room};
    int listener = tcp_listener(family, 5, &where), client = connected_to(&where);
    TRY(send(client, "was here", 8, 0));
    TRY(close(client));
    int fd = accept(listener, &peer.any, &peer.length);
    char text[16];
    TRY(recv(fd, text, sizeof text, 0));
    TRY(recv(fd, text, sizeof text, 0));
    CHECK(peer.length == where.length);
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address where, peer;
    int listener = tcp_listener(AF_INET, 16, &where), ends[2];
    tcp_pair(AF_INET, ends);
    TRY(accept(CLOSED, NULL, NULL));
    TRY(accept(-1, NULL, NULL));
    TRY(accept(foreign_file(), NULL, NULL));
    TRY(accept(foreign_pipe(), NULL, NULL));
    TRY(accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL));
    TRY(accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
    TRY(accept(udp_socket(AF_INET6, NULL), NULL, NULL));
    TRY(accept(ends[0], NULL, NULL));
    for (int i = 0; i < 6; i++) connected_to(&where);
    peer.length = sizeof peer.room;
    TRY(accept(listener, BAD, &peer.length));
    TRY(accept(listener, &peer.any, BAD));
    peer.length = -1;
    TRY(accept(listener, &peer.any, &peer.length));
    peer.length = 4;
    memset(&peer.room, 0x55, sizeof peer.room);
    CHECK(accept(listener, &peer.any, &peer.length) >= 0);
    CHECK(peer.length == sizeof peer.v4);
    CHECK(peer.v4.sin_addr.s_addr == 0x55555555);
    peer.length = 0;
    CHECK(accept(listener, &peer.any, &peer.length) >= 0);
    CHECK(accept(listener, NULL, BAD) >= 0);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        derived(family);
        order(family);
        gone(family);
    }
    waiting();
    wrong();
    return 0;
}
