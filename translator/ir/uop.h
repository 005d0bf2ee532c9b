// Uops: the small guest-neutral instruction set that guest code is lifted to. Operands are slots of struct cpu (guest
// registers and block temporaries), not SSA values. `uops.def` gives each uop its meaning.
//
// A block of uops is a pure function of guest bytes and mode: every guest address in it is relative to the block's first
// byte, so that it is valid wherever the bytes are mapped.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum uop_code {
#define UOP(name, format, ...) UOP_##name,
#include "uops.def"
#undef UOP
    UOP_COUNT_OF_CODES
};

// What the operands of a uop are. A destination `a` may equal a source.
enum uop_format {
    UOP_FORMAT_NONE,  // no operands
    UOP_FORMAT_D,     // a
    UOP_FORMAT_DI,    // a, imm
    UOP_FORMAT_DS,    // a, b
    UOP_FORMAT_DSI,   // a, b, imm
    UOP_FORMAT_DSS,   // a, b, c
    UOP_FORMAT_DSSI,  // a, b, c, imm
    UOP_FORMAT_DSSS,  // a, b, c, d
    UOP_FORMAT_S,     // b
    UOP_FORMAT_I,     // imm
    UOP_FORMAT_SI,    // b, imm
    UOP_FORMAT_LOAD,  // a = memory[b + imm]
    UOP_FORMAT_STORE, // memory[b + imm] = c
    UOP_FORMAT_AMO,   // a = memory[b], combined with c (and a)
    UOP_FORMAT_LINK,  // a = block pc + imm
    UOP_FORMAT_BRANCH,// if (b ? c) go to block pc + imm, else go on
    UOP_FORMAT_JUMP,  // go to block pc + imm; ends a block
    UOP_FORMAT_INDIRECT, // go to (b + imm) & ~1; ends a block
    UOP_FORMAT_EXIT,  // leave with a trap; ends a block
};

struct uop {
    uint16_t code;         // enum uop_code
    uint8_t a, b, c, d;    // slots
    uint16_t offset;       // bytes from the block's start to the guest instruction this belongs to
    int64_t imm;
};

struct uop_info {
    const char *name;  // lower case
    enum uop_format format;
};
extern const struct uop_info uop_info[UOP_COUNT_OF_CODES];

// Whether a format has a destination.
bool uop_format_writes(enum uop_format format);
// Whether it is a store to memory, or an atomic that stores.
bool uop_stores(unsigned code);
// Whether it is a vector instruction, of vector registers that are in cpu->vector.
static inline bool uop_is_vector(unsigned code) {
    return code == UOP_vector || code == UOP_vectorload || code == UOP_vectorstore;
}
// From its block's start to the pc that an EXIT leaves with.
uint64_t uop_exit_offset(const struct uop *uop);

enum { BLOCK_MAX_UOPS = 512, BLOCK_MAX_BYTES = 1024 };

// One lifted stretch of guest code: straight-line, with side exits (branches); its last uop is a jump, an indirect jump or an exit.
struct ir_block {
    uint32_t count;  // uops
    uint32_t bytes;  // guest bytes covered, from the block's start
    uint32_t instructions;  // guest instructions covered
    struct uop uop[BLOCK_MAX_UOPS];
};

// Guest instructions from the block's start up to and with the one that uop `at` belongs to.
unsigned ir_block_instructions(const struct ir_block *block, unsigned at);

// Text of one uop, as `ferry dump ir` prints it: `slot_name` (may be NULL) names a slot as the guest's manual does.
// Returns what snprintf would.
int uop_print(char *buffer, size_t size, const struct uop *uop, const char *(*slot_name)(unsigned slot));
