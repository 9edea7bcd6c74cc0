// A super-server: hands each client to a program as its standard input, output and error.
// Usage: inetd ADDRESS PORT PROGRAM [ARGUMENTS...]
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST}, *found;
    int on = 1;
    if (argc < 4 || getaddrinfo(argv[1], argv[2], &hints, &found)) return 2;
    int listener = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, 64) < 0) {
        perror("listen");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    fputs("ready\n", stderr);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        if (fork() == 0) {
            for (int fd = 0; fd < 3; fd++) dup2(client, fd);
            execvp(argv[3], argv + 3);
            _exit(127);
        }
        close(client);
    }
}
