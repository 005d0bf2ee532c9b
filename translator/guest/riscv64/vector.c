// Carries out vector instructions ("V" and its companions): takes apart what the uop says, and calls the instruction's body. Also the vector CSRs.
#include "translator/guest/riscv64/vector.h"
#include "translator/guest/riscv64/csr.h"
#include "translator/ir/uop_body.h"

static vector_function *const body[] = {
#define INSN(name, needs, bits, assembly, lift) [INSN_##name - INSN_VECTOR_FIRST] = riscv64_vector_##name,
#include "translator/guest/riscv64/vector.def"
#undef INSN
};
enum { BODIES = sizeof body / sizeof *body };
_Static_assert(BODIES <= 1 << 15, "room for them in a uop");

// Whether it does not depend on vtype: vset* and whole registers' loads and stores (manual, "Vector Type Illegal").
static bool ignores_type(unsigned op) {
    switch (op) {
    case INSN_vsetvli:
    case INSN_vsetivli:
    case INSN_vsetvl:
#define WHOLE(n)             \
    case INSN_vs##n##r_v:    \
    case INSN_vl##n##re8_v:  \
    case INSN_vl##n##re16_v: \
    case INSN_vl##n##re32_v: \
    case INSN_vl##n##re64_v:
        WHOLE(1)
        WHOLE(2)
        WHOLE(4)
        WHOLE(8)
#undef WHOLE
        return true;
    default: return false;
    }
}

bool uop_vector(struct cpu *cpu, uint64_t *result, uint32_t what, uint64_t x, uint64_t y) {
    struct vector_operands o = vector_operands(what);
    const struct vector_call v = {
        .result = result, .x = x, .y = y, .vd = (uint8_t)o.vd, .vs1 = (uint8_t)o.vs1, .vs2 = (uint8_t)o.vs2, .masked = o.masked};
    if (!vector_is_valid(cpu) && !ignores_type(o.op)) return false;
    cpu->vector.used = 1;  // before a fault
    if (!body[o.op - INSN_VECTOR_FIRST](cpu, &v)) return false;
    if (cpu->vector.start) {
        cpu->vector.start = 0;
        riscv64_vector_reshape(cpu);
    }
    return true;
}

void riscv64_vector_reshape(struct cpu *cpu) {
    bool all = !cpu->vector.start && cpu->vector.length == vector_vlmax(cpu);
    cpu->vector.shape = all ? vector_shape_of(cpu->vector.type) : 0;
}

uint64_t uop_vector_csr_read(const struct cpu *cpu, unsigned csr) {
    switch (csr) {
    case CSR_VSTART: return cpu->vector.start;
    case CSR_VXSAT: return cpu->vector.saturated;
    case CSR_VXRM: return cpu->vector.rounding;
    case CSR_VCSR: return cpu->vector.rounding << 1 | cpu->vector.saturated;
    case CSR_VL: return cpu->vector.length;
    case CSR_VTYPE: return cpu->vector.type;
    default: return VECTOR_VLENB;
    }
}

void uop_vector_csr_write(struct cpu *cpu, unsigned csr, uint64_t value) {
    cpu->vector.used = 1;
    switch (csr) {
    case CSR_VSTART:
        cpu->vector.start = value & (VECTOR_VLEN - 1);  // as many bits as the longest vector's indices take
        riscv64_vector_reshape(cpu);
        break;
    case CSR_VXSAT: cpu->vector.saturated = value & 1; break;
    case CSR_VXRM: cpu->vector.rounding = value & 3; break;
    case CSR_VCSR:
        cpu->vector.saturated = value & 1;
        cpu->vector.rounding = value >> 1 & 3;
        break;
    default: break;
    }
}
