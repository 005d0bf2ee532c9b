// riscv64's register sets as ptrace(2) and core files have them (asm/ptrace.h: user_regs_struct, __riscv_d_ext_state, __riscv_v_regset_state).
#include "guest-os/linux-user/abi/riscv64_regset.h"
#include "guest-os/linux-user/abi/riscv64_vector.h"
#include <elf.h>
#include <errno.h>
#include <string.h>

struct general {
    uint64_t pc, x[31];  // x1 to x31
};
struct floating {
    uint64_t f[32];
    uint32_t fcsr, pad;
};
struct vectors {
    struct riscv64_vector_state state;
    uint8_t reg[CPU_VECTORS][CPU_VECTOR_BYTES];
};
_Static_assert(sizeof(struct vectors) <= ABI_REGSET_BYTES, "room for it");
#ifndef NT_RISCV_VECTOR
#define NT_RISCV_VECTOR 0x901
#endif
enum { X1 = 1, F0 = 32, FCSR_BITS = 0xff };

// There is none before the thread has used vectors.
static size_t get_vectors(const struct cpu_vector *from, void *set, size_t *item) {
    struct vectors vectors;
    if (!from->used) return 0;
    riscv64_vector_state_get(from, &vectors.state);
    memcpy(vectors.reg, from->reg, sizeof vectors.reg);
    memcpy(set, &vectors, sizeof vectors);
    *item = sizeof(uint32_t);
    return sizeof vectors;
}

// What no processor could hold is looked after when the thread goes on (registers_settle).
static long set_vectors(struct cpu_vector *to, const void *set) {
    struct vectors vectors;
    memcpy(&vectors, set, sizeof vectors);
    if (vectors.state.vlenb != CPU_VECTOR_BYTES) return -EINVAL;
    memcpy(to->reg, vectors.reg, sizeof to->reg);
    to->start = vectors.state.vstart;
    to->length = vectors.state.vl;
    to->type = vectors.state.vtype;
    to->rounding = vectors.state.vcsr >> 1 & 3;
    to->saturated = vectors.state.vcsr & 1;
    to->shape = 0;
    return 0;
}

size_t riscv64_regset_get(uint64_t type, const struct guest_registers *from, void *set, size_t *item) {
    struct general general = {.pc = from->pc};
    struct floating floating = {.fcsr = from->fcsr};
    *item = sizeof(uint64_t);
    switch (type) {
    case NT_PRSTATUS:
        memcpy(general.x, &from->slot[X1], sizeof general.x);
        memcpy(set, &general, sizeof general);
        return sizeof general;
    case NT_FPREGSET:
        memcpy(floating.f, &from->slot[F0], sizeof floating.f);
        memcpy(set, &floating, sizeof floating);
        return sizeof floating;
    case NT_RISCV_VECTOR: return get_vectors(&from->vector, set, item);
    default: return 0;
    }
}

long riscv64_regset_set(uint64_t type, struct guest_registers *to, const void *set) {
    struct general general;
    struct floating floating;
    if (type == NT_RISCV_VECTOR) return set_vectors(&to->vector, set);
    if (type == NT_PRSTATUS) {
        memcpy(&general, set, sizeof general);
        to->pc = general.pc & ~UINT64_C(1);
        memcpy(&to->slot[X1], general.x, sizeof general.x);
    } else {
        memcpy(&floating, set, sizeof floating);
        memcpy(&to->slot[F0], floating.f, sizeof floating.f);
        to->fcsr = floating.fcsr & FCSR_BITS;
    }
    return 0;
}
