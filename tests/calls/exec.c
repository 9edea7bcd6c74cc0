// exec: sockets on inherited numbers, close-on-exec, the inetd way (the socket as 0, 1 and 2).
#include "check.h"

// What the program does when it is started again by itself.
static int again(const char *how, int fd) {
    char text[64];
    if (strcmp(how, "echo") == 0) {
        ssize_t length = read(0, text, sizeof text);
        return write(1, text, length) != length || write(2, "!", 1) != 1;
    }
    if (strcmp(how, "gone") == 0) return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
    if (strcmp(how, "accept") == 0) {
        int client = accept(fd, NULL, NULL);
        return write(client, "accepted after exec", 19) != 19;
    }
    if (strcmp(how, "names") == 0) {
        Address name = local_of(fd), peer = {.length = sizeof peer.room};
        return port_of(&name) == 0 || getpeername(fd, &peer.any, &peer.length) != 0;
    }
    return 9;
}

static pid_t start(const char *how, int fd, int standard) {
    fflush(stdout);
    pid_t child = fork();
    if (child) return child;
    char number[12];
    snprintf(number, sizeof number, "%d", fd);
    for (int i = 0; standard && i < 3; i++) dup2(fd, i);
    execl("/proc/self/exe", "exec", how, number, (char *)NULL);
    _exit(99);
}
static int finish(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv) {
    if (argc == 3) return again(argv[1], atoi(argv[2]));
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        Address where;
        char text[32];
        int ends[2], listener = tcp_listener(family, 4, &where);
        tcp_pair(family, ends);
        pid_t child = start("echo", ends[1], 1);
        close(ends[1]);
        TRY(write(ends[0], "to inetd's child", 16));
        TRY(recv(ends[0], text, 17, MSG_WAITALL));
        CHECK(memcmp(text, "to inetd's child!", 17) == 0);
        TRY(read(ends[0], text, 1));
        TRY(finish(child));
        tcp_pair(family, ends);
        TRY(finish(start("names", ends[0], 0)));
        TRY(fcntl(ends[0], F_SETFD, FD_CLOEXEC));
        TRY(finish(start("gone", ends[0], 0)));
        int marked = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        TRY(finish(start("gone", marked, 0)));
        child = start("accept", listener, 0);
        int client = connected_to(&where);
        TRY(recv(client, text, 19, MSG_WAITALL));
        TRY(finish(child));
        TRY(read(client, text, 1));
        client = connected_to(&where);
        int fd = accept(listener, NULL, NULL);
        TRY(write(client, "the listener stays", 18));
        TRY(recv(fd, text, 18, MSG_WAITALL));
    }
    return 0;
}
