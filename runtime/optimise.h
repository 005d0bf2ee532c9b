// Regions of blocks that LLVM makes code of, in the compiler program: which blocks go together, what was asked for, and what came of it.
// All of this under the code table's lock.
#pragma once
#include "runtime/code.h"
#include "runtime/compiler.h"
#include "cache/gather.h"
#include "runtime/host/host.h"
#include "translator/interp/interp.h"

struct arena;
struct kept;
struct native;
struct optimised;

enum { OPTIMISE_NEVER = INT32_MAX };

// Of one generation of the code table; zeroed: nothing yet.
struct optimiser {
    struct compiler compiler;
    struct optimised *asked[CHANNEL_REQUESTS];  // by number of the request
    struct optimised *made;  // list
};

// Makes it possible; not calling it leaves it out. `size`: bytes of code in all.
void optimise_init(const struct guest_isa *isa, guest_features features, uint64_t size);
// A block with native code is run often, or may have better code by now. Returns after how many more passes to ask again, or
// OPTIMISE_NEVER. Code goes to `native`, what else stays comes from `arena`. *full: there is no room left for more.
uint32_t optimise(struct optimiser *optimiser, struct native *native, struct arena *arena, struct block *block, gather_find *find,
                  bool *full);
// Starts the compiler program, if there is none at work and there can be one.
void optimise_start(struct optimiser *optimiser, struct native *native, bool *full);
// Code that was kept, of these blocks, is entered from now on. False if it is none.
bool optimise_restore(struct optimiser *optimiser, struct native *native, struct arena *arena, const struct kept *kept,
                      struct block *const *blocks, bool *full);
// Whether code has to be exact from now on.
bool optimise_is_exact(void);
// The blocks of the region that a block's better code is of; none if it has none. Here without the lock: no other cpu may be there.
unsigned optimise_blocks(const struct block *block, struct block *blocks[CHANNEL_BLOCKS]);
// The block goes: nobody enters code that was made of it any more. True if there was any.
bool optimise_drop(struct block *block);
// The generation has an end: no more requests.
void optimise_retire(struct optimiser *optimiser);
// The process is about to execute another program.
void optimise_close(struct optimiser *optimiser);
void optimise_forked(struct optimiser *optimiser);
// Code that is not exact at faults is entered no more, nor asked for.
void optimise_exactly(struct optimiser *optimiser);
// For handlers of host signals: what code_native_fault returns. In code that is not exact the pc is one near by, and slots may have changed since they
// were stored.
HOST_HANDLER enum native_fault optimise_fault(const struct optimiser *optimiser, struct cpu *cpu, uint64_t host_pc, bool write);
