// accept gives connections in the order of connect, SO_PEERCRED names who connected at that time, and the
// accepted socket knows the name that the connecting one was bound to.
#include "kernel.h"

int main(void) {
    begin();
    Name name = name_of("order");
    int listener = named(SOCK_STREAM, &name);
    HOLDS(listen(listener, 64) == 0);
    for (int i = 0; i < 20; i++) {
        char word[8];
        snprintf(word, sizeof word, "c%d", i);
        Name mine = name_of(word);
        HOLDS(join(named(SOCK_STREAM, &mine), &name) == 0);
    }
    for (int i = 0; i < 20; i++) {
        char word[8];
        struct sockaddr_un seen;
        socklen_t length = sizeof seen;
        snprintf(word, sizeof word, "c%d", i);
        Name mine = name_of(word);
        HOLDS(accept(listener, (struct sockaddr *)&seen, &length) >= 0);
        HOLDS(length == mine.length && memcmp(&seen, &mine.address, length) == 0);
    }
    pid_t child = fork();
    if (child == 0) {
        HOLDS(join(socket(AF_UNIX, SOCK_STREAM, 0), &name) == 0);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    int fd = accept(listener, NULL, NULL);
    struct ucred who;
    socklen_t length = sizeof who;
    HOLDS(fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0);
    HOLDS(who.pid == child && who.uid == getuid());
    return 0;
}
