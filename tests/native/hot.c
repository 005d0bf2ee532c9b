// For check_compiler.py and check_jitdump.py: works for as many rounds as it is told, in functions of several shapes, so that there is always something
// new to compile; then says what came of it, and what a process can see of its helpers. hot ROUNDS [fork|again|reaper|slow]: with `again` all of it a second time,
// after execve; with `reaper` as a process whose children's orphans are its own;
// with `slow` it sleeps between rounds.
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 4096 };
static uint32_t words[WORDS];

#define SHAPE(name, ...)                                         \
    static __attribute__((noinline)) uint32_t name(uint32_t x) { \
        for (unsigned i = 0; i < WORDS; i++) { __VA_ARGS__; }    \
        return x;                                                \
    }
SHAPE(sum, x += words[i])
#ifndef FACTOR
#define FACTOR 31
#endif
SHAPE(mix, x = x * FACTOR + (words[i] >> (i & 7)))
SHAPE(swap, uint32_t t = words[i]; words[i] = words[WORDS - 1 - i]; words[WORDS - 1 - i] = t; x ^= t)
SHAPE(odd, if (words[i] & 1) x += i; else x ^= words[i])
SHAPE(step, words[i] = words[i] * 1664525 + 1013904223; x += words[i] >> 16)
SHAPE(find, if (words[i] == x) return x + i; x += words[i] == i)
SHAPE(call, x = (i & 255) == 0 ? sum(x) : x + 1)
static uint32_t (*const shape[])(uint32_t) = {sum, mix, swap, odd, step, find, call};

static unsigned entries(const char *path) {
    unsigned count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) count += entry->d_name[0] != '.';
    if (folder) closedir(folder);
    return count;
}

static int has_maps_of(const char *name) {
    char line[512];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) found |= strstr(line, name) != NULL;
    if (maps) fclose(maps);
    return found;
}

enum { CHILDREN = 64 };
static volatile pid_t signalled[CHILDREN], child[CHILDREN];
static volatile unsigned signals, children;

static void on_child(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    if (signals < CHILDREN) signalled[signals++] = info->si_pid;
}

// Signals that came of the end of processes which are no children of ours.
static unsigned strangers(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < signals; i++) {
        unsigned known = 0;
        for (unsigned n = 0; n < children; n++) known |= child[n] == signalled[i];
        count += !known;
    }
    return count;
}

static int has_children(void) {
    FILE *list = fopen("/proc/thread-self/children", "r");
    int any = list && fgetc(list) != EOF;
    if (list) fclose(list);
    return any;
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    int forks = argc > 2 && !strcmp(argv[2], "fork"), again = argc > 2 && !strcmp(argv[2], "again");
    int reaper = argc > 2 && !strcmp(argv[2], "reaping");
    if (argc > 2 && !strcmp(argv[2], "reaper")) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        execl("/proc/self/exe", argv[0], argv[1], "reaping", (char *)NULL);  // there may be helpers already
    }
    int slow = argc > 2 && !strcmp(argv[2], "slow");
    sigaction(SIGCHLD, &(struct sigaction){.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART}, NULL);
    uint32_t x = 1;
    for (unsigned n = 0; n < rounds; n++) {
        if (slow) usleep(10000);
        for (unsigned i = 0; i < sizeof shape / sizeof *shape; i++) x = shape[(n + i) % (sizeof shape / sizeof *shape)](x);
        if (forks && n % (rounds / 10 + 1) == 0) {
            fflush(stdout);
            pid_t forked = fork();
            if (forked == 0) _exit(step(sum(1)) & 127);
            int status;
            child[children++ % CHILDREN] = forked;
            waitpid(forked, &status, 0);
            x += (uint32_t)WEXITSTATUS(status);
        }
    }
    printf("result %08x\n", x);
    // The folder that is being read is one of the descriptors.
    printf("descriptors %u, tasks %u, maps %d\n", entries("/proc/self/fd"), entries("/proc/self/task"), has_maps_of("memfd"));
    printf("listed %d, signals of others %u\n", has_children(), strangers());
    errno = 0;
    int got = waitpid(-1, NULL, reaper ? 0 : WNOHANG | __WALL);
    printf("children %d, %s\n", got, strerror(errno));
    fflush(stdout);
    if (again) execl("/proc/self/exe", argv[0], argv[1], (char *)NULL);
    return 0;
}
