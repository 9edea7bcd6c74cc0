// A datagram echo server. Usage: datagram-server ADDRESS PORT
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST}, *found;
    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &found)) return 2;
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    if (bind(fd, found->ai_addr, found->ai_addrlen) < 0) {
        perror("bind");
        return 1;
    }
    fputs("ready\n", stderr);
    for (;;) {
        char message[65536];
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        ssize_t size = recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &length);
        if (size >= 0) sendto(fd, message, size, 0, (struct sockaddr *)&from, length);
    }
}
