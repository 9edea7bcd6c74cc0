// SO_PEEK_OFF: peeking that goes on where it was, on streams and datagram sockets.
#include "check.h"

static void peek(int fd, size_t length) {
    char text[32] = "";
    ssize_t n = recv(fd, text, length, MSG_PEEK | MSG_DONTWAIT);
    int offset = 77;
    socklen_t size = sizeof offset;
    if (n < 0) printf("  peek %zu: %s", length, strerrorname_np(errno));
    else printf("  peek %zu: '%.*s'", length, (int)n, text);
    getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size);
    printf(", now at %d\n", offset);
}

static void from(int fd, int offset) { TRY(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset)); }

static void streams(int family) {
    SECTION("%s stream", family_name(family));
    int ends[2];
    char text[32];
    tcp_pair(family, ends);
    peek(ends[1], 4);
    TRY(send(ends[0], "abcdefghij", 10, 0));
    CHECK(await_bytes(ends[1], 10));
    peek(ends[1], 4);
    from(ends[1], 0);
    peek(ends[1], 4);
    peek(ends[1], 4);
    TRY(recv(ends[1], text, 3, 0));
    peek(ends[1], 4);
    peek(ends[1], 4);
    from(ends[1], 2);
    peek(ends[1], 3);
    struct iovec part = {text, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    TRY(recvmsg(ends[1], &message, MSG_PEEK));
    printf("  '%.2s'\n", text);
    from(ends[1], -1);
    peek(ends[1], 3);
}

static void datagrams(int family) {
    SECTION("%s datagrams", family_name(family));
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    char text[32];
    from(to, 0);
    TRY(sendto(fd, "abcdef", 6, 0, &where.any, where.length));
    TRY(sendto(fd, "uvwxyz", 6, 0, &where.any, where.length));
    EVENTS(to, POLLIN);
    peek(to, 4);
    peek(to, 4);
    peek(to, 4);
    TRY(recv(to, text, sizeof text, 0));
    peek(to, 4);
    TRY(recv(to, text, sizeof text, 0));
    peek(to, 4);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
}
