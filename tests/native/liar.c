// For check_compiler.py: stands in for the compiler program and answers every request with nonsense, of which a seed decides what kind. All of it points
// outside of the arena, or to where no code was asked for: what it says must not be believed.
#include "cache/channel.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static uint32_t next(void) {
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 32);
}

int main(void) {
    struct channel *channel = mmap(NULL, CHANNEL_CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, CHANNEL_FD, 0);
    if (channel == MAP_FAILED) return 1;
    state = (uint64_t)getpid();
    for (unsigned n = 0; n < 2000 && !channel->closed; n++) {
        struct channel_result *result = &channel->result[channel->results_in % CHANNEL_RESULTS];
        const struct timespec moment = {.tv_nsec = 1000000};
        result->id = next() % 3 ? channel->requests_in : next();
        result->outcome = next() % 3 ? CHANNEL_MADE : next() % 5;
        result->at = next() % 2 ? next() : next() % channel->arena_bytes;
        result->bytes = next() % 2 ? next() : channel->arena_bytes;
        result->holes = next() % 2 ? next() : next() % 64;
        result->holes_at = next() % 2 ? next() : next() % (result->bytes | 1);
        result->exits_at = next() % 2 ? next() : next() % (result->bytes | 1);
        result->list_at = next() % 2 ? next() : next() % channel->arena_bytes;
        for (unsigned i = 0; i < CHANNEL_BLOCKS; i++)
            result->entry[i] = channel->arena_bytes + next() % (UINT32_MAX - channel->arena_bytes);
        channel->requests_out = next() % 4 ? channel->requests_in : next();
        channel->current = next();
        channel->beats++;
        channel->results_in = next() % 8 ? channel->results_in + 1 : next();
        syscall(SYS_futex, &channel->results_in, FUTEX_WAKE, 100, NULL, NULL, 0);
        nanosleep(&moment, NULL);
    }
    return 0;
}
