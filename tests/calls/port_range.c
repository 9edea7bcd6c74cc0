// IP_LOCAL_PORT_RANGE and IP_MINTTL: which ports are chosen, how far segments may have come.
#include "check.h"
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static void range(int family, int type) {
    SECTION("%s, %s", family_name(family), type == SOCK_STREAM ? "stream" : "datagrams");
    Address where;
    int listener = type == SOCK_STREAM ? tcp_listener(family, 9, &where) : udp_socket(family, &where);
    unsigned ports = 40000 | 40003u << 16;
    int fd = socket(family, type, 0);
    TRY(setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &ports, sizeof ports));
    TRY(connect(fd, &where.any, where.length));
    Address local = local_of(fd);
    CHECK(port_of(&local) >= 40000 && port_of(&local) <= 40003);
    // Four that are bound take all of them.
    int failed = 0;
    for (int i = 0; i < 5; i++) {
        Address any_port = loopback(family, 0);
        int one = socket(family, type, 0);
        setsockopt(one, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &(unsigned){41000 | 41003u << 16}, sizeof ports);
        if (bind(one, &any_port.any, any_port.length) == 0) {
            local = local_of(one);
            if (port_of(&local) < 41000 || port_of(&local) > 41003) printf("  port %d\n", port_of(&local));
        } else {
            failed++;
            printf("  number %d: %s\n", i, strerrorname_np(errno));
        }
    }
    CHECK(failed == 1);
    close(listener);
}

static void hops(int family) {
    SECTION("%s, the least time to live", family_name(family));
    Address where;
    int listener = tcp_listener(family, 9, &where), ends[2], level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    int limit = family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS, least = family == AF_INET ? 21 : 73;
    ends[0] = connected_to(&where);
    ends[1] = accept(listener, NULL, NULL);
    TRY(setsockopt(ends[1], level, least, &(int){60}, sizeof(int)));
    TRY(send(ends[0], "a", 1, 0));
    EVENTS(ends[1], POLLIN);
    char byte;
    TRY(recv(ends[1], &byte, 1, 0));
    TRY(setsockopt(ends[0], level, limit, &(int){30}, sizeof(int)));
    TRY(send(ends[0], "b", 1, 0));
    QUIET(ends[1], POLLIN);
    // Sent again, and now near enough.
    TRY(setsockopt(ends[0], level, limit, &(int){64}, sizeof(int)));
    EVENTS(ends[1], POLLIN);
    TRY(recv(ends[1], &byte, 1, 0));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        range(family, SOCK_STREAM);
        range(family, SOCK_DGRAM);
        hops(family);
    }
}
