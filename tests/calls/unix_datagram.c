// Unix-domain datagrams: names, connect, whom one hears, the queue's length, ends.
#include "check.h"

static Address named(const char *path) {
    Address name = {.length = sizeof(sa_family_t) + strlen(path) + 1};
    name.local.sun_family = AF_UNIX;
    strcpy(name.local.sun_path, path);
    return name;
}

static Address hidden(const char *text) {
    Address name = {.length = sizeof(sa_family_t) + 1 + strlen(text)};
    name.local.sun_family = AF_UNIX;
    memcpy(name.local.sun_path + 1, text, strlen(text));
    return name;
}

static void show(int fd, const char *what) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
    poll(&one, 1, 0);
    printf("  %s polls %s\n", what, events_text(one.revents));
}

static void names(void) {
    SECTION("names");
    Address name = named("./one"), same = named(".//one"), gone = named("gone"), got;
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink("one");
    TRY(bind(a, &name.any, sizeof name.local));
    TRY(bind(b, &same.any, same.length));
    TRY(bind(a, &gone.any, gone.length));
    TRY(bind(b, &name.any, 1));
    TRY(bind(b, &name.any, 111));
    TRY(bind(b, BAD, 20));
    name.any.sa_family = AF_INET;
    TRY(bind(b, &name.any, name.length));
    name.any.sa_family = AF_UNIX;
    memset(&got, 0, sizeof got);
    got.length = sizeof got.room;
    TRY(getsockname(a, &got.any, &got.length));
    printf("  %u bytes: %s\n", got.length, got.local.sun_path);
    got.length = 5;
    memset(&got.room, 0, sizeof got.room);
    TRY(getsockname(a, &got.any, &got.length));
    printf("  %u bytes, %s\n", got.length, got.local.sun_path);
    Address abstract = hidden("sockeye calls");
    TRY(bind(b, &abstract.any, abstract.length));
    TRY(bind(c, &abstract.any, abstract.length));
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    TRY(bind(d, &abstract.any, abstract.length));
    got.length = sizeof got.room;
    memset(&got.room, 0, sizeof got.room);
    TRY(getsockname(b, &got.any, &got.length));
    CHECK(got.length == abstract.length && !memcmp(&got.room, &abstract.room, got.length));
    // The family alone: a name is picked.
    TRY(bind(d, &abstract.any, 2));
    got.length = sizeof got.room;
    TRY(getsockname(d, &got.any, &got.length));
    CHECK(got.length == 8 && got.local.sun_path[0] == 0);
    TRY(bind(d, &abstract.any, 2));
    TRY(bind(d, &abstract.any, abstract.length));
    Address longest = {.length = sizeof longest.local};
    memset(&longest.local, 'l', sizeof longest.local);
    longest.local.sun_family = AF_UNIX;
    TRY(connect(d, &longest.any, longest.length));
    TRY(close(b));
    b = socket(AF_UNIX, SOCK_DGRAM, 0);
    TRY(bind(b, &abstract.any, abstract.length));
    TRY(close(a));
    TRY(sendto(b, "x", 1, 0, &name.any, name.length));
    TRY(unlink("one"));
    TRY(sendto(b, "x", 1, 0, &name.any, name.length));
    close(b), close(c), close(d);
}

static void exchange(void) {
    SECTION("exchange");
    Address server_name = hidden("sockeye server"), client_name = hidden("sockeye client"), from, other_name = hidden("sockeye other");
    int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
    char text[32] = {0};
    bind(server, &server_name.any, server_name.length);
    show(client, "a fresh one");
    TRY(send(client, "x", 1, 0));
    TRY(listen(client, 1));
    TRY(accept(client, NULL, NULL));
    TRY(sendto(client, "unnamed", 7, 0, &server_name.any, server_name.length));
    from.length = sizeof from.room;
    TRY(recvfrom(server, text, sizeof text, 0, &from.any, &from.length));
    printf("  from %u bytes\n", from.length);
    bind(client, &client_name.any, client_name.length);
    TRY(sendto(client, "named", 5, 0, &server_name.any, server_name.length));
    TRY(sendto(client, "", 0, 0, &server_name.any, server_name.length));
    from.length = sizeof from.room;
    TRY(recvfrom(server, text, 3, MSG_TRUNC, &from.any, &from.length));
    CHECK(from.length == client_name.length && !memcmp(&from.room, &client_name.room, from.length));
    TRY(recv(server, text, sizeof text, MSG_DONTWAIT));
    TRY(recv(server, text, sizeof text, MSG_DONTWAIT));
    TRY(connect(client, &server_name.any, server_name.length));
    TRY(send(client, "connected", 9, 0));
    TRY(recv(server, text, sizeof text, 0));
    TRY(sendto(server, "reply", 5, 0, &client_name.any, client_name.length));
    TRY(recv(client, text, sizeof text, 0));
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(other, &other_name.any, other_name.length);
    TRY(sendto(other, "x", 1, 0, &client_name.any, client_name.length));
    TRY(connect(other, &client_name.any, client_name.length));
    TRY(sendto(client, "x", 1, 0, &other_name.any, other_name.length));
    TRY(recv(other, text, sizeof text, 0));

    SECTION("a queue that is full");
    fcntl(client, F_SETFL, O_NONBLOCK);
    int count = 0;
    while (send(client, "n", 1, 0) == 1) count++;
    printf("  %d, then %s\n", count, strerrorname_np(errno));
    show(client, "the sender");
    fcntl(other, F_SETFL, O_NONBLOCK);
    TRY(sendto(other, "x", 1, 0, &server_name.any, server_name.length));
    TRY(recv(server, text, sizeof text, 0));
    show(client, "the sender");
    TRY(sendto(other, "x", 1, 0, &server_name.any, server_name.length));
    while (recv(server, text, sizeof text, MSG_DONTWAIT) > 0) {}
    TRY(connect(server, &client_name.any, client_name.length));
    count = 0;
    while (send(client, "n", 1, 0) == 1) count++;
    printf("  mutual: %d, then %s\n", count, strerrorname_np(errno));

    SECTION("another peer, none, and one that is gone");
    TRY(connect(server, &other_name.any, other_name.length));
    show(client, "the old peer");
    TRY(send(client, "x", 1, 0));
    TRY(send(client, "x", 1, 0));
    Address none = {.length = sizeof none.local};
    none.any.sa_family = AF_UNSPEC;
    TRY(connect(client, &none.any, none.length));
    TRY(send(client, "x", 1, 0));
    TRY(connect(other, &server_name.any, server_name.length));
    TRY(close(server));
    show(other, "one whose peer is gone");
    TRY(send(other, "x", 1, 0));
    TRY(send(other, "x", 1, 0));
    TRY(connect(other, &server_name.any, server_name.length));
    TRY(shutdown(other, SHUT_RD));
    show(other, "shut for reading");
    TRY(recv(other, text, sizeof text, MSG_DONTWAIT));
    fcntl(other, F_SETFL, 0);
    TRY(recv(other, text, sizeof text, 0));
    TRY(sendto(client, "x", 1, 0, &other_name.any, other_name.length));
    TRY(shutdown(client, SHUT_WR));
    show(client, "shut for writing");
    TRY(sendto(client, "x", 1, 0, &other_name.any, other_name.length));
}

static void options(void) {
    SECTION("options");
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), value = 1;
    socklen_t length;
    struct { int level, name; const char *text; } all[] = {
        {SOL_SOCKET, SO_TYPE, "SO_TYPE"}, {SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN"}, {SOL_SOCKET, SO_PROTOCOL, "SO_PROTOCOL"},
        {SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF"}, {SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF"}, {SOL_SOCKET, SO_ERROR, "SO_ERROR"},
        {SOL_SOCKET, SO_PASSCRED, "SO_PASSCRED"}, {SOL_SOCKET, SO_PEEK_OFF, "SO_PEEK_OFF"},
        {SOL_SOCKET, SO_ACCEPTCONN, "SO_ACCEPTCONN"}, {SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"},
        {SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE"}, {SOL_SOCKET, SO_RCVLOWAT, "SO_RCVLOWAT"},
        {IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"}, {IPPROTO_IP, IP_TTL, "IP_TTL"}, {SOL_SOCKET, 9999, "9999"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        length = sizeof value;
        value = -7;
        int result = getsockopt(fd, all[i].level, all[i].name, &value, &length);
        printf("  %s: %s, %d of %u bytes\n", all[i].text, result ? strerrorname_np(errno) : "yes", value, length);
        value = 1;
        result = setsockopt(fd, all[i].level, all[i].name, &value, sizeof value);
        printf("  set to 1: %s\n", result ? strerrorname_np(errno) : "yes");
    }
    TRY(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, 3));
    value = 1;
    TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value));
    TRY(setsockopt(fd, SOL_SOCKET, SO_PEERCRED, &value, sizeof value));
}

int main(void) {
    begin();
    names();
    exchange();
    options();
    return 0;
}
