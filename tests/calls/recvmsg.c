// recvmsg: scattered buffers, the sender's name, truncation flags, PKTINFO and other control data.
#include "check.h"

static const char *flags_text(int flags) {
    static char text[80];
    snprintf(text, sizeof text, "%s%s%s%s", flags & MSG_TRUNC ? "TRUNC " : "", flags & MSG_CTRUNC ? "CTRUNC " : "",
             flags & MSG_EOR ? "EOR " : "", flags & MSG_CMSG_CLOEXEC ? "CLOEXEC " : "");
    return text[0] ? text : "none";
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char first[4], second[32], room[64];
    Address from;
    tcp_pair(family, ends);
    TRY(send(ends[0], "abcdefghij", 10, 0));
    CHECK(await_bytes(ends[1], 10));
    struct iovec parts[] = {{first, 4}, {second, 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = room, .msg_controllen = sizeof room};
    TRY(recvmsg(ends[1], &message, MSG_PEEK));
    TRY(recvmsg(ends[1], &message, 0));
    CHECK(memcmp(first, "abcd", 4) == 0 && memcmp(second, "efg", 3) == 0);
    CHECK(message.msg_controllen == 0);
    printf("  flags: %s\n", flags_text(message.msg_flags));
    message = (struct msghdr){.msg_name = &from.any, .msg_namelen = sizeof from.room, .msg_iov = parts, .msg_iovlen = 2};
    TRY(recvmsg(ends[1], &message, 0));
    CHECK(message.msg_namelen == 0);
    TRY(recvmsg(ends[1], &message, MSG_DONTWAIT));
    TRY(send(ends[0], "discard", 7, 0));
    CHECK(await_bytes(ends[1], 7));
    TRY(recv(ends[1], BAD, 3, MSG_TRUNC));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(recvmsg(ends[1], &message, MSG_WAITALL));
    TRY(recvmsg(ends[1], &message, 0));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where, mine, from;
    int fd = udp_socket(family, &where), sender = udp_socket(family, &mine);
    char text[8];
    for (int i = 0; i < 3; i++) TRY(sendto(sender, "twelve bytes", 12, 0, &where.any, where.length));
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_name = &from.any, .msg_namelen = sizeof from.room, .msg_iov = &part, .msg_iovlen = 1};
    TRY(recvmsg(fd, &message, 0));
    printf("  flags: %s, from %s\n", flags_text(message.msg_flags), shown(&from, port_of(&mine)));
    CHECK(message.msg_namelen == where.length);
    TRY(recvmsg(fd, &message, MSG_TRUNC));
    message.msg_iovlen = 0;
    TRY(recvmsg(fd, &message, 0));
    printf("  flags: %s\n", flags_text(message.msg_flags));
    TRY(recvmsg(fd, &message, MSG_DONTWAIT));
}

static void show_control(struct msghdr *message) {
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *info = (void *)CMSG_DATA(at);
            printf("  IP_PKTINFO: to %s, interface known: %d\n", inet_ntoa(info->ipi_addr), info->ipi_ifindex > 0);
        } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo *info = (void *)CMSG_DATA(at);
            printf("  IPV6_PKTINFO: loopback: %d\n", IN6_IS_ADDR_LOOPBACK(&info->ipi6_addr));
        } else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TTL) {
            printf("  IP_TTL: %d\n", *(int *)CMSG_DATA(at));
        } else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_TIMESTAMP) {
            printf("  SO_TIMESTAMP: %d\n", ((struct timeval *)CMSG_DATA(at))->tv_sec > 1000000000);
        } else {
            printf("  control %d %d\n", at->cmsg_level, at->cmsg_type);
        }
    }
    printf("  flags: %s\n", flags_text(message->msg_flags));
}

static void control(void) {
    SECTION("control data");
    Address where, where6;
    int on = 1, fd = udp_socket(AF_INET, &where), fd6 = udp_socket(AF_INET6, &where6);
    char text[8], room[256];
    TRY(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    TRY(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on));
    TRY(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
    TRY(setsockopt(fd6, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on));
    for (int i = 0; i < 2; i++) TRY(sendto(fd, "x", 1, 0, &where.any, where.length));
    TRY(sendto(fd6, "x", 1, 0, &where6.any, where6.length));
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    TRY(recvmsg(fd, &message, 0));
    show_control(&message);
    message.msg_controllen = 8;
    TRY(recvmsg(fd, &message, 0));
    show_control(&message);
    message.msg_controllen = sizeof room;
    TRY(recvmsg(fd6, &message, 0));
    show_control(&message);
}

// What an IPv6 socket that asks for everything is told of an IPv4 datagram, and of its own.
static void both_families(void) {
    SECTION("everything asked for");
    static const int options6[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVORIGDSTADDR};
    static const int options4[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR};
    Address where = wildcard(AF_INET6, 0);
    int on = 1, off = 0, to = socket(AF_INET6, SOCK_DGRAM, 0);
    setsockopt(to, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    for (int i = 0; i < 4; i++) {
        setsockopt(to, IPPROTO_IPV6, options6[i], &on, sizeof on);
        setsockopt(to, IPPROTO_IP, options4[i], &on, sizeof on);
    }
    TRY(bind(to, &where.any, where.length));
    Address got = local_of(to);
    for (int i = 0; i < 2; i++) {
        int family = i ? AF_INET6 : AF_INET, from = socket(family, SOCK_DGRAM, 0);
        Address target = loopback(family, port_of(&got));
        TRY(sendto(from, "x", 1, 0, &target.any, target.length));
        close(from);
    }
    char byte, room[256];
    struct iovec part = {&byte, 1};
    for (int i = 0; i < 2; i++) {
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        await(to, POLLIN);
        TRY(recvmsg(to, &message, 0));
        for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
            printf("  %d %d of %zu bytes, family %d\n", at->cmsg_level, at->cmsg_type, (size_t)at->cmsg_len,
                at->cmsg_type == IP_ORIGDSTADDR ? *(uint16_t *)CMSG_DATA(at) : 0);
        printf("  %zu bytes in all, flags: %s\n", (size_t)message.msg_controllen, flags_text(message.msg_flags));
    }
    // With little room they are cut within data, within a header, in the filling.
    Address target = loopback(AF_INET, port_of(&got));
    int from = socket(AF_INET, SOCK_DGRAM, 0);
    for (size_t length = 0; length < 140; length += 7) {
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = length};
        sendto(from, "x", 1, 0, &target.any, target.length);
        await(to, POLLIN);
        TRY(recvmsg(to, &message, 0));
        printf("  %zu of %zu bytes, flags: %s\n", (size_t)message.msg_controllen, length, flags_text(message.msg_flags));
    }
    close(from);
    close(to);
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address where;
    char text[8];
    int fd = udp_socket(AF_INET, &where);
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    TRY(recvmsg(CLOSED, &message, 0));
    TRY(recvmsg(-1, &message, 0));
    TRY(recvmsg(foreign_file(), &message, 0));
    TRY(recvmsg(foreign_pipe(), &message, 0));
    for (int i = 0; i < 4; i++) sendto(fd, "abc", 3, 0, &where.any, where.length);
    TRY(recvmsg(fd, BAD, 0));
    message.msg_iovlen = 1025;
    TRY(recvmsg(fd, &message, 0));
    message = (struct msghdr){.msg_iov = BAD, .msg_iovlen = 1};
    TRY(recvmsg(fd, &message, 0));
    part.iov_base = BAD;
    message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    TRY(recvmsg(fd, &message, 0));
    part.iov_base = text;
    message.msg_name = BAD;
    message.msg_namelen = 16;
    TRY(recvmsg(fd, &message, 0));
    message.msg_name = NULL;
    TRY(recvmsg(fd, &message, MSG_DONTWAIT));
    TRY(recvmsg(fd, &message, MSG_ERRQUEUE));
}

// Where a datagram was sent to, as an address with the port.
static void original_destination(int family) {
    SECTION("%s: the original destination", family_name(family));
    Address where;
    int to = udp_socket(family, &where), from = socket(family, SOCK_DGRAM, 0), on = 1;
    int level = family == AF_INET6 ? SOL_IPV6 : SOL_IP;
    int name = family == AF_INET6 ? IPV6_RECVORIGDSTADDR : IP_RECVORIGDSTADDR;
    TRY(setsockopt(to, level, name, &on, sizeof on));
    TRY(sendto(from, "x", 1, 0, &where.any, where.length));
    char byte, room[128];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    await(to, POLLIN);
    TRY(recvmsg(to, &message, 0));
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    CHECK(control && control->cmsg_level == level && control->cmsg_type == name);
    CHECK(control && control->cmsg_len == CMSG_LEN(where.length));
    CHECK(control && memcmp(CMSG_DATA(control), &where.any, where.length) == 0);
    close(to);
    close(from);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        original_destination(family);
        streams(family);
        datagrams(family);
    }
    control();
    both_families();
    wrong();
    return 0;
}
