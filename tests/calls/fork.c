// fork: children answer on inherited sockets, prefork on one listener, who dies last closes.
#include "check.h"

// The classic server: a child for every client.
static void per_client(int family) {
    SECTION("%s: a child per client", family_name(family));
    Address where;
    int listener = tcp_listener(family, 8, &where), right = 0, status, well = 0;
    if (fork() == 0) {
        for (int i = 0; i < 5; i++) {
            int fd = accept(listener, NULL, NULL);
            if (fork() == 0) {
                char text[16];
                close(listener);
                int length = read(fd, text, sizeof text);
                _exit(write(fd, text, length) != length);
            }
            close(fd);
        }
        for (int i = 0; i < 5; i++) well += wait(&status) > 0 && status == 0;
        _exit(well != 5);
    }
    close(listener);
    for (int i = 0; i < 5; i++) {
        int fd = connected_to(&where);
        char out[] = "client 0", in[16] = "";
        out[7] += i;
        require(write(fd, out, 8) == 8, "write");
        right += read(fd, in, sizeof in) == 8 && strcmp(in, out) == 0 && read(fd, in, 1) == 0;
    }
    CHECK(right == 5);
    wait(&status);
    CHECK(status == 0);
}

// Four processes wait in accept on one listener; each client is served once.
static void prefork(int family) {
    SECTION("%s: four processes accept", family_name(family));
    Address where;
    int listener = tcp_listener(family, 16, &where), served = 0;
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (;;) {
                int fd = accept(listener, NULL, NULL);
                if (write(fd, "ok", 2) != 2) _exit(1);
                close(fd);
            }
        }
    }
    for (int i = 0; i < 40; i++) {
        char text[4];
        int fd = connected_to(&where);
        served += read(fd, text, 4) == 2 && read(fd, text, 1) == 0;
        close(fd);
    }
    CHECK(served == 40);
    for (int i = 0; i < 4; i++) kill(children[i], SIGKILL);
    for (int i = 0; i < 4; i++) wait(NULL);
    TRY(close(listener));
    int late = socket(family, SOCK_STREAM, 0);
    TRY(connect(late, &where.any, where.length));
}

// What is made before fork is given its life by the child, seen by the parent.
static void shared(int family) {
    SECTION("%s: parent and child share", family_name(family));
    Address where;
    int listener = tcp_listener(family, 2, &where), client = socket(family, SOCK_STREAM, 0);
    if (fork() == 0) _exit(connect(client, &where.any, where.length) != 0);
    int status = -1;
    wait(&status);
    CHECK(status == 0);
    char text[8];
    int fd = accept(listener, NULL, NULL);
    TRY(write(client, "hello", 5));
    TRY(read(fd, text, sizeof text));
    Address peer = {.length = sizeof peer.room};
    TRY(getpeername(client, &peer.any, &peer.length));
    pid_t keeper = fork();
    if (keeper == 0) {
        pause();
        _exit(0);
    }
    TRY(close(client));
    QUIET(fd, POLLIN | POLLRDHUP);
    kill(keeper, SIGKILL);
    wait(NULL);
    EVENTS(fd, POLLIN | POLLRDHUP);
    int udp = udp_socket(family, &where);
    if (fork() == 0) _exit(sendto(udp, "from the child", 14, 0, &where.any, where.length) != 14);
    wait(NULL);
    char message[20];
    TRY(recv(udp, message, sizeof message, 0));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        per_client(family);
        prefork(family);
        shared(family);
    }
    return 0;
}
