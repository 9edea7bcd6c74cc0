// The measured program of programs.sh: one process, server and client as two processes of it, over
// 127.0.0.1. It prints the figure alone: operations per second (roundtrip, messages-64, connect) or bytes per
// second (bulk-64k).
//   programs roundtrip|messages-64|bulk-64k|connect SECONDS
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void need(int fact, const char *what) {
    if (fact) return;
    perror(what);
    exit(1);
}

static struct sockaddr_in server_address;
static int listener;

static int connected(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    need(connect(fd, (struct sockaddr *)&server_address, sizeof server_address) == 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// Reads until the end and gives nothing back.
static void serve_sink(void) {
    static char block[256 * 1024];
    int fd = accept(listener, NULL, NULL);
    while (read(fd, block, sizeof block) > 0) continue;
    need(write(fd, "!", 1) == 1, "write");
    close(fd);
}

static void serve_echo(void) {
    int fd = accept(listener, NULL, NULL), on = 1;
    char byte;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (read(fd, &byte, 1) == 1) need(write(fd, &byte, 1) == 1, "write");
    close(fd);
}

// One byte from each client, until a client sends the last one.
static void serve_connects(void) {
    char byte = 0;
    while (byte != 'q') {
        int fd = accept(listener, NULL, NULL);
        need(fd >= 0, "accept");
        need(read(fd, &byte, 1) == 1, "read");
        close(fd);
    }
}

static double roundtrip(double seconds) {
    int fd = connected();
    char byte = 'r';
    long count = 0;
    double start = now_s(), at = start;
    while (at - start < seconds) {
        for (int i = 0; i < 100; i++) need(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1, "round trip");
        count += 100;
        at = now_s();
    }
    return count / (at - start);
}

// Writes blocks of one size, counts until the server has read the last one.
static double stream(double seconds, int size) {
    static char block[64 * 1024];
    int fd = connected();
    long count = 0;
    double start = now_s();
    while (now_s() - start < seconds)
        for (int i = 0; i < 64; i++, count++) need(write(fd, block, size) == size, "write");
    shutdown(fd, SHUT_WR);
    need(read(fd, block, 1) == 1, "read");
    return count / (now_s() - start);
}

// connect, one byte, close by the client after the server has closed.
static double connects(double seconds) {
    long count = 0;
    double start = now_s(), at = start;
    for (int last = 0; !last; count++) {
        int fd = connected();
        char byte;
        at = now_s();
        last = at - start >= seconds;
        need(write(fd, last ? "q" : "c", 1) == 1, "write");
        need(read(fd, &byte, 1) == 0, "the server's close");
        close(fd);
    }
    return count / (at - start);
}

int main(int argc, char **argv) {
    need(argc == 3, "programs MODE SECONDS");
    const char *mode = argv[1];
    double seconds = atof(argv[2]), figure;
    socklen_t length = sizeof server_address;
    alarm(60);
    server_address.sin_family = AF_INET;
    server_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&server_address, length) == 0, "bind");
    need(listen(listener, 128) == 0, "listen");
    need(getsockname(listener, (struct sockaddr *)&server_address, &length) == 0, "getsockname");
    int echo = strcmp(mode, "roundtrip") == 0, connecting = strcmp(mode, "connect") == 0;
    pid_t server = fork();
    if (server == 0) {
        alarm(60);
        if (echo) serve_echo();
        else if (connecting) serve_connects();
        else serve_sink();
        _exit(0);
    }
    close(listener);
    if (echo) figure = roundtrip(seconds);
    else if (connecting) figure = connects(seconds);
    else if (strcmp(mode, "messages-64") == 0) figure = stream(seconds, 64);
    else if (strcmp(mode, "bulk-64k") == 0) figure = stream(seconds, 65536) * 65536;
    else return 2;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    printf("%.0f\n", figure);
    return 0;
}
