// sendmsg: gathered buffers, names, control data on Internet sockets, limits and wrong arguments.
#include "check.h"

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[32] = "";
    tcp_pair(family, ends);
    struct iovec parts[] = {{"one ", 4}, {"", 0}, {"two ", 4}, {"three", 5}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 4};
    TRY(sendmsg(ends[0], &message, 0));
    CHECK(await_bytes(ends[1], 13));
    TRY(recv(ends[1], text, sizeof text, 0));
    CHECK(strcmp(text, "one two three") == 0);
    message.msg_iovlen = 0;
    TRY(sendmsg(ends[0], &message, 0));
    message.msg_iovlen = 1;
    TRY(sendmsg(ends[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL));
    Address elsewhere = loopback(family, 9);
    message.msg_name = &elsewhere.any;
    message.msg_namelen = elsewhere.length;
    TRY(sendmsg(ends[0], &message, MSG_NOSIGNAL));
    CHECK(await_bytes(ends[1], 8));
    TRY(recv(ends[1], text, sizeof text, 0));
    message.msg_name = NULL;
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(sendmsg(ends[0], &message, 0));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    char text[32] = "";
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    struct iovec parts[] = {{"ab", 2}, {"cde", 3}};
    struct msghdr message = {.msg_name = &where.any, .msg_namelen = where.length, .msg_iov = parts, .msg_iovlen = 2};
    TRY(sendmsg(fd, &message, 0));
    TRY(recv(to, text, sizeof text, 0));
    CHECK(strcmp(text, "abcde") == 0);
    message.msg_iovlen = 0;
    TRY(sendmsg(fd, &message, 0));
    TRY(recv(to, text, sizeof text, 0));
    message.msg_iovlen = 2;
    message.msg_name = NULL;
    message.msg_namelen = 0;
    TRY(sendmsg(fd, &message, 0));
    TRY(connect(fd, &where.any, where.length));
    TRY(sendmsg(fd, &message, 0));
    TRY(recv(to, text, sizeof text, 0));
}

static void control(void) {
    SECTION("control data");
    Address where;
    char text[8], room[CMSG_SPACE(sizeof(int))] = {0};
    int to = udp_socket(AF_INET, &where), fd = socket(AF_INET, SOCK_DGRAM, 0), ttl = 9;
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_name = &where.any, .msg_namelen = where.length, .msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof ttl), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    memcpy(CMSG_DATA(header), &ttl, sizeof ttl);
    TRY(sendmsg(fd, &message, 0));
    TRY(recv(to, text, sizeof text, 0));
    ttl = 0;
    memcpy(CMSG_DATA(header), &ttl, sizeof ttl);
    TRY(sendmsg(fd, &message, 0));
    header->cmsg_len = 3;
    TRY(sendmsg(fd, &message, 0));
    header->cmsg_len = CMSG_LEN(sizeof ttl);
    header->cmsg_type = 9999;
    TRY(sendmsg(fd, &message, 0));
}

static void wrong(void) {
    SECTION("wrong arguments");
    int ends[2];
    static struct iovec many[1025];
    for (int i = 0; i < 1025; i++) many[i] = (struct iovec){"y", 1};
    struct msghdr message = {.msg_iov = many, .msg_iovlen = 1};
    tcp_pair(AF_INET, ends);
    TRY(sendmsg(CLOSED, &message, 0));
    TRY(sendmsg(-1, &message, 0));
    TRY(sendmsg(foreign_file(), &message, 0));
    TRY(sendmsg(foreign_pipe(), &message, 0));
    TRY(sendmsg(ends[0], BAD, 0));
    message.msg_iovlen = 1025;
    TRY(sendmsg(ends[0], &message, 0));
    message.msg_iovlen = 1024;
    TRY(sendmsg(ends[0], &message, 0));
    message = (struct msghdr){.msg_iov = BAD, .msg_iovlen = 1};
    TRY(sendmsg(ends[0], &message, 0));
    struct iovec part = {BAD, 4};
    message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    TRY(sendmsg(ends[0], &message, 0));
    part = (struct iovec){"x", (size_t)-1};
    TRY(sendmsg(ends[0], &message, 0));
    Address where;
    udp_socket(AF_INET, &where);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    part = (struct iovec){"x", 1};
    message = (struct msghdr){.msg_name = BAD, .msg_namelen = 16, .msg_iov = &part, .msg_iovlen = 1};
    TRY(sendmsg(udp, &message, 0));
    message.msg_name = &where.any;
    message.msg_namelen = 5;
    TRY(sendmsg(udp, &message, 0));
    message.msg_namelen = -1;
    TRY(sendmsg(udp, &message, 0));
    message.msg_namelen = where.length;
    message.msg_control = BAD;
    message.msg_controllen = 24;
    TRY(sendmsg(udp, &message, 0));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
    control();
    wrong();
    return 0;
}
