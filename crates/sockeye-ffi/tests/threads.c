// Many threads on one epoll and many at once in blocking calls: every message is served once, none is lost.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../include/sockeye.h"

enum { CLIENTS = 8, WORKERS = 4, MESSAGES = 500 };
static int listener, epoll;
static atomic_int served, failed;
static struct sockaddr_in where = {.sin_family = AF_INET};

static void *work(void *unused) {
    (void)unused;
    struct epoll_event event;
    while (sockeye_epoll_wait(epoll, &event, 1, 3000) == 1) {
        int fd = event.data.fd;
        char byte;
        if (fd == listener) {
            int client = sockeye_accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = client};
            if (client < 0 || sockeye_epoll_ctl(epoll, EPOLL_CTL_ADD, client, &wanted)) failed++;
            wanted = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.fd = listener};
            sockeye_epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &wanted);
            continue;
        }
        ssize_t n = sockeye_recv(fd, &byte, 1, 0);
        if (n == 0) {
            sockeye_close(fd);
            continue;
        }
        if (n != 1 || sockeye_send(fd, &byte, 1, 0) != 1) failed++;
        served++;
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
        if (sockeye_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &wanted)) failed++;
        if (served == CLIENTS * MESSAGES) break;
    }
    return NULL;
}

static void *ask(void *unused) {
    int fd = sockeye_socket(AF_INET, SOCK_STREAM, 0);
    char byte = 'x';
    if (sockeye_connect(fd, (struct sockaddr *)&where, sizeof where)) failed++;
    for (int i = 0; i < MESSAGES; i++)
        if (sockeye_send(fd, &byte, 1, 0) != 1 || sockeye_recv(fd, &byte, 1, 0) != 1) failed++;
    sockeye_close(fd);
    return unused;
}

int main(void) {
    socklen_t length = sizeof where;
    inet_pton(AF_INET, "127.0.0.1", &where.sin_addr);
    listener = sockeye_socket(AF_INET, SOCK_STREAM, 0);
    sockeye_bind(listener, (struct sockaddr *)&where, sizeof where);
    sockeye_getsockname(listener, (struct sockaddr *)&where, &length);
    sockeye_listen(listener, CLIENTS);
    epoll = sockeye_epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = listener};
    sockeye_epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
    pthread_t threads[CLIENTS + WORKERS];
    for (int i = 0; i < CLIENTS + WORKERS; i++) pthread_create(&threads[i], NULL, i < WORKERS ? work : ask, NULL);
    for (int i = 0; i < CLIENTS + WORKERS; i++) pthread_join(threads[i], NULL);
    sockeye_close(epoll);
    sockeye_close(listener);
    printf("served %d, failed %d\n", served, failed);
    return served != CLIENTS * MESSAGES || failed;
}
