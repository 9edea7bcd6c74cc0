// The port is free for the very next bind after the last close: by close, by the last of several copies, by
// the end of a process, by kill -9.     rebind ROUNDS
#include "storm.h"

static struct sockaddr_in where;

static int taken(int type) {
    int fd = socket(AF_INET, type, 0);
    need(bind(fd, (struct sockaddr *)&where, sizeof where) == 0, "bind at once");
    if (type == SOCK_STREAM) need(listen(fd, 4) == 0, "listen");
    return fd;
}
static void refused(int type) {
    int fd = socket(AF_INET, type, 0);
    need(bind(fd, (struct sockaddr *)&where, sizeof where) < 0 && errno == EADDRINUSE, "EADDRINUSE");
    close(fd);
}

static void by_copies(int type) {
    int fd = taken(type), copy = dup(fd);
    close(fd);
    refused(type);
    close(copy);
    close(taken(type));
}

static void by_death(int type, int killed) {
    int ready[2], status;
    char byte;
    need(pipe(ready) == 0, "pipe");
    pid_t child = fork();
    if (child == 0) {
        taken(type);
        need(write(ready[1], "r", 1) == 1, "write");
        if (!killed) _exit(0);
        pause();
    }
    need(read(ready[0], &byte, 1) == 1, "the child");
    if (killed) {
        refused(type);
        kill(child, SIGKILL);
    }
    waitpid(child, &status, 0);
    close(taken(type));
    close(ready[0]);
    close(ready[1]);
}

int main(int argc, char **argv) {
    need(argc == 2, "usage");
    alarm(120);
    close(bound(SOCK_STREAM, &where));
    for (int i = 0; i < atoi(argv[1]); i++) {
        int type = i % 2 ? SOCK_STREAM : SOCK_DGRAM;
        close(taken(type));
        by_copies(type);
        by_death(type, 0);
        by_death(type, 1);
    }
    printf("always free at once\n");
    return 0;
}
