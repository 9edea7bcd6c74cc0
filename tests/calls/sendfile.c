// sendfile: a file into a socket, offsets, the end of the file, non-blocking, wrong directions.
#include "check.h"
#include <sys/sendfile.h>

enum { SIZE = 300000 };

static int file_of(int size) {
    char name[] = "sendfile.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    for (int at = 0; at < size; at += 1000) {
        char block[1000];
        for (int i = 0; i < 1000; i++) block[i] = (at + i) * 7 >> 2;
        require(pwrite(fd, block, 1000, at) == 1000, "pwrite");
    }
    return fd;
}

static void whole(int family) {
    SECTION("%s", family_name(family));
    int ends[2], file = file_of(SIZE);
    tcp_pair(family, ends);
    if (fork() == 0) {
        close(ends[1]);
        long sent = 0, count;
        while (sent < SIZE && (count = sendfile(ends[0], file, NULL, SIZE - sent)) > 0) sent += count;
        _exit(sent != SIZE);
    }
    close(ends[0]);
    long total = 0, wrong = 0, count;
    char part[5000];
    while ((count = read(ends[1], part, sizeof part)) > 0)
        for (int i = 0; i < count; i++, total++) wrong += part[i] != (char)(total * 7 >> 2);
    int status = -1;
    wait(&status);
    CHECK(total == SIZE);
    CHECK(wrong == 0);
    CHECK(status == 0);
    close(file);
}

int main(void) {
    begin();
    EACH_FAMILY(family) whole(family);
    SECTION("offsets");
    int ends[2], file = file_of(1000);
    char part[2000];
    off_t offset = 990;
    tcp_pair(AF_INET, ends);
    TRY(sendfile(ends[0], file, &offset, 100));
    CHECK(offset == 1000);
    TRY(sendfile(ends[0], file, &offset, 100));
    TRY(read(ends[1], part, sizeof part));
    TRY(sendfile(ends[0], file, NULL, 0));
    SECTION("wrong arguments");
    offset = 0;
    TRY(sendfile(ends[0], CLOSED, &offset, 1));
    TRY(sendfile(CLOSED, file, &offset, 1));
    TRY(sendfile(ends[0], file, BAD, 1));
    offset = -1;
    TRY(sendfile(ends[0], file, &offset, 1));
    TRY(shutdown(ends[0], SHUT_WR));
    offset = 0;
    TRY(sendfile(ends[0], file, &offset, 1));
    return 0;
}
