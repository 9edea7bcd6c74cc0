// Urgent data: send(MSG_OOB), recv(MSG_OOB), SIOCATMARK, SO_OOBINLINE, POLLPRI, SIGURG.
#include "check.h"

static volatile sig_atomic_t urged;
static void on_urgent(int signal) {
    (void)signal;
    urged++;
}

static int at_mark(int fd) {
    int answer = -1;
    return ioctl(fd, SIOCATMARK, &answer) < 0 ? -errno : answer;
}

static int queued(int fd) {
    int count = -1;
    return ioctl(fd, FIONREAD, &count) < 0 ? -errno : count;
}

// Reads and shows what one recv gives.
static void take(int fd, int flags) {
    char text[32] = "";
    errno = 0;
    long n = recv(fd, text, sizeof text - 1, flags | MSG_DONTWAIT);
    if (n < 0) printf("  recv(%s) = -1 %s\n", flags & MSG_OOB ? "MSG_OOB" : "0", strerrorname_np(errno));
    else printf("  recv(%s%s) = %ld \"%s\"\n", flags & MSG_OOB ? "MSG_OOB" : "0", flags & MSG_PEEK ? "|PEEK" : "", n, text);
}

static void urgent_byte_between(int family) {
    SECTION("%s: ab, urgent c, de", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(send(ends[0], "abc", 3, MSG_OOB));
    TRY(send(ends[0], "de", 2, 0));
    printf("  poll: %s\n", events_text(await(ends[1], POLLPRI)));
    usleep(20000);
    CHECK(at_mark(ends[1]) == 0);
    take(ends[1], MSG_PEEK);
    take(ends[1], 0);
    CHECK(at_mark(ends[1]) == 1);
    take(ends[1], MSG_OOB | MSG_PEEK);
    take(ends[1], MSG_OOB);
    take(ends[1], MSG_OOB);
    take(ends[1], 0);
    CHECK(at_mark(ends[1]) == 0);
    take(ends[1], MSG_OOB);
    take(ends[1], 0);
}

static void urgent_byte_alone(int family) {
    SECTION("%s: an urgent byte alone", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(send(ends[0], "!", 1, MSG_OOB));
    printf("  poll: %s\n", events_text(await(ends[1], POLLPRI)));
    printf("  poll for input: %s\n", events_text(await_ms(ends[1], POLLIN, 50)));
    CHECK(at_mark(ends[1]) == 1);
    take(ends[1], MSG_OOB);
    printf("  poll: %s\n", events_text(await_ms(ends[1], POLLPRI, 50)));
    TRY(send(ends[0], "rest", 4, 0));
    usleep(20000);
    take(ends[1], 0);
    TRY(send(ends[1], "back", 4, 0));
    usleep(20000);
    take(ends[0], 0);
}

static void passed_over(int family) {
    SECTION("%s: a read goes over the urgent byte", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(send(ends[0], "x", 1, MSG_OOB));
    TRY(send(ends[0], "yz", 2, 0));
    usleep(30000);
    take(ends[1], 0);
    take(ends[1], MSG_OOB);
}

static void in_line(int family) {
    SECTION("%s: in line", family_name(family));
    int ends[2], on = 1;
    tcp_pair(family, ends);
    TRY(setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    TRY(send(ends[0], "abc", 3, MSG_OOB));
    TRY(send(ends[0], "de", 2, 0));
    usleep(30000);
    CHECK(queued(ends[1]) == 5);
    take(ends[1], MSG_OOB);
    take(ends[1], 0);
    CHECK(at_mark(ends[1]) == 1);
    take(ends[1], 0);
    CHECK(at_mark(ends[1]) == 0);
}

static void twice(int family) {
    SECTION("%s: a second urgent byte", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    TRY(send(ends[0], "ab", 2, MSG_OOB));
    usleep(20000);
    TRY(send(ends[0], "cd", 2, MSG_OOB));
    usleep(20000);
    take(ends[1], 0);
    take(ends[1], MSG_OOB);
    take(ends[1], 0);
}

static void signalled(int family) {
    SECTION("%s: SIGURG", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    signal(SIGURG, on_urgent);
    urged = 0;
    TRY(fcntl(ends[1], F_SETOWN, getpid()));
    TRY(send(ends[0], "u", 1, MSG_OOB));
    for (int i = 0; i < 200 && !urged; i++) usleep(5000);
    CHECK(urged > 0);
    take(ends[1], MSG_OOB);
}

static void by_message(int family) {
    SECTION("%s: sendmsg and recvmsg", family_name(family));
    int ends[2];
    tcp_pair(family, ends);
    struct iovec parts[2] = {{"12", 2}, {"34", 2}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    TRY(sendmsg(ends[0], &message, MSG_OOB));
    await(ends[1], POLLPRI);
    char text[8] = "";
    struct iovec room = {text, sizeof text};
    struct msghdr into = {.msg_iov = &room, .msg_iovlen = 1};
    TRY(recvmsg(ends[1], &into, MSG_OOB));
    printf("  \"%s\", MSG_OOB in the flags: %s\n", text, into.msg_flags & MSG_OOB ? "yes" : "no");
    TRY(recvmsg(ends[1], &into, 0));
    printf("  \"%.3s\"\n", text);
}

static void refused(void) {
    SECTION("where there is none");
    int ends[2];
    tcp_pair(AF_INET, ends);
    take(ends[1], MSG_OOB);
    CHECK(at_mark(ends[1]) == 0);
    TRY(shutdown(ends[0], SHUT_WR));
    TRY(send(ends[0], "x", 1, MSG_OOB | MSG_NOSIGNAL));
    int fresh = socket(AF_INET, SOCK_STREAM, 0);
    TRY(send(fresh, "x", 1, MSG_OOB | MSG_NOSIGNAL));
    CHECK(at_mark(fresh) == 0);
    TRY(send(ends[1], BAD, 1, MSG_OOB));
    TRY(ioctl(ends[1], SIOCATMARK, BAD));
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        urgent_byte_between(family);
        urgent_byte_alone(family);
        passed_over(family);
        in_line(family);
        twice(family);
        signalled(family);
        by_message(family);
    }
    refused();
    return 0;
}
