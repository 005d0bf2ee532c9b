// "V": integers whose width changes, and fixed point (manual, "Vector Integer Arithmetic Instructions": widening, narrowing,
// extension; "Vector Fixed-Point Arithmetic Instructions"; Zvbb's vwsll). Every instruction is one row: what its operands are,
// and an expression or a function of one element. Loops have to be such that compilers take many elements at once: a source which
// the destination overlaps at another width is copied first, so that elements never depend on each other; and how fixed point
// rounds and whether it saturates is calculated without branches.
#include "translator/guest/riscv64/vector.h"

typedef unsigned __int128 uint128_t;
typedef __int128 int128_t;

// ---- operands

enum { GROUP_BYTES = 8 * VECTOR_VLENB, NO_VS1 = -9 };

struct operands {
    const void *vs2, *vs1;
    uint64_t x;  // what an instruction without vs1 has in its place
    _Alignas(VECTOR_VLENB) uint8_t copy[2][GROUP_BYTES];
};

// Widths here and below are relative to SEW, as a logarithm.
static bool is_source(const struct cpu *cpu, const struct vector_call *v, int to, unsigned reg, int from) {
    int lmul = vector_lmul(cpu), sew = (int)vector_sew(cpu);
    return vector_is_group(reg, lmul + from) &&
           vector_may_overlap(v->vd, lmul + to, (unsigned)(sew + to), reg, lmul + from, (unsigned)(sew + from));
}

static bool overlap(const struct cpu *cpu, unsigned a, int a_width, unsigned b, int b_width) {
    int lmul = vector_lmul(cpu);
    return vector_overlap(a, vector_registers(lmul + a_width), b, vector_registers(lmul + b_width));
}

// Whether no register is read at two widths, one of which may be that of the mask in v0 (manual, "Vector Operands").
static bool agree(const struct cpu *cpu, const struct vector_call *v, int from2, int from1) {
    if (v->masked && (v->vs2 == 0 || (from1 != NO_VS1 && v->vs1 == 0))) return false;
    return from1 == NO_VS1 || from1 == from2 || !overlap(cpu, v->vs2, from2, v->vs1, from1);
}

// The same of a vd that is read too, by multiply-adds, whose sources are half as wide.
static bool agree_with_vd(const struct cpu *cpu, const struct vector_call *v, int from1) {
    return !overlap(cpu, v->vd, 1, v->vs2, 0) && (from1 == NO_VS1 || !overlap(cpu, v->vd, 1, v->vs1, 0));
}

// Where to read a source from. One of the destination's width is the same group or another one, never half of each.
static const void *place(struct cpu *cpu, const struct vector_call *v, int to, unsigned reg, int from, uint8_t *copy) {
    uint8_t *at = vector_at(cpu, reg);
    if (to == from || !overlap(cpu, v->vd, to, reg, from)) return at;
    return memcpy(copy, at, (size_t)vector_registers(vector_lmul(cpu) + from) * VECTOR_VLENB);
}

// False if the instruction is illegal. `to`, `from2` and `from1` are the widths of vd, vs2 and vs1.
static bool prepare(struct cpu *cpu, const struct vector_call *v, int to, int from2, int from1, struct operands *o) {
    int sew = (int)vector_sew(cpu);
    if (sew + to > 3 || sew + from2 > 3 || sew + from2 < 0) return false;
    if (!vector_is_group(v->vd, vector_lmul(cpu) + to) || !vector_spares_mask(v)) return false;
    if (!is_source(cpu, v, to, v->vs2, from2)) return false;
    if (from1 != NO_VS1 && !is_source(cpu, v, to, v->vs1, from1)) return false;
    if (!agree(cpu, v, from2, from1)) return false;
    o->vs2 = place(cpu, v, to, v->vs2, from2, o->copy[0]);
    o->vs1 = from1 == NO_VS1 ? NULL : place(cpu, v, to, v->vs1, from1, o->copy[1]);
    return true;
}

// ---- loops

#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"  // of loops that it cannot do so with
#endif

// Elements do not depend on each other, although registers may be the same. Not more at once than a register has: vectors are
// short.
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety) interleave_count(1)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

// Carries the statement out for every active element i.
#define EACH(...)                                                                    \
    do {                                                                             \
        const size_t end = cpu->vector.length;                                       \
        if (v->masked) {                                                             \
            for (size_t i = cpu->vector.start; i < end; i++) {                       \
                if (vector_bit(cpu, 0, (unsigned)i)) __VA_ARGS__                     \
            }                                                                        \
        } else {                                                                     \
            INDEPENDENT for (size_t i = cpu->vector.start; i < end; i++) __VA_ARGS__ \
        }                                                                            \
    } while (0)

// clang-format off

// Types of elements, where SEW is n bits and twice that is w.
#define INT(n, w) int##n##_t
#define UINT(n, w) uint##n##_t
#define WIDE_INT(n, w) int##w##_t
#define WIDE_UINT(n, w) uint##w##_t

// The other operand: vs1, x[rs1], or an immediate without or with a sign.
#define VALUE_VS1 vs1[i]
#define VALUE_RS1 x
#define VALUE_UIMM x
#define VALUE_SIMM x
#define SCALAR_VS1 0
#define SCALAR_RS1 v->x
#define SCALAR_UIMM v->vs1
#define SCALAR_SIMM (uint64_t)vector_simm(v)
#define WIDTH_VS1 0
#define WIDTH_RS1 NO_VS1
#define WIDTH_UIMM NO_VS1
#define WIDTH_SIMM NO_VS1

// vs2's elements are of type A, the other operand's of type B, vd's of type D. The statement sees vd[i], and what is calculated
// with: a of type CA, b of type CB.
#define LOOP(D, A, CA, B, CB, other, ...) { \
        D *vd = vector_elements(cpu, v->vd); \
        const A *vs2 = o.vs2; \
        const B *vs1 = o.vs1, x = (B)o.x; \
        (void)vs1, (void)x; \
        EACH({ const CA a = (CA)vs2[i]; const CB b = (CB)VALUE_##other; __VA_ARGS__ }); \
    }

#define PREPARE(to, from2, other) \
    struct operands o; \
    o.x = SCALAR_##other; \
    if (!prepare(cpu, v, to, from2, WIDTH_##other, &o)) return false

// What shifts look at of a distance: as much as the width of what is shifted can take.
#define DISTANCE(a, b) ((unsigned)(b) & (unsigned)(8 * sizeof(a) - 1))

// ---- widening (manual, "Vector Widening Integer Add/Subtract", "... Multiply", "... Multiply-Add"; Zvbb, "vwsll")

// The expression's a and b are as wide as vd already. 1u keeps products of 16 bits from becoming signed.

#define WIDENING_STEP(n, w, A, B, other, expression) \
    LOOP(uint##w##_t, A(n, w), uint##w##_t, B(n, w), uint##w##_t, other, vd[i] = (uint##w##_t)(expression);)

#define WIDENING_IF(name, legal, from2, A, other, B, expression) \
    VECTOR(name) { \
        if (!(legal)) return false; \
        PREPARE(1, from2, other); \
        switch (vector_sew(cpu)) { \
        case 0: WIDENING_STEP(8, 16, A, B, other, expression) break; \
        case 1: WIDENING_STEP(16, 32, A, B, other, expression) break; \
        default: WIDENING_STEP(32, 64, A, B, other, expression) break; \
        } \
        return true; \
    }

#define WIDENING(name, from2, A, other, B, expression) WIDENING_IF(name, true, from2, A, other, B, expression)
#define MULTIPLY_ADD(name, A, other, B) \
    WIDENING_IF(name, agree_with_vd(cpu, v, WIDTH_##other), 0, A, other, B, vd[i] + 1u * a * b)

#define ADD_OR_SUBTRACT(name, SIGN, expression) \
    WIDENING(name##_vv, 0, SIGN, VS1, SIGN, expression) \
    WIDENING(name##_vx, 0, SIGN, RS1, SIGN, expression) \
    WIDENING(name##_wv, 1, WIDE_UINT, VS1, SIGN, expression) \
    WIDENING(name##_wx, 1, WIDE_UINT, RS1, SIGN, expression)

ADD_OR_SUBTRACT(vwaddu, UINT, a + b)
ADD_OR_SUBTRACT(vwadd, INT, a + b)
ADD_OR_SUBTRACT(vwsubu, UINT, a - b)
ADD_OR_SUBTRACT(vwsub, INT, a - b)

WIDENING(vwmulu_vv, 0, UINT, VS1, UINT, 1u * a * b)
WIDENING(vwmulu_vx, 0, UINT, RS1, UINT, 1u * a * b)
WIDENING(vwmulsu_vv, 0, INT, VS1, UINT, 1u * a * b)
WIDENING(vwmulsu_vx, 0, INT, RS1, UINT, 1u * a * b)
WIDENING(vwmul_vv, 0, INT, VS1, INT, 1u * a * b)
WIDENING(vwmul_vx, 0, INT, RS1, INT, 1u * a * b)

MULTIPLY_ADD(vwmaccu_vv, UINT, VS1, UINT)
MULTIPLY_ADD(vwmaccu_vx, UINT, RS1, UINT)
MULTIPLY_ADD(vwmacc_vv, INT, VS1, INT)
MULTIPLY_ADD(vwmacc_vx, INT, RS1, INT)
MULTIPLY_ADD(vwmaccsu_vv, UINT, VS1, INT)
MULTIPLY_ADD(vwmaccsu_vx, UINT, RS1, INT)
MULTIPLY_ADD(vwmaccus_vx, INT, RS1, UINT)

WIDENING(vwsll_vv, 0, UINT, VS1, UINT, 1u * a << vector_count(DISTANCE(a, b)))
WIDENING(vwsll_vx, 0, UINT, RS1, UINT, 1u * a << vector_count(DISTANCE(a, b)))
WIDENING(vwsll_vi, 0, UINT, UIMM, UINT, 1u * a << vector_count(DISTANCE(a, b)))

// ---- "Vector Integer Extension"

#define EXTENSION_STEP(sign, from, to) \
    LOOP(uint##to##_t, sign##from##_t, uint##to##_t, uint8_t, uint8_t, UIMM, (void)b; vd[i] = a;)

#define EXTENSION(name, width, steps) \
    VECTOR(name) { \
        PREPARE(0, width, UIMM); \
        switch (vector_sew(cpu)) { steps } \
        return true; \
    }

#define HALVES(sign) \
    case 1: EXTENSION_STEP(sign, 8, 16) break; \
    case 2: EXTENSION_STEP(sign, 16, 32) break; \
    default: EXTENSION_STEP(sign, 32, 64) break;

#define QUARTERS(sign) \
    case 2: EXTENSION_STEP(sign, 8, 32) break; \
    default: EXTENSION_STEP(sign, 16, 64) break;

#define EIGHTHS(sign) \
    default: EXTENSION_STEP(sign, 8, 64) break;

EXTENSION(vzext_vf2, -1, HALVES(uint))
EXTENSION(vsext_vf2, -1, HALVES(int))
EXTENSION(vzext_vf4, -2, QUARTERS(uint))
EXTENSION(vsext_vf4, -2, QUARTERS(int))
EXTENSION(vzext_vf8, -3, EIGHTHS(uint))
EXTENSION(vsext_vf8, -3, EIGHTHS(int))

// ---- "Vector Narrowing Integer Right Shift"

#define NARROWING_STEP(n, w, A, other) \
    LOOP(uint##n##_t, A(n, w), A(n, w), uint##n##_t, uint##n##_t, other, vd[i] = (uint##n##_t)(a >> DISTANCE(a, b));)

#define NARROWING(name, A, other) \
    VECTOR(name) { \
        PREPARE(0, 1, other); \
        switch (vector_sew(cpu)) { \
        case 0: NARROWING_STEP(8, 16, A, other) break; \
        case 1: NARROWING_STEP(16, 32, A, other) break; \
        default: NARROWING_STEP(32, 64, A, other) break; \
        } \
        return true; \
    }

NARROWING(vnsrl_wv, WIDE_UINT, VS1)
NARROWING(vnsrl_wx, WIDE_UINT, RS1)
NARROWING(vnsrl_wi, WIDE_UINT, UIMM)
NARROWING(vnsra_wv, WIDE_INT, VS1)
NARROWING(vnsra_wx, WIDE_INT, RS1)
NARROWING(vnsra_wi, WIDE_INT, UIMM)

// ---- fixed point: one element

// Rounding is adding something to the bits that are shifted out: half of what the last remaining bit stands for, or just less
// than half (below), or both, which is just less than the whole; it depends on the last remaining bit, odd or even. By vxrm
// (manual, "Vector Fixed-Point Rounding Mode Register"): masks, all or nothing.
struct rounding {
    uint64_t odd_half, even_half, even_below;
};

static const struct rounding roundings[] = {
    {~0ull, ~0ull, 0},  // rnu: to nearest, ties up
    {~0ull, 0, ~0ull},  // rne: to nearest, ties to even
    {0, 0, 0},          // rdn: down
    {0, ~0ull, ~0ull},  // rod: to odd, if it is not exact
};

// Functions that end in _n are for elements of n bits, those of products and of what is clipped in _w.
#define ROUNDING(n) \
    /* 1 if value >> distance has to be increased. */ \
    VECTOR_INLINE uint##n##_t round_##n(uint##n##_t value, unsigned distance, struct rounding r) { \
        uint##n##_t dropped = (uint##n##_t)(((uint##n##_t)1 << vector_count(distance)) - 1), below = dropped >> 1, half = dropped ^ below; \
        uint##n##_t odd = (uint##n##_t)-(value >> distance & 1); \
        uint##n##_t odd_bias = half & (uint##n##_t)r.odd_half; \
        uint##n##_t even_bias = (half & (uint##n##_t)r.even_half) | (below & (uint##n##_t)r.even_below); \
        return (uint##n##_t)((value & dropped) + ((odd_bias & odd) | (even_bias & (uint##n##_t)~odd))) >> distance; \
    }

ROUNDING(8)
ROUNDING(16)
ROUNDING(32)
ROUNDING(64)
ROUNDING(128)

#define ELEMENT(name, n, A) \
    VECTOR_INLINE uint##n##_t name##_##n(A a, uint##n##_t b, struct rounding r __attribute__((unused)), \
                                           uint##n##_t *saturated __attribute__((unused)))

#define SATURATING(n) \
    ELEMENT(saturating_addu, n, uint##n##_t) { \
        uint##n##_t sum = (uint##n##_t)(a + b); \
        *saturated |= sum < a; \
        return sum < a ? UINT##n##_MAX : sum; \
    } \
    ELEMENT(saturating_subu, n, uint##n##_t) { \
        *saturated |= a < b; \
        return a < b ? 0 : (uint##n##_t)(a - b); \
    } \
    ELEMENT(saturating_add, n, uint##n##_t) { \
        uint##n##_t sum = (uint##n##_t)(a + b), limit = (uint##n##_t)((a >> (n - 1)) + INT##n##_MAX); \
        bool over = (int##n##_t)((a ^ sum) & (b ^ sum)) < 0; \
        *saturated |= over; \
        return over ? limit : sum; \
    } \
    ELEMENT(saturating_sub, n, uint##n##_t) { \
        uint##n##_t difference = (uint##n##_t)(a - b), limit = (uint##n##_t)((a >> (n - 1)) + INT##n##_MAX); \
        bool over = (int##n##_t)((a ^ b) & (a ^ difference)) < 0; \
        *saturated |= over; \
        return over ? limit : difference; \
    }

// The halved sum or difference is made of halves and what their lowest bits amount to, so that nothing has to be wider than
// the elements.
#define AVERAGE(n, name, halved) \
    ELEMENT(name, n, uint##n##_t) { \
        uint##n##_t half = (uint##n##_t)(halved), up_if_odd = (uint##n##_t)r.odd_half, up_if_even = (uint##n##_t)r.even_half; \
        return (uint##n##_t)(half + (((half & up_if_odd) | (~half & up_if_even)) & (a ^ b) & 1)); \
    }

#define AVERAGING(n) \
    AVERAGE(n, average_addu, (a & b) + ((a ^ b) >> 1)) \
    AVERAGE(n, average_add, (a & b) + (uint##n##_t)((int##n##_t)(a ^ b) >> 1)) \
    AVERAGE(n, average_subu, (a >> 1) - (b >> 1) - (~a & b & 1)) \
    AVERAGE(n, average_sub, (uint##n##_t)((int##n##_t)a >> 1) - (uint##n##_t)((int##n##_t)b >> 1) - (~a & b & 1))

#define SCALING(n) \
    ELEMENT(scale_logical, n, uint##n##_t) { \
        return (uint##n##_t)((a >> DISTANCE(a, b)) + round_##n(a, DISTANCE(a, b), r)); \
    } \
    ELEMENT(scale_arithmetic, n, uint##n##_t) { \
        return (uint##n##_t)((uint##n##_t)((int##n##_t)a >> DISTANCE(a, b)) + round_##n(a, DISTANCE(a, b), r)); \
    }

// Only the product of both minima is too great, and by 1.
#define FRACTIONAL(n, w) \
    ELEMENT(fractional_multiply, n, uint##n##_t) { \
        int##w##_t product = (int##w##_t)((int##w##_t)(int##n##_t)a * (int##n##_t)b); \
        bool over = ((a ^ (uint##n##_t)INT##n##_MIN) | (b ^ (uint##n##_t)INT##n##_MIN)) == 0; \
        *saturated |= over; \
        return (uint##n##_t)((uint##n##_t)(product >> (n - 1)) + (uint##n##_t)round_##w((uint##w##_t)product, n - 1, r) - over); \
    }

#define CLIPPING(n, w) \
    ELEMENT(clip_unsigned, n, uint##w##_t) { \
        uint##w##_t value = (uint##w##_t)((a >> DISTANCE(a, b)) + round_##w(a, DISTANCE(a, b), r)); \
        *saturated |= value > UINT##n##_MAX; \
        return value > UINT##n##_MAX ? UINT##n##_MAX : (uint##n##_t)value; \
    } \
    ELEMENT(clip_signed, n, uint##w##_t) { \
        int##w##_t value = (int##w##_t)(((int##w##_t)a >> DISTANCE(a, b)) + (int##w##_t)round_##w(a, DISTANCE(a, b), r)); \
        int##w##_t least = value < INT##n##_MIN ? INT##n##_MIN : value, clipped = least > INT##n##_MAX ? INT##n##_MAX : least; \
        *saturated |= clipped != value; \
        return (uint##n##_t)clipped; \
    }

#define ELEMENTS(n, w) SATURATING(n) AVERAGING(n) SCALING(n) FRACTIONAL(n, w)
ELEMENTS(8, 16)
ELEMENTS(16, 32)
ELEMENTS(32, 64)
ELEMENTS(64, 128)
CLIPPING(8, 16)
CLIPPING(16, 32)
CLIPPING(32, 64)

// ---- fixed point: instructions

#define FIXED_STEP(n, w, A, other, element) { \
        uint##n##_t saturated = 0; \
        LOOP(uint##n##_t, A(n, w), A(n, w), uint##n##_t, uint##n##_t, other, vd[i] = element##_##n(a, b, r, &saturated);) \
        cpu->vector.saturated |= saturated != 0; \
    }

#define FIXED_AS(name, from2, A, other, element, default_step) \
    VECTOR(name) { \
        PREPARE(0, from2, other); \
        const struct rounding r = roundings[cpu->vector.rounding & 3]; \
        switch (vector_sew(cpu)) { \
        case 0: FIXED_STEP(8, 16, A, other, element) break; \
        case 1: FIXED_STEP(16, 32, A, other, element) break; \
        case 2: FIXED_STEP(32, 64, A, other, element) break; \
        default: default_step break; \
        } \
        return true; \
    }

#define FIXED(name, other, element) FIXED_AS(name, 0, UINT, other, element, FIXED_STEP(64, 128, UINT, other, element))
#define CLIP(name, other, element) FIXED_AS(name, 1, WIDE_UINT, other, element, )

// "Vector Single-Width Saturating Add and Subtract"
FIXED(vsaddu_vv, VS1, saturating_addu)
FIXED(vsaddu_vx, RS1, saturating_addu)
FIXED(vsaddu_vi, SIMM, saturating_addu)
FIXED(vsadd_vv, VS1, saturating_add)
FIXED(vsadd_vx, RS1, saturating_add)
FIXED(vsadd_vi, SIMM, saturating_add)
FIXED(vssubu_vv, VS1, saturating_subu)
FIXED(vssubu_vx, RS1, saturating_subu)
FIXED(vssub_vv, VS1, saturating_sub)
FIXED(vssub_vx, RS1, saturating_sub)

// "Vector Single-Width Averaging Add and Subtract"
FIXED(vaaddu_vv, VS1, average_addu)
FIXED(vaaddu_vx, RS1, average_addu)
FIXED(vaadd_vv, VS1, average_add)
FIXED(vaadd_vx, RS1, average_add)
FIXED(vasubu_vv, VS1, average_subu)
FIXED(vasubu_vx, RS1, average_subu)
FIXED(vasub_vv, VS1, average_sub)
FIXED(vasub_vx, RS1, average_sub)

// "Vector Single-Width Fractional Multiply with Rounding and Saturation"
FIXED(vsmul_vv, VS1, fractional_multiply)
FIXED(vsmul_vx, RS1, fractional_multiply)

// "Vector Single-Width Scaling Shift Instructions"
FIXED(vssrl_vv, VS1, scale_logical)
FIXED(vssrl_vx, RS1, scale_logical)
FIXED(vssrl_vi, UIMM, scale_logical)
FIXED(vssra_vv, VS1, scale_arithmetic)
FIXED(vssra_vx, RS1, scale_arithmetic)
FIXED(vssra_vi, UIMM, scale_arithmetic)

// "Vector Narrowing Fixed-Point Clip Instructions"
CLIP(vnclipu_wv, VS1, clip_unsigned)
CLIP(vnclipu_wx, RS1, clip_unsigned)
CLIP(vnclipu_wi, UIMM, clip_unsigned)
CLIP(vnclip_wv, VS1, clip_signed)
CLIP(vnclip_wx, RS1, clip_signed)
CLIP(vnclip_wi, UIMM, clip_signed)
// clang-format on
