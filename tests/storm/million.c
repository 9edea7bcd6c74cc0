// socket, bind, close, a million times, one port for all: the runner looks at the supervisor's memory and
// descriptors at the two marks.     million ROUNDS
#include "storm.h"

// Tells the runner that it may look, and waits for its byte.
static void mark(const char *name) {
    char byte;
    printf("%s %d\n", name, getpid());
    need(read(0, &byte, 1) == 1, "the runner");
}

static void rounds(int count, struct sockaddr_in where) {
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);
        need(fd >= 0, "socket");
        need(bind(fd, (struct sockaddr *)&where, sizeof where) == 0, "bind");
        need(close(fd) == 0, "close");
    }
}

int main(int argc, char **argv) {
    need(argc == 2, "usage");
    struct sockaddr_in where;
    setvbuf(stdout, NULL, _IOLBF, 0);
    close(bound(SOCK_STREAM, &where));
    rounds(10000, where);
    mark("warm");
    rounds(atoi(argv[1]), where);
    mark("done");
    return 0;
}
