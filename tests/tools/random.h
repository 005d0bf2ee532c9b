// Numbers that look random and are the same each time (xorshift64). The state may be anything but 0.
#pragma once
#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)(random_next(state) >> 32) % limit;
}
