// "V": vtype and vl are set (manual, "Configuration-Setting Instructions"). Every vtype that VLEN and ELEN allow is supported;
// all others set vill.
#include "translator/guest/riscv64/vector.h"

// LMUL of a fraction allows no elements wider than this fraction of ELEN; a reserved vlmul counts as one that allows none.
static bool is_supported(uint64_t type) {
    int sew = (int)(type >> 3 & 7), lmul = (int)((type & 7) ^ 4) - 4;
    return type <= 255 && sew <= 3 && lmul >= sew - 3;
}

static bool set(struct cpu *cpu, const struct vector_call *v, uint64_t wanted, uint64_t type) {
    if (!is_supported(type)) type = UINT64_C(1) << VTYPE_VILL_BIT;
    cpu->vector.type = type;
    uint64_t most = vector_is_valid(cpu) ? vector_vlmax(cpu) : 0;
    cpu->vector.length = wanted < most ? wanted : most;
    cpu->vector.start = 0;
    riscv64_vector_reshape(cpu);
    *v->result = cpu->vector.length;
    return true;
}

// "AVL encoding": x0 asks for as many as there are; or, where the result goes to x0 too, to keep vl. A vtype that has no room for
// it is reserved; vl is cut then.
static uint64_t application_length(const struct cpu *cpu, const struct vector_call *v) {
    if (v->vs1) return v->x;
    return v->vd ? UINT64_MAX : cpu->vector.length;
}

VECTOR(vsetvli) {
    return set(cpu, v, application_length(cpu, v), v->y);
}

VECTOR(vsetvl) {
    return set(cpu, v, application_length(cpu, v), v->y);
}

VECTOR(vsetivli) {
    return set(cpu, v, v->vs1, v->y);
}
