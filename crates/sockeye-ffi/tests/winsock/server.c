// An echo server as Winsock programs are written; `serve` is what the test calls.
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdio.h>

int serve(unsigned short port, int clients) {
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (listener == INVALID_SOCKET) {
        printf("socket failed: %d\n", WSAGetLastError());
        WSACleanup();
        return 1;
    }
    SOCKADDR_IN address;
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(listener, (SOCKADDR *)&address, sizeof(address)) == SOCKET_ERROR ||
        listen(listener, SOMAXCONN) == SOCKET_ERROR) {
        printf("bind or listen failed: %d\n", WSAGetLastError());
        closesocket(listener);
        WSACleanup();
        return 1;
    }
    for (int i = 0; i < clients; i++) {
        SOCKADDR_IN peer;
        int length = sizeof(peer);
        SOCKET client = accept(listener, (SOCKADDR *)&peer, &length);
        if (client == INVALID_SOCKET) return 1;
        char buffer[512];
        int received;
        while ((received = recv(client, buffer, sizeof(buffer), 0)) > 0)
            if (send(client, buffer, received, 0) == SOCKET_ERROR) return 1;
        shutdown(client, SD_SEND);
        closesocket(client);
    }
    closesocket(listener);
    WSACleanup();
    return 0;
}
