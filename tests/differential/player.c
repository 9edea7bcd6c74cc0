// Plays sequences of socket calls and prints one line per step: the call, its result, and after it the readiness
// of every open socket. What changes from run to run (ports, descriptors) is shown by name.
//
//   player FILE FIRST_PORT [probe]     reads sequences, one step a line, from FILE
//
// A step may carry, behind a tab, the line that it gave elsewhere. Then the player waits until the sockets are as
// they were there, for a time; bytes that a supervisor carries may be late, and only that is forgiven. Without
// such a line it waits until nothing moves any more, which on a kernel's loopback is soon.
// Calls that wait for good are ended by a timer and shown as `blocked`.
#include "world.h"
#include <stdarg.h>

enum {
    GUARD_US = 8000,          // How long a call may wait: natively what can happen has happened then,
    GUARD_WAITED_US = 30000,  // where the other side waited,
    GUARD_LONG_US = 400000,   // and where it did not.
    PATIENCE_MS = 300,        // For the sockets to become as they were elsewhere,
    PATIENCE_LATER_MS = 40,   // once they did not.
    QUIET_US = 60000,         // For sent bytes to be acknowledged.
};

World *world;
static int patience_ms;
static int probing;

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (world->used < TEXT - 1)
        world->used += vsnprintf(world->line + world->used, TEXT - world->used, format, args);
    if (world->used > TEXT - 1) world->used = TEXT - 1;
    va_end(args);
}

void say_result(long result) {
    int error = errno;
    if (world->blocked) say(" = blocked");
    else if (result == -1) say(" = -1 %s", strerrorname_np(error));
    else say(" = %ld", result);
    if (world->pipes) say(" SIGPIPE");
}

const char *port_name(int port) {
    static char text[16];
    if (port == 0) return "0";
    for (int i = 0; i < PORTS; i++)
        if (world->ports[i] == port) return snprintf(text, sizeof text, "P%d", i), text;
    int i = 0;
    while (i < world->chosen_count && world->chosen[i] != port) i++;
    if (i == world->chosen_count && i < 63) world->chosen[world->chosen_count++] = port;
    return snprintf(text, sizeof text, "E%d", i), text;
}

static void on_alarm(int signal) { (void)signal, world->alarms++; }
static void on_pipe(int signal) { (void)signal, world->pipes++; }

int other_had(const Step *step, const char *result) {
    return step->expected && strstr(step->expected, result);
}

// The timer repeats, in case it comes just before the call.
void arm(int on, const Step *step) {
    int us = !on ? 0 : !step->expected ? GUARD_US : other_had(step, "= blocked") ? GUARD_WAITED_US : GUARD_LONG_US;
    struct timeval after = {us / 1000000, us % 1000000};
    struct itimerval timer = {after, after};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void nap(int us) {
    struct timespec time = {0, us * 1000L};
    nanosleep(&time, NULL);
}
static int64_t now_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000LL + at.tv_nsec / 1000;
}

// ---- what the sockets look like ----

static void describe(char *text, size_t size) {
    static const struct { int bit; char letter; } letters[] = {{POLLIN, 'I'}, {POLLPRI, 'P'}, {POLLOUT, 'O'},
        {POLLERR, 'E'}, {POLLHUP, 'H'}, {POLLRDHUP, 'R'}, {POLLNVAL, 'N'}};
    struct pollfd entries[SLOTS];
    for (int i = 0; i < SLOTS; i++)
        entries[i] = (struct pollfd){.fd = world->slots[i].fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP};
    while (poll(entries, SLOTS, 0) < 0 && errno == EINTR) continue;
    size_t used = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (world->slots[i].fd < 0) continue;
        used += snprintf(text + used, size - used, " %d:%s:", i, world->slots[i].kind);
        for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
            if (entries[i].revents & letters[k].bit) text[used++] = letters[k].letter;
        text[used] = 0;
        int bytes = 0;
        if (ioctl(world->slots[i].fd, FIONREAD, &bytes) != 0) used += snprintf(text + used, size - used, "!");
        else if (bytes) used += snprintf(text + used, size - used, "%d", bytes);
    }
    text[used] = 0;
}

static int all_acknowledged(void) {
    for (int i = 0; i < SLOTS; i++) {
        int bytes = 0;
        if (world->slots[i].fd >= 0 && world->slots[i].kind[0] == 't' &&
            ioctl(world->slots[i].fd, TIOCOUTQ, &bytes) == 0 && bytes > 0)
            return 0;
    }
    return 1;
}

// Without a line to compare with: until what was sent is acknowledged and two looks say the same.
static void settle(char *text, size_t size) {
    char before[TEXT];
    int64_t limit = now_us() + QUIET_US;
    while (!all_acknowledged() && now_us() < limit) nap(300);
    describe(text, size);
    for (int look = 0; look < 50; look++) {
        strcpy(before, text);
        nap(50);
        describe(text, size);
        if (strcmp(before, text) == 0) return;
    }
}

static void settle_as(const char *wanted, char *text, size_t size) {
    int64_t limit = now_us() + patience_ms * 1000;
    for (int look = 0;; look++) {
        describe(text, size);
        if (strcmp(text, wanted) == 0) return;
        if (now_us() >= limit) break;
        if (look > 2) nap(look > 20 ? 1000 : 50);
    }
    patience_ms = PATIENCE_LATER_MS;
}

// ---- steps ----

static void *in_thread(void *step) { return perform(step), NULL; }

// `fork:` and `thread:` before a step: another process or thread makes the call on the same sockets.
static void run_step(Step *step) {
    char *word = step->words[0];
    world->blocked = world->pipes = world->alarms = 0;
    if (strncmp(word, "fork:", 5) == 0) {
        step->words[0] = word + 5;
        pid_t child = fork();
        if (child == 0) perform(step), _exit(0);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    } else if (strncmp(word, "thread:", 7) == 0) {
        step->words[0] = word + 7;
        pthread_t thread;
        sigset_t alarm_only, before;
        sigemptyset(&alarm_only);
        sigaddset(&alarm_only, SIGALRM);
        pthread_create(&thread, NULL, in_thread, step);
        pthread_sigmask(SIG_BLOCK, &alarm_only, &before);
        pthread_join(thread, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    } else {
        perform(step);
    }
}

static void play(char *text, long sequence) {
    Step step = {.expected = NULL};
    char *tab = strchr(text, '\t');
    if (tab) *tab = 0, step.expected = tab + 1;
    world->used = 0;
    say("%ld.%d %s", sequence, world->step, text);
    for (char *word = strtok(text, " "); word && step.count < WORDS; word = strtok(NULL, " "))
        step.words[step.count++] = word;
    if (step.count == 0) return;
    run_step(&step);
    char state[TEXT];
    const char *wanted = step.expected ? strstr(step.expected, " |") : NULL;
    if (wanted) settle_as(wanted + 2, state, sizeof state);
    else settle(state, sizeof state);
    say(" |%s", state);
    puts(world->line);
    world->step++;
}

static int bindable(int port) {
    int free = 1;
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        int fd = socket(AF_INET6, type, 0);
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        free &= fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
        close(fd);
    }
    return free;
}

// Every sequence has ports of its own, so that what an earlier one left (TIME-WAIT) does not matter.
static void begin(int *next_port) {
    for (int i = 0; i < SLOTS; i++) world->slots[i] = (Slot){-1, "none"};
    for (int i = 0; i < PORTS; i++) {
        while (probing && !bindable(*next_port)) ++*next_port;
        world->ports[i] = (*next_port)++;
    }
    world->chosen_count = world->step = 0;
    patience_ms = PATIENCE_MS;
}

static void end(void) {
    for (int i = 0; i < SLOTS; i++)
        if (world->slots[i].fd >= 0) close(world->slots[i].fd);
    fflush(stdout);
}

int main(int count, char **args) {
    if (count < 3) return 2;
    FILE *file = fopen(args[1], "r");
    int next_port = atoi(args[2]);
    probing = count > 3;
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!file || world == MAP_FAILED) return 2;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = on_pipe, .sa_flags = SA_RESTART}, NULL);
    char *text = NULL;
    size_t room = 0;
    long sequence = -1;
    while (getline(&text, &room, file) > 0) {
        text[strcspn(text, "\n")] = 0;
        if (strncmp(text, "sequence ", 9) == 0) {
            if (sequence >= 0) end();
            sequence = atol(text + 9);
            begin(&next_port);
        } else {
            play(text, sequence);
        }
    }
    end();
    puts("done");
    return 0;
}
