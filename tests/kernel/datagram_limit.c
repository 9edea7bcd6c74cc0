// The longest datagram that a carrier takes is its SO_SNDBUF less 32 bytes: set to 32,770 (which the kernel doubles)
// it refuses what is longer than 65,508 with EMSGSIZE, one byte off UDP's limit over IPv4, without a notification.
#include "kernel.h"

int main(void) {
    begin();
    static char large[70000];
    int ends[2], size = 32770;
    HOLDS(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    HOLDS(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    HOLDS(send(ends[0], large, 65509, MSG_DONTWAIT) == -1 && errno == EMSGSIZE);
    HOLDS(send(ends[0], large, 65507, MSG_DONTWAIT) == 65507);
    HOLDS(recv(ends[1], large, sizeof large, 0) == 65507);
    HOLDS(send(ends[0], large, 1, MSG_DONTWAIT) == 1);
    return 0;
}
