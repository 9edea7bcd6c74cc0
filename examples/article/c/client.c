// The article's C client: socket, connect, an exchange by write and read, then the end of its own
// direction (SHUT_WR), after which the server reads 0 and may finish. Usage: client [PORT]
#include <arpa/inet.h>
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
    int port = argc > 1 ? atoi(argv[1]) : 1234;
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection < 0) fail("socket");

    struct sockaddr_in server;
    memset(&server, 0, sizeof server);
    server.sin_family = AF_INET;
    server.sin_port = htons(port);
    if (inet_pton(AF_INET, "127.0.0.1", &server.sin_addr) != 1) fail("inet_pton");
    if (connect(connection, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");

    static const char *questions[] = {"good morning", "what is a socket?", "thank you"};
    char answer[256];
    for (int i = 0; i < 3; i++) {
        if (write(connection, questions[i], strlen(questions[i])) < 0) fail("write");
        ssize_t length = read(connection, answer, sizeof answer);
        if (length < 0) fail("read");
        printf("answer: %.*s\n", (int)length, answer);
    }

    if (shutdown(connection, SHUT_WR) < 0) fail("shutdown");
    ssize_t length;
    while ((length = read(connection, answer, sizeof answer)) > 0)
        printf("after the end: %.*s\n", (int)length, answer);
    printf("the server closed: read gave %zd\n", length);
    close(connection);
    return 0;
}
