// What goes beside the bytes of Unix-domain sockets: descriptors and credentials.
#include "check.h"

typedef struct {
    char area[CMSG_SPACE(300 * sizeof(int))], text[64];
    struct iovec part;
    struct msghdr header;
} Message;

static Message *message(const char *text, size_t room) {
    static Message made;
    memset(&made, 0, sizeof made);
    strcpy(made.text, text);
    made.part = (struct iovec){made.text, room};
    made.header = (struct msghdr){.msg_iov = &made.part, .msg_iovlen = 1, .msg_control = made.area};
    return &made;
}

static void add(Message *to, int type, const void *data, size_t length) {
    struct cmsghdr *at = (struct cmsghdr *)(to->area + to->header.msg_controllen);
    *at = (struct cmsghdr){.cmsg_len = CMSG_LEN(length), .cmsg_level = SOL_SOCKET, .cmsg_type = type};
    memcpy(CMSG_DATA(at), data, length);
    to->header.msg_controllen += CMSG_SPACE(length);
}

// Receives and prints what came; gives the first descriptor.
static int take(int fd, size_t room, size_t control, int flags) {
    Message *got = message("", room);
    got->header.msg_controllen = control;
    int first = -1;
    long n = recvmsg(fd, &got->header, flags | MSG_DONTWAIT);
    if (n < 0) return printf("  recvmsg: %s\n", strerrorname_np(errno)), -1;
    printf("  recvmsg: %ld bytes, %.*s, flags %x, control %zu\n", n, (int)n, got->text, got->header.msg_flags & ~MSG_CMSG_CLOEXEC,
        (size_t)got->header.msg_controllen);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&got->header); at; at = CMSG_NXTHDR(&got->header, at)) {
        if (at->cmsg_type == SCM_CREDENTIALS) {
            struct ucred *who = (struct ucred *)CMSG_DATA(at);
            printf("  credentials: %s\n", who->pid == getpid() && who->uid == getuid() ? "ours" : who->pid ? "others" : "none");
        } else if (at->cmsg_type == SCM_RIGHTS) {
            int count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int), fds[300];
            memcpy(fds, CMSG_DATA(at), count * sizeof(int));
            printf("  %d descriptors, the first%s close-on-exec\n", count, fcntl(fds[0], F_GETFD) ? "" : " not");
            for (int i = 1; i < count; i++) close(fds[i]);
            first = fds[0];
        }
    }
    return first;
}

static void rights(int type) {
    SECTION("rights, type %d", type);
    int ends[2], passed[2], pipe_ends[2];
    char text[16];
    socketpair(AF_UNIX, type, 0, ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, passed);
    require(pipe(pipe_ends) == 0, "pipe");
    Message *out = message("one", 3);
    add(out, SCM_RIGHTS, &passed[0], sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    close(passed[0]);
    int got = take(ends[1], 64, sizeof out->area, 0);
    TRY(write(got, "through", 7));
    TRY(read(passed[1], text, sizeof text));
    close(got);
    TRY(read(passed[1], text, sizeof text));
    // One of the system's.
    out = message("pipe", 4);
    add(out, SCM_RIGHTS, &pipe_ends[1], sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    got = take(ends[1], 64, sizeof out->area, MSG_CMSG_CLOEXEC);
    TRY(write(got, "pipe", 4));
    TRY(read(pipe_ends[0], text, sizeof text));
    close(got);
    // No room, little room, none at all; two messages; a peek; one that nobody takes.
    int fds[3] = {passed[1], passed[1], pipe_ends[0]};
    size_t rooms[] = {0, CMSG_LEN(0), CMSG_LEN(0) + 2, CMSG_LEN(4), CMSG_SPACE(4), CMSG_LEN(12), CMSG_SPACE(12)};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        out = message("three", 5);
        add(out, SCM_RIGHTS, fds, sizeof fds);
        TRY(sendmsg(ends[0], &out->header, 0));
        close(take(ends[1], 64, rooms[i], 0));
    }
    out = message("half", 4);
    add(out, SCM_RIGHTS, fds, sizeof(int));
    sendmsg(ends[0], &out->header, 0);
    TRY(send(ends[0], "plain", 5, 0));
    out = message("last", 4);
    add(out, SCM_RIGHTS, fds, sizeof(int));
    sendmsg(ends[0], &out->header, 0);
    close(take(ends[1], 2, sizeof out->area, MSG_PEEK));
    close(take(ends[1], 2, sizeof out->area, 0));
    close(take(ends[1], 64, sizeof out->area, 0));
    close(take(ends[1], 64, sizeof out->area, 0));
    close(take(ends[1], 64, sizeof out->area, 0));
    // Wrong ones.
    int closed = CLOSED, many[254];
    out = message("bad", 3);
    add(out, SCM_RIGHTS, &closed, sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    for (int i = 0; i < 254; i++) many[i] = passed[1];
    out = message("many", 4);
    add(out, SCM_RIGHTS, many, sizeof many);
    TRY(sendmsg(ends[0], &out->header, 0));
    out = message("most", 4);
    add(out, SCM_RIGHTS, many, sizeof many - sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    close(take(ends[1], 64, sizeof out->area, 0));
    out = message("type", 4);
    add(out, 77, many, 4);
    TRY(sendmsg(ends[0], &out->header, 0));
    out = message("short", 5);
    add(out, SCM_RIGHTS, many, 4);
    ((struct cmsghdr *)out->area)->cmsg_len = 3;
    TRY(sendmsg(ends[0], &out->header, 0));
    // What nobody has taken is closed with the socket.
    int left[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, left);
    out = message("left", 4);
    add(out, SCM_RIGHTS, &left[0], sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    close(left[0]);
    TRY(recv(left[1], text, sizeof text, MSG_DONTWAIT));
    close(ends[0]);
    close(ends[1]);
    TRY(recv(left[1], text, sizeof text, 0));
}

static void credentials(int type) {
    SECTION("credentials, type %d", type);
    int ends[2], on = 1, off = 0;
    socketpair(AF_UNIX, type, 0, ends);
    TRY(send(ends[0], "before", 6, 0));
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    TRY(send(ends[0], "after", 5, 0));
    take(ends[1], 64, 200, 0);
    take(ends[1], 64, 200, 0);
    struct ucred who = {getpid(), getuid(), getgid()};
    Message *out = message("told", 4);
    add(out, SCM_CREDENTIALS, &who, sizeof who);
    TRY(sendmsg(ends[0], &out->header, 0));
    take(ends[1], 64, 200, 0);
    out = message("short", 5);
    add(out, SCM_CREDENTIALS, &who, sizeof who - 4);
    TRY(sendmsg(ends[0], &out->header, 0));
    out = message("both", 4);
    add(out, SCM_CREDENTIALS, &who, sizeof who);
    add(out, SCM_RIGHTS, &ends[0], sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    close(take(ends[1], 64, 200, 0));
    out = message("room", 4);
    add(out, SCM_RIGHTS, &ends[0], sizeof(int));
    TRY(sendmsg(ends[0], &out->header, 0));
    close(take(ends[1], 64, CMSG_SPACE(sizeof who), 0));
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &off, sizeof off));
    TRY(send(ends[0], "off", 3, 0));
    take(ends[1], 64, 200, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    begin();
    int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 3; i++) {
        rights(types[i]);
        credentials(types[i]);
    }
    return 0;
}
