// LLVM IR for regions of guest code. The only folder with LLVM's headers; linked into the compiler program and tests, never into
// the runner.
//
// A region becomes one function with the convention of all native code: preserve_none with the cpu and the guest's pinned slots as arguments, left
// by tail calls only. All other slots that it touches are loaded at its start and stored before it is left.
#pragma once
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"
#include <llvm-c/Core.h>

struct region_block {
    uint64_t pc;
    const struct ir_block *ir;
};

// Addresses in the process that the code will run in.
struct region_places {
    uint64_t leave, stop, indirect;  // stubs (quick.h)
    uint64_t bodies;  // interp_body
    uint64_t exits;  // struct native_exit[]: one per exit, in the order of region_exits
};

struct region {
    const struct region_block *block;  // the first is the entry
    unsigned blocks;
    uint32_t mode;
    const uint8_t *pins;  // ended by 0
    struct region_places places;
};

enum { REGION_MAX_PINS = 10, REGION_MAX_EXITS = 1024 };

// The pcs that the region may be left for, in the order in which build met them.
struct region_exits {
    unsigned count;
    uint64_t pc[REGION_MAX_EXITS];
};

// Adds the function `name` to the module. False if the region needs more exits than there may be.
bool region_build(LLVMModuleRef module, const char *name, const struct region *region, struct region_exits *exits);
