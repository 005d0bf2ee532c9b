// The runtime's own part of a cpu (cpu->runtime).
#pragma once
#include "runtime/cpu_loop.h"
#include "runtime/meter.h"
#include "translator/interp/interp.h"
#include <setjmp.h>

struct cpu_state {
    const struct cpu_hooks *hooks;
    jmp_buf back;          // into cpu_run_code, while guest code runs
    bool in_code, stopped;
    uint32_t generation;   // of the code table that the jump caches belong to
    uint32_t losses;       // as the native jump cache knows them
    struct cell access;    // cpu->at of one in a sheet's code
    struct cpu *cpu;
    struct meter meter;
    struct cpu_state *next, **link;  // list of all cpus
};

static inline struct cpu_state *runtime_of(struct cpu *cpu) {
    return cpu->runtime;
}

// Goes on at cpu->pc in translated code until a trap, for those who are ready for faults. Under MODE_CAREFUL the interpreter goes block by block, so that
// nothing leads it into native code, up to the fault or any other trap, until something is pending, or further than the fault can be.
void cpu_enter_code(struct cpu *cpu);
// Ends MODE_CAREFUL, whatever came of it.
void cpu_end_care(struct cpu *cpu);
// For handlers of host signals: the guest goes on at cpu->pc in code that is made for finding a fault.
HOST_HANDLER static inline void cpu_take_care(struct cpu *cpu) {
    cpu->mode |= MODE_CAREFUL;
    cpu->trap.kind = TRAP_RESUME;
}

// code.c's side of reclaiming memory: the current generation; frees old generations that no cpu can be running in any more.
extern uint32_t code_generation;
// Raised whenever native code is not to be entered any more, before every cpu is asked to leave.
extern uint32_t code_losses;
void code_collect(void);
// Under the code table's lock: whether a generation began since the cpu last entered translated code. What it is at may be of the one before, which nothing
// of the new one may know of: it will be freed first.
static inline bool cpu_is_behind(struct cpu *cpu) {
    return runtime_of(cpu)->generation != code_generation;
}
