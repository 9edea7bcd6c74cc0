// The steps: one call each, from its words to its result.
//
// A slot is named by its number; a slot that holds nothing is a descriptor that nobody has opened. An address is
// two words, a name from the table below and a port (0, P0 to P2, or `@S`, the port of slot S), or `of S`, all
// of slot S's own address, or `- -`, none.
#include "world.h"

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
} Address;

static char *unmapped = (char *)8;

static int number_of(const char *word) {
    int slot = atoi(word);
    return slot >= 0 && slot < SLOTS && world->slots[slot].fd >= 0 ? world->slots[slot].fd : BAD_NUMBER;
}
static const char *kind_of(const char *word) {
    int slot = atoi(word);
    return slot >= 0 && slot < SLOTS ? world->slots[slot].kind : "none";
}
static void put(const char *word, int fd, const char *kind) {
    if (fd < 0) return;
    Slot *slot = &world->slots[atoi(word) % SLOTS];
    if (slot->fd >= 0) close(slot->fd);
    *slot = (Slot){fd, kind};
}

// ---- addresses ----

static const struct { const char *name, *text; int family; } hosts[] = {
    {"lo4", "127.0.0.1", AF_INET}, {"lo4b", "127.0.0.2", AF_INET}, {"any4", "0.0.0.0", AF_INET},
    {"far4", "192.0.2.1", AF_INET}, {"lo6", "::1", AF_INET6}, {"any6", "::", AF_INET6},
    {"far6", "2001:db8::1", AF_INET6}, {"map4", "::ffff:127.0.0.1", AF_INET6},
    {"mapany", "::ffff:0.0.0.0", AF_INET6}, {"mcast4", "224.1.2.3", AF_INET}};

static int port_of(const char *word) {
    if (word[0] == 'P') return world->ports[atoi(word + 1) % PORTS];
    if (word[0] != '@') return atoi(word);
    Address of = {0};
    socklen_t length = sizeof of;
    if (getsockname(number_of(word + 1), &of.any, &length) != 0) return 9;
    return ntohs(of.v4.sin_port);
}

// The length, or -1 for "no address": then the pointer is NULL and the length 0.
static int address_of(Step *step, int at, Address *to) {
    const char *host = at + 1 < step->count ? step->words[at] : "-", *port = at + 1 < step->count ? step->words[at + 1] : "-";
    memset(to, 0, sizeof *to);
    if (strcmp(host, "-") == 0) return -1;
    if (strcmp(host, "of") == 0) {
        socklen_t length = sizeof *to;
        return getsockname(number_of(port), &to->any, &length) == 0 ? (int)length : 2;
    }
    if (strcmp(host, "unspec") == 0) return to->v4.sin_port = htons(port_of(port)), (int)sizeof to->v4;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (strcmp(hosts[i].name, host) != 0) continue;
        to->any.sa_family = hosts[i].family;
        to->v4.sin_port = htons(port_of(port));
        if (hosts[i].family == AF_INET) inet_pton(AF_INET, hosts[i].text, &to->v4.sin_addr);
        else inet_pton(AF_INET6, hosts[i].text, &to->v6.sin6_addr);
        return hosts[i].family == AF_INET ? sizeof to->v4 : sizeof to->v6;
    }
    return 0;
}

static void say_address(const Address *of, socklen_t length) {
    char text[INET6_ADDRSTRLEN] = "?";
    if (length == 0) { say(" nobody"); return; }
    if (of->any.sa_family == AF_UNSPEC) { say(" unspecified(%u)", length); return; }
    const void *host = of->any.sa_family == AF_INET6 ? (void *)&of->v6.sin6_addr : (void *)&of->v4.sin_addr;
    inet_ntop(of->any.sa_family, host, text, sizeof text);
    say(" %s:%s(%u)", text, port_name(ntohs(of->v4.sin_port)), length);
}

// ---- bytes ----

static char *filled(int length) {
    static _Thread_local char bytes[ROOM];
    for (int i = 0; i < length && i < ROOM; i++) bytes[i] = 'a' + (world->step * 7 + i) % 26;
    return bytes;
}
static void say_bytes(const char *bytes, long length) {
    unsigned sum = 0;
    if (length <= 0) return;
    for (long i = 0; i < length; i++) sum = sum * 31 + (unsigned char)bytes[i];
    say(" %.*s", length > 12 ? 12 : (int)length, bytes);
    if (length > 12) say("...%08x", sum);
}
static int length_of(const char *word) {
    int length = atoi(word);
    return length < 0 ? 0 : length > ROOM ? ROOM : length;
}

static int flags_of(const char *word) {
    static const struct { const char *name; int flag; } names[] = {{"PEEK", MSG_PEEK}, {"WAITALL", MSG_WAITALL},
        {"DONTWAIT", MSG_DONTWAIT}, {"TRUNC", MSG_TRUNC}, {"NOSIGNAL", MSG_NOSIGNAL}, {"MORE", MSG_MORE},
        {"ERRQUEUE", MSG_ERRQUEUE}, {"OOB", MSG_OOB}};
    int flags = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strstr(word, names[i].name)) flags |= names[i].flag;
    return flags;
}

// `5,0,300` as so many pieces of one buffer.
static int pieces_of(const char *word, struct iovec *pieces, char *bytes) {
    int count = 0;
    for (int at = 0; count < 8; word++) {
        int length = length_of(word);
        if (at + length > ROOM) length = ROOM - at;
        pieces[count++] = (struct iovec){bytes + at, length};
        at += length;
        if (!(word = strchr(word, ','))) break;
    }
    return count;
}

// ---- calls ----

static long guarded_result;
#define GUARDED(step, call)                                                          \
    ({                                                                               \
        int before_ = world->alarms;                                                 \
        arm(1, step);                                                                \
        errno = 0;                                                                   \
        guarded_result = (call);                                                     \
        int error_ = errno;                                                          \
        arm(0, step);                                                                \
        world->blocked = guarded_result == -1 && error_ == EINTR && world->alarms > before_; \
        errno = error_;                                                              \
        guarded_result;                                                              \
    })
// A receive beside which another program's bytes may still be on their way: looked at again where the other
// side had something.
#define RECEIVED(step, call)                                                          \
    ({                                                                                \
        long got_ = GUARDED(step, call);                                              \
        for (int look_ = 0; look_ < 200 && got_ == -1 && errno == EAGAIN && (step)->expected && \
             !other_had(step, "= -1 EAGAIN"); look_++)                                \
            usleep(1000), got_ = GUARDED(step, call);                                 \
        got_;                                                                         \
    })

static void do_socket(Step *step) {
    char **w = step->words;
    int v6 = strcmp(w[2], "inet6") == 0, stream = strcmp(w[3], "stream") == 0;
    int type = stream ? SOCK_STREAM : strcmp(w[3], "dgram") == 0 ? SOCK_DGRAM : 77;
    if (step->count > 4 && strcmp(w[4], "nb") == 0) type |= SOCK_NONBLOCK;
    int fd = socket(v6 ? AF_INET6 : AF_INET, type, step->count > 5 ? atoi(w[5]) : 0);
    say_result(fd < 0 ? -1 : 0);
    put(w[1], fd, stream ? v6 ? "tcp6" : "tcp4" : v6 ? "udp6" : "udp4");
}

static void do_named(Step *step) {
    Address to;
    int fd = number_of(step->words[1]), length = address_of(step, 2, &to);
    struct sockaddr *where = length < 0 ? NULL : &to.any;
    if (step->count > 4) length = atoi(step->words[4]);
    if (strcmp(step->words[0], "bind") == 0) say_result(bind(fd, where, length < 0 ? 0 : length));
    else say_result(GUARDED(step, connect(fd, where, length < 0 ? 0 : length)));
}

static void do_accept(Step *step) {
    Address from = {0};
    socklen_t length = sizeof from;
    const char *kind = kind_of(step->words[1]);
    int fd = number_of(step->words[1]);
    int flags = step->count > 3 && strcmp(step->words[3], "nb") == 0 ? SOCK_NONBLOCK : step->count > 3 ? 3 : 0;
    int new = flags ? RECEIVED(step, accept4(fd, &from.any, &length, flags)) : RECEIVED(step, accept(fd, &from.any, &length));
    say_result(new < 0 ? -1 : 0);
    if (new >= 0) say_address(&from, length);
    put(step->words[2], new, kind);
}

static void do_send(Step *step) {
    char **w = step->words;
    int fd = number_of(w[1]), length = length_of(w[2]);
    char *bytes = filled(length);
    if (strcmp(w[0], "write") == 0) { say_result(GUARDED(step, write(fd, bytes, length))); return; }
    int flags = flags_of(w[3]);
    Address to;
    int to_length = address_of(step, 4, &to);
    if (strcmp(w[0], "send") == 0) say_result(GUARDED(step, send(fd, bytes, length, flags)));
    else if (to_length < 0) say_result(GUARDED(step, sendto(fd, bytes, length, flags, NULL, 0)));
    else say_result(GUARDED(step, sendto(fd, bytes, length, flags, &to.any, to_length)));
}

static void do_receive(Step *step) {
    static char bytes[ROOM];
    char **w = step->words;
    int fd = number_of(w[1]), length = length_of(w[2]);
    int flags = step->count > 3 ? flags_of(w[3]) : 0;
    Address from = {0};
    socklen_t room = sizeof from;
    memset(bytes, '.', 64);
    long got = w[0][2] == 'a' ? RECEIVED(step, read(fd, bytes, length))
        : w[0][4] == 0 ? RECEIVED(step, recv(fd, bytes, length, flags))
        : RECEIVED(step, recvfrom(fd, bytes, length, flags, &from.any, &room));
    say_result(got);
    say_bytes(bytes, got > length ? length : got);
    if (got >= 0 && w[0][0] == 'r' && strcmp(w[0], "recvfrom") == 0) say_address(&from, room);
}

static void do_vector(Step *step) {
    static char bytes[ROOM];
    char **w = step->words;
    struct iovec pieces[8];
    int fd = number_of(w[1]), writes = w[0][0] == 'w' || w[0][0] == 's', header = strstr(w[0], "msg") != NULL;
    int count = pieces_of(w[2], pieces, writes ? filled(ROOM) : bytes);
    int flags = step->count > 3 ? flags_of(w[3]) : 0;
    Address name;
    int length = writes ? address_of(step, 4, &name) : (int)sizeof name;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count, .msg_name = length < 0 ? NULL : &name,
        .msg_namelen = length < 0 ? 0 : length, .msg_flags = 0x77};
    if (!writes) memset(&name, 0, sizeof name), memset(bytes, '.', 64);
    if (step->count > 4 && !writes) message.msg_name = NULL;
    long got = writes && header ? GUARDED(step, sendmsg(fd, &message, flags))
        : writes ? GUARDED(step, writev(fd, pieces, count))
        : header ? RECEIVED(step, recvmsg(fd, &message, flags)) : RECEIVED(step, readv(fd, pieces, count));
    say_result(got);
    if (writes) return;
    say_bytes(bytes, got);
    if (header && got >= 0) {
        say(" flags %x", message.msg_flags & ~MSG_CMSG_CLOEXEC);
        if (message.msg_name) say_address(&name, message.msg_namelen);
    }
}

static void do_name(Step *step) {
    Address of = {0};
    socklen_t length = step->count > 2 ? atoi(step->words[2]) : (int)sizeof of;
    int fd = number_of(step->words[1]), short_of = length < sizeof(struct sockaddr_in);
    int ours = strcmp(step->words[0], "getsockname") == 0;
    int answer = ours ? getsockname(fd, &of.any, &length) : getpeername(fd, &of.any, &length);
    say_result(answer);
    if (answer == 0 && short_of) say(" length %u", length);
    else if (answer == 0) say_address(&of, length);
}

// Bad arguments: each call with a pointer that leads nowhere.
static void do_astray(Step *step) {
    int fd = number_of(step->words[1]);
    const char *what = step->words[2];
    void *volatile nowhere = unmapped;
    socklen_t length = 16;
    long answer = -1;
    if (strcmp(what, "bind") == 0) answer = bind(fd, nowhere, 16);
    else if (strcmp(what, "connect") == 0) answer = GUARDED(step, connect(fd, nowhere, 16));
    else if (strcmp(what, "getsockname") == 0) answer = getsockname(fd, nowhere, &length);
    else if (strcmp(what, "getpeername") == 0) answer = getpeername(fd, nowhere, &length);
    else if (strcmp(what, "setsockopt") == 0) answer = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, nowhere, 4);
    else if (strcmp(what, "getsockopt") == 0) answer = getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, nowhere, &length);
    else if (strcmp(what, "sendto") == 0) answer = GUARDED(step, sendto(fd, "x", 1, 0, nowhere, 16));
    else if (strcmp(what, "sendmsg") == 0) answer = GUARDED(step, sendmsg(fd, nowhere, 0));
    else if (strcmp(what, "recvmsg") == 0) answer = GUARDED(step, recvmsg(fd, nowhere, MSG_DONTWAIT));
    else if (strcmp(what, "send") == 0) answer = GUARDED(step, send(fd, nowhere, 5, MSG_NOSIGNAL));
    say_result(answer);
}

static void do_number(Step *step) {
    char **w = step->words;
    int fd = number_of(w[1]), answer = -1, value = 0, argument = step->count > 2 ? atoi(w[2]) : 0;
    if (strcmp(w[0], "listen") == 0) answer = listen(fd, argument);
    else if (strcmp(w[0], "shutdown") == 0) answer = shutdown(fd, argument);
    else if (strcmp(w[0], "nonblock") == 0) answer = ioctl(fd, FIONBIO, &argument);
    else if (strcmp(w[0], "setfl") == 0) answer = fcntl(fd, F_SETFL, argument ? O_NONBLOCK : 0);
    else if (strcmp(w[0], "getfl") == 0) answer = fcntl(fd, F_GETFL);
    else if (strcmp(w[0], "inq") == 0) answer = ioctl(fd, FIONREAD, &value);
    else if (strcmp(w[0], "outq") == 0) answer = ioctl(fd, TIOCOUTQ, &value);
    else if (strcmp(w[0], "atmark") == 0) answer = ioctl(fd, SIOCATMARK, &value);
    say_result(answer);
    if (answer == 0 && (strstr(w[0], "inq") || w[0][0] == 'a')) say(" value %d", value);
}

static void do_close(Step *step) {
    int slot = atoi(step->words[1]) % SLOTS;
    say_result(GUARDED(step, close(number_of(step->words[1]))));
    world->slots[slot].fd = -1;
}

static void do_dup(Step *step) {
    const char *kind = kind_of(step->words[1]);
    int fd = dup(number_of(step->words[1]));
    say_result(fd < 0 ? -1 : 0);
    put(step->words[2], fd, kind);
}

// `setopt SLOT LEVEL NUMBER LENGTH INTS...` and `getopt SLOT LEVEL NUMBER LENGTH`, by number: the one who writes
// the sequences knows their names.
static void do_option(Step *step) {
    char **w = step->words;
    int fd = number_of(w[1]), level = atoi(w[2]), number = atoi(w[3]);
    socklen_t length = atoi(w[4]);
    int values[16] = {0};
    if (w[0][0] == 's') {
        for (int i = 5; i < step->count && i < 10; i++) values[i - 5] = atoi(w[i]);
        say_result(setsockopt(fd, level, number, values, length));
        return;
    }
    memset(values, 0x55, sizeof values);
    int answer = getsockopt(fd, level, number, values, &length);
    say_result(answer);
    if (answer != 0) return;
    say(" length %u:", length);
    for (socklen_t i = 0; i * 4 < length && i < 4; i++) say(" %d", values[i]);
}

void perform(Step *step) {
    static const struct { const char *name; int words; void (*run)(Step *); } table[] = {
        {"socket", 4, do_socket}, {"bind", 4, do_named}, {"connect", 4, do_named}, {"accept", 3, do_accept},
        {"send", 4, do_send}, {"sendto", 4, do_send}, {"write", 3, do_send}, {"recv", 4, do_receive},
        {"recvfrom", 4, do_receive}, {"read", 3, do_receive}, {"sendmsg", 4, do_vector},
        {"recvmsg", 4, do_vector}, {"writev", 3, do_vector}, {"readv", 3, do_vector}, {"getsockname", 2, do_name},
        {"getpeername", 2, do_name}, {"astray", 3, do_astray}, {"listen", 3, do_number},
        {"shutdown", 3, do_number}, {"nonblock", 3, do_number}, {"setfl", 3, do_number}, {"getfl", 2, do_number},
        {"inq", 2, do_number}, {"outq", 2, do_number}, {"atmark", 2, do_number}, {"close", 2, do_close},
        {"dup", 3, do_dup}, {"setopt", 5, do_option}, {"getopt", 5, do_option}};
    if (step->count > 1) say(" [%s]", kind_of(step->words[1]));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, step->words[0]) == 0 && step->count >= table[i].words) {
            table[i].run(step);
            return;
        }
    }
    say(" = unknown step");
}
