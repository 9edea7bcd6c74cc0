// The abstract name of a datagram's sender is what recvfrom gives, whole, also after the sender has closed.
#include "kernel.h"

int main(void) {
    begin();
    Name mine = name_of("source"), where = name_of("target");
    int from = named(SOCK_DGRAM, &mine), to = named(SOCK_DGRAM, &where);
    HOLDS(sendto(from, "x", 1, 0, (struct sockaddr *)&where.address, where.length) == 1);
    close(from);
    struct sockaddr_un seen;
    socklen_t length = sizeof seen;
    char text[8];
    HOLDS(recvfrom(to, text, sizeof text, 0, (struct sockaddr *)&seen, &length) == 1);
    HOLDS(length == mine.length && memcmp(&seen, &mine.address, length) == 0);
    // An unnamed sender shows as no name, so a receiver can tell.
    int unnamed = socket(AF_UNIX, SOCK_DGRAM, 0);
    HOLDS(sendto(unnamed, "", 0, 0, (struct sockaddr *)&where.address, where.length) == 0);
    length = sizeof seen;
    HOLDS(events_of(to, POLLIN) == POLLIN);
    HOLDS(recvfrom(to, text, sizeof text, 0, (struct sockaddr *)&seen, &length) == 0);
    HOLDS(length <= sizeof(sa_family_t));
    // Boundaries: the rest of a datagram is gone, MSG_TRUNC gives its length.
    int sender = named(SOCK_DGRAM, &mine);
    HOLDS(join(sender, &where) == 0);
    HOLDS(send(sender, "abcdef", 6, 0) == 6 && send(sender, "gh", 2, 0) == 2);
    HOLDS(recv(to, text, 2, MSG_TRUNC) == 6);
    HOLDS(recv(to, text, 8, 0) == 2);
    // Up to the send buffer a datagram may be as long as UDP's longest.
    static char large[65507];
    HOLDS(send(sender, large, sizeof large, 0) == sizeof large);
    HOLDS(recv(to, large, sizeof large, 0) == sizeof large);
    return 0;
}
