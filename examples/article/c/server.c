// The partner of client.c: bind, listen, accept one client, answer each message until read gives 0,
// say farewell on the direction that is still open, close. Usage: server [PORT]
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    address.sin_port = htons(argc > 1 ? atoi(argv[1]) : 1234);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 5) < 0) fail("listen");
    fputs("ready\n", stderr);

    int client = accept(listener, NULL, NULL);
    if (client < 0) fail("accept");
    char message[256], answer[300];
    ssize_t length;
    while ((length = read(client, message, sizeof message)) > 0) {
        printf("message: %.*s\n", (int)length, message);
        int size = snprintf(answer, sizeof answer, "%zd bytes: %.*s", length, (int)length, message);
        if (write(client, answer, size) < 0) fail("write");
    }
    printf("the client has ended: read gave %zd\n", length);
    if (write(client, "farewell", 8) < 0) fail("write");
    close(client);
    close(listener);
    return 0;
}
