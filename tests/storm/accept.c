// Three threads accept while signals arrive at each of them every 100 us; every client is served, once.
//   accept plain|restart CONNECTIONS
#include "storm.h"

enum { THREADS = 3 };
static int listener, connections, restarting;
static int *served;
static long interrupted;

static void *serve(void *unused) {
    (void)unused;
    storm_here();
    for (;;) {
        int fd = accept(listener, NULL, NULL), number;
        if (fd < 0) {
            need(errno == EINTR || errno == EINVAL, "accept");
            if (errno == EINVAL) return NULL;
            __sync_fetch_and_add(&interrupted, 1);
            continue;
        }
        ssize_t length;
        while ((length = recv(fd, &number, sizeof number, MSG_WAITALL)) < 0 && errno == EINTR) continue;
        need(length == sizeof number && number >= 0 && number < connections, "the client's number");
        __sync_fetch_and_add(&served[number], 1);
        while ((length = send(fd, &number, sizeof number, 0)) < 0 && errno == EINTR) continue;
        need(length == sizeof number, "send");
        close(fd);
    }
}

static int ask_all(struct sockaddr_in where) {
    for (int i = 0; i < connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), back = -1;
        need(connect(fd, (struct sockaddr *)&where, sizeof where) == 0, "connect");
        need(send(fd, &i, sizeof i, 0) == sizeof i, "send");
        need(recv(fd, &back, sizeof back, MSG_WAITALL) == sizeof back && back == i, "the answer");
        need(recv(fd, &back, 1, 0) == 0, "the end");
        close(fd);
    }
    return 0;
}

int main(int argc, char **argv) {
    need(argc == 3, "usage");
    struct sockaddr_in where;
    pthread_t threads[THREADS];
    int status = -1, once = 0;
    restarting = strcmp(argv[1], "restart") == 0;
    connections = atoi(argv[2]);
    served = calloc(connections, sizeof *served);
    listener = bound(SOCK_STREAM, &where);
    need(listen(listener, 128) == 0, "listen");
    pid_t client = fork();
    if (client == 0) {
        alarm(120);
        exit(ask_all(where));
    }
    handle_signals(restarting ? SA_RESTART : 0);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, serve, NULL);
    waitpid(client, &status, 0);
    need(status == 0, "the clients");
    shutdown(listener, SHUT_RDWR);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < connections; i++) once += served[i] == 1;
    printf("served once: %s\n", once == connections ? "all" : "NOT ALL");
    printf("signals arrived: %s\n", signals_seen > 100 ? "yes" : "NO");
    printf("EINTR from accept: %s\n", restarting == (interrupted == 0) ? "as it must be" : "WRONG");
    return once != connections;
}
