// epoll: level and edge, one shot, exclusive, registrations that follow the socket, every connection state.
#include "check.h"
#include <sys/epoll.h>

static int set;

static const char *got(int limit_ms) {
    static char text[100];
    struct epoll_event found[4];
    int count = epoll_wait(set, found, 4, limit_ms);
    if (count == 1) snprintf(text, sizeof text, "%s", events_text(found[0].events & 0xffff));
    else snprintf(text, sizeof text, "%d events", count);
    return text;
}
static int watch(int fd, unsigned events) {
    struct epoll_event wanted = {.events = events, .data.fd = fd};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted);
}
#define SOON(what) printf("  %s: %s\n", what, got(3000))
#define NOT_YET(what) printf("  %s: %s\n", what, got(40))

static void edges(int family) {
    SECTION("%s: edges", family_name(family));
    int ends[2];
    char text[8];
    tcp_pair(family, ends);
    set = epoll_create1(0);
    TRY(watch(ends[1], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
    SOON("at first");
    NOT_YET("again");
    TRY(send(ends[0], "abcd", 4, 0));
    SOON("data");
    NOT_YET("still data");
    TRY(recv(ends[1], text, 2, 0));
    NOT_YET("half read");
    TRY(send(ends[0], "e", 1, 0));
    SOON("more data");
    TRY(recv(ends[1], text, 8, 0));
    TRY(shutdown(ends[0], SHUT_WR));
    SOON("the end");
    NOT_YET("after the end");
}

static void levels(int family) {
    SECTION("%s: levels", family_name(family));
    int ends[2];
    char text[8];
    tcp_pair(family, ends);
    set = epoll_create1(0);
    TRY(watch(ends[1], EPOLLIN));
    NOT_YET("nothing");
    TRY(send(ends[0], "ab", 2, 0));
    SOON("data");
    SOON("the same data");
    TRY(recv(ends[1], text, 8, 0));
    NOT_YET("read");
    struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT};
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &once));
    TRY(send(ends[0], "c", 1, 0));
    SOON("one shot");
    NOT_YET("one shot again");
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &once));
    SOON("armed again");
    TRY(epoll_ctl(set, EPOLL_CTL_DEL, ends[1], NULL));
    NOT_YET("deleted");
}

// The registration is made before connect, bind or listen and holds through them.
static void follows(int family) {
    SECTION("%s: registered when fresh", family_name(family));
    Address where = loopback(family, 0);
    int listener = socket(family, SOCK_STREAM, 0), client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    set = epoll_create1(0);
    TRY(watch(listener, EPOLLIN | EPOLLET));
    SOON("a fresh stream");
    TRY(bind(listener, &where.any, where.length));
    where = local_of(listener);
    TRY(listen(listener, 2));
    int clients = set = epoll_create1(0);
    TRY(watch(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
    SOON("a fresh client");
    TRY(connect(client, &where.any, where.length));
    SOON("connected");
    NOT_YET("still connected");
    int fd = accept(listener, NULL, NULL);
    TRY(send(fd, "hello", 5, 0));
    SOON("data");
    int copy = dup(client);
    TRY(close(client));
    TRY(send(fd, "again", 5, 0));
    SOON("through a copy");
    TRY(close(copy));
    NOT_YET("closed for good");
    TRY(close(listener));
    set = clients;
    int unlucky = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TRY(connect(unlucky, &where.any, where.length));
    TRY(watch(unlucky, EPOLLOUT | EPOLLET));
    SOON("refused");
}

static void writable(int family) {
    SECTION("%s: room again", family_name(family));
    static char block[65536];
    int ends[2];
    long sent = 0, got_back = 0, count;
    tcp_pair(family, ends);
    nonblocking(ends[0]);
    set = epoll_create1(0);
    TRY(watch(ends[0], EPOLLOUT | EPOLLET));
    SOON("at first");
    do
        while ((count = send(ends[0], block, sizeof block, 0)) > 0) sent += count;
    while (await_ms(ends[0], POLLOUT, 150) & POLLOUT);
    while (epoll_wait(set, &(struct epoll_event){0}, 1, 0) > 0) continue;
    NOT_YET("full");
    while (got_back < sent && (count = recv(ends[1], block, sizeof block, 0)) > 0) got_back += count;
    SOON("drained");
}

static void wrong(void) {
    SECTION("wrong arguments");
    struct epoll_event wanted = {.events = EPOLLIN};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    set = epoll_create1(0);
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, fd, &wanted));
    TRY(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted));
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted));
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, set, &wanted));
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, CLOSED, &wanted));
    TRY(epoll_ctl(fd, EPOLL_CTL_ADD, set, &wanted));
    TRY(epoll_ctl(set, 9, fd, &wanted));
    TRY(epoll_ctl(set, EPOLL_CTL_ADD, socket(AF_INET, SOCK_STREAM, 0), BAD));
    TRY(epoll_wait(set, &wanted, 0, 0));
    TRY(epoll_wait(fd, &wanted, 1, 0));
    TRY(epoll_wait(CLOSED, &wanted, 1, 0));
    TRY(epoll_wait(set, BAD, 1, 0));
    TRY(epoll_create1(12345));
}

// Of two waiters that ask to be woken exclusively, one accepts and the other sees nothing.
static void exclusive(void) {
    SECTION("exclusive");
    Address where;
    int listener = tcp_listener(AF_INET, 4, &where), served = 0, status;
    nonblocking(listener);
    for (int i = 0; i < 2; i++) {
        if (fork() == 0) {
            set = epoll_create1(0);
            watch(listener, EPOLLIN | EPOLLEXCLUSIVE);
            struct epoll_event found;
            int count = epoll_wait(set, &found, 1, 400);
            _exit(count == 1 && accept(listener, NULL, NULL) >= 0);
        }
    }
    usleep(100000);
    int client = connected_to(&where);
    for (int i = 0; i < 2; i++) served += wait(&status) > 0 && WEXITSTATUS(status);
    CHECK(served == 1);
    close(client);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        edges(family);
        levels(family);
        follows(family);
        writable(family);
    }
    exclusive();
    wrong();
    return 0;
}
