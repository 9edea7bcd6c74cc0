// A mutually connected datagram pair holds what the buffers hold; a third party is held back at max_dgram_qlen,
// and is told by EPOLLOUT when there is room again. A connected socket refuses what its peer did not send.
#include "kernel.h"

static int fill(int fd) {
    int count = 0;
    while (send(fd, "0123456789", 10, MSG_DONTWAIT) == 10) count++;
    HOLDS(errno == EAGAIN);
    return count;
}

int main(void) {
    begin();
    Name a = name_of("a"), b = name_of("b");
    int limit = 0, one = named(SOCK_DGRAM, &a), two = named(SOCK_DGRAM, &b);
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "r");
    HOLDS(file && fscanf(file, "%d", &limit) == 1);
    HOLDS(join(one, &b) == 0);
    int alone = fill(one);
    HOLDS(alone >= limit && alone <= limit + 1);
    HOLDS(!(events_of(one, POLLOUT) & POLLOUT));
    int set = epoll_create1(0);
    watch(set, one, EPOLLOUT | EPOLLET);
    HOLDS(next_event(set) == 0);
    char text[16];
    for (int i = 0; i < alone; i++) HOLDS(recv(two, text, sizeof text, 0) == 10);
    HOLDS(next_event(set) & EPOLLOUT);
    HOLDS(join(two, &a) == 0);
    int together = fill(one);
    HOLDS(together > 10 * limit);
    HOLDS(recv(two, text, sizeof text, 0) == 10);
    int third = socket(AF_UNIX, SOCK_DGRAM, 0);
    HOLDS(sendto(third, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&b.address, b.length) == -1 && errno == EPERM);
    return 0;
}
