// What the player and its steps share: the slots that hold descriptors, the names of ports, the line being made.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 10,
    PORTS = 3,        // Ports that a sequence names itself: P0, P1, P2.
    WORDS = 16,       // Words of a step, at most.
    TEXT = 4096,      // A line of output, at most.
    ROOM = 1 << 17,   // Bytes that one call moves, at most.
    BAD_NUMBER = 990, // A descriptor that nobody has opened.
};

typedef struct {
    int fd;
    const char *kind; // tcp4, tcp6, udp4, udp6: what the exceptions speak of.
} Slot;

// Shared with forked children, whose lines and names must be the parent's.
typedef struct {
    Slot slots[SLOTS];
    int ports[PORTS];
    int chosen[64]; // Ports that the system chose, in the order of their appearance: E0, E1, ...
    int chosen_count;
    int step;
    volatile sig_atomic_t alarms, pipes;
    char line[TEXT];
    size_t used;
    int blocked;       // The call waited until the alarm came.
} World;
extern World *world;

typedef struct {
    char *words[WORDS];
    int count;
    const char *expected; // What the other side printed, if this is the second run; else NULL.
} Step;

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
// What a call has answered; errno is still the call's.
void say_result(long result);
// Runs the call that the step names; the line gets its result.
void perform(Step *step);
// Whether the other side printed this result for the step.
int other_had(const Step *step, const char *result);
void arm(int on, const Step *step);

const char *port_name(int port);
