// splice and tee: socket to pipe and pipe to socket, the end, non-blocking, wrong arguments.
#include "check.h"

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        int from[2], to[2], ends[2];
        char text[32] = "";
        tcp_pair(family, from);
        tcp_pair(family, to);
        require(pipe(ends) == 0, "pipe");
        TRY(write(from[0], "through a pipe", 14));
        CHECK(await_bytes(from[1], 14));
        TRY(splice(from[1], NULL, ends[1], NULL, 7, 0));
        TRY(splice(ends[0], NULL, to[0], NULL, 7, 0));
        TRY(splice(from[1], NULL, ends[1], NULL, 100, 0));
        TRY(splice(ends[0], NULL, to[0], NULL, 100, SPLICE_F_MORE));
        CHECK(await_bytes(to[1], 14));
        TRY(read(to[1], text, sizeof text));
        CHECK(memcmp(text, "through a pipe", 14) == 0);
        nonblocking(from[1]);
        TRY(splice(from[1], NULL, ends[1], NULL, 10, SPLICE_F_NONBLOCK));
        TRY(shutdown(from[0], SHUT_WR));
        await(from[1], POLLIN);
        TRY(splice(from[1], NULL, ends[1], NULL, 10, 0));
        loff_t offset = 0;
        TRY(splice(from[1], &offset, ends[1], NULL, 10, 0));
        TRY(splice(from[1], NULL, to[0], NULL, 10, 0));
        TRY(splice(CLOSED, NULL, ends[1], NULL, 10, 0));
        TRY(splice(ends[0], NULL, CLOSED, NULL, 10, 0));
        TRY(splice(ends[0], NULL, to[0], NULL, 0, 0));
        TRY(tee(from[1], ends[1], 10, 0));
        TRY(write(ends[1], "last", 4));
        TRY(shutdown(to[0], SHUT_WR));
        TRY(splice(ends[0], NULL, to[0], NULL, 4, 0));
    }
    return 0;
}
