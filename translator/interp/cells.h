// Between the functions of the interpreter (interp.c) and the lowering to cells (lower.c): which function stands for what.
#pragma once
#include "translator/interp/interp.h"
#include "translator/interp/section.h"

// What a cell stands for: a uop, by its code, or something of our own.
enum cell_code {
#define UOP(name, format, ...) CELL_##name = UOP_##name,
#include "translator/ir/uops.def"
#undef UOP
    CELL_li64,   // li of 64 bits, which are in the next cell
    CELL_OTHER,  // data, and what is none of a guest's business
    CELL_PC,     // data: a guest address
    CELL_CODES,
};

// How a cell may take the result of the one before it, as bits: as its b or c, and with an o if nobody else will see that result,
// because the cell puts its own into the same slot.
enum cell_chain { CHAIN_n = 0, CHAIN_b = 1, CHAIN_c = 2, CHAIN_bo = 4, CHAIN_co = 8 };

enum { CELL_MAX_SEQUENCE = 4 };

// Cells one after the other that have one function.
struct cell_sequence {
    uint8_t length;
    uint16_t code[CELL_MAX_SEQUENCE];
    uint8_t chain[CELL_MAX_SEQUENCE];  // of each with the one before
    const void *handler;
};

extern const void *const cell_handler[];  // by uop code
extern const void *const cell_handler_li64, *const cell_handler_count, *const cell_handler_link, *const cell_handler_dead;
extern const void *const cell_handler_native, *const cell_handler_native_link;  // of a block with native code, of native_exit
extern const void *const cell_handler_native_pass;  // of one whose passes are counted
extern const void *const cell_handler_reheat;  // of a block that lost it
extern const struct cell cell_indirect;  // goes on at cpu->pc
extern const struct cell cell_hot;  // the same, which is worth better code
extern const struct cell_sequence cell_sequences[];
extern const unsigned cell_sequence_count;

static inline enum uop_format cell_format(unsigned code) {
    return code < UOP_COUNT_OF_CODES ? uop_info[code].format : code == CELL_li64 ? UOP_FORMAT_DI : UOP_FORMAT_NONE;
}

static inline unsigned cell_width(unsigned code) {
    return code == CELL_li64 ? 2 : 1;
}

static inline bool cell_has_place(unsigned code) {
    enum uop_format format = cell_format(code);
    return format == UOP_FORMAT_LOAD || format == UOP_FORMAT_STORE || format == UOP_FORMAT_AMO;
}

// The ways in which `second` can take the result of `first`, as bits of enum cell_chain.
static inline unsigned cell_chains(const struct cell *first, unsigned first_code, const struct cell *second, unsigned second_code) {
    enum uop_format from = cell_format(first_code), to = cell_format(second_code);
    bool writes = uop_format_writes(from);
    bool has_b =
        to != UOP_FORMAT_DI && to != UOP_FORMAT_LINK && to != UOP_FORMAT_JUMP && to != UOP_FORMAT_D && to != UOP_FORMAT_NONE;
    bool has_c = to == UOP_FORMAT_DSS || to == UOP_FORMAT_DSSI || to == UOP_FORMAT_BRANCH || to == UOP_FORMAT_STORE;
    bool plain = to == UOP_FORMAT_DS || to == UOP_FORMAT_DSI || to == UOP_FORMAT_DSS || to == UOP_FORMAT_DSSI;  // cannot fault
    bool b = writes && has_b && second->b == first->a, c = writes && has_c && second->c == first->a;
    bool overwrites = plain && second->a == first->a && b != c;
    return (b ? CHAIN_b : 0u) | (c ? CHAIN_c : 0u) | (b && overwrites ? CHAIN_bo : 0u) | (c && overwrites ? CHAIN_co : 0u);
}

// Where a branch goes. The distance may change meanwhile (cell_link). A volatile load is as atomic as a relaxed one on every host there is, but
// compilers widen it in the same instruction: the way from a taken branch to the next cell is what limits short loops.
static inline __attribute__((always_inline)) INTERP_UNCHECKED const struct cell *cell_target(const struct cell *branch) {
    return (const struct cell *)((const char *)branch + *(const volatile int32_t *)&branch->imm * (intptr_t)CELL_UNIT);
}

// Makes a branch go to `target`. False, and nothing done, if that is too far away.
static inline bool cell_link(struct cell *branch, const struct cell *target) {
    int64_t distance = ((intptr_t)target - (intptr_t)branch) / CELL_UNIT;
    if (distance != (int32_t)distance) return false;
    __atomic_store_n(&branch->imm, (int32_t)distance, __ATOMIC_RELEASE);
    return true;
}

// The cell whose second half is the unit behind `place`.
static inline struct cell *cell_at(const struct threaded *code, unsigned place) {
    return (struct cell *)((char *)(uintptr_t)code->cell + (size_t)place * CELL_UNIT);
}

// A cell used as 64 bits of data behind the cell that wants them.
static inline __attribute__((always_inline)) INTERP_UNCHECKED uint64_t cell_wide(const struct cell *data) {
    return (uint64_t)(uintptr_t)data->handler;
}
