// The vector state (V) as the riscv64 kernel's structures have it: signal frames, register sets, prctl(2).
#pragma once
#include "guest-os/linux-user/task.h"
#include "translator/guest/riscv64/features.h"

// What __riscv_v_ext_state and __riscv_v_regset_state begin with (asm/ptrace.h).
struct riscv64_vector_state {
    uint64_t vstart, vl, vtype, vcsr, vlenb;
};

void riscv64_vector_state_get(const struct cpu_vector *from, struct riscv64_vector_state *to);
// Takes over any values: those that a processor cannot hold become what it makes of them. Not vlenb, which cannot be set.
void riscv64_vector_state_set(struct cpu *cpu, const struct riscv64_vector_state *from);

// struct guest_abi's registers_begin, registers_settle and prctl.
void riscv64_registers_begin(struct cpu *cpu);
void riscv64_registers_settle(struct cpu *cpu);
long riscv64_prctl(struct task *task, const uint64_t a[6]);
