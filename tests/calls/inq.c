// TCP_INQ: how much is left to be read, told with each recvmsg.
#include "check.h"

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

static void take(int fd, size_t room, size_t control, int flags) {
    char text[64], area[64];
    struct iovec part = {text, room};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = area, .msg_controllen = control};
    long n = recvmsg(fd, &header, flags);
    if (n < 0) {
        printf("  recvmsg: %s\n", strerrorname_np(errno));
        return;
    }
    printf("  recvmsg: %ld bytes, flags %x, control %zu", n, header.msg_flags, (size_t)header.msg_controllen);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
        int left = -1;
        memcpy(&left, CMSG_DATA(at), at->cmsg_len - CMSG_LEN(0));
        printf(", level %d type %d: %d", at->cmsg_level, at->cmsg_type, left);
    }
    printf("\n");
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        int ends[2], value = 2;
        socklen_t length = sizeof value;
        tcp_pair(family, ends);
        TRY(getsockopt(ends[1], IPPROTO_TCP, TCP_INQ, &value, &length));
        TRY(value);
        value = 2;
        TRY(setsockopt(ends[1], IPPROTO_TCP, TCP_INQ, &value, sizeof value));
        value = -1;
        TRY(setsockopt(ends[1], IPPROTO_TCP, TCP_INQ, &value, sizeof value));
        value = 1;
        TRY(setsockopt(ends[1], IPPROTO_TCP, TCP_INQ, &value, 3));
        write(ends[0], "0123456789", 10);
        usleep(50000);
        take(ends[1], 3, 64, 0);
        TRY(setsockopt(ends[1], IPPROTO_TCP, TCP_INQ, &value, sizeof value));
        take(ends[1], 2, 64, MSG_PEEK);
        take(ends[1], 2, 64, 0);
        take(ends[1], 2, CMSG_LEN(2), 0);
        take(ends[1], 64, 64, 0);
        take(ends[1], 64, 64, MSG_DONTWAIT);
        write(ends[0], "abc", 3);
        usleep(50000);
        take(ends[1], 0, 64, 0);
        take(ends[1], 64, 64, MSG_WAITALL | MSG_DONTWAIT);
    }
    return 0;
}
