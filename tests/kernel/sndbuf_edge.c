// Setting SO_SNDBUF on a connected stream makes an EPOLLOUT edge by itself, through any descriptor of the file.
#include "kernel.h"

int main(void) {
    begin();
    int ends[2], set = epoll_create1(0), size = 100000;
    stream_pair(ends);
    watch(set, ends[0], EPOLLOUT | EPOLLET);
    HOLDS(next_event(set) == EPOLLOUT);
    HOLDS(next_event(set) == 0);
    int copy = dup(ends[0]);
    for (int i = 0; i < 3; i++) {
        HOLDS(setsockopt(copy, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
        HOLDS(next_event(set) == EPOLLOUT);
        HOLDS(next_event(set) == 0);
    }
    return 0;
}
