// What the kernel answers on a stream that is not connected, where no notification is asked for: the calls that
// differ from TCP's are stated here, so that we notice when a kernel changes them.
#include "kernel.h"

int main(void) {
    begin();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    HOLDS(events_of(fd, POLLIN | POLLOUT) == (POLLOUT | POLLHUP));
    HOLDS(read(fd, &byte, 1) == -1 && errno == EINVAL);
    HOLDS(write(fd, "x", 1) == -1 && errno == ENOTCONN);
    Name name = name_of("listener");
    int listener = named(SOCK_STREAM, &name);
    HOLDS(listen(listener, 1) == 0);
    HOLDS(events_of(listener, POLLIN | POLLOUT) == 0);
    HOLDS(read(listener, &byte, 1) == -1 && errno == EINVAL);
    HOLDS(write(listener, "x", 1) == -1 && errno == ENOTCONN);
    return 0;
}
