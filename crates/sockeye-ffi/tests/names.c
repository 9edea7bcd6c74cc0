// getaddrinfo by the names of a lab.
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "../include/sockeye.h"

static int failed;

static void expect(const char *node, const char *service, struct addrinfo hints, int code, const char *first, int count) {
    struct addrinfo *list = NULL;
    int got = sockeye_getaddrinfo(node, service, &hints, &list), entries = 0;
    char text[64] = "-";
    if (got == 0) {
        const void *addr = list->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr
                                                      : (void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr;
        inet_ntop(list->ai_family, addr, text, sizeof text);
        for (struct addrinfo *one = list; one; one = one->ai_next) entries++;
        sockeye_freeaddrinfo(list);
    }
    int right = got == code && strcmp(text, first) == 0 && entries == count;
    failed += !right;
    printf("%s %s: %d %s %d%s\n", node ? node : "-", service ? service : "-", got, text, entries, right ? "" : " WRONG");
}

int main(void) {
    sockeye_lab *lab = sockeye_lab_new(1);
    sockeye_lab_host(lab, "a", "10.1.0.1");
    sockeye_lab_host(lab, "b", "10.1.0.2");
    sockeye_lab_link(lab, "a", "b", NULL);
    failed += sockeye_lab_start(lab) != 0;
    sockeye_host *a = sockeye_lab_find(lab, "a");
    sockeye_use(a);
    struct addrinfo any = {0}, tcp = {.ai_socktype = SOCK_STREAM}, four = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo passive = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM};
    struct addrinfo number = {.ai_flags = AI_NUMERICHOST}, local = {.ai_family = AF_UNIX};
    expect("b", "80", tcp, 0, "10.1.0.2", 1);
    expect("b", NULL, any, 0, "10.1.0.2", 3);
    expect("localhost", "80", four, 0, "127.0.0.1", 1);
    expect(NULL, "80", passive, 0, "::", 1);
    expect("10.9.9.9", "1", number, 0, "10.9.9.9", 3);
    expect("b", "1", number, EAI_NONAME, "-", 0);
    expect("nobody", "80", tcp, EAI_NONAME, "-", 0);
    expect("b", "no-service", tcp, EAI_SERVICE, "-", 0);
    expect(NULL, NULL, any, EAI_NONAME, "-", 0);
    expect("b", "80", local, EAI_FAMILY, "-", 0);
    sockeye_host_free(a);
    sockeye_lab_free(lab);
    return failed != 0;
}
