// The Winsock pair, and each of its ends with a BSD one, on one host.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../include/sockeye_bsd.h"

int serve(unsigned short port, int clients);
int ask(const char *host, unsigned short port, const char *text);

static void *winsock_server(void *unused) {
    (void)unused;
    return (void *)(long)serve(80, 2);
}

static struct sockaddr_in address(int port) {
    struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &made.sin_addr);
    return made;
}

static void *bsd_server(void *listener) {
    int fd = accept(*(int *)listener, NULL, NULL);
    char text[64];
    ssize_t n;
    while ((n = read(fd, text, sizeof text)) > 0) write(fd, text, n);
    close(fd);
    return NULL;
}

int main(void) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, winsock_server, NULL);
    struct sockaddr_in where = address(80), other = address(81);
    int fd;
    for (int tries = 0; tries < 1000; tries++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&where, sizeof where) == 0) break;
        close(fd);
        usleep(1000);
    }
    char text[16] = "";
    int failed = write(fd, "bsd", 3) != 3 || recv(fd, text, 3, MSG_WAITALL) != 3 || strcmp(text, "bsd") != 0;
    close(fd);
    failed += ask("127.0.0.1", 80, "both are Winsock's");
    pthread_join(thread, &result);
    failed += result != NULL;

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    failed += bind(listener, (struct sockaddr *)&other, sizeof other) || listen(listener, 1);
    pthread_create(&thread, NULL, bsd_server, &listener);
    failed += ask("127.0.0.1", 81, "the client is Winsock's");
    pthread_join(thread, NULL);
    printf("%d failed\n", failed);
    return failed;
}
