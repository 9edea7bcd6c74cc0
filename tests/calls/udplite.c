// UDP-Lite: its own ports beside UDP's, coverages as they are set and read, who does not want less hears nothing.
#include "check.h"

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif
#define SEND_CSCOV 10
#define RECV_CSCOV 11

static void cover(int fd, int name, int value) {
    int seen = -1;
    socklen_t length = sizeof seen;
    errno = 0;
    int answer = setsockopt(fd, IPPROTO_UDPLITE, name, &value, sizeof value), error = errno;
    getsockopt(fd, IPPROTO_UDPLITE, name, &seen, &length);
    printf("  %s %d: %s, reads %d\n", name == SEND_CSCOV ? "send" : "receive", value,
           answer < 0 ? strerrorname_np(error) : "done", seen);
}

// Sends fifty bytes and says how many came.
static void exchange(int from, int to, struct sockaddr_in *address) {
    char bytes[50] = {0}, room[100];
    sendto(from, bytes, sizeof bytes, 0, (struct sockaddr *)address, sizeof *address);
    printf("  came: %zd\n", recv(to, room, sizeof room, 0));
}

int main(void) {
    SECTION("UDP-Lite");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), client = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
    struct timeval soon = {.tv_usec = 200000};
    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    bind(server, (struct sockaddr *)&address, sizeof address);
    getsockname(server, (struct sockaddr *)&address, &length);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    printf("  UDP at the same port: %d\n", bind(udp, (struct sockaddr *)&address, sizeof address));
    int again = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
    printf("  UDP-Lite at the same port: %d\n", bind(again, (struct sockaddr *)&address, sizeof address));
    const int values[] = {0, 4, 8, 20, 70000, -1};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        cover(client, SEND_CSCOV, values[i]);
        cover(server, RECV_CSCOV, values[i]);
    }
    cover(server, RECV_CSCOV, 0);
    cover(client, SEND_CSCOV, 8);
    exchange(client, server, &address);
    cover(server, RECV_CSCOV, 30);
    exchange(client, server, &address);
    cover(client, SEND_CSCOV, 30);
    exchange(client, server, &address);
    cover(client, SEND_CSCOV, 0);
    exchange(client, server, &address);
    cover(udp, SEND_CSCOV, 8);
    return 0;
}
