// write: whole and partial writes, SIGPIPE, datagrams by write, wrong arguments.
#include "check.h"

static volatile int pipes;
static void count_pipe(int signal) {
    (void)signal;
    pipes++;
}

// A blocking write of any size is whole when somebody reads.
static void large(int family) {
    SECTION("%s: four megabytes", family_name(family));
    enum { SIZE = 4 << 20 };
    int ends[2];
    char *block = malloc(SIZE);
    for (int i = 0; i < SIZE; i++) block[i] = i * 31 >> 3;
    tcp_pair(family, ends);
    if (fork() == 0) {
        close(ends[1]);
        _exit(write(ends[0], block, SIZE) != SIZE);
    }
    close(ends[0]);
    long total = 0, wrong = 0, count;
    char part[30000];
    while ((count = read(ends[1], part, sizeof part)) > 0) {
        wrong += memcmp(part, block + total, count) != 0;
        total += count;
    }
    int status = -1;
    wait(&status);
    CHECK(total == SIZE);
    CHECK(wrong == 0);
    CHECK(status == 0);
    free(block);
}

static void ends_of(int family) {
    SECTION("%s: after the end", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(write(ends[0], "", 0));
    TRY(write(ends[0], "abc", 3));
    TRY(shutdown(ends[0], SHUT_WR));
    signal(SIGPIPE, count_pipe);
    pipes = 0;
    TRY(write(ends[0], "abc", 3));
    CHECK(pipes == 1);
    pipes = 0;
    TRY(writev(ends[0], &(struct iovec){"abc", 3}, 1));
    CHECK(pipes == 1);
    signal(SIGPIPE, SIG_IGN);
    TRY(pwrite(ends[0], "x", 1, 0));
    Address where;
    char text[8];
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    TRY(write(fd, "x", 1));
    TRY(connect(fd, &where.any, where.length));
    TRY(write(fd, "abc", 3));
    TRY(read(to, text, sizeof text));
    TRY(write(fd, "", 0));
    TRY(fcntl(to, F_SETFL, O_NONBLOCK));
    await(to, POLLIN);
    TRY(read(to, text, sizeof text));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        large(family);
        ends_of(family);
    }
    SECTION("wrong arguments");
    int ends[2];
    tcp_pair(AF_INET, ends);
    TRY(write(CLOSED, "x", 1));
    TRY(write(-1, "x", 1));
    TRY(write(ends[0], BAD, 1));
    TRY(write(ends[0], "x", 1));
    SECTION("sockets that are not connected");
    TRY(write(tcp_listener(AF_INET, 1, NULL), "x", 1));
    TRY(write(socket(AF_INET, SOCK_STREAM, 0), "x", 1));
    return 0;
}
