// TCP_SAVE_SYN and TCP_SAVED_SYN: the headers of the SYN, once, from the accepted socket.
#include "check.h"

#ifndef TCP_SAVE_SYN
#define TCP_SAVE_SYN 27
#define TCP_SAVED_SYN 28
#endif

static void saved(int family, int form) {
    SECTION("%s, TCP_SAVE_SYN %d", family_name(family), form);
    Address where;
    unsigned char bytes[256] = {0};
    int value = -1, header = family == AF_INET ? 20 : 40, link = form == 2 ? 14 : 0;
    socklen_t length = sizeof value;
    int listener = tcp_listener(family, 4, &where);
    TRY(setsockopt(listener, IPPROTO_TCP, TCP_SAVE_SYN, &form, sizeof form));
    TRY(getsockopt(listener, IPPROTO_TCP, TCP_SAVE_SYN, &value, &length));
    TRY(value);
    int client = connected_to(&where), fd = accept(listener, NULL, NULL);
    Address name = local_of(client);
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &value, &length));
    TRY(value);
    length = 10;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, bytes, &length));
    length = sizeof bytes;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, bytes, &length));
    TRY(length);
    if (length > 0) {
        unsigned char *ip = bytes + link, *tcp = ip + header;
        if (link) printf("  type %02x%02x\n", bytes[12], bytes[13]);
        CHECK(ip[0] >> 4 == (family == AF_INET ? 4 : 6));
        CHECK((family == AF_INET ? ip[9] : ip[6]) == IPPROTO_TCP);
        CHECK((family == AF_INET ? ip[8] : ip[7]) == 64);
        CHECK((tcp[0] << 8 | tcp[1]) == port_of(&name));
        CHECK((tcp[2] << 8 | tcp[3]) == port_of(&where));
        printf("  flags %02x, header of %d bytes, acknowledges %d\n", tcp[13], (tcp[12] >> 4) * 4,
            tcp[8] | tcp[9] | tcp[10] | tcp[11]);
        CHECK(tcp[20] == 2 && tcp[21] == 4);
    }
    length = sizeof bytes;
    TRY(getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, bytes, &length));
    TRY(length);
    length = sizeof bytes;
    TRY(getsockopt(listener, IPPROTO_TCP, TCP_SAVED_SYN, bytes, &length));
    TRY(length);
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, &form, sizeof form));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &form, sizeof form));
    TRY(setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &form, 3));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        for (int form = -1; form <= 3; form++) saved(family, form);
    }
    return 0;
}
