// riscv64's register sets as ptrace(2) and core files have them (asm/ptrace.h: user_regs_struct, __riscv_d_ext_state).
#include "guest-os/linux-user/abi/riscv64_regset.h"
#include <elf.h>
#include <string.h>

struct general {
    uint64_t pc, x[31];  // x1 to x31
};
struct floating {
    uint64_t f[32];
    uint32_t fcsr, pad;
};
enum { X1 = 1, F0 = 32, FCSR_BITS = 0xff };

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
    default: return 0;
    }
}

void riscv64_regset_set(uint64_t type, struct guest_registers *to, const void *set) {
    struct general general;
    struct floating floating;
    if (type == NT_PRSTATUS) {
        memcpy(&general, set, sizeof general);
        to->pc = general.pc & ~UINT64_C(1);
        memcpy(&to->slot[X1], general.x, sizeof general.x);
    } else {
        memcpy(&floating, set, sizeof floating);
        memcpy(&to->slot[F0], floating.f, sizeof floating.f);
        to->fcsr = floating.fcsr & FCSR_BITS;
    }
}
