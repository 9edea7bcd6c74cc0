// Unix-domain streams and sequenced packets: connect and backlog, ends, buffers, reads and writes, readiness.
#include "check.h"
#include <pthread.h>

static Address named(const char *path) {
    Address name = {.length = sizeof(sa_family_t) + strlen(path) + 1};
    name.local.sun_family = AF_UNIX;
    strcpy(name.local.sun_path, path);
    return name;
}

static void show(int fd, const char *what) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
    poll(&one, 1, 0);
    printf("  %s polls %s\n", what, events_text(one.revents));
}

static void show_name(int fd, int of_peer) {
    Address name = {.length = sizeof name.room};
    memset(&name.room, 'x', sizeof name.room);
    int result = of_peer ? getpeername(fd, &name.any, &name.length) : getsockname(fd, &name.any, &name.length);
    if (result != 0) printf("  no name: %s\n", strerrorname_np(errno));
    else printf("  name of %u bytes: %s\n", name.length, name.length > 2 ? name.local.sun_path : "-");
}

static void pairs(int type) {
    SECTION("a pair of type %d", type);
    int ends[2];
    char text[32] = {0};
    TRY(socketpair(AF_UNIX, type, 0, ends));
    show(ends[0], "one end");
    show_name(ends[0], 0);
    show_name(ends[0], 1);
    TRY(recv(ends[0], text, sizeof text, MSG_DONTWAIT));
    TRY(send(ends[0], "hello", 5, 0));
    TRY(send(ends[0], "world", 5, 0));
    TRY(send(ends[0], "", 0, 0));
    show(ends[1], "the other");
    TRY(recv(ends[1], text, 3, MSG_PEEK));
    TRY(recv(ends[1], text, 3, 0));
    TRY(recv(ends[1], text, 3, MSG_TRUNC));
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(send(ends[0], "abc", 3, 0));
    TRY(recv(ends[1], text, 0, MSG_DONTWAIT));
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(listen(ends[0], 1));
    TRY(accept(ends[0], NULL, NULL));
    Address nowhere = named("nowhere");
    TRY(connect(ends[0], &nowhere.any, nowhere.length));
    TRY(sendto(ends[0], "x", 1, 0, &nowhere.any, nowhere.length));
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(shutdown(ends[0], 77));
    TRY(shutdown(ends[0], SHUT_WR));
    show(ends[0], "one end, shut for writing,");
    show(ends[1], "the other");
    TRY(send(ends[0], "x", 1, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(send(ends[1], "back", 4, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[1], "lost", 4, 0));
    TRY(close(ends[0]));
    show(ends[1], "the one that is left");
    int error = 0;
    socklen_t length = sizeof error;
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(recv(ends[1], text, sizeof text, MSG_DONTWAIT));
    TRY(send(ends[1], "x", 1, 0));
    TRY(getsockopt(ends[1], SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == 0);
    show_name(ends[1], 1);
    close(ends[1]);
    socketpair(AF_UNIX, type, 0, ends);
    TRY(shutdown(ends[0], SHUT_RD));
    show(ends[0], "shut for reading");
    show(ends[1], "its peer");
    TRY(send(ends[1], "x", 1, 0));
    TRY(recv(ends[0], text, sizeof text, 0));
    TRY(send(ends[0], "y", 1, 0));
    TRY(recv(ends[1], text, sizeof text, 0));
    close(ends[0]);
    close(ends[1]);
}

static void listeners(int type) {
    SECTION("a listener of type %d", type);
    unlink("listener");
    Address name = named("listener"), nobody = named("nobody");
    char text[16];
    int listener = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);
    show(client, "a fresh one");
    TRY(listen(listener, 1));
    TRY(recv(client, text, 1, MSG_DONTWAIT));
    TRY(send(client, "x", 1, 0));
    TRY(sendto(client, "x", 1, 0, &name.any, name.length));
    TRY(connect(client, &nobody.any, nobody.length));
    TRY(bind(listener, &name.any, name.length));
    TRY(bind(listener, &nobody.any, nobody.length));
    TRY(bind(listener, &name.any, name.length));
    TRY(connect(client, &name.any, name.length));
    TRY(accept(listener, NULL, NULL));
    TRY(listen(listener, 1));
    show(listener, "a listener");
    TRY(fcntl(listener, F_SETFL, O_NONBLOCK));
    TRY(accept(listener, NULL, NULL));
    TRY(send(listener, "x", 1, 0));
    TRY(recv(listener, text, 1, 0));
    TRY(connect(listener, &name.any, name.length));
    TRY(connect(other, &name.any, name.length));
    TRY(connect(client, &name.any, 2));
    TRY(connect(client, &name.any, 1));
    TRY(connect(client, &name.any, 0));
    name.any.sa_family = AF_INET;
    TRY(connect(client, &name.any, name.length));
    name.any.sa_family = AF_UNSPEC;
    TRY(connect(client, &name.any, name.length));
    name.any.sa_family = AF_UNIX;
    TRY(connect(client, &name.any, 111));
    int first = socket(AF_UNIX, type | SOCK_NONBLOCK, 0), second = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    TRY(connect(client, &name.any, name.length));
    TRY(connect(first, &name.any, name.length));
    TRY(connect(second, &name.any, name.length));
    show(second, "one that had no room");
    show(client, "one that waits to be accepted");
    TRY(send(client, "early", 5, 0));
    show(listener, "the listener");
    Address peer = {.length = sizeof peer.room};
    int accepted = accept(listener, &peer.any, &peer.length);
    CHECK(accepted >= 0);
    CHECK(peer.length == 2 && peer.any.sa_family == AF_UNIX);
    CHECK((fcntl(accepted, F_GETFL) & O_NONBLOCK) == 0);
    show_name(accepted, 0);
    show_name(accepted, 1);
    show_name(client, 0);
    show_name(client, 1);
    TRY(recv(accepted, text, sizeof text, 0));
    TRY(connect(client, &name.any, name.length));
    TRY(connect(second, &name.any, name.length));
    int value = 0;
    socklen_t length = sizeof value;
    TRY(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &length));
    CHECK(value == 1);
    struct ucred who = {0};
    length = sizeof who;
    TRY(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &length));
    CHECK(who.pid == getpid() && who.uid == getuid() && who.gid == getgid());
    length = sizeof who;
    TRY(getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &who, &length));
    CHECK(who.pid == getpid());
    length = sizeof who;
    TRY(getsockopt(other, SOL_SOCKET, SO_PEERCRED, &who, &length));
    CHECK(who.pid == 0 && who.uid == -1u && who.gid == -1u);
    close(listener);
    show(first, "one whose listener went");
    TRY(recv(first, text, sizeof text, 0));
    TRY(recv(first, text, sizeof text, 0));
    show(client, "one that was accepted");
    int late = socket(AF_UNIX, type, 0);
    TRY(connect(late, &name.any, name.length));
    listener = socket(AF_UNIX, type, 0);
    TRY(bind(listener, &name.any, name.length));
    TRY(unlink("listener"));
    TRY(bind(listener, &name.any, name.length));
    TRY(listen(listener, 0));
    TRY(connect(late, &name.any, name.length));
    TRY(shutdown(listener, SHUT_RD));
    show(listener, "a listener that was shut");
    int more = socket(AF_UNIX, type, 0);
    TRY(connect(more, &name.any, name.length));
    TRY(accept(listener, NULL, NULL) >= 0);
    TRY(accept(listener, NULL, NULL));
    TRY(unlink("listener"));
    TRY(unlink("listener"));
}

static void buffers(int type) {
    SECTION("buffers of type %d", type);
    static char bulk[300000];
    for (int size = 1; size <= 65536; size *= 16) {
        int ends[2], charged = 0, queued = 0;
        long total = 0, n;
        socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
        TRY(send(ends[0], bulk, size, 0));
        ioctl(ends[0], TIOCOUTQ, &charged);
        ioctl(ends[1], FIONREAD, &queued);
        printf("  %d bytes: charged %d, queued %d\n", size, charged, queued);
        int count = 1;
        while ((n = send(ends[0], bulk, size, 0)) > 0) count++, total += n;
        printf("  then %s, after %d sends\n", strerrorname_np(errno), count);
        ioctl(ends[0], TIOCOUTQ, &charged);
        printf("  charged %d\n", charged);
        show(ends[0], "full");
        int reads = 0;
        struct pollfd room = {ends[0], POLLOUT, 0};
        while (poll(&room, 1, 0) == 0) {
            if (recv(ends[1], bulk, type == SOCK_STREAM ? 1000 : sizeof bulk, 0) <= 0) break;
            reads++;
        }
        printf("  room after %d reads\n", reads);
        close(ends[0]);
        close(ends[1]);
    }
    int ends[2], value = 4096;
    socklen_t length = sizeof value;
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
    TRY(send(ends[0], bulk, 212992, 0));
    TRY(send(ends[0], bulk, 212992 - 31, 0));
    TRY(send(ends[0], bulk, sizeof bulk, 0) > 0);
    TRY(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    TRY(getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, &length));
    CHECK(value == 8192);
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
    value = 1;
    TRY(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    TRY(send(ends[0], bulk, 10000, 0));
    TRY(recv(ends[1], bulk, sizeof bulk, 0));
}

static void *in_pieces(void *argument) {
    int fd = *(int *)argument;
    for (int i = 0; i < 4; i++) {
        write(fd, "abc", 3);
        usleep(30000);
    }
    close(fd);
    return NULL;
}

static void low_water(void) {
    SECTION("SO_RCVLOWAT and MSG_WAITALL");
    int ends[2], value = 5;
    char text[32];
    pthread_t thread;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value));
    pthread_create(&thread, NULL, in_pieces, &ends[0]);
    usleep(10000);
    TRY(recv(ends[1], text, 1, MSG_DONTWAIT));
    TRY(recv(ends[1], text, sizeof text, 0));
    value = 1;
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value));
    TRY(recv(ends[1], text, 5, MSG_WAITALL));
    pthread_join(thread, NULL);
    TRY(recv(ends[1], text, sizeof text, MSG_WAITALL));
}

int main(void) {
    begin();
    low_water();
    int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        pairs(types[i]);
        listeners(types[i]);
        buffers(types[i]);
    }
    return 0;
}
