/* libsockeye: BSD sockets on a TCP/IP stack of their own, inside one process.
 *
 * A lab has hosts and links between them. A thread uses a host (sockeye_use) and makes sockets on it; every other call
 * goes by the descriptor. Constants, structs and errno are those of the system's own headers (Linux). Descriptors are
 * numbers of the library's own, from 2^20 on; the functions of files (read, write, readv, writev, close, dup, dup2, fcntl,
 * ioctl) hand other numbers to the system. All functions may be called from any thread. As on Linux a signal ends poll,
 * select and epoll_wait with EINTR, and a send to a stream that is broken raises SIGPIPE unless MSG_NOSIGNAL is given; other
 * calls that wait are not ended by signals.
 *
 * Functions that answer an int or an ssize_t answer -1 and set errno; bad pointers are EFAULT, bad descriptors EBADF.
 */
#ifndef SOCKEYE_H
#define SOCKEYE_H

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mmsghdr; /* <sys/socket.h> has it with _GNU_SOURCE. */

/* Labs. */

typedef struct sockeye_lab sockeye_lab;
typedef struct sockeye_host sockeye_host;

/* What a link does to packets, in each direction; all zero is an ideal one with an MTU of 1500. */
typedef struct sockeye_link {
    uint64_t delay_ns;     /* how long each packet is under way */
    uint64_t jitter_ns;    /* up to so much more */
    uint64_t rate_bps;     /* bits per second; 0 is without bound */
    uint64_t queue_bytes;  /* bytes that may wait for the rate; 0 is the library's choice */
    uint32_t loss_ppm;     /* shares of packets in millionths */
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;
    uint32_t corrupt_ppm;
    uint32_t mtu; /* largest IP packet in bytes; 0 is 1500 */
} sockeye_link;

/* A lab without hosts, whose randomness follows from the seed; described by the next three, then started. */
sockeye_lab *sockeye_lab_new(uint64_t seed);
/* `address` is an IP address ("10.1.0.1"), or NULL for the library's choice. */
int sockeye_lab_host(sockeye_lab *lab, const char *name, const char *address);
/* One more address of the host added last. */
int sockeye_lab_address(sockeye_lab *lab, const char *address);
/* `link` may be NULL for an ideal one. */
int sockeye_lab_link(sockeye_lab *lab, const char *a, const char *b, const sockeye_link *link);
/* Starts it, in real time with a thread of its own. */
int sockeye_lab_start(sockeye_lab *lab);
/* Of a running lab. */
int sockeye_lab_set_link(sockeye_lab *lab, const char *a, const char *b, const sockeye_link *link);
int sockeye_lab_cut(sockeye_lab *lab, const char *a, const char *b, int cut);
/* A host, or NULL and errno. */
sockeye_host *sockeye_lab_find(sockeye_lab *lab, const char *name);
/* The lab runs on as long as a host or a socket of it is there. */
void sockeye_lab_free(sockeye_lab *lab);
void sockeye_host_free(sockeye_host *host);
/* The host on which this thread makes sockets from now on; NULL for none (ENETDOWN). */
int sockeye_use(const sockeye_host *host);
/* The host of all threads that have not chosen theirs. */
int sockeye_use_by_default(const sockeye_host *host);
/* What the last failure of a function above was about, in words; of this thread, valid until the next. */
const char *sockeye_error(void);

/* Where descriptors begin (3 to 2^30), for programs that use select; EBUSY while any is open. */
int sockeye_first_descriptor(int first);
/* Not 0: pointers are not checked, which saves a system call for each. */
void sockeye_trust_pointers(int trust);

/* The calls. */

int sockeye_socket(int domain, int type, int protocol);
/* AF_UNIX. */
int sockeye_socketpair(int domain, int type, int protocol, int ends[2]);
/* A path that a Unix-domain socket of the thread's host has; any other is the system's. */
int sockeye_unlink(const char *path);
int sockeye_bind(int fd, const struct sockaddr *addr, socklen_t len);
int sockeye_listen(int fd, int backlog);
int sockeye_connect(int fd, const struct sockaddr *addr, socklen_t len);
int sockeye_accept(int fd, struct sockaddr *addr, socklen_t *len);
int sockeye_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int sockeye_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int sockeye_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int sockeye_shutdown(int fd, int how);
int sockeye_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int sockeye_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

ssize_t sockeye_send(int fd, const void *buffer, size_t len, int flags);
ssize_t sockeye_sendto(int fd, const void *buffer, size_t len, int flags, const struct sockaddr *addr, socklen_t addr_len);
ssize_t sockeye_sendmsg(int fd, const struct msghdr *message, int flags);
int sockeye_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
ssize_t sockeye_recv(int fd, void *buffer, size_t len, int flags);
ssize_t sockeye_recvfrom(int fd, void *buffer, size_t len, int flags, struct sockaddr *addr, socklen_t *addr_len);
ssize_t sockeye_recvmsg(int fd, struct msghdr *message, int flags);
int sockeye_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout);

ssize_t sockeye_read(int fd, void *buffer, size_t len);
ssize_t sockeye_write(int fd, const void *buffer, size_t len);
ssize_t sockeye_readv(int fd, const struct iovec *parts, int count);
ssize_t sockeye_writev(int fd, const struct iovec *parts, int count);
int sockeye_close(int fd);
int sockeye_dup(int fd);
int sockeye_dup2(int old, int new_);
int sockeye_dup3(int old, int new_, int flags);
/* F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL. */
int sockeye_fcntl(int fd, int command, long argument);
/* FIONBIO, FIONREAD, SIOCOUTQ, SIOCATMARK. */
int sockeye_ioctl(int fd, unsigned long request, void *argument);

/* Of the library's descriptors only; others are POLLNVAL or EBADF. */
int sockeye_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int sockeye_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
int sockeye_select(int count, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout);
int sockeye_pselect(int count, fd_set *read, fd_set *write, fd_set *except, const struct timespec *timeout,
                    const sigset_t *mask);
int sockeye_epoll_create(int size);
int sockeye_epoll_create1(int flags);
int sockeye_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int sockeye_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms);
int sockeye_epoll_pwait(int epoll, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask);

/* By the lab's names; services are numbers. The answer is 0 or an EAI_ code of <netdb.h>. */
struct addrinfo;
int sockeye_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);
void sockeye_freeaddrinfo(struct addrinfo *list);

#ifdef __cplusplus
}
#endif
#endif
