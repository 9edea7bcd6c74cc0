// sendmmsg: several messages in one call, the count and lengths that come back, a failure in the middle.
#include "check.h"

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where, closed = loopback(family, 0);
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    char text[16];
    struct iovec parts[] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    struct mmsghdr messages[3] = {0};
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_name = &where.any, .msg_namelen = where.length,
                                              .msg_iov = &parts[i], .msg_iovlen = 1};
    TRY(sendmmsg(fd, messages, 3, 0));
    CHECK(messages[0].msg_len == 1 && messages[1].msg_len == 2 && messages[2].msg_len == 3);
    for (int i = 0; i < 3; i++) TRY(recv(to, text, sizeof text, 0));
    TRY(sendmmsg(fd, messages, 0, 0));
    messages[1].msg_hdr.msg_namelen = 3;
    TRY(sendmmsg(fd, messages, 3, 0));
    TRY(recv(to, text, sizeof text, 0));
    TRY(recv(to, text, sizeof text, MSG_DONTWAIT));
    TRY(sendmmsg(fd, messages + 1, 2, 0));
    messages[0].msg_hdr.msg_name = &closed.any;
    TRY(sendmmsg(fd, messages, 1, 0));
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    struct iovec parts[] = {{"hello ", 6}, {"world", 5}};
    struct mmsghdr messages[2] = {0};
    for (int i = 0; i < 2; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    TRY(sendmmsg(ends[0], messages, 2, 0));
    CHECK(await_bytes(ends[1], 11));
    TRY(recv(ends[1], text, sizeof text, 0));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(sendmmsg(ends[0], messages, 2, MSG_NOSIGNAL));
}

static void wrong(void) {
    SECTION("wrong arguments");
    struct mmsghdr message = {0};
    TRY(sendmmsg(CLOSED, &message, 1, 0));
    TRY(sendmmsg(-1, &message, 1, 0));
    TRY(sendmmsg(foreign_file(), &message, 1, 0));
    TRY(sendmmsg(socket(AF_INET, SOCK_DGRAM, 0), BAD, 1, 0));
    TRY(sendmmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 1, 0));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        datagrams(family);
        streams(family);
    }
    wrong();
    return 0;
}
