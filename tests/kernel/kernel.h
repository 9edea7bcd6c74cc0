// What the kernel tests share. Each asks the running kernel alone whether it behaves as the design assumes;
// a test prints nothing and ends with 0, or names what it found different.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A fact that the design leans on.
#define HOLDS(fact)                                                                                 \
    do {                                                                                            \
        if (!(fact)) {                                                                              \
            printf("line %d: not so: %s (%s)\n", __LINE__, #fact, strerrorname_np(errno));         \
            exit(1);                                                                                \
        }                                                                                           \
    } while (0)

static inline void begin(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    alarm(15);
}

typedef struct {
    struct sockaddr_un address;
    socklen_t length;
} Name;

// An abstract name of this process, told apart by a word.
static inline Name name_of(const char *word) {
    Name name = {.address.sun_family = AF_UNIX};
    int length = snprintf(name.address.sun_path + 1, 90, "sockeye-kernel-test-%d-%s", getpid(), word);
    name.length = offsetof(struct sockaddr_un, sun_path) + 1 + length;
    return name;
}
static inline int named(int type, const Name *name) {
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    HOLDS(fd >= 0);
    HOLDS(bind(fd, (const struct sockaddr *)&name->address, name->length) == 0);
    return fd;
}
static inline int join(int fd, const Name *name) {
    return connect(fd, (const struct sockaddr *)&name->address, name->length);
}
static inline void nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static inline int events_of(int fd, int wanted) {
    struct pollfd entry = {.fd = fd, .events = wanted};
    poll(&entry, 1, 0);
    return entry.revents;
}
static inline void watch(int set, int fd, unsigned events) {
    struct epoll_event wanted = {.events = events, .data.u64 = fd};
    HOLDS(epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted) == 0);
}
// The next event, or 0 when none comes within 50 ms.
static inline unsigned next_event(int set) {
    struct epoll_event found = {0};
    return epoll_wait(set, &found, 1, 50) == 1 ? found.events : 0;
}
static inline void stream_pair(int ends[2]) { HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }

static inline void hand_over(int through, int fd) {
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    HOLDS(sendmsg(through, &message, 0) == 1);
}
static inline int take_over(int through) {
    char room[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;
    HOLDS(recvmsg(through, &message, 0) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}
