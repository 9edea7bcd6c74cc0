// readv and writev: scattered and gathered, empty parts, limits, wrong arguments.
#include "check.h"

static void vectors(int family) {
    SECTION("%s", family_name(family));
    int ends[2];
    char first[3], second[5], third[9];
    struct iovec out[] = {{"abc", 3}, {"", 0}, {"defgh", 5}, {"ij", 2}};
    struct iovec in[] = {{first, 3}, {second, 5}, {third, 9}};
    tcp_pair(family, ends);
    TRY(writev(ends[0], out, 4));
    CHECK(await_bytes(ends[1], 10));
    TRY(readv(ends[1], in, 3));
    CHECK(memcmp(first, "abc", 3) == 0 && memcmp(second, "defgh", 5) == 0 && memcmp(third, "ij", 2) == 0);
    TRY(writev(ends[0], out, 0));
    TRY(readv(ends[1], in, 0));
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(readv(ends[1], in, 3));
    Address where;
    int to = udp_socket(family, &where), fd = socket(family, SOCK_DGRAM, 0);
    TRY(connect(fd, &where.any, where.length));
    TRY(writev(fd, out, 4));
    TRY(readv(to, in, 2));
}

int main(void) {
    begin();
    EACH_FAMILY(family) vectors(family);
    SECTION("wrong arguments");
    static struct iovec many[1025];
    int ends[2];
    char byte;
    for (int i = 0; i < 1025; i++) many[i] = (struct iovec){&byte, 1};
    tcp_pair(AF_INET, ends);
    TRY(writev(ends[0], many, 1025));
    TRY(writev(ends[0], many, 1024));
    TRY(writev(ends[0], many, -1));
    TRY(readv(ends[1], many, 1025));
    TRY(writev(ends[0], BAD, 1));
    TRY(readv(ends[1], BAD, 1));
    TRY(writev(CLOSED, many, 1));
    TRY(readv(CLOSED, many, 1));
    struct iovec bad = {BAD, 5};
    TRY(writev(ends[0], &bad, 1));
    TRY(readv(ends[1], &bad, 1));
    bad = (struct iovec){&byte, (size_t)-1};
    TRY(writev(ends[0], &bad, 1));
    return 0;
}
