// A connected stream with the smallest SO_SNDBUF, filled until EAGAIN, is not writable; drained and given its
// buffer back, it is, and a registration made before connect gets one EPOLLOUT edge for it.
#include "kernel.h"

int main(void) {
    begin();
    Name name = name_of("filler");
    int listener = named(SOCK_STREAM, &name), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int set = epoll_create1(0), size, one = 1, fillers = 0;
    socklen_t length = sizeof size;
    char filler[4096];
    HOLDS(listen(listener, 1) == 0);
    watch(set, fd, EPOLLIN | EPOLLOUT | EPOLLET);
    HOLDS(next_event(set) == (EPOLLOUT | EPOLLHUP));
    HOLDS(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0);
    HOLDS(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &one, sizeof one) == 0);
    HOLDS(join(fd, &name) == 0);
    while (send(fd, filler, 1, MSG_DONTWAIT) == 1) fillers++;
    HOLDS(errno == EAGAIN);
    HOLDS(fillers > 0 && fillers < 64);
    HOLDS(!(events_of(fd, POLLOUT) & POLLOUT));
    HOLDS(write(fd, "x", 1) == -1 && errno == EAGAIN);
    while (next_event(set)) continue;

    int other = accept(listener, NULL, NULL);
    for (int drained = 0; drained < fillers;) {
        ssize_t count = recv(other, filler, fillers - drained, 0);
        HOLDS(count > 0);
        drained += count;
    }
    size /= 2;
    HOLDS(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    HOLDS(next_event(set) == EPOLLOUT);
    HOLDS(next_event(set) == 0);
    HOLDS(events_of(fd, POLLOUT | POLLIN) == POLLOUT);
    HOLDS(write(fd, "x", 1) == 1);
    HOLDS(recv(other, filler, sizeof filler, 0) == 1);

    // Failure: the other end closes with the filler unread.
    int unlucky = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    watch(set, unlucky, EPOLLOUT | EPOLLET);
    while (next_event(set)) continue;
    HOLDS(setsockopt(unlucky, SOL_SOCKET, SO_SNDBUF, &one, sizeof one) == 0 && join(unlucky, &name) == 0);
    while (send(unlucky, filler, 1, 0) == 1) continue;
    while (next_event(set)) continue;
    close(accept(listener, NULL, NULL));
    unsigned failed = next_event(set);
    HOLDS((failed & (EPOLLERR | EPOLLHUP)) == (EPOLLERR | EPOLLHUP));
    return 0;
}
