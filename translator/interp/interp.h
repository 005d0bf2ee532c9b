// Tier 0: the interpreter. A lifted block is lowered to threaded code: an array of cells, each naming the function that
// carries it out, with its operands; functions end in a tail call to the next cell's. Common sequences are fused: the
// first cell gets a function that does them all (sequences.def), the others stay where they are.
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
    uint8_t a, b, c;
    uint8_t d;    // fourth slot; of memory accesses the cell's index in its block
    int32_t imm;  // of branches: distance to the cell to go on at, in units of CELL_STEP bytes
};

enum { CELL_STEP = 8 };

// The code of a block: what running it reads, and nothing else, to keep it dense. Its branches go to the first cell of another block
// once that is known, before that to their exit's `link`.
struct threaded {
    struct block *block;
    uint64_t pc;
    struct cell cell[];
};

// Where a block can be left for another one.
struct exit {
    uint64_t pc;
    struct cell *branch;
    struct cell link;
};

struct block {
    struct block *next;  // the table's chain; the runtime's to use, as are the next two
    struct block *next_on_page[2];
    uint64_t bytes_hash;
    uint64_t pc;
    uint32_t bytes, mode;
    uint32_t count;  // cells
    bool dead, fused;
    const uint16_t *cell_code;  // by cell: what it stands for (cells.h)
    const uint16_t *offset;  // by cell: guest byte offset of its instruction
    struct threaded *code;
    struct exit exit[];
};

// The code that begins with this cell.
static inline const struct threaded *threaded_of(const struct cell *first) {
    return (const struct threaded *)((const char *)first - offsetof(struct threaded, cell));
}

enum { INTERP_MAX_CELLS = 255 };

// Lowers `ir`, lifted from guest code at `pc` under `mode`: the code goes to one arena, what is about it to the other. NULL if it
// needs more than INTERP_MAX_CELLS: lift fewer instructions.
struct block *interp_block_build(struct arena *code, struct arena *about, const struct ir_block *ir, uint64_t pc, uint32_t mode);
// Gives common sequences of cells their functions; other threads may be running the block. Not for dead blocks.
void interp_block_fuse(struct block *block);
// From now on whoever enters the block looks its pc up again. Atomic: other threads may be running it and will finish their pass.
void interp_block_kill(struct block *block);
// Runs from `code` until a trap; cpu->trap.kind and cpu->pc say which and where.
void interp_run(struct cpu *cpu, const struct cell *code);
// Whether a host instruction address lies in code that accesses guest memory for cpu->at.
bool interp_owns(uint64_t host_pc);
// Sets pc, kind, address and write of a fault in the access under way; `host_address` is what the host reported, or ~0 if
// it could not say.
void interp_fault(struct cpu *cpu, uint64_t host_address);
