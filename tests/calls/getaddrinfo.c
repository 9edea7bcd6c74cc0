// getaddrinfo and getnameinfo: numbers, localhost, services, hints, errors.
#include "check.h"
#include <netdb.h>

static void ask(const char *host, const char *service, int family, int type, int flags) {
    struct addrinfo hints = {.ai_family = family, .ai_socktype = type, .ai_flags = flags}, *list = NULL;
    int answer = getaddrinfo(host, service, &hints, &list);
    printf("  %s %s family %d type %d flags %#x:", host ? host : "NULL", service ? service : "NULL", family, type, flags);
    if (answer) printf(" %s", gai_strerror(answer));
    for (struct addrinfo *at = list; at && !answer; at = at->ai_next) {
        char text[80], port[12];
        getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        printf(" [%s %s %d %d]", text, port, at->ai_socktype, at->ai_protocol);
    }
    printf("\n");
    if (!answer) freeaddrinfo(list);
}

int main(void) {
    begin();
    ask("127.0.0.1", "80", AF_UNSPEC, SOCK_STREAM, 0);
    ask("127.0.0.1", "80", AF_INET, 0, AI_NUMERICHOST);
    ask("::1", "80", AF_UNSPEC, SOCK_STREAM, 0);
    ask("::1", "80", AF_INET, SOCK_STREAM, 0);
    ask("127.0.0.1", "80", AF_INET6, SOCK_STREAM, AI_V4MAPPED);
    ask("localhost", "80", AF_INET, SOCK_STREAM, 0);
    ask("localhost", "80", AF_INET, SOCK_DGRAM, 0);
    ask("localhost", "80", AF_INET, SOCK_STREAM, AI_NUMERICHOST);
    ask(NULL, "80", AF_INET, SOCK_STREAM, 0);
    ask(NULL, "80", AF_INET, SOCK_STREAM, AI_PASSIVE);
    ask(NULL, "80", AF_INET6, SOCK_STREAM, AI_PASSIVE);
    ask(NULL, NULL, AF_INET, SOCK_STREAM, 0);
    ask("127.0.0.1", "nonsense service", AF_INET, SOCK_STREAM, 0);
    ask("127.0.0.1", "80", 77, SOCK_STREAM, 0);
    ask("127.0.0.1", "80", AF_INET, 77, 0);
    SECTION("from the name to a connection");
    Address where;
    int listener = tcp_listener(AF_INET, 1, &where);
    char port[12], host[80];
    snprintf(port, sizeof port, "%d", port_of(&where));
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    TRY(getaddrinfo("localhost", port, &hints, &list));
    int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    TRY(connect(fd, list->ai_addr, list->ai_addrlen));
    CHECK(accept(listener, NULL, NULL) >= 0);
    TRY(getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, NI_NAMEREQD));
    CHECK(strcmp(host, "localhost") == 0);
    return 0;
}
