/* The plain names of the socket calls, as libsockeye's: include it after all system headers (gcc -include may come
 * first: it includes them itself), and an unchanged source makes its sockets on the thread's current host.
 */
#ifndef SOCKEYE_BSD_H
#define SOCKEYE_BSD_H

#include <fcntl.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sockeye.h"

#define socket(...) sockeye_socket(__VA_ARGS__)
#define socketpair(...) sockeye_socketpair(__VA_ARGS__)
#define unlink(...) sockeye_unlink(__VA_ARGS__)
#define bind(...) sockeye_bind(__VA_ARGS__)
#define listen(...) sockeye_listen(__VA_ARGS__)
#define connect(...) sockeye_connect(__VA_ARGS__)
#define accept(...) sockeye_accept(__VA_ARGS__)
#define accept4(...) sockeye_accept4(__VA_ARGS__)
#define getsockname(...) sockeye_getsockname(__VA_ARGS__)
#define getpeername(...) sockeye_getpeername(__VA_ARGS__)
#define shutdown(...) sockeye_shutdown(__VA_ARGS__)
#define setsockopt(...) sockeye_setsockopt(__VA_ARGS__)
#define getsockopt(...) sockeye_getsockopt(__VA_ARGS__)
#define send(...) sockeye_send(__VA_ARGS__)
#define sendto(...) sockeye_sendto(__VA_ARGS__)
#define sendmsg(...) sockeye_sendmsg(__VA_ARGS__)
#define sendmmsg(...) sockeye_sendmmsg(__VA_ARGS__)
#define recv(...) sockeye_recv(__VA_ARGS__)
#define recvfrom(...) sockeye_recvfrom(__VA_ARGS__)
#define recvmsg(...) sockeye_recvmsg(__VA_ARGS__)
#define recvmmsg(...) sockeye_recvmmsg(__VA_ARGS__)
#define read(...) sockeye_read(__VA_ARGS__)
#define write(...) sockeye_write(__VA_ARGS__)
#define readv(...) sockeye_readv(__VA_ARGS__)
#define writev(...) sockeye_writev(__VA_ARGS__)
#define close(...) sockeye_close(__VA_ARGS__)
#define dup(...) sockeye_dup(__VA_ARGS__)
#define dup2(...) sockeye_dup2(__VA_ARGS__)
#define dup3(...) sockeye_dup3(__VA_ARGS__)
#define poll(...) sockeye_poll(__VA_ARGS__)
#define ppoll(...) sockeye_ppoll(__VA_ARGS__)
#define select(...) sockeye_select(__VA_ARGS__)
#define pselect(...) sockeye_pselect(__VA_ARGS__)
#define getaddrinfo(...) sockeye_getaddrinfo(__VA_ARGS__)
#define freeaddrinfo(...) sockeye_freeaddrinfo(__VA_ARGS__)
#define epoll_create(...) sockeye_epoll_create(__VA_ARGS__)
#define epoll_create1(...) sockeye_epoll_create1(__VA_ARGS__)
#define epoll_ctl(...) sockeye_epoll_ctl(__VA_ARGS__)
#define epoll_wait(...) sockeye_epoll_wait(__VA_ARGS__)
#define epoll_pwait(...) sockeye_epoll_pwait(__VA_ARGS__)

/* The third argument may be absent. */
#define ioctl(...) sockeye_ioctl(SOCKEYE_IOCTL(__VA_ARGS__, 0, 0))
#define SOCKEYE_IOCTL(fd, request, argument, ...) (fd), (request), (void *)(argument)
#define fcntl(...) sockeye_fcntl(SOCKEYE_FCNTL(__VA_ARGS__, 0, 0))
#define SOCKEYE_FCNTL(fd, command, argument, ...) (fd), (command), (long)(argument)

#endif
