// A listener whose only connection was taken is made readable again (level, and an edge) by a connection of ours,
// and a client that has gone before accept does not block or fail it.
#include "kernel.h"

int main(void) {
    begin();
    Name name = name_of("token");
    int listener = named(SOCK_STREAM | SOCK_NONBLOCK, &name), set = epoll_create1(0);
    HOLDS(listen(listener, 8) == 0);
    watch(set, listener, EPOLLIN | EPOLLET);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    HOLDS(join(client, &name) == 0);
    HOLDS(next_event(set) == EPOLLIN);
    HOLDS(accept(listener, NULL, NULL) >= 0);
    HOLDS(!events_of(listener, POLLIN));
    int token = socket(AF_UNIX, SOCK_STREAM, 0);
    HOLDS(join(token, &name) == 0);
    HOLDS(events_of(listener, POLLIN) == POLLIN);
    HOLDS(next_event(set) == EPOLLIN);
    close(token);
    HOLDS(events_of(listener, POLLIN) == POLLIN);
    int dead = accept(listener, NULL, NULL);
    HOLDS(dead >= 0);
    char byte;
    HOLDS(recv(dead, &byte, 1, 0) == 0);

    // The queue takes backlog + 1 and then refuses a connection that may not wait.
    HOLDS(listen(listener, 2) == 0);
    for (int i = 0; i < 3; i++) HOLDS(join(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), &name) == 0);
    HOLDS(join(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), &name) == -1 && errno == EAGAIN);
    return 0;
}
