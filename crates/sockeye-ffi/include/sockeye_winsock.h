/* Winsock's names (winsock2.h, ws2tcpip.h) over libsockeye: an unchanged Winsock source makes its sockets on the thread's
 * current host. Errors are those of WSAGetLastError; a SOCKET is a descriptor of the library.
 */
#ifndef SOCKEYE_WINSOCK_H
#define SOCKEYE_WINSOCK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sockeye.h"

typedef uintptr_t SOCKET;
typedef struct sockaddr SOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN;
typedef struct sockaddr_in6 SOCKADDR_IN6;
typedef struct sockaddr_storage SOCKADDR_STORAGE;
typedef struct in_addr IN_ADDR;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef struct WSAData {
    WORD wVersion, wHighVersion;
    unsigned short iMaxSockets, iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[257], szSystemStatus[129];
} WSADATA;
typedef struct pollfd_winsock {
    SOCKET fd;
    short events, revents;
} WSAPOLLFD;

#define INVALID_SOCKET ((SOCKET)(~0))
#define SOCKET_ERROR (-1)
#define MAKEWORD(low, high) ((WORD)((uint8_t)(low) | (WORD)(uint8_t)(high) << 8))
#define LOBYTE(word) ((uint8_t)(word))
#define HIBYTE(word) ((uint8_t)((word) >> 8))
#define SD_RECEIVE 0
#define SD_SEND 1
#define SD_BOTH 2
#define WSAAPI

#define WSAEINTR 10004
#define WSAEBADF 10009
#define WSAEACCES 10013
#define WSAEFAULT 10014
#define WSAEINVAL 10022
#define WSAEMFILE 10024
#define WSAEWOULDBLOCK 10035
#define WSAEINPROGRESS 10036
#define WSAEALREADY 10037
#define WSAENOTSOCK 10038
#define WSAEDESTADDRREQ 10039
#define WSAEMSGSIZE 10040
#define WSAEPROTOTYPE 10041
#define WSAENOPROTOOPT 10042
#define WSAEPROTONOSUPPORT 10043
#define WSAESOCKTNOSUPPORT 10044
#define WSAEOPNOTSUPP 10045
#define WSAEAFNOSUPPORT 10047
#define WSAEADDRINUSE 10048
#define WSAEADDRNOTAVAIL 10049
#define WSAENETDOWN 10050
#define WSAENETUNREACH 10051
#define WSAECONNABORTED 10053
#define WSAECONNRESET 10054
#define WSAENOBUFS 10055
#define WSAEISCONN 10056
#define WSAENOTCONN 10057
#define WSAESHUTDOWN 10058
#define WSAETIMEDOUT 10060
#define WSAECONNREFUSED 10061
#define WSAEHOSTUNREACH 10065
#define WSANOTINITIALISED 10093

/* Winsock's number of an errno. */
static inline int sockeye_winsock_error(int error) {
    static const int pairs[][2] = {
        {0, 0}, {EINTR, WSAEINTR}, {EBADF, WSAENOTSOCK}, {EACCES, WSAEACCES}, {EFAULT, WSAEFAULT}, {EINVAL, WSAEINVAL},
        {EMFILE, WSAEMFILE}, {EAGAIN, WSAEWOULDBLOCK}, {EINPROGRESS, WSAEWOULDBLOCK}, {EALREADY, WSAEALREADY},
        {ENOTSOCK, WSAENOTSOCK}, {EDESTADDRREQ, WSAEDESTADDRREQ}, {EMSGSIZE, WSAEMSGSIZE}, {EPROTOTYPE, WSAEPROTOTYPE},
        {ENOPROTOOPT, WSAENOPROTOOPT}, {EPROTONOSUPPORT, WSAEPROTONOSUPPORT}, {ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT},
        {EOPNOTSUPP, WSAEOPNOTSUPP}, {EAFNOSUPPORT, WSAEAFNOSUPPORT}, {EADDRINUSE, WSAEADDRINUSE},
        {EADDRNOTAVAIL, WSAEADDRNOTAVAIL}, {ENETDOWN, WSAENETDOWN}, {ENETUNREACH, WSAENETUNREACH},
        {ECONNABORTED, WSAECONNABORTED}, {ECONNRESET, WSAECONNRESET}, {ENOBUFS, WSAENOBUFS}, {EISCONN, WSAEISCONN},
        {ENOTCONN, WSAENOTCONN}, {EPIPE, WSAESHUTDOWN}, {ETIMEDOUT, WSAETIMEDOUT}, {ECONNREFUSED, WSAECONNREFUSED},
        {EHOSTUNREACH, WSAEHOSTUNREACH}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] == error) return pairs[i][1];
    return WSAEINVAL;
}

static inline int WSAStartup(WORD version, WSADATA *data) {
    memset(data, 0, sizeof *data);
    data->wVersion = version, data->wHighVersion = MAKEWORD(2, 2);
    strcpy(data->szDescription, "libsockeye");
    return 0;
}
static inline int WSACleanup(void) { return 0; }
static inline int WSAGetLastError(void) { return sockeye_winsock_error(errno); }
static inline void WSASetLastError(int error) {
    for (errno = 1; errno < 134 && sockeye_winsock_error(errno) != error; errno++) continue;
}

static inline int closesocket(SOCKET s) { return sockeye_close((int)s); }
static inline int ioctlsocket(SOCKET s, long command, unsigned long *argument) {
    int value = (int)*argument, answer = sockeye_ioctl((int)s, (unsigned long)command, &value);
    *argument = (unsigned long)value;
    return answer;
}
static inline int WSAPoll(WSAPOLLFD *fds, unsigned long count, int timeout) {
    struct pollfd *entries = (struct pollfd *)calloc(count ? count : 1, sizeof *entries);
    if (!entries) return SOCKET_ERROR;
    for (unsigned long i = 0; i < count; i++) entries[i] = (struct pollfd){(int)fds[i].fd, fds[i].events, 0};
    int answer = sockeye_poll(entries, count, timeout), error = errno;
    for (unsigned long i = 0; i < count; i++) fds[i].revents = entries[i].revents;
    free(entries);
    errno = error;
    return answer;
}

#define socket(domain, type, protocol) ((SOCKET)(intptr_t)sockeye_socket(domain, type, protocol))
#define accept(s, addr, len) ((SOCKET)(intptr_t)sockeye_accept((int)(s), addr, (socklen_t *)(len)))
#define bind(s, addr, len) sockeye_bind((int)(s), addr, len)
#define listen(s, backlog) sockeye_listen((int)(s), backlog)
#define connect(s, addr, len) sockeye_connect((int)(s), addr, len)
#define getsockname(s, addr, len) sockeye_getsockname((int)(s), addr, (socklen_t *)(len))
#define getpeername(s, addr, len) sockeye_getpeername((int)(s), addr, (socklen_t *)(len))
#define shutdown(s, how) sockeye_shutdown((int)(s), how)
#define setsockopt(s, level, name, value, len) sockeye_setsockopt((int)(s), level, name, value, len)
#define getsockopt(s, level, name, value, len) sockeye_getsockopt((int)(s), level, name, value, (socklen_t *)(len))
#define send(s, buffer, len, flags) ((int)sockeye_send((int)(s), buffer, (size_t)(len), (flags) | MSG_NOSIGNAL))
#define recv(s, buffer, len, flags) ((int)sockeye_recv((int)(s), buffer, (size_t)(len), flags))
#define sendto(s, buffer, len, flags, addr, addr_len) \
    ((int)sockeye_sendto((int)(s), buffer, (size_t)(len), (flags) | MSG_NOSIGNAL, addr, addr_len))
#define recvfrom(s, buffer, len, flags, addr, addr_len) \
    ((int)sockeye_recvfrom((int)(s), buffer, (size_t)(len), flags, addr, (socklen_t *)(addr_len)))

#endif
