// Looks each name up, and each numeric address back, and prints what was found.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **names) {
    for (int i = 1; i < count; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
        int failure = getaddrinfo(names[i], NULL, &hints, &found);
        if (failure) printf("%s: not found\n", names[i]);
        for (struct addrinfo *one = found; one; one = one->ai_next) {
            char text[64], back[256];
            getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
            if (getnameinfo(one->ai_addr, one->ai_addrlen, back, sizeof back, NULL, 0, NI_NAMEREQD)) strcpy(back, "nobody");
            printf("%s: %s, which is %s\n", names[i], text, back);
        }
        if (found) freeaddrinfo(found);
    }
}
