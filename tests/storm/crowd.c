// Many connections open at once through one listener; each carries its number there and back twice: once
// when made, once when all are there.     crowd CONNECTIONS
#include "storm.h"

static int count;

static void serve(int listener) {
    int *fds = calloc(count, sizeof *fds), number;
    for (int i = 0; i < count; i++) {
        need((fds[i] = accept(listener, NULL, NULL)) >= 0, "accept");
        need(recv(fds[i], &number, sizeof number, MSG_WAITALL) == sizeof number, "recv");
        need(send(fds[i], &number, sizeof number, 0) == sizeof number, "send");
    }
    for (int i = 0; i < count; i++) {
        need(recv(fds[i], &number, sizeof number, MSG_WAITALL) == sizeof number, "recv, all there");
        need(send(fds[i], &number, sizeof number, 0) == sizeof number, "send, all there");
    }
    for (int i = 0; i < count; i++) need(recv(fds[i], &number, 1, 0) == 0, "the end");
}

static void exchange(int fd, int number, const char *when) {
    int back = -1;
    need(send(fd, &number, sizeof number, 0) == sizeof number, when);
    need(recv(fd, &back, sizeof back, MSG_WAITALL) == sizeof back && back == number, when);
}

int main(int argc, char **argv) {
    need(argc == 2, "usage");
    struct sockaddr_in where;
    int status = -1, listener = bound(SOCK_STREAM, &where);
    alarm(120);
    raise_descriptor_limit();
    count = atoi(argv[1]);
    need(listen(listener, 4096) == 0, "listen");
    pid_t server = fork();
    if (server == 0) {
        alarm(120);
        serve(listener);
        return 0;
    }
    close(listener);
    int *fds = calloc(count, sizeof *fds);
    for (int i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        need(connect(fds[i], (struct sockaddr *)&where, sizeof where) == 0, "connect");
        exchange(fds[i], i, "when made");
    }
    printf("open at once: %d\n", count);
    for (int i = 0; i < count; i++) exchange(fds[i], i, "when all are there");
    for (int i = 0; i < count; i++) close(fds[i]);
    waitpid(server, &status, 0);
    printf("the server: %d\n", status);
    return status != 0;
}
