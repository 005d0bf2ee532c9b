// The vector state between the guest's processor and the kernel's structures, and whether a program may use vectors
// (kernel: Documentation/arch/riscv/vector.rst).
#include "guest-os/linux-user/abi/riscv64_vector.h"
#include "runtime/code.h"
#include "translator/guest/riscv64/vector.h"
#include <errno.h>

void riscv64_vector_state_get(const struct cpu_vector *from, struct riscv64_vector_state *to) {
    *to = (struct riscv64_vector_state){.vstart = from->start,
                                        .vl = from->length,
                                        .vtype = from->type,
                                        .vcsr = from->rounding << 1 | from->saturated,
                                        .vlenb = VECTOR_VLENB};
}

// With the instruction that the kernel does it with, vsetvl: so a vtype that is reserved sets vill, and vl is no longer than vtype allows.
void riscv64_vector_state_set(struct cpu *cpu, const struct riscv64_vector_state *from) {
    enum { SOME_REGISTER = 1 };  // x0 as rs1 would have a meaning of its own
    uint64_t nowhere;
    const struct vector_call vsetvl = {
        .result = &nowhere, .x = from->vl, .y = from->vtype, .vs1 = SOME_REGISTER, .vs2 = SOME_REGISTER};
    riscv64_vector_vsetvl(cpu, &vsetvl);
    cpu->vector.start = from->vstart & (VECTOR_VLEN - 1);
    cpu->vector.rounding = from->vcsr >> 1 & 3;
    cpu->vector.saturated = from->vcsr & 1;
    riscv64_vector_reshape(cpu);
}

void riscv64_registers_begin(struct cpu *cpu) {
    cpu->vector = (struct cpu_vector){.type = UINT64_C(1) << VTYPE_VILL_BIT};
}

void riscv64_registers_settle(struct cpu *cpu) {
    struct riscv64_vector_state state;
    if (!cpu->vector.used) return;
    riscv64_vector_state_get(&cpu->vector, &state);
    riscv64_vector_state_set(cpu, &state);
}

// ---- prctl(2)

enum {
    SET_CONTROL = 69,  // PR_RISCV_V_SET_CONTROL
    GET_CONTROL = 70,
    STATE_DEFAULT = 0,  // PR_RISCV_V_VSTATE_CTRL_*
    STATE_OFF = 1,
    STATE_ON = 2,
    STATE_MASK = 3,
    NEXT_SHIFT = 2,
    INHERIT = 16,
    CONTROL_MASK = INHERIT | STATE_MASK << NEXT_SHIFT | STATE_MASK,
};

// A thread that has vectors cannot have them turned off, as in the kernel. Here all threads have them, and programs cannot be started without,
// so that this too is refused: -cpu says what programs are offered. What is said about the next program is told back, but not to that one.
static long set_control(struct task *task, uint64_t control) {
    uint64_t current = control & STATE_MASK, next = control >> NEXT_SHIFT & STATE_MASK;
    if (control & ~(uint64_t)CONTROL_MASK || current > STATE_ON || next > STATE_ON) return -EINVAL;
    if (current == STATE_OFF || next == STATE_OFF) return -EPERM;
    task->vector_control = (uint32_t)control & ~(uint32_t)STATE_MASK;
    return 0;
}

long riscv64_prctl(struct task *task, const uint64_t a[6]) {
    int option = (int)a[0];
    if (option != SET_CONTROL && option != GET_CONTROL) return -ENOSYS;
    if (!(code_features & RV(V))) return -EINVAL;
    return option == SET_CONTROL ? set_control(task, a[1]) : (long)(task->vector_control | STATE_ON);
}
