// ferry-compiler: compiles what a runner asks for, through a memory that both share (cache/channel.h). Started by runners, which give it the memory and
// themselves as descriptors, or by `ferry dump`, which wants to see what becomes of one request, or by `ferry cache` and `ferry precompile`; by people only to look at what would be
// compiled ahead of time.
#include "aot/cache.h"
#include "aot/compile.h"
#include "aot/discover.h"
#include "aot/dump.h"
#include "aot/keep.h"
#include "aot/needed.h"
#include "aot/precompile.h"
#include "aot/watch.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NICENESS = 5, ALONE_NICENESS = 15 };

// ---- starting

static struct channel *map_channel(uint8_t **arena, const uint8_t **journal) {
    struct stat about;
    if (fstat(CHANNEL_FD, &about) < 0 || about.st_size < CHANNEL_CONTROL_BYTES) return NULL;
    struct channel *channel = mmap(NULL, CHANNEL_CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, CHANNEL_FD, 0);
    if (channel == MAP_FAILED || channel->magic != CHANNEL_MAGIC || channel->version != CHANNEL_VERSION) return NULL;
    uint64_t behind = CHANNEL_CONTROL_BYTES + (uint64_t)channel->arena_bytes;
    if ((uint64_t)about.st_size < behind + CHANNEL_JOURNAL_BYTES) return NULL;
    void *got = mmap(NULL, channel->arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, CHANNEL_FD, CHANNEL_CONTROL_BYTES);
    *arena = got;
    const void *notes = mmap(NULL, CHANNEL_JOURNAL_BYTES, PROT_READ, MAP_SHARED, CHANNEL_FD, (off_t)behind);
    *journal = notes;
    return got == MAP_FAILED || notes == MAP_FAILED ? NULL : channel;
}

// When memory gets short this is the first to go; it leaves no core behind.
static void be_humble(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setpriority(PRIO_PROCESS, 0, NICENESS);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1000", 4) == 4) close(fd);
}

// ---- the loop

// False if there will be none.
static bool wait_for_request(struct channel *channel, uint32_t done) {
    const struct timespec a_while = {.tv_sec = 1};  // the runner may go at any moment
    bool waits;
    __atomic_store_n(&channel->waiting, 1, __ATOMIC_SEQ_CST);
    while ((waits = __atomic_load_n(&channel->requests_in, __ATOMIC_SEQ_CST) == done) && !watch_is_alone())
        syscall(SYS_futex, &channel->requests_in, FUTEX_WAIT, done, &a_while, NULL, 0);
    __atomic_store_n(&channel->waiting, 0, __ATOMIC_SEQ_CST);
    return !waits;
}

static void answer(struct channel *channel, const struct channel_result *result) {
    uint32_t in = __atomic_load_n(&channel->results_in, __ATOMIC_RELAXED);
    while (!watch_is_alone() && in - __atomic_load_n(&channel->results_out, __ATOMIC_ACQUIRE) >= CHANNEL_RESULTS)
        usleep(1000);  // the runner takes its time
    channel->result[in % CHANNEL_RESULTS] = *result;
    __atomic_store_n(&channel->results_in, in + 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &channel->results_in, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

// Until the runner has gone.
static void serve(struct channel *channel, struct compiler *compiler, const uint8_t *arena) {
    static struct channel_request request;
    static struct channel_result result;
    for (uint32_t done = channel->requests_out; wait_for_request(channel, done); done++) {
        memcpy(&request, &channel->request[done % CHANNEL_REQUESTS], sizeof request);
        __atomic_store_n(&channel->requests_out, done + 1, __ATOMIC_RELEASE);
        __atomic_store_n(&channel->current, request.id, __ATOMIC_SEQ_CST);
        uint32_t in = __atomic_load_n(&channel->results_in, __ATOMIC_RELAXED);
        bool all_taken = watch_is_alone() || __atomic_load_n(&channel->results_out, __ATOMIC_ACQUIRE) == in;
        compile(compiler, &request, all_taken, &result);
        __atomic_store_n(&channel->current, 0, __ATOMIC_SEQ_CST);
        answer(channel, &result);
        keep_add(&request, &result, arena);
    }
}

int main(int argc, char *argv[]) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (argc > 2 && !strcmp(argv[1], "--cache")) return cache_main(argc - 1, argv + 1);
    if (argc > 2 && !strcmp(argv[1], "--precompile")) return precompile_main(argc - 1, argv + 1);
    if (argc == 3 && !strcmp(argv[1], "--dump")) return dump_main(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "--discover")) return discover_main(argv[2]);
    if (argc >= 3 && !strcmp(argv[1], "--needed")) return needed_main(argc - 2, argv + 2);
    if (argc != 2 || strcmp(argv[1], "--channel") != 0) {
        fputs(
            "ferry-compiler is started by ferry when it needs native code. For looking at programs: ferry-compiler --discover FILE, "
            "ferry-compiler --needed [-L SYSROOT] FILE\n",
            stderr);
        return 2;
    }
    const char *why;
    uint8_t *arena;
    const uint8_t *journal;
    struct channel *channel = map_channel(&arena, &journal);
    if (!channel) return 1;
    be_humble();
    struct compiler *compiler = watch_begin(channel) ? compile_begin_for(channel, arena, &why) : NULL;
    if (!compiler) return 1;
    keep_begin(channel, journal);
    serve(channel, compiler, arena);
    setpriority(PRIO_PROCESS, 0, ALONE_NICENESS);
    keep_last(compiler, arena);
    watch_done();
    for (;;) pause();
}
