// fcntl, and a socket seen as a file: flags, descriptor copies, owners, fstat, open modes.
#include "check.h"

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        int ends[2];
        struct stat facts;
        char byte;
        tcp_pair(family, ends);
        CHECK(fcntl(ends[0], F_GETFL) == O_RDWR);
        TRY(fcntl(ends[0], F_SETFL, O_NONBLOCK));
        CHECK(fcntl(ends[0], F_GETFL) == (O_RDWR | O_NONBLOCK));
        TRY(read(ends[0], &byte, 1));
        TRY(fcntl(ends[0], F_SETFL, 0));
        CHECK(fcntl(ends[0], F_GETFL) == O_RDWR);
        TRY(fcntl(ends[0], F_GETFD));
        TRY(fcntl(ends[0], F_SETFD, FD_CLOEXEC));
        TRY(fcntl(ends[0], F_GETFD));
        CHECK(fcntl(ends[0], F_DUPFD, 300) == 300);
        TRY(fcntl(300, F_GETFD));
        CHECK(fcntl(ends[0], F_DUPFD_CLOEXEC, 300) == 301);
        TRY(fcntl(301, F_GETFD));
        TRY(write(301, "x", 1));
        TRY(read(ends[1], &byte, 1));
        TRY(close(300));
        TRY(close(301));
        TRY(fcntl(ends[0], F_GETOWN));
        TRY(fcntl(ends[0], F_SETOWN, getpid()));
        CHECK(fcntl(ends[0], F_GETOWN) == getpid());
        TRY(fstat(ends[0], &facts));
        CHECK(S_ISSOCK(facts.st_mode));
        CHECK(facts.st_size == 0);
        TRY(lseek(ends[0], 0, SEEK_SET));
        TRY(ftruncate(ends[0], 0));
        TRY(isatty(ends[0]));
        TRY(fchmod(ends[0], 0600));
        TRY(posix_fallocate(ends[0], 0, 1) == ENODEV || errno == 0);
    }
    SECTION("wrong arguments");
    TRY(fcntl(CLOSED, F_GETFL));
    TRY(fcntl(-1, F_GETFD));
    TRY(fcntl(socket(AF_INET, SOCK_STREAM, 0), 9999));
    TRY(fcntl(socket(AF_INET, SOCK_STREAM, 0), F_DUPFD, -1));
    return 0;
}
