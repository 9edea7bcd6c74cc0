// Sets and reads socket options on sockets of every kind, and prints what each call answers: value, length, errno.
//   probe <LIST     a line of LIST is LEVEL NUMBER NAME; a line of output is KIND NAME CALL ANSWER
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 256, SHOWN = 24 };
static const char *what;

static void answer(const char *call, int result) {
    if (result < 0) printf("%s %s = %s\n", what, call, strerrorname_np(errno));
    else printf("%s %s = %d\n", what, call, result);
}

// getsockopt with so much room: the length that comes back and the first bytes of the value.
static void get(int fd, int level, int number, int room) {
    unsigned char value[ROOM];
    memset(value, 0xee, sizeof value);
    socklen_t length = room;
    int result = getsockopt(fd, level, number, value, &length);
    char call[32];
    snprintf(call, sizeof call, "get[%d]", room);
    if (result < 0) {
        answer(call, result);
        return;
    }
    printf("%s %s = length %d:", what, call, (int)length);
    for (int i = 0; i < (int)length && i < SHOWN; i++) printf(" %02x", value[i]);
    printf("\n");
}

static void set(int fd, int level, int number, const void *value, int length, const char *shown) {
    char call[64];
    snprintf(call, sizeof call, "set[%s]", shown);
    answer(call, setsockopt(fd, level, number, value, length));
}

static void try_values(int fd, int level, int number) {
    static const int values[] = {1, 0, 2, 3, 5, 7, -1, 64, 255, 256, 1000, 70000, -2};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        char shown[16];
        snprintf(shown, sizeof shown, "%d", values[i]);
        set(fd, level, number, &values[i], sizeof(int), shown);
        get(fd, level, number, ROOM);
    }
}

static void try_lengths(int fd, int level, int number) {
    static const unsigned char one[ROOM] = {1};
    static const int lengths[] = {0, 1, 2, 3, 8, 12, 16, 20};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char shown[24];
        snprintf(shown, sizeof shown, "1 in %d bytes", lengths[i]);
        set(fd, level, number, one, lengths[i], shown);
        get(fd, level, number, ROOM);
    }
    set(fd, level, number, one, -1, "length -1");
    set(fd, level, number, (void *)8, sizeof(int), "bad pointer");
    for (int room = 0; room <= 4; room++) get(fd, level, number, room);
    get(fd, level, number, -1);
    socklen_t length = sizeof(int);
    answer("get[bad pointer]", getsockopt(fd, level, number, (void *)8, &length));
    answer("get[bad length]", getsockopt(fd, level, number, &length, (void *)8));
}

// A connected pair's first end, whose peer stays open.
static int connected_stream(int family) {
    int listener = socket(family, SOCK_STREAM, 0), fd = socket(family, SOCK_STREAM, 0);
    struct sockaddr_storage where = {.ss_family = family};
    socklen_t length = sizeof where;
    if (listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&where, &length) < 0) return -1;
    if (connect(fd, (struct sockaddr *)&where, length) < 0) return -1;
    close(accept(listener, NULL, NULL) < 0 ? -1 : listener);
    return fd;
}

static int connected_datagram(int family) {
    int fd = socket(family, SOCK_DGRAM, 0);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int bad = family == AF_INET6 ? connect(fd, (struct sockaddr *)&six, sizeof six)
                                 : connect(fd, (struct sockaddr *)&four, sizeof four);
    return bad ? -1 : fd;
}

static int listening(int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    return listen(fd, 1) < 0 ? -1 : fd;
}

static int stream(int family) { return socket(family, SOCK_STREAM, 0); }
static int datagram(int family) { return socket(family, SOCK_DGRAM, 0); }
static int raw(int family) { return socket(family, SOCK_RAW, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6); }

static const struct kind {
    const char *name;
    int (*make)(int family);
} kinds[] = {
    {"stream", stream},       {"listener", listening}, {"connection", connected_stream},
    {"datagram", datagram},   {"connected", connected_datagram}, {"raw", raw},
};

static void probe(const struct kind *kind, int family, int level, int number, const char *name) {
    char text[96];
    snprintf(text, sizeof text, "%s%d %s", kind->name, family == AF_INET ? 4 : 6, name);
    what = text;
    int fd = kind->make(family);
    if (fd < 0) {
        answer("make", fd);
        return;
    }
    get(fd, level, number, ROOM);
    try_values(fd, level, number);
    close(fd);
    // Some values stay for good (locks): lengths get a socket of their own.
    fd = kind->make(family);
    try_lengths(fd, level, number);
    close(fd);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    alarm(120);
    int level, number;
    char name[64];
    while (scanf("%d %d %63s", &level, &number, name) == 3) {
        for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            probe(&kinds[i], AF_INET, level, number, name);
            probe(&kinds[i], AF_INET6, level, number, name);
        }
    }
    return 0;
}
