// "V": instructions on mask registers (manual, "Vector Mask Instructions"). VLEN being 128 a mask register is one number of 128
// bits, bit i for element i: most of what is here is arithmetic on such numbers, without a loop.
#include "translator/guest/riscv64/vector.h"

typedef unsigned __int128 mask;
_Static_assert(sizeof(mask) == VECTOR_VLENB, "a mask is a whole register");

static mask mask_read(const struct cpu *cpu, unsigned reg) {
    mask bits;
    memcpy(&bits, cpu->vector.reg[reg], sizeof bits);
    return bits;
}

// Bits of elements below n.
static mask mask_below(unsigned n) {
    return n < VECTOR_VLEN ? ((mask)1 << n) - 1 : ~(mask)0;
}

// Those of elements from vstart up to vl.
static mask mask_body(const struct cpu *cpu) {
    return mask_below((unsigned)cpu->vector.length) & ~mask_below((unsigned)cpu->vector.start);
}

static mask mask_active(const struct cpu *cpu, const struct vector_call *v) {
    return v->masked ? mask_body(cpu) & mask_read(cpu, 0) : mask_body(cpu);
}

static void mask_write(struct cpu *cpu, unsigned reg, mask bits, mask where) {
    bits = (bits & where) | (mask_read(cpu, reg) & ~where);
    memcpy(cpu->vector.reg[reg], &bits, sizeof bits);
}

// ---- "Vector Mask-Register Logical Instructions": never masked

#define LOGICAL(name, result)                                        \
    VECTOR(name) {                                                   \
        mask a = mask_read(cpu, v->vs2), b = mask_read(cpu, v->vs1); \
        mask_write(cpu, v->vd, (result), mask_body(cpu));            \
        return true;                                                 \
    }

// clang-format off
LOGICAL(vmand_mm, a & b)
LOGICAL(vmnand_mm, ~(a & b))
LOGICAL(vmandn_mm, a & ~b)
LOGICAL(vmxor_mm, a ^ b)
LOGICAL(vmor_mm, a | b)
LOGICAL(vmnor_mm, ~(a | b))
LOGICAL(vmorn_mm, a | ~b)
LOGICAL(vmxnor_mm, ~(a ^ b))
// clang-format on

// ---- counting and finding: all are reserved where vstart is not 0

VECTOR(vcpop_m) {
    if (cpu->vector.start) return false;
    mask bits = mask_read(cpu, v->vs2) & mask_active(cpu, v);
    *v->result = (unsigned)__builtin_popcountll((uint64_t)bits) + (unsigned)__builtin_popcountll((uint64_t)(bits >> 64));
    return true;
}

VECTOR(vfirst_m) {
    if (cpu->vector.start) return false;
    mask bits = mask_read(cpu, v->vs2) & mask_active(cpu, v);
    uint64_t low = (uint64_t)bits, high = (uint64_t)(bits >> 64);
    if (low) *v->result = (uint64_t)__builtin_ctzll(low);
    else *v->result = high ? 64 + (uint64_t)__builtin_ctzll(high) : UINT64_MAX;
    return true;
}

// vd is not a source: neither vs2 nor the mask.
static bool may_set(const struct cpu *cpu, const struct vector_call *v) {
    return !cpu->vector.start && v->vd != v->vs2 && vector_spares_mask(v);
}

// `bits` are the active ones of vs2. The lowest of them that is set is `bits & -bits`; less 1 that is all bits below it, and all
// there are if none is set.
#define SETTING(name, result)                                                      \
    VECTOR(name) {                                                                 \
        if (!may_set(cpu, v)) return false;                                        \
        mask active = mask_active(cpu, v), bits = mask_read(cpu, v->vs2) & active; \
        mask_write(cpu, v->vd, (result), active);                                  \
        return true;                                                               \
    }

// clang-format off
SETTING(vmsbf_m, (bits & -bits) - 1)
SETTING(vmsif_m, bits ^ (bits - 1))
SETTING(vmsof_m, bits & -bits)
// clang-format on

// ---- numbering: for each active element of vd how many of the bits below are set, or simply its index

static bool may_number(const struct cpu *cpu, const struct vector_call *v) {
    return vector_is_group(v->vd, vector_lmul(cpu)) && vector_spares_mask(v);
}

VECTOR(viota_m) {
    if (cpu->vector.start || !may_number(cpu, v)) return false;
    if (vector_overlap(v->vd, vector_registers(vector_lmul(cpu)), v->vs2, 1)) return false;
    const mask active = mask_active(cpu, v);
    const uint64_t word[] = {(uint64_t)active, (uint64_t)(active >> 64)};
    const unsigned length = (unsigned)cpu->vector.length;
    unsigned count = 0;
#define WIDTH(bits)                                        \
    {                                                      \
        uint##bits##_t *to = vector_elements(cpu, v->vd);  \
        for (unsigned i = 0; i < length; i++) {            \
            if (!(word[i / 64] >> (i % 64) & 1)) continue; \
            to[i] = (uint##bits##_t)count;                 \
            count += vector_bit(cpu, v->vs2, i);           \
        }                                                  \
    }
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
    return true;
}

VECTOR(vid_v) {
    if (!may_number(cpu, v)) return false;
    const unsigned start = (unsigned)cpu->vector.start, length = (unsigned)cpu->vector.length;
#define WIDTH(bits)                                                              \
    {                                                                            \
        uint##bits##_t *to = vector_elements(cpu, v->vd);                        \
        if (!v->masked) {                                                        \
            for (unsigned i = start; i < length; i++) to[i] = (uint##bits##_t)i; \
        } else {                                                                 \
            for (unsigned i = start; i < length; i++) {                          \
                if (vector_bit(cpu, 0, i)) to[i] = (uint##bits##_t)i;            \
            }                                                                    \
        }                                                                        \
    }
    VECTOR_BY_WIDTH(cpu, WIDTH)
#undef WIDTH
    return true;
}
