// Between the functions of the interpreter (interp.c) and the lowering to cells (lower.c): which function stands for what.
#pragma once
#include "translator/interp/interp.h"
#include "translator/interp/section.h"

extern const void *const cell_handler[];  // by uop code
extern const void *const cell_handler_li64, *const cell_handler_count, *const cell_handler_link, *const cell_handler_dead;

struct cell_pair {
    uint16_t first, second;  // uop codes
    const void *handler;
};
extern const struct cell_pair cell_pairs[];
extern const unsigned cell_pair_count;

// A cell used as 64 bits of data behind the cell that wants them.
static inline __attribute__((always_inline)) INTERP_UNCHECKED uint64_t cell_wide(const struct cell *data) {
    return (uint64_t)(uintptr_t)data->handler;
}
