// An abstract name answers EADDRINUSE while its socket lives under any descriptor, and is free for the very next
// bind after the last close, also when the owner was killed.
#include "kernel.h"

static int in_use(const Name *name) {
    int probe = socket(AF_UNIX, SOCK_STREAM, 0);
    int answer = bind(probe, (const struct sockaddr *)&name->address, name->length), error = errno;
    close(probe);
    return answer == -1 && error == EADDRINUSE;
}

int main(void) {
    begin();
    Name name = name_of("liveness");
    for (int i = 0; i < 1000; i++) {
        int fd = named(SOCK_STREAM, &name), copy = dup(fd);
        HOLDS(in_use(&name));
        close(fd);
        HOLDS(in_use(&name));
        close(copy);
        HOLDS(!in_use(&name));
    }
    for (int i = 0; i < 100; i++) {
        int fd = named(SOCK_STREAM, &name);
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        close(fd);
        HOLDS(in_use(&name));
        kill(child, SIGKILL);
        HOLDS(waitpid(child, NULL, 0) == child);
        HOLDS(!in_use(&name));
    }
    // In flight over a Unix socket the file lives too.
    int ends[2], fd = named(SOCK_STREAM, &name);
    stream_pair(ends);
    hand_over(ends[0], fd);
    close(fd);
    HOLDS(in_use(&name));
    close(take_over(ends[1]));
    HOLDS(!in_use(&name));
    return 0;
}
