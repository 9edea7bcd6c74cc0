// dup, dup2, dup3: one socket under several numbers, shared flags and state, wrong arguments.
#include "check.h"

static void shared(int family) {
    SECTION("%s", family_name(family));
    int ends[2];
    char text[8];
    tcp_pair(family, ends);
    int copy = dup(ends[0]);
    TRY(write(copy, "one", 3));
    TRY(write(ends[0], "two", 3));
    CHECK(await_bytes(ends[1], 6));
    TRY(read(ends[1], text, sizeof text));
    nonblocking(copy);
    CHECK((fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
    TRY(read(ends[0], text, sizeof text));
    TRY(shutdown(copy, SHUT_WR));
    TRY(write(ends[0], "x", 1));
    TRY(read(ends[1], text, sizeof text));
}

// A socket that gets its life after it was copied has it under every number.
static void copied_when_fresh(int family) {
    SECTION("%s: copied when fresh", family_name(family));
    Address where = loopback(family, 0);
    int listener = socket(family, SOCK_STREAM, 0), same = dup(listener);
    TRY(bind(listener, &where.any, where.length));
    TRY(listen(same, 2));
    where = local_of(same);
    TRY(close(listener));
    int client = socket(family, SOCK_STREAM, 0), other = dup(client);
    TRY(connect(other, &where.any, where.length));
    TRY(write(client, "hello", 5));
    char text[8];
    int fd = accept(same, NULL, NULL);
    TRY(read(fd, text, sizeof text));
    Address name = local_of(client), again = local_of(other);
    CHECK(port_of(&name) == port_of(&again));
}

static void onto(void) {
    SECTION("dup2 and dup3");
    int ends[2];
    char text[8];
    tcp_pair(AF_INET, ends);
    CHECK(dup2(ends[0], 200) == 200);
    TRY(write(200, "x", 1));
    TRY(read(ends[1], text, sizeof text));
    int victim[2];
    tcp_pair(AF_INET, victim);
    CHECK(dup2(ends[0], victim[0]) == victim[0]);
    TRY(read(victim[1], text, sizeof text));
    TRY(write(victim[0], "to the other", 12));
    TRY(read(ends[1], text, sizeof text));
    CHECK(dup2(ends[0], ends[0]) == ends[0]);
    CHECK(dup3(ends[0], 201, O_CLOEXEC) == 201);
    TRY(fcntl(201, F_GETFD));
    TRY(dup3(ends[0], ends[0], 0));
    TRY(dup3(ends[0], 202, 12345));
    TRY(dup2(ends[0], -1));
    TRY(dup2(CLOSED, 202));
    TRY(dup(CLOSED));
    TRY(dup(-1));
    TRY(dup2(ends[0], 1 << 30));
    CHECK(dup2(ends[1], 0) == 0);
    TRY(write(200, "stdin", 5));
    CHECK(await_bytes(0, 9));
    TRY(read(0, text, sizeof text));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        shared(family);
        copied_when_fresh(family);
    }
    onto();
    return 0;
}
