// LLVM IR for regions of guest code. The only folder with LLVM's headers; linked into the compiler program and tests, never into
// the runner.
//
// A region becomes one function with the convention of all native code: preserve_none with the cpu and the guest's pinned slots as arguments, left
// by tail calls only. All other slots that it touches are loaded where it is entered and stored before it is left. If it can be entered at several
// blocks, a last argument says at which.
#pragma once
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"
#include "translator/quick/image.h"
#include <llvm-c/Core.h>

struct region_block {
    uint64_t pc;
    const struct ir_block *ir;
    bool entry;  // can be entered from outside
    uint8_t module;  // blocks of one stay at the same distances from each other; those of others may lie elsewhere the next time
    bool scatters;  // the indirect jump that ends it leads to many places
};

// An indirect jump that ends a block may lead to another one.
struct region_way {
    uint8_t from, to;  // numbers of blocks
};

struct region {
    const struct region_block *block;
    const uint64_t *exit;  // pcs that the blocks' branches, jumps and ways go to, each once
    const struct region_way *way;
    unsigned blocks, exits, ways;
    uint32_t mode;
    bool exact;  // at a fault the cpu is to hold the state at cpu->anchor, from where the guest can go on
    bool lines;  // debug locations are wanted
    bool stepwise;  // as in quick.h
    const uint8_t *pins;  // ended by 0
};

// What the process that runs the code has to fill in.
struct region_holes {
    uint32_t holes;
    struct image_hole hole[IMAGE_MAX_HOLES];
};

enum { REGION_MAX_PINS = 10, REGION_NAME_BYTES = 16 };

// Arguments of a region's functions: the pins, CPU_BASE of the cpu as number REGION_BASE, and last the number of a block to enter at.
enum { REGION_BASE = 1, REGION_ARGUMENTS = REGION_MAX_PINS + 2 };
// Pins follow the cpu, but for the last one, which is the first argument: where the quick tier has them (pin_register).
static inline unsigned region_argument_of_pin(unsigned pin) {
    return (pin + 2) % (REGION_MAX_PINS + 1);
}

// Guest instructions as lines of debug locations: from 1 on, so many for each block, a line for each of its bytes.
enum { REGION_BLOCK_LINES = BLOCK_MAX_BYTES };

// The name of the function to enter the region at a block by.
void region_entry_name(char name[REGION_NAME_BYTES], unsigned block);
// Adds the region's functions to the module, and two variables, "holes" and, if it has any, "exits", as of an image (image.h). False if it is not well
// formed, or too large.
bool region_build(LLVMModuleRef module, const struct region *region, struct region_holes *holes);
