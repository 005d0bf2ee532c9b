// One stretch of guest code as the interpreter carries it out, for cosim.c and cosim_report.c alone.
#pragma once
#include "cache/channel.h"
#include "translator/ir/cpu.h"
#include <stdbool.h>

struct block;

// What the guest can see of its processor, at the start of a block or at a trap.
struct cosim_state {
    uint64_t pc;
    enum trap_kind trap;
    uint64_t fault_address;  // of a trap that has one
    uint64_t slot[SLOT_TEMP];
    uint32_t fcsr;
    uint64_t reserved_address, reserved_value;
    struct cpu_vector vector;
    unsigned stores;  // how many of the trace's came before
    unsigned last;  // offset of the last instruction of the block that was carried out then
};

// Of at most eight bytes.
struct cosim_store {
    uint64_t address;
    uint32_t size;
    uint64_t before, after;  // what was there
    uint64_t native;  // and what native code left there
    uint64_t expected;  // what was there at the state that is being compared
};

enum cosim_end {
    COSIM_WHOLE,  // further than native code can come
    COSIM_UNSTEADY,  // the next instruction may do something else each time
    COSIM_LONG,  // too long to be noted
};

enum {
    COSIM_STATES = 1024,  // each round of the largest region enters each of its blocks at most once
    COSIM_STORES = 1 << 16,
    COSIM_ROUNDS = 8,
};

struct cosim_trace {
    struct block *block[CHANNEL_BLOCKS];  // where it may go
    unsigned blocks;
    enum cosim_end end;
    unsigned states, stores;
    struct cosim_state state[COSIM_STATES];  // at the start, and so on
    struct cosim_store store[COSIM_STORES];
};

// Carries out guest code from the start of the block with this pc for so many jumps back, as long as it stays within the trace's blocks, and then
// puts everything back as it was. No other cpu may be there.
void cosim__run(struct cpu *cpu, struct cosim_trace *trace, uint64_t pc, unsigned rounds);
// The cpu's state. The rest of it is the caller's to fill in.
void cosim__note(const struct cpu *cpu, struct cosim_state *state);
// Calls `act`. False if a fault of the guest's ended it: then cpu->pc and cpu->trap say which.
bool cosim__guard(struct cpu *cpu, void (*act)(struct cpu *cpu, void *data), void *data);
// Reads what native code left in all places that the trace stored to, and what belongs there in a state of the trace.
void cosim__look_at_memory(struct cosim_trace *trace, const struct cosim_state *state);
// cosim.c: by how many registers two states differ, and by how many stores what cosim__look_at_memory saw.
unsigned cosim__register_differences(const struct cosim_state *a, const struct cosim_state *b);
unsigned cosim__memory_differences(const struct cosim_trace *trace);
