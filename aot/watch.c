// Ends the program in time: see watch.h.
#include "aot/watch.h"
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

enum {
    TICK = 1000,    // milliseconds
    IDLE_TICKS = 60,
    STUCK_TICKS = 20,  // for one request
};

struct seen {
    uint32_t requests, current;
    unsigned ticks;  // since either changed
};

static void leave(struct channel *channel, int status) {
    __atomic_store_n(&channel->left, status == 0, __ATOMIC_SEQ_CST);
    _exit(status);
}

static void look(struct channel *channel, struct seen *seen) {
    __atomic_fetch_add(&channel->beats, 1, __ATOMIC_RELAXED);
    uint32_t requests = __atomic_load_n(&channel->requests_in, __ATOMIC_RELAXED);
    uint32_t current = __atomic_load_n(&channel->current, __ATOMIC_RELAXED);
    if (__atomic_load_n(&channel->closed, __ATOMIC_RELAXED)) _exit(0);
    seen->ticks = requests == seen->requests && current == seen->current ? seen->ticks + 1 : 0;
    seen->requests = requests, seen->current = current;
    if (seen->ticks >= (current ? STUCK_TICKS : IDLE_TICKS)) leave(channel, current ? 1 : 0);
}

static void *watch(void *data) {
    struct channel *channel = data;
    struct seen seen = {0};
    struct pollfd runner = {.fd = CHANNEL_RUNNER_FD, .events = POLLIN};
    while (poll(&runner, 1, TICK) == 0) look(channel, &seen);
    _exit(0);
}

bool watch_begin(struct channel *channel) {
    pthread_t thread;
    return pthread_create(&thread, NULL, watch, channel) == 0;
}
