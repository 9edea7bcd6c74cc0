// Datagrams that are sent together: UDP_SEGMENT, UDP_GRO, UDP_CORK, MSG_MORE.
#include "check.h"
#include <netinet/udp.h>

static char text[4096], got[8192];

// Everything that waits: lengths, the batch's length where one is told, the first letters.
static void drain(int fd) {
    for (;;) {
        char control[128];
        struct iovec part = {got, sizeof got};
        struct msghdr message = {NULL, 0, &part, 1, control, sizeof control, 0};
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
        if (n < 0) break;
        printf("  %zd bytes from '%c'", n, n ? got[0] : '-');
        for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one))
            if (one->cmsg_level == SOL_UDP && one->cmsg_type == UDP_GRO) {
                int length;
                memcpy(&length, CMSG_DATA(one), sizeof length);
                printf(" in datagrams of %d, %zu", length, (size_t)one->cmsg_len);
            }
        printf("\n");
    }
    printf("  then %s\n", strerrorname_np(errno));
}

static ssize_t send_cut(int fd, size_t length, unsigned short each, const Address *to) {
    char control[CMSG_SPACE(sizeof each)] = "";
    struct iovec part = {text, length};
    struct msghdr message = {to ? (void *)&to->any : NULL, to ? to->length : 0, &part, 1, control, sizeof control, 0};
    struct cmsghdr *one = CMSG_FIRSTHDR(&message);
    *one = (struct cmsghdr){CMSG_LEN(sizeof each), SOL_UDP, UDP_SEGMENT};
    memcpy(CMSG_DATA(one), &each, sizeof each);
    return sendmsg(fd, &message, 0);
}

static void segments(int family) {
    SECTION("%s, UDP_SEGMENT", family_name(family));
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    TRY(send_cut(fd, 1000, 300, &where));
    drain(to);
    TRY(send_cut(fd, 300, 300, &where));
    TRY(send_cut(fd, 10, 300, &where));
    TRY(send_cut(fd, 0, 300, &where));
    drain(to);
    TRY(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){500}, sizeof(int)));
    TRY(sendto(fd, text, 1100, 0, &where.any, where.length));
    TRY(send_cut(fd, 1100, 1000, &where));
    drain(to);
    // At most 128 of them.
    TRY(send_cut(fd, 128, 1, &where));
    TRY(send_cut(fd, 129, 1, &where));
    int count = 0;
    while (await_ms(to, POLLIN, 100) && recv(to, got, sizeof got, MSG_DONTWAIT) == 1) count++;
    CHECK(count == 128);
    // Sent plainly, by one that is connected.
    TRY(connect(fd, &where.any, where.length));
    TRY(send(fd, text, 1200, 0));
    EVENTS(to, POLLIN);
    for (int i = 0; i < 3; i++) TRY(recv(to, got, sizeof got, 0));
    TRY(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){0}, sizeof(int)));
    TRY(send(fd, text, 1200, 0));
    TRY(recv(to, got, sizeof got, 0));
}

static void batches(int family) {
    SECTION("%s, UDP_GRO", family_name(family));
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    TRY(setsockopt(to, SOL_UDP, UDP_GRO, &(int){1}, sizeof(int)));
    TRY(send_cut(fd, 1000, 300, &where));
    TRY(sendto(fd, text, 700, 0, &where.any, where.length));
    TRY(send_cut(fd, 900, 300, &where));
    drain(to);
    TRY(setsockopt(to, SOL_UDP, UDP_GRO, &(int){0}, sizeof(int)));
    TRY(send_cut(fd, 700, 300, &where));
    drain(to);
}

static void corks(int family) {
    SECTION("%s, UDP_CORK and MSG_MORE", family_name(family));
    Address where, other;
    int to = udp_socket(family, &where), aside = udp_socket(family, &other), fd = socket(family, SOCK_DGRAM, 0);
    TRY(setsockopt(fd, SOL_UDP, UDP_CORK, &(int){1}, sizeof(int)));
    TRY(sendto(fd, text, 100, 0, &where.any, where.length));
    // The first part has said where it goes.
    TRY(sendto(fd, text, 200, 0, &other.any, other.length));
    drain(to);
    TRY(setsockopt(fd, SOL_UDP, UDP_CORK, &(int){0}, sizeof(int)));
    drain(to);
    drain(aside);
    TRY(sendto(fd, text, 10, MSG_MORE, &where.any, where.length));
    TRY(sendto(fd, text, 20, MSG_MORE, &where.any, where.length));
    drain(to);
    TRY(sendto(fd, text, 30, 0, &where.any, where.length));
    drain(to);
    // Plainly, and the end of the cork.
    TRY(connect(fd, &where.any, where.length));
    TRY(setsockopt(fd, SOL_UDP, UDP_CORK, &(int){1}, sizeof(int)));
    TRY(send(fd, text, 40, 0));
    TRY(write(fd, text, 50));
    QUIET(to, POLLIN);
    TRY(setsockopt(fd, SOL_UDP, UDP_CORK, &(int){0}, sizeof(int)));
    EVENTS(to, POLLIN);
    drain(to);
}

int main(void) {
    begin();
    for (size_t i = 0; i < sizeof text; i++) text[i] = 'a' + i / 100 % 26;
    EACH_FAMILY(family) {
        segments(family);
        batches(family);
        corks(family);
    }
}
