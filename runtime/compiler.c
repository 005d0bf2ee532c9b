// Starts the compiler program and talks to it: see compiler.h.
//
// It is started by a process in between, which shares our memory but not our table of descriptors: there it makes the memory of the channel and
// maps it, for us too; then it starts the program and ends. So the program is a child of nobody here, and it would take a guest's wait() that asks for
// children of all kinds (__WALL), at the right moment, to see even the process in between.
//
// A process that gets orphans as its children (process 1 of a container, prctl(2)'s PR_SET_CHILD_SUBREAPER) would get the program as well, as one that it
// could wait for. There the process in between becomes the program itself. Since execve(2) makes an ordinary child of it, signals of its end, waits and
// lists of children leave it out (compiler_is_child, compiler_reap).
#include "runtime/compiler.h"
#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/io.h"
#include "runtime/base/sys.h"
#include "runtime/host/clone.h"
#include "runtime/keep.h"
#include "translator/quick/quick.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/limits.h>
#include <linux/memfd.h>
#include <linux/wait.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

enum { STACK_BYTES = 32 << 10 };
#define SILENCE UINT64_C(3000000000)  // nanoseconds without an answer after which we look whether it is still there

// ---- starting

struct start {
    struct compiler *compiler;
    const struct guest_isa *isa;
    guest_features features;
    uint32_t arena_bytes;
    long runner;  // process id
    long fd, pidfd;  // in the table of the process in between
    bool failed;
    bool stays;  // a child of this process
    char path[PATH_MAX];
    char stack[2][STACK_BYTES] __attribute__((aligned(16)));
};

static bool is_bad(long result) {
    return result < 0 && result > -4096;
}

bool compiler_program(char *path, size_t size) {
    long length = host_call(readlinkat, AT_FDCWD, "/proc/self/exe", path, size - 1);
    if (length <= 0) return false;
    path[length] = 0;
    static const char name[] = "ferry-compiler";
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash + 1 - path) + sizeof name > size) return false;
    memcpy(slash + 1, name, sizeof name);
    return host_call(faccessat, AT_FDCWD, path, 1, 0) == 0;
}

// The program's process, until it is that. It shares our memory: nothing is changed here but the kernel's view of itself.
static int become_program(void *data) {
    struct start *start = data;
    static char name[] = "ferry-compiler", option[] = "--channel";
    char *const arguments[] = {name, option, NULL}, *const environment[] = {NULL};
    host_call(setsid);
    host_call(chdir, "/");
    // What it may print goes nowhere: a pidfd cannot be written to. Both descriptors were moved out of the way before.
    for (int fd = 0; fd < 3; fd++) host_call(dup3, start->pidfd, fd, 0);
    host_call(dup3, start->fd, CHANNEL_FD, 0);
    host_call(dup3, start->pidfd, CHANNEL_RUNNER_FD, 0);
    host_call(close_range, CHANNEL_RUNNER_FD + 1, ~0U, 0);
    host_call(execve, start->path, arguments, environment);
    start->failed = true;
    return 1;
}

static long out_of_the_way(long fd) {
    enum { FREE_FROM = 16 };
    return is_bad(fd) ? fd : host_call(fcntl, fd, F_DUPFD_CLOEXEC, FREE_FROM);
}

static long make_memory(uint64_t size) {
    enum { EXECUTABLE = 0x10 };  // MFD_EXEC, for which C libraries are too old
    long fd = host_call(memfd_create, "ferry", MFD_CLOEXEC | EXECUTABLE);
    if (fd == -EINVAL) fd = host_call(memfd_create, "ferry", MFD_CLOEXEC);
    fd = out_of_the_way(fd);
    return !is_bad(fd) && is_bad(host_call(ftruncate, fd, size)) ? -1 : fd;
}

static void unmap(struct compiler *c) {
    if (!c->channel) return;
    host_call(munmap, c->channel, CHANNEL_CONTROL_BYTES);
    if (c->arena) host_call(munmap, c->arena, c->arena_bytes);
    if (c->journal) host_call(munmap, c->journal, CHANNEL_JOURNAL_BYTES);
    c->channel = NULL;
}

static bool map_channel(struct start *start) {
    struct compiler *c = start->compiler;
    long control = host_call(mmap, 0, CHANNEL_CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, start->fd, 0);
    if (is_bad(control)) return false;
    c->channel = (struct channel *)control;
    c->arena_bytes = start->arena_bytes;
    uint64_t behind = CHANNEL_CONTROL_BYTES + (uint64_t)c->arena_bytes;
    long arena = host_call(mmap, 0, c->arena_bytes, PROT_READ, MAP_SHARED, start->fd, CHANNEL_CONTROL_BYTES);
    long journal = host_call(mmap, 0, CHANNEL_JOURNAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, start->fd, behind);
    c->arena = is_bad(arena) ? NULL : (const uint8_t *)arena;
    c->journal = is_bad(journal) ? NULL : (uint8_t *)journal;
    if (!c->arena || !c->journal) unmap(c);
    return c->channel;
}

void compiler_describe(struct channel *channel, const struct guest_isa *isa, guest_features features) {
    channel->version = CHANNEL_VERSION;
    channel->features = features;
    strncpy(channel->isa, isa->name, sizeof channel->isa - 1);
    for (unsigned i = 0; i + 1 < CHANNEL_PINS && isa->pins[i]; i++) channel->pins[i] = isa->pins[i];
    channel->magic = CHANNEL_MAGIC;
}

static void fill_channel(const struct start *start) {
    const struct compiler *c = start->compiler;
    struct channel *channel = c->channel;
    channel->arena_bytes = c->arena_bytes;
    channel->journal_in = CHANNEL_MAPS_BYTES;
    channel->runner = (uint32_t)start->runner;
    keep_tell(channel);
    compiler_describe(channel, start->isa, start->features);
}

// While the program can still see it: the runner may end soon.
static void copy_maps(uint8_t *to) {
    long fd = host_call(openat, AT_FDCWD, "/proc/self/maps", O_RDONLY, 0);
    if (fd >= 0) io_read((int)fd, to, CHANNEL_MAPS_BYTES - 1);
}

// The process in between.
static int start_program(void *data) {
    struct start *start = data;
    start->failed = true;
    start->fd = make_memory(CHANNEL_CONTROL_BYTES + (uint64_t)start->arena_bytes + CHANNEL_JOURNAL_BYTES);
    start->pidfd = out_of_the_way(host_call(pidfd_open, start->runner, 0));
    if (is_bad(start->fd) || is_bad(start->pidfd) || !map_channel(start)) return 1;
    start->failed = false;
    fill_channel(start);
    if (*start->compiler->channel->cache) copy_maps(start->compiler->journal);
    if (start->stays) return become_program(start);
    long pid = host_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, start->stack[1] + STACK_BYTES, NULL, 0, become_program, start);
    if (is_bad(pid)) start->failed = true;
    return 0;
}

bool compiler_untraced;

// ---- programs that are children of this process

enum { MAX_CHILDREN = 8 };  // of programs that do not end when they should, more than these stay unwaited for
static int child[MAX_CHILDREN];

static bool gets_orphans(void) {
    int is = 0;
    return host_call(getpid) == 1 || (host_call(prctl, PR_GET_CHILD_SUBREAPER, &is) == 0 && is);
}

static bool is_over(int pid) {
    return host_call(wait4, pid, 0, WNOHANG | __WALL, 0) != 0;
}

static void note_child(int pid) {
    for (unsigned i = 0; i < MAX_CHILDREN; i++) {
        int before = __atomic_load_n(&child[i], __ATOMIC_RELAXED);
        if (before && !is_over(before)) continue;
        __atomic_store_n(&child[i], pid, __ATOMIC_RELAXED);
        return;
    }
}

HOST_HANDLER bool compiler_is_child(int pid) {
    bool is = false;
    if (!pid) return false;
    for (unsigned i = 0; i < MAX_CHILDREN; i++) is |= __atomic_load_n(&child[i], __ATOMIC_RELAXED) == pid;
    return is;
}

bool compiler_reap(int pid) {
    for (unsigned i = 0; i < MAX_CHILDREN; i++) {
        if (__atomic_load_n(&child[i], __ATOMIC_RELAXED) != pid) continue;
        __atomic_store_n(&child[i], 0, __ATOMIC_RELAXED);
        is_over(pid);
        return true;
    }
    return false;
}

// No signal may come while others use our memory and our thread's storage.
static void start_quietly(struct start *start) {
    const uint64_t all = ~UINT64_C(0);
    uint64_t mask;
    host_call(rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof mask);
    uint64_t untraced = __atomic_load_n(&compiler_untraced, __ATOMIC_RELAXED) ? CLONE_UNTRACED : 0;
    long pid = host_clone(CLONE_VM | CLONE_VFORK | untraced, start->stack[0] + STACK_BYTES, NULL, 0, start_program, start);
    if (is_bad(pid)) start->failed = true;
    else if (start->stays && !start->failed) note_child((int)pid);
    else host_call(wait4, pid, 0, __WCLONE, 0);
    host_call(rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
}

bool compiler_begin(struct compiler *compiler, const struct guest_isa *isa, guest_features features, uint32_t arena_bytes) {
    if (getauxval(AT_SECURE)) return false;
    struct start *start = pages_take(sizeof *start);
    *compiler = (struct compiler){0};
    start->compiler = compiler;
    start->isa = isa;
    start->features = features;
    start->arena_bytes = arena_bytes;
    start->runner = host_call(getpid);
    start->stays = gets_orphans();
    start->failed = !compiler_program(start->path, sizeof start->path);
    if (!start->failed) start_quietly(start);
    bool started = !start->failed;
    compiler->heard = clock_nanoseconds(CLOCK_MONOTONIC);
    pages_give(start, sizeof *start);
    if (!started) compiler_close(compiler);
    return started;
}

// ---- asking

struct channel_request *compiler_request(struct compiler *c) {
    if (!c->channel || c->asked - c->answered >= CHANNEL_REQUESTS) return NULL;
    uint32_t out = __atomic_load_n(&c->channel->requests_out, __ATOMIC_ACQUIRE);
    return c->asked - out < CHANNEL_REQUESTS ? &c->channel->request[c->asked % CHANNEL_REQUESTS] : NULL;
}

void compiler_send(struct compiler *c) {
    if (c->asked == c->answered) c->heard = clock_nanoseconds(CLOCK_MONOTONIC);
    __atomic_store_n(&c->channel->requests_in, ++c->asked, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&c->channel->waiting, __ATOMIC_SEQ_CST)) host_call(futex, &c->channel->requests_in, FUTEX_WAKE, 1);
}

bool compiler_result(struct compiler *c, struct channel_result *result) {
    if (!c->channel || c->asked == c->answered) return false;
    if (__atomic_load_n(&c->channel->results_in, __ATOMIC_ACQUIRE) == c->answered) return false;
    memcpy(result, &c->channel->result[c->answered++ % CHANNEL_RESULTS], sizeof *result);
    c->heard = clock_nanoseconds(CLOCK_MONOTONIC);
    uint64_t list = (uint64_t)result->holes * sizeof(struct image_hole);
    bool inside = result->at <= c->arena_bytes && result->bytes <= c->arena_bytes - result->at &&
                  result->list_at <= c->arena_bytes && list <= c->arena_bytes - result->list_at;
    if (result->outcome == CHANNEL_MADE && !inside) result->outcome = CHANNEL_FAILED;
    return true;
}

void compiler_took(struct compiler *c) {
    __atomic_store_n(&c->channel->results_out, c->answered, __ATOMIC_RELEASE);
}

void compiler_wait(const struct compiler *c) {
    const struct timespec a_while = {.tv_nsec = 10000000};
    if (c->channel) host_call(futex, &c->channel->results_in, FUTEX_WAIT, c->answered, &a_while);
}

bool compiler_listens(const struct compiler *c) {
    return c->channel && !__atomic_load_n(&c->channel->left, __ATOMIC_ACQUIRE);
}

// Asking the kernel would not do: a process that nobody waits for stays for as long as its parent does not care.
bool compiler_is_gone(struct compiler *c, uint32_t *current) {
    *current = 0;
    if (!c->channel) return false;
    if (!compiler_listens(c)) return true;
    if (c->asked == c->answered || clock_nanoseconds(CLOCK_MONOTONIC) - c->heard < SILENCE) return false;
    uint32_t beats = __atomic_load_n(&c->channel->beats, __ATOMIC_ACQUIRE);
    if (beats == c->beats) {
        *current = __atomic_load_n(&c->channel->current, __ATOMIC_ACQUIRE);
        return true;
    }
    c->beats = beats;
    c->heard = clock_nanoseconds(CLOCK_MONOTONIC);
    return false;
}

// ---- ending

void compiler_close(struct compiler *c) {
    if (c->channel) __atomic_store_n(&c->channel->closed, 1, __ATOMIC_RELAXED);
    unmap(c);
}

void compiler_forked(struct compiler *c) {
    memset(child, 0, sizeof child);
    unmap(c);
}
