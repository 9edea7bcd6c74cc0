// Closing a stream with unread data gives the peer what was queued for it, then ECONNRESET; without unread data
// the end. A half close is seen as such, and leaves the other direction alone.
#include "kernel.h"

int main(void) {
    begin();
    int ends[2];
    char text[8];
    stream_pair(ends);
    HOLDS(send(ends[0], "unread", 6, 0) == 6 && send(ends[1], "first", 5, 0) == 5);
    close(ends[1]);
    int events = events_of(ends[0], POLLIN | POLLOUT | POLLRDHUP);
    HOLDS((events & (POLLIN | POLLERR | POLLHUP | POLLRDHUP)) == (POLLIN | POLLERR | POLLHUP | POLLRDHUP));
    // The error is taken by whichever call asks first; the queued bytes are there after it.
    ssize_t first = recv(ends[0], text, sizeof text, 0);
    if (first == -1) {
        HOLDS(errno == ECONNRESET);
        HOLDS(recv(ends[0], text, sizeof text, 0) == 5);
        printf("line %d: not so: the queued data comes before ECONNRESET\n", __LINE__);
        return 1;
    }
    HOLDS(first == 5);
    HOLDS(recv(ends[0], text, sizeof text, 0) == -1 && errno == ECONNRESET);
    HOLDS(recv(ends[0], text, sizeof text, 0) == 0);
    HOLDS(send(ends[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);

    stream_pair(ends);
    close(ends[1]);
    HOLDS(recv(ends[0], text, sizeof text, 0) == 0);
    stream_pair(ends);
    HOLDS(shutdown(ends[1], SHUT_WR) == 0);
    HOLDS(events_of(ends[0], POLLIN | POLLOUT | POLLRDHUP) == (POLLIN | POLLOUT | POLLRDHUP));
    HOLDS(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], text, 8, 0) == 1);
    return 0;
}
