// SCM_RIGHTS: Internet sockets handed over a Unix socket: connected, listening, fresh, datagram.
#include "check.h"

static void hand(int over, int fd) {
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    require(sendmsg(over, &message, 0) == 1, "sendmsg");
}

static int taken(int over) {
    char room[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;
    require(recvmsg(over, &message, 0) == 1, "recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    require(header && header->cmsg_type == SCM_RIGHTS, "SCM_RIGHTS");
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

// The child takes four sockets, brings each to life, and reports by what it does with them.
static void child(int over, Address where) {
    char text[16];
    int connected = taken(over);
    if (write(connected, "hello", 5) != 5) _exit(1);
    int listener = taken(over), client = accept(listener, NULL, NULL);
    if (client < 0 || write(client, "accepted", 8) != 8) _exit(2);
    int fresh = taken(over);
    if (connect(fresh, &where.any, where.length) != 0) _exit(3);
    int datagrams = taken(over);
    Address name = local_of(datagrams);
    if (port_of(&name) == 0 || recv(datagrams, text, sizeof text, 0) != 3) _exit(4);
    _exit(0);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        Address where, target, of_udp;
        int ends[2], pipe_ends[2], status = -1;
        char text[16];
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, pipe_ends) == 0, "socketpair");
        int last = tcp_listener(family, 4, &target);
        if (fork() == 0) child(pipe_ends[1], target);
        tcp_pair(family, ends);
        int listener = tcp_listener(family, 4, &where), fresh = socket(family, SOCK_STREAM, 0);
        int udp = udp_socket(family, &of_udp);
        int client = connected_to(&where);
        hand(pipe_ends[0], ends[0]);
        hand(pipe_ends[0], listener);
        hand(pipe_ends[0], fresh);
        hand(pipe_ends[0], udp);
        TRY(close(ends[0]));
        TRY(close(listener));
        TRY(close(udp));
        TRY(recv(ends[1], text, 5, MSG_WAITALL));
        TRY(recv(client, text, 8, MSG_WAITALL));
        int fd = accept(last, NULL, NULL);
        CHECK(fd >= 0);
        TRY(write(fresh, "through ours", 12));
        TRY(recv(fd, text, 12, MSG_WAITALL));
        int sender = socket(family, SOCK_DGRAM, 0);
        TRY(sendto(sender, "abc", 3, 0, &of_udp.any, of_udp.length));
        TRY(waitpid(-1, &status, 0) > 0);
        TRY(status);
        TRY(recv(ends[1], text, 5, 0));
        TRY(recv(client, text, 5, 0));
        int reuse = socket(family, SOCK_DGRAM, 0);
        TRY(bind(reuse, &of_udp.any, of_udp.length));
    }
    return 0;
}
