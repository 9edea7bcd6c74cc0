// An epoll registration outlives the descriptor it was made through while the file lives elsewhere, is listed in
// fdinfo until the file's last close, keeps nothing open, and still reports RDHUP and HUP.
#include "kernel.h"

// Whether the set's fdinfo lists a target with this inode.
static int listed(int set, ino_t inode) {
    char path[60], line[300], wanted[40];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", set);
    snprintf(wanted, sizeof wanted, "ino:%lx ", (unsigned long)inode);
    FILE *file = fopen(path, "r");
    int found = 0;
    HOLDS(file);
    while (fgets(line, sizeof line, file)) found |= strncmp(line, "tfd:", 4) == 0 && strstr(line, wanted);
    fclose(file);
    return found;
}

int main(void) {
    begin();
    int ends[2], through[2], set = epoll_create1(0);
    struct stat facts;
    stream_pair(through);
    stream_pair(ends);
    HOLDS(fstat(ends[0], &facts) == 0);
    pid_t child = fork();
    if (child == 0) {
        // The program: holds the file under a number of its own.
        int fd = take_over(through[1]);
        char byte;
        close(ends[0]), close(ends[1]);
        HOLDS(write(through[1], "r", 1) == 1 && read(through[1], &byte, 1) == 1);
        close(fd);
        HOLDS(write(through[1], "c", 1) == 1);
        pause();
    }
    int copy = dup(ends[0]);
    watch(set, copy, EPOLLRDHUP | EPOLLHUP | EPOLLET);
    HOLDS(next_event(set) == 0);
    hand_over(through[0], ends[0]);
    close(copy);
    close(ends[0]);
    char byte;
    HOLDS(read(through[0], &byte, 1) == 1);
    HOLDS(listed(set, facts.st_ino));
    HOLDS(shutdown(ends[1], SHUT_WR) == 0);
    HOLDS(next_event(set) & EPOLLRDHUP);
    HOLDS(next_event(set) == 0);
    HOLDS(shutdown(ends[1], SHUT_RDWR) == 0);
    HOLDS(next_event(set) & EPOLLHUP);
    HOLDS(listed(set, facts.st_ino));
    HOLDS(write(through[0], "g", 1) == 1 && read(through[0], &byte, 1) == 1);
    HOLDS(!listed(set, facts.st_ino));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    // The close of the program's file is the peer's end at once.
    stream_pair(ends);
    watch(set, ends[0], EPOLLRDHUP | EPOLLET);
    close(ends[0]);
    HOLDS(events_of(ends[1], POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP | POLLHUP));
    return 0;
}
