// The host's clocks as one number.
#pragma once
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline double clock_seconds(clockid_t clock) {
    return (double)clock_nanoseconds(clock) / 1e9;
}
