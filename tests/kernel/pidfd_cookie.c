// pidfd_open with PIDFD_THREAD and pidfd_getfd reach the socket of any thread of a child, and SO_COOKIE tells that it is
// the same socket, through every copy; two sockets never share a cookie. A kernel before 6.9 refuses PIDFD_THREAD
// with EINVAL, which is how the probe sees it.
#include "kernel.h"
#include <pthread.h>
#include <stdint.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static uint64_t cookie_of(int fd) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    HOLDS(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 && cookie != 0);
    return cookie;
}

static int wire;
static void *in_thread(void *unused) {
    (void)unused;
    struct { pid_t tid; int fd; } facts = {syscall(SYS_gettid), socket(AF_UNIX, SOCK_STREAM, 0)};
    HOLDS(write(wire, &facts, sizeof facts) == sizeof facts);
    pause();
    return NULL;
}

int main(void) {
    begin();
    int ends[2];
    stream_pair(ends);
    int mine = socket(AF_UNIX, SOCK_STREAM, 0), copy = dup(mine);
    HOLDS(cookie_of(mine) == cookie_of(copy));
    HOLDS(cookie_of(mine) != cookie_of(ends[0]));
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        wire = ends[1];
        pthread_create(&thread, NULL, in_thread, NULL);
        pause();
    }
    struct { pid_t tid; int fd; } facts;
    HOLDS(read(ends[0], &facts, sizeof facts) == sizeof facts);
    int shared = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, child, 0), mine, 0);
    HOLDS(shared >= 0 && cookie_of(shared) == cookie_of(mine));
    int pidfd = syscall(SYS_pidfd_open, facts.tid, PIDFD_THREAD);
    if (pidfd >= 0) {
        int own = syscall(SYS_pidfd_getfd, pidfd, facts.fd, 0);
        HOLDS(own >= 0 && cookie_of(own) != cookie_of(mine));
        HOLDS(syscall(SYS_pidfd_getfd, pidfd, 999, 0) == -1 && errno == EBADF);
    } else {
        HOLDS(errno == EINVAL);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (pidfd >= 0) HOLDS(syscall(SYS_pidfd_getfd, pidfd, 0, 0) == -1 && errno == ESRCH);
    return 0;
}
