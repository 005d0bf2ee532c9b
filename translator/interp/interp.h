// Tier 0: the interpreter. A lifted block is lowered to threaded code: an array of cells, each naming the function that
// carries it out, with its operands; functions end in a tail call to the next cell's. In blocks that are
// entered again common sequences are fused: the first cell gets a function that does them all (sequences.def).
//
// Threaded code is bound to one guest address (constants are absolute) and to this process; it is not for the cache.
#pragma once
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct cell {
    const void *handler;
    union {
        struct {
            uint8_t a, b, c;
            uint8_t d;  // fourth slot; of memory accesses the cell's place in its block
        };
        uint32_t passes;  // of links: how often they are still to be passed until their target is worth native code
    };
    int32_t imm;  // of branches: distance to the cell to go on at
};

// Places and distances are in units of so many bytes. A fused sequence has one handler: of its cells but the first there is only the second
// half, and a pointer to such a cell points to eight bytes before that.
enum { CELL_UNIT = 8 };

// The code of a block: what running it reads, and nothing else, to keep it dense. Its branches go to the first cell of another block
// once that is known, before that to their exit's `link`.
struct threaded {
    const struct layout *about;
    uint64_t pc;
    const void *native;  // where native code goes on that comes here
    struct cell cell[];
};

struct layout {
    struct block *block;
    const uint16_t *offset;  // by place: guest byte offset of the instruction
    const uint16_t *cell_code;  // by place: what the cell stands for (cells.h)
};

// Where a block can be left for another one.
struct exit {
    uint64_t pc;
    struct cell *branch;
    struct cell link;
};

// Where native code can be left for another block. It goes to `native` of the target, which is the link until that is known.
struct native_exit {
    uint64_t pc;
    const struct cell *target;
    const void *native;  // of the link
    struct cell link;
};

struct quick_unit;
struct quick_exit;
struct optimised;
struct use;

struct block {
    struct block *next;  // the table's chain; the runtime's to use, as are the next two
    struct block *next_on_page[2];
    uint64_t bytes_hash;
    uint64_t pc;
    uint32_t bytes, mode;
    uint32_t count, exits;  // cells, exits
    bool dead;
    bool settled;  // entered again; from now on others may be linked to its code
    bool plain;  // there will be no native code
    bool restored;  // it belongs to a region whose code was kept
    bool thick;  // it took the place of a bare block
    uint32_t left;  // the journal's
    bool told;  // the compiler program was, of the block
    uint8_t marks;  // and of this, or is to be: CHANNEL_PLAIN and its like
    uint8_t sought;  // the runtime's: for what kind of code that was kept
    uint16_t passes;  // how often the block was looked up, while there is no native code
    const struct cell *instead;  // of a dead block: what its pc was found to be next, or NULL
    struct quick_unit *unit;  // its native code, or NULL
    struct quick_exit *linked;  // those that lead straight to that code
    const void *optimised;  // and better code, or NULL
    const void *kept;  // of a bare block: its native code, from a sheet
    struct optimised *optimised_by;  // the runtime's, as are those below
    struct use *uses;
    bool asked;
    uint8_t waited, tries;
    bool postponed;
    uint8_t kind;
    uint64_t *targets;  // BLOCK_TARGETS pcs that an indirect jump led to, by some bits of them, noted by native code; or NULL
    const void *handler;  // the first cell's own while there is native code
    struct threaded *code;
    struct exit exit[];
};

// The code that begins with this cell.
static inline const struct threaded *threaded_of(const struct cell *first) {
    return (const struct threaded *)((const char *)first - offsetof(struct threaded, cell));
}

enum { INTERP_MAX_CELLS = 127, BLOCK_TARGETS = 32 };

// Lowers `ir`, lifted from guest code at `pc` under `mode`. NULL if it needs more than INTERP_MAX_CELLS: lift fewer instructions.
struct block *interp_block_build(struct arena *arena, const struct ir_block *ir, uint64_t pc, uint32_t mode);
// A block that has native code from elsewhere, and nothing else: no cells to carry out, no exits. It is settled. Once it is to lose that code, it is to be killed.
struct block *interp_block_bare(struct arena *arena, uint64_t pc, uint32_t bytes, uint32_t mode, const void *native);
// Gives the block new code, in which common sequences of cells have one function: the code in one arena, to keep it dense, what is about
// it in the other, and says that it is settled. Other threads may be running the old code, but nothing may lead there. Not for dead blocks,
// and once only.
void interp_block_fuse(struct arena *code, struct arena *about, struct block *block);
// From now on whoever enters the block looks its pc up again. Atomic: other threads may be running it and will finish their pass.
void interp_block_kill(struct block *block);
// Native code. interp_native_enter goes on in that of a block's first cell, and returns the cell where the interpreter goes on, or NULL after
// a trap; interp_native_leave is where native code goes to leave for such a cell. Both are set before code is made, or not at all.
extern const struct cell *(*interp_native_enter)(struct cpu *cpu, const struct cell *first);
extern const void *interp_native_leave;
// The guest pc of a cell that native code left for.
uint64_t interp_next_pc(const struct cpu *cpu, const struct cell *next);
// After so many passes an exit's target is handed to cpu->hot; 0 for never.
extern uint32_t interp_hot_passes;
// What a cell does, as a function, by uop code; NULL for jumps. True: of a branch, that it is taken; of others, a trap, with cpu->pc and
// cpu->trap set.
typedef bool interp_body_function(struct cpu *cpu, const struct cell *u);  // NOLINT: the one shape of all bodies
extern interp_body_function *const interp_body[UOP_COUNT_OF_CODES];

// Runs from `code` until a trap; cpu->trap.kind and cpu->pc say which and where.
void interp_run(struct cpu *cpu, const struct cell *code);
// Whether a host instruction address lies in code that accesses guest memory for cpu->at.
bool interp_owns(uint64_t host_pc);
// Sets pc, kind, address and write of a fault in the access under way; `host_address` is what the host reported, or ~0 if
// it could not say.
void interp_fault(struct cpu *cpu, uint64_t host_address);
