// Threads: several accept on one listener, one reads while another writes, one closes what another uses.
#include "check.h"
#include <pthread.h>

enum { THREADS = 4, EACH = 50 };
static int listener, served;
static Address where;

static void *serve(void *unused) {
    (void)unused;
    for (int i = 0; i < EACH; i++) {
        int fd = accept(listener, NULL, NULL);
        char byte;
        if (fd >= 0 && read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) __sync_fetch_and_add(&served, 1);
        close(fd);
    }
    return NULL;
}
static void *ask(void *answered) {
    for (int i = 0; i < EACH; i++) {
        int fd = connected_to(&where);
        char byte = i, back = -1;
        if (write(fd, &byte, 1) == 1 && read(fd, &back, 1) == 1 && back == byte)
            __sync_fetch_and_add((int *)answered, 1);
        close(fd);
    }
    return NULL;
}

static void *pump(void *ends) {
    char block[1000];
    long total = 0;
    memset(block, 'p', sizeof block);
    while (total < 1000000 && write(((int *)ends)[0], block, sizeof block) == sizeof block) total += sizeof block;
    shutdown(((int *)ends)[0], SHUT_WR);
    return (void *)total;
}

static void *stop(void *fd) {
    usleep(80000);
    shutdown(*(int *)fd, SHUT_RDWR);
    return NULL;
}

int main(void) {
    begin();
    EACH_FAMILY(family) {
        SECTION("%s", family_name(family));
        pthread_t servers[THREADS], clients[THREADS], other;
        int answered = 0, ends[2];
        served = 0;
        listener = tcp_listener(family, 64, &where);
        for (int i = 0; i < THREADS; i++) pthread_create(&servers[i], NULL, serve, NULL);
        for (int i = 0; i < THREADS; i++) pthread_create(&clients[i], NULL, ask, &answered);
        for (int i = 0; i < THREADS; i++) pthread_join(clients[i], NULL);
        for (int i = 0; i < THREADS; i++) pthread_join(servers[i], NULL);
        CHECK(served == THREADS * EACH);
        CHECK(answered == THREADS * EACH);
        tcp_pair(family, ends);
        pthread_create(&other, NULL, pump, ends);
        long total = 0, count;
        char part[700];
        while ((count = read(ends[1], part, sizeof part)) > 0) total += count;
        void *sent;
        pthread_join(other, &sent);
        CHECK(total == 1000000 && (long)sent == total);
        pthread_create(&other, NULL, stop, &listener);
        TRY(accept(listener, NULL, NULL));
        pthread_join(other, NULL);
    }
    return 0;
}
