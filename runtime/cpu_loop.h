// Runs one guest cpu: translated code until a trap, then the hook for it, and again. One cpu per host thread.
#pragma once
#include "runtime/host/host.h"
#include "translator/ir/cpu.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The one upward door: what the layer above does with traps. Each is called on the cpu's own thread with exact state and may
// change any of it (pc included).
struct cpu_hooks {
    void (*syscall)(struct cpu *cpu);    // TRAP_SYSCALL; pc is behind the instruction
    void (*fault)(struct cpu *cpu);      // TRAP_BREAK, _ILLEGAL, _MEMORY, _ALIGN, _FETCH; pc is at the instruction
    void (*interrupt)(struct cpu *cpu);  // cpu->pending was non-zero; must clear it
};

struct cpu *cpu_new(const struct cpu_hooks *hooks);
// A second cpu with the same registers, pc, mode and FP state, nothing reserved and nothing pending.
struct cpu *cpu_copy(const struct cpu *from);
void cpu_free(struct cpu *cpu);
// Takes `cpu` out of the list of running cpus without freeing it: its thread ends but the process's first thread must stay.
void cpu_retire(struct cpu *cpu);
// Runs until a hook calls cpu_stop. Installs the guest's FP environment, makes `cpu` the thread's current one.
void cpu_loop(struct cpu *cpu);
void cpu_stop(struct cpu *cpu);
// The cpu whose guest code or hooks this host thread runs, else NULL. Async-signal-safe.
HOST_HANDLER struct cpu *cpu_current(void);
// Where cpu_current's answer stands, from the host's thread pointer on: the same in every process that runs this program.
ptrdiff_t cpu_current_offset(void);
// After vfork-like sharing of a thread's TLS the parent must say again who it is.
void cpu_set_current(struct cpu *cpu);
// Whether more than one guest cpu exists in this process (atomics and signals may take short cuts if not).
extern uint32_t cpu_count;
// Calls `visit` for each cpu of this process, under a lock.
void cpu_each(void (*visit)(struct cpu *cpu, void *data), void *data);
// The block at `pc` has other native code now. What was there before is still right, but not as good: a cpu may miss this.
void cpu_forget_native_jump(uint64_t pc);
// In a forked child: `cpu` is the only one left.
void cpu_forked(struct cpu *cpu);
