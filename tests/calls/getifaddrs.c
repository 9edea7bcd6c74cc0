// getifaddrs: the loopback interface has its addresses (other interfaces are the host's own affair).
#include "check.h"
#include <ifaddrs.h>
#include <net/if.h>

int main(void) {
    begin();
    struct ifaddrs *list = NULL;
    int four = 0, six = 0, link = 0;
    TRY(getifaddrs(&list));
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (strcmp(at->ifa_name, "lo") != 0 || !at->ifa_addr) continue;
        require((at->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK), "flags of lo");
        if (at->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in *address = (void *)at->ifa_addr, *mask = (void *)at->ifa_netmask;
            four += address->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && mask->sin_addr.s_addr == htonl(0xff000000);
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            six += IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr);
        } else {
            link += at->ifa_addr->sa_family == AF_PACKET;
        }
    }
    CHECK(four == 1);
    CHECK(six == 1);
    CHECK(link == 1);
    freeifaddrs(list);
    return 0;
}
