// An echo server for many clients in one process, with poll. Usage: server ADDRESS PORT
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 256 };

static int listen_on(const char *address, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST}, *found;
    int on = 1, error = getaddrinfo(address, port, &hints, &found);
    if (error) {
        fprintf(stderr, "%s: %s\n", address, gai_strerror(error));
        exit(1);
    }
    int listener = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, 64) < 0) {
        perror(address);
        exit(1);
    }
    freeaddrinfo(found);
    return listener;
}

// Gives back what is there; false when the client has ended.
static int echo(int client) {
    char buffer[4096];
    ssize_t length = read(client, buffer, sizeof buffer);
    for (ssize_t done = 0, count; done < length; done += count)
        if ((count = write(client, buffer + done, length - done)) < 0) return 0;
    return length > 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    struct pollfd entries[CLIENTS_MAX] = {{.fd = listen_on(argv[1], argv[2]), .events = POLLIN}};
    int count = 1;
    fputs("ready\n", stderr);
    for (;;) {
        if (poll(entries, count, -1) < 0 && errno != EINTR) return 1;
        for (int i = count - 1; i > 0; i--) {
            if (!entries[i].revents || echo(entries[i].fd)) continue;
            close(entries[i].fd);
            entries[i] = entries[--count];
        }
        if (entries[0].revents && count < CLIENTS_MAX) {
            int client = accept(entries[0].fd, NULL, NULL);
            if (client >= 0) entries[count++] = (struct pollfd){.fd = client, .events = POLLIN};
        }
    }
}
