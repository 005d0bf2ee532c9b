// Ends the program in time: see watch.h.
#include "aot/watch.h"
#include "aot/keep.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef WATCH_TICK
#define WATCH_TICK 1000  // milliseconds; tests have no time
#endif

enum {
    TICK = WATCH_TICK,
    IDLE_TICKS = 60,
    STUCK_TICKS = 20,  // for one request
    LAST_TICK = 10000,  // microseconds
    LAST_TICKS = 2500,
};

static bool alone, done;

struct seen {
    uint32_t requests, current, journal;
    unsigned ticks;  // since either changed
};

static _Noreturn void leave(struct channel *channel, int status) {
    keep_end();
    __atomic_store_n(&channel->left, status == 0, __ATOMIC_SEQ_CST);
    _exit(status);
}

// The runner has gone. What it asked for is of use to the next one, if it is kept and does not take too long.
static _Noreturn void finish(struct channel *channel) {
    __atomic_store_n(&alone, true, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &channel->requests_in, FUTEX_WAKE, 1, NULL, NULL, 0);
    unsigned ticks = *channel->cache ? LAST_TICKS : 0;
    for (unsigned i = 0; i < ticks && !__atomic_load_n(&done, __ATOMIC_RELAXED); i++) usleep(LAST_TICK);
    leave(channel, 0);
}

static void look(struct channel *channel, struct seen *seen) {
    __atomic_fetch_add(&channel->beats, 1, __ATOMIC_RELAXED);
    uint32_t requests = __atomic_load_n(&channel->requests_in, __ATOMIC_RELAXED);
    uint32_t current = __atomic_load_n(&channel->current, __ATOMIC_RELAXED);
    keep_flush();
    if (__atomic_load_n(&channel->closed, __ATOMIC_RELAXED)) finish(channel);
    uint32_t journal = __atomic_load_n(&channel->journal_in, __ATOMIC_RELAXED);
    bool same = requests == seen->requests && current == seen->current && (current || journal == seen->journal);
    seen->ticks = same ? seen->ticks + 1 : 0;
    seen->requests = requests, seen->current = current, seen->journal = journal;
    if (seen->ticks >= (current ? STUCK_TICKS : IDLE_TICKS)) leave(channel, current ? 1 : 0);
}

static void *watch(void *data) {
    struct channel *channel = data;
    struct seen seen = {0};
    struct pollfd runner = {.fd = CHANNEL_RUNNER_FD, .events = POLLIN};
    while (poll(&runner, 1, TICK) == 0) look(channel, &seen);
    finish(channel);
}

bool watch_is_alone(void) {
    return __atomic_load_n(&alone, __ATOMIC_SEQ_CST);
}

void watch_done(void) {
    __atomic_store_n(&done, true, __ATOMIC_RELAXED);
}

bool watch_begin(struct channel *channel) {
    pthread_t thread;
    return pthread_create(&thread, NULL, watch, channel) == 0;
}
