// An echo server that forks a child for every client. Usage: forking ADDRESS PORT
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int client) {
    char buffer[4096];
    ssize_t length;
    while ((length = read(client, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, count; done < length; done += count)
            if ((count = write(client, buffer + done, length - done)) < 0) _exit(1);
    _exit(0);
}

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST}, *found;
    int on = 1;
    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &found)) return 2;
    int listener = socket(found->ai_family, found->ai_socktype, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, 64) < 0) {
        perror("listen");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    fputs("ready\n", stderr);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) continue;
        if (fork() == 0) {
            close(listener);
            serve(client);
        }
        close(client);
    }
}
