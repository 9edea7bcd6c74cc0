// ioctl: bytes waiting, bytes not yet taken, non-blocking, the loopback interface, wrong arguments.
#include "check.h"
#include <linux/sockios.h>
#include <net/if.h>

static int amount;

static void streams(int family) {
    SECTION("%s: streams", family_name(family));
    int ends[2];
    char text[16];
    tcp_pair(family, ends);
    TRY(ioctl(ends[1], FIONREAD, &amount));
    CHECK(amount == 0);
    TRY(send(ends[0], "0123456789", 10, 0));
    CHECK(await_bytes(ends[1], 10));
    TRY(ioctl(ends[1], FIONREAD, &amount));
    CHECK(amount == 10);
    TRY(recv(ends[1], text, 4, 0));
    TRY(ioctl(ends[1], SIOCINQ, &amount));
    CHECK(amount == 6);
    usleep(60000);
    TRY(ioctl(ends[0], SIOCOUTQ, &amount));
    CHECK(amount == 0);
    TRY(ioctl(ends[0], SIOCATMARK, &amount));
    int on = 1, off = 0;
    TRY(ioctl(ends[0], FIONBIO, &on));
    TRY(recv(ends[0], text, 1, 0));
    TRY(ioctl(ends[0], FIONBIO, &off));
    CHECK((fcntl(ends[0], F_GETFL) & O_NONBLOCK) == 0);
    TRY(ioctl(ends[0], FIOCLEX));
    TRY(fcntl(ends[0], F_GETFD));
    TRY(ioctl(ends[0], FIONCLEX));
    TRY(fcntl(ends[0], F_GETFD));
    int listener = tcp_listener(family, 1, NULL);
    TRY(ioctl(listener, FIONREAD, &amount));
    TRY(ioctl(listener, SIOCOUTQ, &amount));
}

static void datagrams(int family) {
    SECTION("%s: datagrams", family_name(family));
    Address where;
    char text[16];
    int fd = udp_socket(family, &where);
    TRY(ioctl(fd, FIONREAD, &amount));
    CHECK(amount == 0);
    TRY(sendto(fd, "seven b", 7, 0, &where.any, where.length));
    TRY(sendto(fd, "three", 5, 0, &where.any, where.length));
    await(fd, POLLIN);
    TRY(ioctl(fd, FIONREAD, &amount));
    CHECK(amount == 7);
    TRY(recv(fd, text, 1, 0));
    TRY(ioctl(fd, FIONREAD, &amount));
    CHECK(amount == 5);
}

static void interfaces(void) {
    SECTION("the loopback interface");
    int kinds[] = {socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_DGRAM, 0)};
    for (int i = 0; i < 3; i++) {
        struct ifreq request = {.ifr_name = "lo"};
        TRY(ioctl(kinds[i], SIOCGIFINDEX, &request));
        CHECK(request.ifr_ifindex == 1);
        TRY(ioctl(kinds[i], SIOCGIFNAME, &request));
        CHECK(strcmp(request.ifr_name, "lo") == 0);
        TRY(ioctl(kinds[i], SIOCGIFFLAGS, &request));
        CHECK((request.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
        TRY(ioctl(kinds[i], SIOCGIFMTU, &request));
        CHECK(request.ifr_mtu == 65536);
    }
    struct ifreq request = {.ifr_name = "lo"};
    TRY(ioctl(kinds[0], SIOCGIFADDR, &request));
    CHECK(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    TRY(ioctl(kinds[0], SIOCGIFNETMASK, &request));
    CHECK(((struct sockaddr_in *)&request.ifr_netmask)->sin_addr.s_addr == htonl(0xff000000));
    strcpy(request.ifr_name, "nonesuch");
    TRY(ioctl(kinds[0], SIOCGIFINDEX, &request));
    TRY(ioctl(kinds[0], SIOCGIFFLAGS, &request));
    char room[4096];
    struct ifconf list = {.ifc_len = sizeof room, .ifc_buf = room};
    TRY(ioctl(kinds[0], SIOCGIFCONF, &list));
    CHECK(strcmp(list.ifc_req[0].ifr_name, "lo") == 0);
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        streams(family);
        datagrams(family);
    }
    interfaces();
    SECTION("wrong arguments");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY(ioctl(CLOSED, FIONREAD, &amount));
    TRY(ioctl(-1, FIONREAD, &amount));
    TRY(ioctl(socket(AF_INET, SOCK_DGRAM, 0), FIONREAD, BAD));
    TRY(ioctl(fd, FIONBIO, BAD));
    TRY(ioctl(fd, SIOCGIFINDEX, BAD));
    TRY(ioctl(fd, 0x12345678, &amount));
    TRY(ioctl(foreign_file(), SIOCGIFINDEX, &amount));
    return 0;
}
