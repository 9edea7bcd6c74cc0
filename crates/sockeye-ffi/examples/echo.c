/* Two hosts and a slow link between them: a server that echoes, a client that asks it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockeye.h"

static sockeye_lab *lab;

static void check(int fact, const char *what) {
    if (fact) return;
    perror(what);
    exit(1);
}

static void described(int answer) {
    if (answer == 0) return;
    fprintf(stderr, "%s\n", sockeye_error());
    exit(1);
}

static struct sockaddr_in address(const char *host, int port) {
    struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &made.sin_addr);
    return made;
}

static void *serve(void *listener) {
    int fd = sockeye_accept(*(int *)listener, NULL, NULL);
    char text[100];
    ssize_t n;
    check(fd >= 0, "accept");
    while ((n = sockeye_recv(fd, text, sizeof text, 0)) > 0) check(sockeye_send(fd, text, n, 0) == n, "send");
    sockeye_close(fd);
    return NULL;
}

int main(void) {
    sockeye_link slow = {.delay_ns = 5000000, .loss_ppm = 10000};
    lab = sockeye_lab_new(7);
    described(sockeye_lab_host(lab, "server", "10.1.0.1"));
    described(sockeye_lab_host(lab, "client", "10.1.0.2"));
    described(sockeye_lab_link(lab, "server", "client", &slow));
    described(sockeye_lab_start(lab));

    sockeye_host *server = sockeye_lab_find(lab, "server"), *client = sockeye_lab_find(lab, "client");
    struct sockaddr_in here = address("0.0.0.0", 80), there = address("10.1.0.1", 80);
    sockeye_use(server);
    int listener = sockeye_socket(AF_INET, SOCK_STREAM, 0);
    check(sockeye_bind(listener, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    check(sockeye_listen(listener, 5) == 0, "listen");
    pthread_t thread;
    pthread_create(&thread, NULL, serve, &listener);

    sockeye_use(client);
    int fd = sockeye_socket(AF_INET, SOCK_STREAM, 0);
    check(sockeye_connect(fd, (struct sockaddr *)&there, sizeof there) == 0, "connect");
    char text[100] = "";
    check(sockeye_send(fd, "hello, lab", 10, 0) == 10, "send");
    check(sockeye_recv(fd, text, 10, MSG_WAITALL) == 10, "recv");
    printf("echoed: %s\n", text);
    sockeye_close(fd);
    pthread_join(thread, NULL);
    sockeye_close(listener);
    sockeye_host_free(server);
    sockeye_host_free(client);
    sockeye_lab_free(lab);
    return strcmp(text, "hello, lab") != 0;
}
