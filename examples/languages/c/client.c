// A line client: each line of standard input is sent and its echo printed; then the end is sent and awaited.
// Usage: client ADDRESS PORT
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *address, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *each;
    int fd = -1, error = getaddrinfo(address, port, &hints, &found);
    if (error) {
        fprintf(stderr, "%s: %s\n", address, gai_strerror(error));
        exit(1);
    }
    for (each = found; each; each = each->ai_next) {
        fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) == 0) break;
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

int main(int argc, char **argv) {
    char line[8192];
    if (argc != 3) return 2;
    int fd = connect_to(argv[1], argv[2]);
    if (fd < 0) {
        perror("connect");
        return 1;
    }
    FILE *to = fdopen(fd, "w"), *from = fdopen(dup(fd), "r");
    while (fgets(line, sizeof line, stdin)) {
        if (fputs(line, to) < 0 || fflush(to) || !fgets(line, sizeof line, from)) return 1;
        fputs(line, stdout);
    }
    shutdown(fd, SHUT_WR);
    return fgets(line, sizeof line, from) != NULL;
}
