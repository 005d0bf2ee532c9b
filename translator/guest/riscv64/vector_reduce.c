// "V": reductions of integers (manual, "Vector Reduction Operations"): vd[0] = vs1[0] op every active element of vs2. Scalars
// stand in element 0 of any register, and are written last, so that vd may be whatever else takes part, v0 among it; only vs2 is
// a group. Reserved where vstart is not 0.
#include "translator/guest/riscv64/vector.h"

static bool may_reduce(const struct cpu *cpu, const struct vector_call *v, unsigned widest) {
    return !cpu->vector.start && vector_sew(cpu) <= widest && vector_is_group(v->vs2, vector_lmul(cpu));
}

#define ADD(a, b) ((a) + (b))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define LESSER(a, b) ((a) < (b) ? (a) : (b))
#define GREATER(a, b) ((a) > (b) ? (a) : (b))

// One instruction for one width: elements of `from` bits, the scalar being of `to` bits.
#define WIDTH(name, element, from, scalar, to, OP)                                            \
    static void name##_##from(struct cpu *cpu, const struct vector_call *v) {                 \
        const element##from##_t *each = vector_elements(cpu, v->vs2);                         \
        const scalar##to##_t *first = vector_elements(cpu, v->vs1);                           \
        scalar##to##_t result = *first, *at = vector_elements(cpu, v->vd);                    \
        const unsigned length = (unsigned)cpu->vector.length, plain = v->masked ? 0 : length; \
        for (unsigned i = 0; i < plain; i++) {                                                \
            scalar##to##_t one = (scalar##to##_t)each[i];                                     \
            result = (scalar##to##_t)OP(result, one);                                         \
        }                                                                                     \
        for (unsigned i = plain; i < length; i++) {                                           \
            scalar##to##_t one = (scalar##to##_t)each[i];                                     \
            if (vector_bit(cpu, 0, i)) result = (scalar##to##_t)OP(result, one);              \
        }                                                                                     \
        if (length) *at = result;                                                             \
    }

#define REDUCTION(name, type, OP)                 \
    WIDTH(name, type, 8, type, 8, OP)             \
    WIDTH(name, type, 16, type, 16, OP)           \
    WIDTH(name, type, 32, type, 32, OP)           \
    WIDTH(name, type, 64, type, 64, OP)           \
    VECTOR(name) {                                \
        if (!may_reduce(cpu, v, 3)) return false; \
        switch (vector_sew(cpu)) {                \
        case 0: name##_8(cpu, v); break;          \
        case 1: name##_16(cpu, v); break;         \
        case 2: name##_32(cpu, v); break;         \
        default: name##_64(cpu, v);               \
        }                                         \
        return true;                              \
    }

// Sums wrap, and so are unsigned, whatever the elements are.
#define WIDENING(name, type)                      \
    WIDTH(name, type, 8, uint, 16, ADD)           \
    WIDTH(name, type, 16, uint, 32, ADD)          \
    WIDTH(name, type, 32, uint, 64, ADD)          \
    VECTOR(name) {                                \
        if (!may_reduce(cpu, v, 2)) return false; \
        switch (vector_sew(cpu)) {                \
        case 0: name##_8(cpu, v); break;          \
        case 1: name##_16(cpu, v); break;         \
        default: name##_32(cpu, v);               \
        }                                         \
        return true;                              \
    }

// clang-format off
REDUCTION(vredsum_vs, uint, ADD)
REDUCTION(vredand_vs, uint, AND)
REDUCTION(vredor_vs, uint, OR)
REDUCTION(vredxor_vs, uint, XOR)
REDUCTION(vredminu_vs, uint, LESSER)
REDUCTION(vredmin_vs, int, LESSER)
REDUCTION(vredmaxu_vs, uint, GREATER)
REDUCTION(vredmax_vs, int, GREATER)
WIDENING(vwredsumu_vs, uint)
WIDENING(vwredsum_vs, int)
// clang-format on
