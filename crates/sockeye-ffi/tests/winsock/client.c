// An echo client as Winsock programs are written, without blocking: ioctlsocket, WSAPoll, WSAGetLastError.
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>

int ask(const char *host, unsigned short port, const char *text) {
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    u_long nonblocking = 1;
    if (client == INVALID_SOCKET || ioctlsocket(client, FIONBIO, &nonblocking) == SOCKET_ERROR) return 1;
    SOCKADDR_IN address;
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    if (connect(client, (SOCKADDR *)&address, sizeof(address)) == SOCKET_ERROR && WSAGetLastError() != WSAEWOULDBLOCK) {
        printf("connect failed: %d\n", WSAGetLastError());
        return 1;
    }
    WSAPOLLFD entry = {client, POLLOUT, 0};
    if (WSAPoll(&entry, 1, 5000) != 1 || !(entry.revents & POLLOUT)) return 1;
    char buffer[512];
    if (recv(client, buffer, sizeof(buffer), 0) != SOCKET_ERROR || WSAGetLastError() != WSAEWOULDBLOCK) return 1;
    int length = (int)strlen(text), have = 0;
    if (send(client, text, length, 0) != length) return 1;
    while (have < length) {
        entry.events = POLLIN;
        if (WSAPoll(&entry, 1, 5000) != 1) return 1;
        int received = recv(client, buffer + have, sizeof(buffer) - have, 0);
        if (received <= 0) return 1;
        have += received;
    }
    int same = memcmp(buffer, text, length) == 0;
    closesocket(client);
    if (send(client, text, length, 0) != SOCKET_ERROR || WSAGetLastError() != WSAENOTSOCK) return 1;
    WSACleanup();
    return same ? 0 : 1;
}
