// When a datagram socket with unread data is connected to another peer, its old peer gets ECONNRESET and the
// unread data is gone; without unread data nothing happens.
#include "kernel.h"

int main(void) {
    begin();
    Name a = name_of("a"), b = name_of("b"), c = name_of("c");
    int one = named(SOCK_DGRAM, &a), two = named(SOCK_DGRAM, &b), three = named(SOCK_DGRAM, &c);
    char text[8];
    HOLDS(join(one, &b) == 0 && join(two, &a) == 0);
    HOLDS(join(two, &c) == 0 && join(two, &a) == 0);
    HOLDS(!(events_of(one, POLLOUT) & POLLERR));
    HOLDS(send(one, "unread", 6, 0) == 6);
    HOLDS(join(two, &c) == 0);
    HOLDS(events_of(one, POLLOUT) & POLLERR);
    HOLDS(recv(one, text, sizeof text, MSG_DONTWAIT) == -1 && errno == ECONNRESET);
    HOLDS(recv(one, text, sizeof text, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    HOLDS(recv(two, text, sizeof text, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    HOLDS(join(three, &b) == 0 && send(three, "x", 1, 0) == 1);
    HOLDS(recv(two, text, sizeof text, 0) == 1);
    return 0;
}
