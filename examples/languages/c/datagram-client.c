// Sends each line of standard input as one datagram and prints the answer. Usage: datagram-client ADDRESS PORT
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
    struct timeval limit = {5, 0};
    char line[8192];
    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &found)) return 2;
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while (fgets(line, sizeof line, stdin)) {
        if (sendto(fd, line, strlen(line), 0, found->ai_addr, found->ai_addrlen) < 0) return 1;
        ssize_t size = recv(fd, line, sizeof line, 0);
        if (size < 0) return 1;
        fwrite(line, 1, size, stdout);
    }
    return 0;
}
