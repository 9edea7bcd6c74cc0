// User notification for the kernel tests: a child whose sysinfo calls are answered by its parent.
#pragma once
#include "kernel.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

typedef struct {
    pid_t pid;
    int listener, wire; // the wire: a Unix socket to the child
} Child;

static volatile int handled;
static inline void count_signal(int signal) {
    (void)signal;
    handled++;
}
static inline void handle(int flags) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
}

static inline int notify_sysinfo(unsigned long flags) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sysinfo, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}

// Starts a child under the filter; its body gets the wire and gives the exit status.
static inline Child start_child(unsigned long flags, int (*body)(int wire)) {
    int ends[2];
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fflush(stdout);
    Child child = {.pid = fork(), .wire = ends[0]};
    if (child.pid == 0) {
        close(ends[0]);
        alarm(10);
        int listener = notify_sysinfo(flags);
        HOLDS(listener >= 0);
        hand_over(ends[1], listener);
        close(listener);
        _exit(body(ends[1]));
    }
    close(ends[1]);
    child.listener = take_over(ends[0]);
    return child;
}
static inline int status_of(Child child) {
    int status = -1;
    HOLDS(waitpid(child.pid, &status, 0) == child.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static inline struct seccomp_notif next_call(Child child) {
    struct seccomp_notif call = {0};
    HOLDS(events_of(child.listener, POLLIN) >= 0);
    HOLDS(ioctl(child.listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
    return call;
}
static inline int answer(Child child, struct seccomp_notif call, long value, int error) {
    struct seccomp_notif_resp response = {.id = call.id, .val = value, .error = error};
    return ioctl(child.listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}
static inline int valid(Child child, struct seccomp_notif call) {
    return ioctl(child.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) == 0;
}
static inline void pause_ms(int ms) { usleep(ms * 1000); }

// The notified call itself; the argument tells repeated calls apart.
static inline long ask(long number) { return syscall(SYS_sysinfo, number); }
