// MSG_ERRQUEUE: what comes back of datagrams that nobody takes, with IP_RECVERR and IPV6_RECVERR.
#include "check.h"
#include <linux/errqueue.h>

static Address nobody(int family) {
    Address where;
    close(udp_socket(family, &where));
    return where;
}

static int asks(int family) {
    int fd = socket(family, SOCK_DGRAM, 0), on = 1;
    if (family == AF_INET6) TRY(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on));
    else TRY(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
    return fd;
}

// Reads one error and prints all of it; `room` is that of the payload.
static void next_error(int fd, int gone_port, size_t room, size_t control_room) {
    char text[64] = "", control[256];
    Address from = {.length = sizeof from.room};
    struct iovec part = {text, room};
    struct msghdr message = {&from.any, from.length, &part, 1, control, control_room, 0};
    ssize_t n = TRY(recvmsg(fd, &message, MSG_ERRQUEUE));
    if (n < 0) return;
    printf("  payload %.*s to %s flags %s%s%s\n", (int)n, text, shown(&from, gone_port),
           message.msg_flags & MSG_ERRQUEUE ? "ERRQUEUE " : "", message.msg_flags & MSG_TRUNC ? "TRUNC " : "",
           message.msg_flags & MSG_CTRUNC ? "CTRUNC" : "");
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
        struct sock_extended_err error;
        if (one->cmsg_len < CMSG_LEN(sizeof error)) {
            printf("  control %d %d cut to %zu\n", one->cmsg_level, one->cmsg_type, (size_t)one->cmsg_len);
            continue;
        }
        memcpy(&error, CMSG_DATA(one), sizeof error);
        Address offender = {.length = sizeof offender.room};
        memcpy(&offender.room, CMSG_DATA(one) + sizeof error, one->cmsg_len - CMSG_LEN(sizeof error));
        printf("  control %d %d length %zu: %s origin %d type %d code %d info %u data %u offender %s\n", one->cmsg_level,
               one->cmsg_type, (size_t)one->cmsg_len, strerrorname_np(error.ee_errno), error.ee_origin, error.ee_type,
               error.ee_code, error.ee_info, error.ee_data, shown(&offender, 0));
    }
}

static void queue(int family, int connects) {
    SECTION("%s, %s", family_name(family), connects ? "connected" : "unconnected");
    Address gone = nobody(family);
    int fd = asks(family);
    if (connects) TRY(connect(fd, &gone.any, gone.length));
    next_error(fd, 0, 10, 256);
    TRY(sendto(fd, "hello", 5, 0, &gone.any, gone.length));
    EVENTS(fd, POLLERR);
    // The error is also the socket's, once.
    TRY(sendto(fd, "again", 5, 0, &gone.any, gone.length));
    EVENTS(fd, POLLERR);
    TRY(sendto(fd, "third", 5, 0, &gone.any, gone.length));
    EVENTS(fd, POLLERR);
    next_error(fd, port_of(&gone), 64, 256);
    EVENTS(fd, POLLERR);
    next_error(fd, port_of(&gone), 2, 256);
    QUIET(fd, POLLERR);
    next_error(fd, port_of(&gone), 2, 256);
    TRY(sendto(fd, "cut", 3, 0, &gone.any, gone.length));
    EVENTS(fd, POLLERR);
    next_error(fd, port_of(&gone), 64, 16);
    int error = 7;
    socklen_t length = sizeof error;
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
    CHECK(error == 0);
}

// What waits to be read is not lost by an error beside it.
static void beside(int family) {
    SECTION("%s, datagrams beside errors", family_name(family));
    Address gone = nobody(family), where, sender;
    int fd = asks(family), from = udp_socket(family, &sender);
    Address any_port = loopback(family, 0);
    char text[16];
    TRY(bind(fd, &any_port.any, any_port.length));
    where = local_of(fd);
    TRY(sendto(from, "one", 3, 0, &where.any, where.length));
    TRY(sendto(from, "two", 3, 0, &where.any, where.length));
    EVENTS(fd, POLLIN);
    TRY(sendto(fd, "x", 1, 0, &gone.any, gone.length));
    EVENTS(fd, POLLERR);
    next_error(fd, port_of(&gone), 64, 256);
    EVENTS(fd, POLLIN);
    for (int i = 0; i < 2; i++) {
        Address source = {.length = sizeof source.room};
        TRY(recvfrom(fd, text, sizeof text, 0, &source.any, &source.length));
        printf("  %.3s from %s\n", text, shown(&source, port_of(&sender)));
    }
    TRY(recvfrom(fd, text, sizeof text, MSG_DONTWAIT, NULL, NULL));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        queue(family, 0);
        queue(family, 1);
        beside(family);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    TRY(recv(fd, &byte, 1, MSG_ERRQUEUE));
}
