// "V": integers of one width (manual, "Vector Integer Arithmetic Instructions"), and what Zvbb and Zvkb add to them. An instruction is a row: its name, and an
// expression of an element a of vs2, b of the other operand, and d of what is in vd. Loops without a mask are such that compilers take many elements at once.
#include "translator/guest/riscv64/vector.h"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"  // of loops that it cannot do so with
#endif

// ---- what is legal

static bool is_source(const struct cpu *cpu, const struct vector_call *v, unsigned reg) {
    return vector_is_group(reg, vector_lmul(cpu)) && vector_is_no_mask(v, reg);
}

static bool is_legal(const struct cpu *cpu, const struct vector_call *v, bool has_vs1) {
    return vector_is_group(v->vd, vector_lmul(cpu)) && vector_spares_mask(v) && is_source(cpu, v, v->vs2) &&
           (!has_vs1 || is_source(cpu, v, v->vs1));
}

// Of an instruction whose destination is a mask: it may overlap a source's lowest register only. That sources are no masks is not asked of it, as with qemu.
static bool is_source_of_mask(const struct cpu *cpu, const struct vector_call *v, unsigned reg) {
    int lmul = vector_lmul(cpu);
    return vector_is_group(reg, lmul) && (v->vd == reg || !vector_overlap(v->vd, 1, reg, vector_registers(lmul)));
}

static bool is_comparison_legal(const struct cpu *cpu, const struct vector_call *v, bool has_vs1) {
    return is_source_of_mask(cpu, v, v->vs2) && (!has_vs1 || is_source_of_mask(cpu, v, v->vs1));
}

// Of one for which v0 is carries and no mask: that it is not read at another width as well is not asked of it either.
static bool is_carry_legal(const struct cpu *cpu, const struct vector_call *v, bool has_vs1) {
    int lmul = vector_lmul(cpu);
    return v->vd && vector_is_group(v->vd, lmul) && vector_is_group(v->vs2, lmul) && (!has_vs1 || vector_is_group(v->vs1, lmul));
}

// ---- elements

#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety) interleave_count(1)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

static inline uint64_t reversed_bits(uint64_t value, unsigned bits) {
    value = (value >> 1 & UINT64_C(0x5555555555555555)) | (value & UINT64_C(0x5555555555555555)) << 1;
    value = (value >> 2 & UINT64_C(0x3333333333333333)) | (value & UINT64_C(0x3333333333333333)) << 2;
    value = (value >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (value & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return __builtin_bswap64(value) >> (64 - bits);
}

static inline uint64_t reversed_bits_of_bytes(uint64_t value) {
    return __builtin_bswap64(reversed_bits(value, 64));
}

static inline uint64_t zeros_above(uint64_t value, unsigned bits) {
    return value ? (uint64_t)__builtin_clzll(value) - (64 - bits) : bits;
}

static inline uint64_t zeros_below(uint64_t value, unsigned bits) {
    return value ? (uint64_t)__builtin_ctzll(value) : bits;
}

// clang-format off: tables

// The other operand: vs1, x[rs1], an immediate with or without a sign, or one of six bits; or none.
#define HAS_VS1_VV true
#define HAS_VS1_VX false
#define HAS_VS1_VI false
#define HAS_VS1_VU false
#define HAS_VS1_VY false
#define HAS_VS1_V false
#define SCALAR_VV 0
#define SCALAR_VX v->x
#define SCALAR_VI (uint64_t)vector_simm(v)
#define SCALAR_VU v->vs1
#define SCALAR_VY v->y
#define SCALAR_V 0
#define OTHER_VV vs1[i]
#define OTHER_VX scalar
#define OTHER_VI scalar
#define OTHER_VU scalar
#define OTHER_VY scalar
#define OTHER_V 0

// S is the type of elements with a sign, U the one without; W and N have twice the bits. The expression's a, b and d have type U.
#define TYPES_8 typedef uint8_t U; typedef int8_t S; typedef uint16_t N; typedef int16_t W; enum { BITS = 8 };
#define TYPES_16 typedef uint16_t U; typedef int16_t S; typedef uint32_t N; typedef int32_t W; enum { BITS = 16 };
#define TYPES_32 typedef uint32_t U; typedef int32_t S; typedef uint64_t N; typedef int64_t W; enum { BITS = 32 };
#define TYPES_64 typedef uint64_t U; typedef int64_t S; typedef unsigned __int128 N; typedef __int128 W; enum { BITS = 64 };
#define USED (void)sizeof(U), (void)sizeof(S), (void)sizeof(N), (void)sizeof(W), (void)BITS

#define LOOP(bits, other, ...) {                                                                                    \
        TYPES_##bits                                                                                                \
        USED;                                                                                                       \
        U *vd = vector_elements(cpu, v->vd);                                                                      \
        const U *vs2 = vector_elements(cpu, v->vs2), *vs1 = vector_elements(cpu, v->vs1);           \
        const U scalar = (U)SCALAR_##other;                                                                         \
        const size_t end = cpu->vector.length;                                                                      \
        (void)vs1, (void)scalar;                                                                                    \
        if (v->masked) {                                                                                            \
            for (size_t i = cpu->vector.start; i < end; i++) {                                                      \
                const U a = vs2[i], b = OTHER_##other, d = vd[i];                                                   \
                (void)a, (void)b, (void)d;                                                                          \
                if (vector_bit(cpu, 0, (unsigned)i)) vd[i] = (U)(__VA_ARGS__);                                      \
            }                                                                                                       \
        } else {                                                                                                    \
            INDEPENDENT for (size_t i = cpu->vector.start; i < end; i++) {                                          \
                const U a = vs2[i], b = OTHER_##other, d = vd[i];                                                   \
                (void)a, (void)b, (void)d;                                                                          \
                vd[i] = (U)(__VA_ARGS__);                                                                           \
            }                                                                                                       \
        }                                                                                                           \
    }

#define BY_WIDTH(loop, other, ...)                                          \
    switch (vector_sew(cpu)) {                                              \
    case 0: loop(8, other, __VA_ARGS__) break;                              \
    case 1: loop(16, other, __VA_ARGS__) break;                             \
    case 2: loop(32, other, __VA_ARGS__) break;                             \
    default: loop(64, other, __VA_ARGS__)                                   \
    }

#define ROW(name, other, ...)                                               \
    VECTOR(name) {                                                          \
        if (!is_legal(cpu, v, HAS_VS1_##other)) return false;               \
        BY_WIDTH(LOOP, other, __VA_ARGS__)                                  \
        return true;                                                        \
    }
#define BOTH(name, ...) ROW(name##_vv, VV, __VA_ARGS__) ROW(name##_vx, VX, __VA_ARGS__)
#define ALL(name, ...) BOTH(name, __VA_ARGS__) ROW(name##_vi, VI, __VA_ARGS__)
#define SHIFT(name, ...) BOTH(name, __VA_ARGS__) ROW(name##_vi, VU, __VA_ARGS__)
#define DISTANCE ((unsigned)b & (BITS - 1u))

ALL(vadd, a + b)
BOTH(vsub, a - b)
ROW(vrsub_vx, VX, b - a)
ROW(vrsub_vi, VI, b - a)
ALL(vand, a & b)
ALL(vor, a | b)
ALL(vxor, a ^ b)
SHIFT(vsll, (N)a << vector_count(DISTANCE))
SHIFT(vsrl, a >> DISTANCE)
SHIFT(vsra, (S)a >> DISTANCE)
BOTH(vminu, a < b ? a : b)
BOTH(vmin, (S)a < (S)b ? a : b)
BOTH(vmaxu, a > b ? a : b)
BOTH(vmax, (S)a > (S)b ? a : b)

// ---- multiplication and division (x / 0 = -1, x rem 0 = x; the overflow wraps)

BOTH(vmul, (N)a * b)
BOTH(vmulh, (N)((W)(S)a * (W)(S)b) >> BITS)
BOTH(vmulhu, (N)((N)a * b) >> BITS)
BOTH(vmulhsu, (N)((W)(S)a * (W)b) >> BITS)
BOTH(vdivu, b ? a / b : (U)-1)
BOTH(vremu, b ? a % b : a)
BOTH(vdiv, b == 0 ? (U)-1 : b == (U)-1 ? (U)(0 - (N)a) : (U)((S)a / (S)b))
BOTH(vrem, b == 0 ? a : b == (U)-1 ? 0 : (U)((S)a % (S)b))
BOTH(vmacc, (N)b * a + d)
BOTH(vnmsac, d - (N)b * a)
BOTH(vmadd, (N)b * d + a)
BOTH(vnmsub, a - (N)b * d)

// ---- Zvkb and Zvbb

BOTH(vandn, a & ~b)
BOTH(vrol, (N)a << vector_count(DISTANCE) | a >> (-(unsigned)b & (BITS - 1u)))
BOTH(vror, a >> DISTANCE | (N)a << vector_count(-(unsigned)b & (BITS - 1u)))
ROW(vror_vi, VY, a >> DISTANCE | (N)a << vector_count(-(unsigned)b & (BITS - 1u)))
ROW(vbrev8_v, V, reversed_bits_of_bytes(a))
ROW(vrev8_v, V, __builtin_bswap64(a) >> (64 - BITS))
ROW(vbrev_v, V, reversed_bits(a, BITS))
ROW(vclz_v, V, zeros_above(a, BITS))
ROW(vctz_v, V, zeros_below(a, BITS))
ROW(vcpop_v, V, __builtin_popcountll(a))

// ---- masks as results: comparisons, and carries. Bits of elements that are not active, and beyond vl, stay.

#define COMPARE(bits, other, ...) {                                                                                 \
        TYPES_##bits                                                                                                \
        USED;                                                                                                       \
        const U *vs2 = vector_elements(cpu, v->vs2), *vs1 = vector_elements(cpu, v->vs1);           \
        const U scalar = (U)SCALAR_##other;                                                                         \
        (void)vs1, (void)scalar;                                                                                    \
        for (size_t i = cpu->vector.start; i < cpu->vector.length; i++) {                                           \
            const U a = vs2[i], b = OTHER_##other;                                                                  \
            result[i] = (__VA_ARGS__);                                                                              \
        }                                                                                                           \
    }

#define CARRY_IN(carries) ((carries) ? (U)vector_bit(cpu, 0, (unsigned)i) : (U)0)

static void put_mask(struct cpu *cpu, const struct vector_call *v, bool masked, const uint8_t *result) {
    uint8_t *vd = vector_at(cpu, v->vd), mask[VECTOR_VLENB];
    memcpy(mask, vector_at(cpu, 0), sizeof mask);
    for (size_t i = cpu->vector.start; i < cpu->vector.length; i++) {
        if (masked && !(mask[i / 8] >> (i % 8) & 1)) continue;
        vd[i / 8] = (uint8_t)((vd[i / 8] & ~(1u << (i % 8))) | (unsigned)result[i] << (i % 8));
    }
}

#define TO_MASK(name, other, masked, legal, ...)                            \
    VECTOR(name) {                                                          \
        uint8_t result[VECTOR_VLEN];                                        \
        if (!(legal)) return false;                                         \
        BY_WIDTH(COMPARE, other, __VA_ARGS__)                               \
        put_mask(cpu, v, masked, result);                                   \
        return true;                                                        \
    }
#define COMPARISON(name, other, ...) TO_MASK(name, other, v->masked, is_comparison_legal(cpu, v, HAS_VS1_##other), __VA_ARGS__)
#define COMPARE_BOTH(name, ...) COMPARISON(name##_vv, VV, __VA_ARGS__) COMPARISON(name##_vx, VX, __VA_ARGS__)
#define COMPARE_ALL(name, ...) COMPARE_BOTH(name, __VA_ARGS__) COMPARISON(name##_vi, VI, __VA_ARGS__)

COMPARE_ALL(vmseq, a == b)
COMPARE_ALL(vmsne, a != b)
COMPARE_BOTH(vmsltu, a < b)
COMPARE_BOTH(vmslt, (S)a < (S)b)
COMPARE_ALL(vmsleu, a <= b)
COMPARE_ALL(vmsle, (S)a <= (S)b)
COMPARISON(vmsgtu_vx, VX, a > b)
COMPARISON(vmsgtu_vi, VI, a > b)
COMPARISON(vmsgt_vx, VX, (S)a > (S)b)
COMPARISON(vmsgt_vi, VI, (S)a > (S)b)

#define CARRIES(name, suffix, other, has) \
    TO_MASK(name##suffix, other, false, is_comparison_legal(cpu, v, HAS_VS1_##other), ((N)((N)a + b + CARRY_IN(has)) >> BITS & 1) != 0)
#define BORROWS(name, suffix, other, has) \
    TO_MASK(name##suffix, other, false, is_comparison_legal(cpu, v, HAS_VS1_##other), a < b || (a == b && CARRY_IN(has)))
CARRIES(vmadc_vv, m, VV, true)
CARRIES(vmadc_vx, m, VX, true)
CARRIES(vmadc_vi, m, VI, true)
CARRIES(vmadc_vv, , VV, false)
CARRIES(vmadc_vx, , VX, false)
CARRIES(vmadc_vi, , VI, false)
BORROWS(vmsbc_vv, m, VV, true)
BORROWS(vmsbc_vx, m, VX, true)
BORROWS(vmsbc_vv, , VV, false)
BORROWS(vmsbc_vx, , VX, false)

// ---- v0 as an operand of every element

#define CHOOSE(bits, other, ...) {                                                                                  \
        TYPES_##bits                                                                                                \
        USED;                                                                                                       \
        U *vd = vector_elements(cpu, v->vd);                                                                      \
        const U *vs2 = vector_elements(cpu, v->vs2), *vs1 = vector_elements(cpu, v->vs1);           \
        const U scalar = (U)SCALAR_##other;                                                                         \
        (void)vs1, (void)scalar;                                                                                    \
        for (size_t i = cpu->vector.start; i < cpu->vector.length; i++) {                                           \
            const U a = vs2[i], b = OTHER_##other, c = vector_bit(cpu, 0, (unsigned)i);                             \
            vd[i] = (U)(__VA_ARGS__);                                                                               \
        }                                                                                                           \
    }
#define WITH_MASK(name, other, legal, ...)                                  \
    VECTOR(name) {                                                          \
        if (!legal(cpu, v, HAS_VS1_##other)) return false;                  \
        BY_WIDTH(CHOOSE, other, __VA_ARGS__)                                \
        return true;                                                        \
    }
WITH_MASK(vadc_vvm, VV, is_carry_legal, a + b + c)
WITH_MASK(vadc_vxm, VX, is_carry_legal, a + b + c)
WITH_MASK(vadc_vim, VI, is_carry_legal, a + b + c)
WITH_MASK(vsbc_vvm, VV, is_carry_legal, a - b - c)
WITH_MASK(vsbc_vxm, VX, is_carry_legal, a - b - c)
WITH_MASK(vmerge_vvm, VV, is_legal, c ? b : a)
WITH_MASK(vmerge_vxm, VX, is_legal, c ? b : a)
WITH_MASK(vmerge_vim, VI, is_legal, c ? b : a)

// ---- moves: vs2 is v0 in the encoding, and is not read

#define MOVE(name, other)                                                   \
    VECTOR(name) {                                                          \
        bool from = HAS_VS1_##other;                                        \
        if (!vector_is_group(v->vd, vector_lmul(cpu)) || (from && !vector_is_group(v->vs1, vector_lmul(cpu)))) return false; \
        BY_WIDTH(LOOP, other, b)                                            \
        return true;                                                        \
    }
MOVE(vmv_v_v, VV)
MOVE(vmv_v_x, VX)
MOVE(vmv_v_i, VI)
// clang-format on
