// recvmmsg: several messages in one call, MSG_WAITFORONE, the timeout, names and truncation, wrong arguments.
#include "check.h"

enum { SLOTS = 4 };
static char texts[SLOTS][8];
static Address names[SLOTS];
static struct iovec parts[SLOTS];
static struct mmsghdr messages[SLOTS];

static void prepare(void) {
    for (int i = 0; i < SLOTS; i++) {
        parts[i] = (struct iovec){texts[i], sizeof texts[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i].any, .msg_namelen = sizeof names[i].room,
                                              .msg_iov = &parts[i], .msg_iovlen = 1};
        messages[i].msg_len = 0;
    }
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where, mine;
    int fd = udp_socket(family, &where), sender = udp_socket(family, &mine);
    prepare();
    TRY(recvmmsg(fd, messages, SLOTS, MSG_DONTWAIT, NULL));
    for (int i = 1; i < 4; i++) TRY(sendto(sender, "0123456789ab", i * 4, 0, &where.any, where.length));
    TRY(recvmmsg(fd, messages, SLOTS, MSG_DONTWAIT, NULL));
    for (int i = 0; i < 3; i++)
        printf("  %u bytes%s from %s\n", messages[i].msg_len,
               messages[i].msg_hdr.msg_flags & MSG_TRUNC ? " (cut)" : "", shown(&names[i], port_of(&mine)));
    prepare();
    for (int i = 0; i < 2; i++) TRY(sendto(sender, "x", 1, 0, &where.any, where.length));
    TRY(recvmmsg(fd, messages, SLOTS, MSG_WAITFORONE, NULL));
    struct timespec limit = {0, 50000000};
    for (int i = 0; i < 2; i++) TRY(sendto(sender, "x", 1, 0, &where.any, where.length));
    TRY(recvmmsg(fd, messages, 2, 0, &limit));
    TRY(recvmmsg(fd, messages, 0, MSG_DONTWAIT, NULL));
}

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    prepare();
    TRY(send(ends[0], "0123456789", 10, 0));
    CHECK(await_bytes(ends[1], 10));
    TRY(recvmmsg(ends[1], messages, SLOTS, MSG_DONTWAIT, NULL));
    CHECK(messages[0].msg_len == 8 && messages[1].msg_len == 2);
    TRY(recvmmsg(ends[1], messages, SLOTS, MSG_DONTWAIT, NULL));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(recvmmsg(ends[1], messages, 1, 0, NULL));
    CHECK(messages[0].msg_len == 0);
}

static void wrong(void) {
    SECTION("wrong arguments");
    struct timespec bad = {0, 2000000000};
    int fd = udp_socket(AF_INET, NULL);
    prepare();
    TRY(recvmmsg(CLOSED, messages, 1, 0, NULL));
    TRY(recvmmsg(-1, messages, 1, 0, NULL));
    TRY(recvmmsg(foreign_file(), messages, 1, 0, NULL));
    TRY(recvmmsg(fd, messages, 1, 0, &bad));
    TRY(recvmmsg(fd, BAD, 1, MSG_DONTWAIT, NULL));
    TRY(recvmmsg(fd, messages, 1, MSG_DONTWAIT, BAD));
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
