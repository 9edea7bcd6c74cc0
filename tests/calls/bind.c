// bind: specific, wildcard and chosen ports; what may share a port and what may not; wrong addresses.
#include "check.h"

static int try_bind(int family, int type, const Address *where, int option) {
    int on = 1, fd = socket(family, type, 0);
    if (option) setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
    int answer = bind(fd, &where->any, where->length), error = errno;
    if (answer == 0) return fd;
    close(fd);
    errno = error;
    return -1;
}
#define BIND(what, ...) printf("  %s: %s\n", what, try_bind(__VA_ARGS__) >= 0 ? "bound" : strerrorname_np(errno))

static void addresses(int family, int type) {
    SECTION("%s %s: addresses", family_name(family), type == SOCK_STREAM ? "stream" : "datagram");
    int fd = socket(family, type, 0);
    Address chosen = loopback(family, 0);
    TRY(bind(fd, &chosen.any, chosen.length));
    Address got = local_of(fd);
    CHECK(port_of(&got) != 0);
    Address again = loopback(family, 0);
    TRY(bind(fd, &again.any, again.length));
    BIND("the same address and port again", family, type, &got, 0);
    Address everywhere = wildcard(family, port_of(&got));
    BIND("the wildcard over a specific one", family, type, &everywhere, 0);
    Address beside = family == AF_INET ? address(family, "127.0.0.2", port_of(&got)) : loopback(AF_INET, port_of(&got));
    BIND("another address, same port", beside.any.sa_family, type, &beside, 0);
    Address nowhere = address(family, family == AF_INET ? "192.0.2.1" : "2001:db8::1", 0);
    BIND("an address that is not ours", family, type, &nowhere, 0);
    close(fd);
    BIND("the same port after close", family, type, &got, 0);
}

static void sharing(int family) {
    SECTION("%s: sharing a port", family_name(family));
    Address where;
    int on = 1, first = udp_socket(family, &where);
    setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    BIND("datagrams, both REUSEADDR", family, SOCK_DGRAM, &where, SO_REUSEADDR);
    close(first);

    Address any = loopback(family, 0);
    first = try_bind(family, SOCK_STREAM, &any, SO_REUSEADDR);
    where = local_of(first);
    int second = try_bind(family, SOCK_STREAM, &where, SO_REUSEADDR);
    CHECK(second >= 0);
    TRY(listen(first, 1));
    TRY(listen(second, 1));
    BIND("REUSEADDR against a listener", family, SOCK_STREAM, &where, SO_REUSEADDR);
    close(first);
    close(second);

    first = try_bind(family, SOCK_STREAM, &any, SO_REUSEPORT);
    where = local_of(first);
    second = try_bind(family, SOCK_STREAM, &where, SO_REUSEPORT);
    CHECK(second >= 0);
    TRY(listen(first, 1));
    TRY(listen(second, 1));
    BIND("without REUSEPORT against both", family, SOCK_STREAM, &where, 0);
    BIND("REUSEADDR against both", family, SOCK_STREAM, &where, SO_REUSEADDR);
}

static void dual_stack(int only) {
    SECTION("IPV6_V6ONLY %d", only);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    TRY(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only));
    Address any = wildcard(AF_INET6, 0);
    TRY(bind(fd, &any.any, any.length));
    any = local_of(fd);
    TRY(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only));
    Address four = wildcard(AF_INET, port_of(&any));
    BIND("IPv4's wildcard on the same port", AF_INET, SOCK_STREAM, &four, 0);
    TRY(listen(fd, 1));
    Address here = loopback(AF_INET, port_of(&any));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    TRY(connect(client, &here.any, here.length));
    int mapped = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(mapped, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    Address inside = address(AF_INET6, "::ffff:127.0.0.1", 0);
    TRY(bind(mapped, &inside.any, inside.length));
}

static void wrong(void) {
    SECTION("wrong arguments");
    Address any = loopback(AF_INET, 0), six = loopback(AF_INET6, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0), fd6 = socket(AF_INET6, SOCK_STREAM, 0);
    TRY(bind(CLOSED, &any.any, any.length));
    TRY(bind(-1, &any.any, any.length));
    TRY(bind(foreign_file(), &any.any, any.length));
    TRY(bind(foreign_pipe(), &any.any, any.length));
    TRY(bind(fd, BAD, any.length));
    TRY(bind(fd, NULL, any.length));
    TRY(bind(fd, &any.any, 0));
    TRY(bind(fd, &any.any, 2));
    TRY(bind(fd, &any.any, 15));
    TRY(bind(fd, &any.any, -1));
    TRY(bind(fd, &any.any, 129));
    TRY(bind(fd, &six.any, six.length));
    TRY(bind(fd6, &any.any, any.length));
    TRY(bind(fd6, &six.any, 24));
    TRY(bind(fd6, &six.any, 23));
    any.any.sa_family = 77;
    TRY(bind(fd, &any.any, any.length));
    any.any.sa_family = AF_UNSPEC;
    TRY(bind(fd, &any.any, any.length));
    Address unspecified = wildcard(AF_INET, 0);
    unspecified.any.sa_family = AF_UNSPEC;
    TRY(bind(fd, &unspecified.any, unspecified.length));
    Address longer = loopback(AF_INET, 0);
    int roomy = socket(AF_INET, SOCK_STREAM, 0);
    TRY(bind(roomy, &longer.any, 128));
    int ends[2];
    tcp_pair(AF_INET, ends);
    TRY(bind(ends[0], &longer.any, longer.length));
    Address multicast = address(AF_INET, "224.0.0.5", 0);
    BIND("a stream to a multicast address", AF_INET, SOCK_STREAM, &multicast, 0);
    BIND("datagrams to a multicast address", AF_INET, SOCK_DGRAM, &multicast, 0);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        addresses(family, SOCK_STREAM);
        addresses(family, SOCK_DGRAM);
        sharing(family);
    }
    dual_stack(0);
    dual_stack(1);
    wrong();
    return 0;
}
