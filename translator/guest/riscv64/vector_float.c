// Vectors of floating-point numbers: the manual's "Vector Floating-Point Instructions", "Vector Single-Width" and "Widening
// Floating-Point Reduction Instructions", and those of "Vector Permutation Instructions" that take an f register. Numbers have 32
// or 64 bits (Zve64d; there is no Zvfh, nor Zvfhmin). What an instruction does to an element is what the scalar one does, and so
// are the functions (fp.h): these take and give values as they stand in f registers, that is narrow ones boxed. Only active elements
// are computed, for the others may not raise flags.
//
// With frm being no rounding mode all of them are illegal, also those that do not round ("Vector Floating-Point Instructions").
#include "translator/guest/riscv64/vector.h"
#include "translator/guest/riscv64/vector_estimate.h"
#include "translator/ir/fp.h"

enum { SINGLE = 2, DOUBLE = 3 };  // SEW, as vector_sew has it

#define NOT_INLINE __attribute__((noinline))

typedef uint32_t element_s;
typedef uint64_t element_d;
typedef uint64_t unary_function(struct cpu *cpu, uint64_t a);
typedef uint64_t binary_function(struct cpu *cpu, uint64_t a, uint64_t b);
typedef uint64_t ternary_function(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);

// What stands with vs2: vs1 or f[rs1], which comes first in the third form.
enum form { VV, VF, FV };

// ---- active elements

// By bits. There are 32 at most: as many single numbers fill eight registers; and groups of 16-bit ones are four at most, for what
// stands with them is twice as wide.
static uint32_t active_elements(const struct cpu *cpu, const struct vector_call *v) {
    uint64_t from = cpu->vector.start, to = cpu->vector.length;
    if (from >= to) return 0;
    uint32_t active = v->masked ? (uint32_t)vector_get(cpu, 0, 0, 2) : UINT32_MAX;
    return active & (uint32_t)((UINT64_C(1) << to) - (UINT64_C(1) << from));
}

#define EACH(i, active) \
    for (uint32_t i##_left = (active), i; i##_left && (i = (uint32_t)__builtin_ctz(i##_left), true); i##_left &= i##_left - 1)

// ---- what is legal

static bool has_rounding(const struct cpu *cpu) {
    return cpu->fp_rounding <= FP_RMM;
}

static bool has_numbers(const struct cpu *cpu) {
    return vector_sew(cpu) >= SINGLE && has_rounding(cpu);
}

// A source other than a mask may not overlap the mask: its registers would be read as elements of two widths.
static bool source_is_legal(const struct vector_call *v, unsigned vs, int emul) {
    return vector_is_group(vs, emul) && !(v->masked && vs == 0);
}

static bool sources_are_legal(const struct cpu *cpu, const struct vector_call *v, enum form form) {
    int lmul = vector_lmul(cpu);
    return source_is_legal(v, v->vs2, lmul) && (form != VV || source_is_legal(v, v->vs1, lmul));
}

static bool single_width_is_legal(const struct cpu *cpu, const struct vector_call *v, enum form form) {
    return has_numbers(cpu) && vector_spares_mask(v) && vector_is_group(v->vd, vector_lmul(cpu)) && sources_are_legal(cpu, v, form);
}

static bool may_be_compared(const struct cpu *cpu, const struct vector_call *v, unsigned vs) {
    int lmul = vector_lmul(cpu);
    return vector_is_group(vs, lmul) && vector_may_overlap(v->vd, 0, 0, vs, lmul, SINGLE);
}

// The destination is a mask, whose elements have less bits than any. qemu lets the sources overlap v0 here, and in reductions.
static bool comparison_is_legal(const struct cpu *cpu, const struct vector_call *v, enum form form) {
    return has_numbers(cpu) && may_be_compared(cpu, v, v->vs2) && (form != VV || may_be_compared(cpu, v, v->vs1));
}

// From elements of SEW to such of twice that.
static bool widening_is_legal(const struct cpu *cpu, const struct vector_call *v, unsigned vs) {
    int lmul = vector_lmul(cpu);
    unsigned sew = vector_sew(cpu);
    return vector_is_group(v->vd, lmul + 1) && vector_spares_mask(v) && source_is_legal(v, vs, lmul) &&
           vector_may_overlap(v->vd, lmul + 1, sew + 1, vs, lmul, sew);
}

static bool is_single(const struct cpu *cpu) {
    return vector_sew(cpu) == SINGLE && has_rounding(cpu);
}

// Sources of different widths may not share registers.
static bool wide_binary_is_legal(const struct cpu *cpu, const struct vector_call *v, enum form form, bool vs2_is_wide) {
    int lmul = vector_lmul(cpu);
    if (!is_single(cpu) || !vector_is_group(v->vd, lmul + 1) || !vector_spares_mask(v)) return false;
    if (form == VV && !widening_is_legal(cpu, v, v->vs1)) return false;
    if (!vs2_is_wide) return widening_is_legal(cpu, v, v->vs2);
    return source_is_legal(v, v->vs2, lmul + 1) &&
           (form != VV || !vector_overlap(v->vs2, vector_registers(lmul + 1), v->vs1, vector_registers(lmul)));
}

// The destination is a source as well, wider than the others.
static bool wide_fused_is_legal(const struct cpu *cpu, const struct vector_call *v, enum form form) {
    unsigned wide = vector_registers(vector_lmul(cpu) + 1), narrow = vector_registers(vector_lmul(cpu));
    return wide_binary_is_legal(cpu, v, form, false) && !vector_overlap(v->vd, wide, v->vs2, narrow) &&
           (form != VV || !vector_overlap(v->vd, wide, v->vs1, narrow));
}

// From elements of twice SEW to such of SEW.
static bool narrowing_is_legal(const struct cpu *cpu, const struct vector_call *v) {
    int lmul = vector_lmul(cpu);
    unsigned sew = vector_sew(cpu);
    return has_rounding(cpu) && vector_is_group(v->vd, lmul) && vector_spares_mask(v) && source_is_legal(v, v->vs2, lmul + 1) &&
           vector_may_overlap(v->vd, lmul, sew, v->vs2, lmul + 1, sew + 1);
}

// Reductions cannot be resumed. vd and vs1 are single elements, in any register.
static bool reduction_is_legal(const struct cpu *cpu, const struct vector_call *v) {
    return has_numbers(cpu) && !cpu->vector.start && vector_is_group(v->vs2, vector_lmul(cpu));
}

// ---- loops over elements, by width of the numbers. The operation is known when these are inlined, but in RMM.

// Where the sign is from.
enum sign { OF_OTHER, AGAINST_OTHER, OF_PRODUCT };

#define SIGNED(a, b, sign, how) (((a) & ~(sign)) | (((how) == OF_OTHER ? (b) : (how) == AGAINST_OTHER ? ~(b) : (a) ^ (b)) & (sign)))

// clang-format off: macros that read as tables
#define LOOPS(s)                                                                                                                  \
    VECTOR_INLINE element_##s *group_##s(struct cpu *cpu, unsigned reg) { return (element_##s *)vector_elements(cpu, reg); }    \
    VECTOR_INLINE uint64_t scalar_##s(const struct vector_call *v) { return fp_box_##s(fp_unbox_##s(v->x)); }                     \
    VECTOR_INLINE void unary_##s(struct cpu *cpu, const struct vector_call *v, unary_function *f) {                               \
        element_##s *d = group_##s(cpu, v->vd);                                                                                   \
        const element_##s *a = group_##s(cpu, v->vs2);                                                                            \
        EACH(i, active_elements(cpu, v)) d[i] = (element_##s)f(cpu, fp_box_##s(a[i]));                                            \
    }                                                                                                                             \
    VECTOR_INLINE void binary_##s(struct cpu *cpu, const struct vector_call *v, binary_function *f, enum form form) {             \
        element_##s *d = group_##s(cpu, v->vd);                                                                                   \
        const element_##s *a = group_##s(cpu, v->vs2), *b = group_##s(cpu, v->vs1);                                               \
        uint64_t x = scalar_##s(v);                                                                                               \
        EACH(i, active_elements(cpu, v)) {                                                                                        \
            uint64_t vs2 = fp_box_##s(a[i]), other = form == VV ? fp_box_##s(b[i]) : x;                                           \
            d[i] = (element_##s)(form == FV ? f(cpu, other, vs2) : f(cpu, vs2, other));                                           \
        }                                                                                                                         \
    }                                                                                                                             \
    /* vd = x * vs2 + vd, or x * vd + vs2, x being vs1 or f[rs1] */                                                               \
    VECTOR_INLINE void fused_##s(struct cpu *cpu, const struct vector_call *v, ternary_function *f, enum form form, bool to_vd) { \
        element_##s *d = group_##s(cpu, v->vd);                                                                                   \
        const element_##s *a = group_##s(cpu, v->vs2), *b = group_##s(cpu, v->vs1);                                               \
        uint64_t x = scalar_##s(v);                                                                                               \
        EACH(i, active_elements(cpu, v)) {                                                                                        \
            uint64_t vs2 = fp_box_##s(a[i]), vd = fp_box_##s(d[i]), other = form == VV ? fp_box_##s(b[i]) : x;                    \
            d[i] = (element_##s)(to_vd ? f(cpu, other, vs2, vd) : f(cpu, other, vd, vs2));                                        \
        }                                                                                                                         \
    }                                                                                                                             \
    VECTOR_INLINE uint32_t compare_##s(struct cpu *cpu, const struct vector_call *v, binary_function *f, enum form form) {        \
        const element_##s *a = group_##s(cpu, v->vs2), *b = group_##s(cpu, v->vs1);                                               \
        uint64_t x = scalar_##s(v);                                                                                               \
        uint32_t bits = 0;                                                                                                        \
        EACH(i, active_elements(cpu, v)) {                                                                                        \
            uint64_t vs2 = fp_box_##s(a[i]), other = form == VV ? fp_box_##s(b[i]) : x;                                           \
            bits |= (uint32_t)(form == FV ? f(cpu, other, vs2) : f(cpu, vs2, other)) << i;                                        \
        }                                                                                                                         \
        return bits;                                                                                                              \
    }                                                                                                                             \
    VECTOR_INLINE void reduce_##s(struct cpu *cpu, const struct vector_call *v, binary_function *f) {                             \
        const element_##s *a = group_##s(cpu, v->vs2);                                                                            \
        uint64_t so_far = fp_box_##s(*group_##s(cpu, v->vs1));                                                                    \
        EACH(i, active_elements(cpu, v)) so_far = f(cpu, so_far, fp_box_##s(a[i]));                                               \
        if (cpu->vector.length) *group_##s(cpu, v->vd) = (element_##s)so_far;                                                     \
    }                                                                                                                             \
    VECTOR_INLINE void sign_##s(struct cpu *cpu, const struct vector_call *v, enum form form, enum sign how) {                    \
        element_##s *d = group_##s(cpu, v->vd);                                                                                   \
        const element_##s *a = group_##s(cpu, v->vs2), *b = group_##s(cpu, v->vs1);                                               \
        const element_##s x = (element_##s)scalar_##s(v), sign = (element_##s)~((element_##s)-1 >> 1);                            \
        uint64_t to = cpu->vector.length;                                                                                         \
        if (v->masked) EACH(i, active_elements(cpu, v)) d[i] = SIGNED(a[i], form == VV ? b[i] : x, sign, how);                    \
        else for (uint64_t i = cpu->vector.start; i < to; i++) d[i] = SIGNED(a[i], form == VV ? b[i] : x, sign, how);             \
    }                                                                                                                             \
    /* With ties away from zero, which is rare: one loop for all operations. */                                                   \
    static NOT_INLINE void far_unary_##s(struct cpu *cpu, const struct vector_call *v, unary_function *f) {                       \
        unary_##s(cpu, v, f);                                                                                                     \
    }                                                                                                                             \
    static NOT_INLINE void far_binary_##s(struct cpu *cpu, const struct vector_call *v, binary_function *f, enum form form) {     \
        binary_##s(cpu, v, f, form);                                                                                              \
    }                                                                                                                             \
    static NOT_INLINE void far_fused_##s(struct cpu *cpu, const struct vector_call *v, ternary_function *f, enum form form,       \
                                         bool to_vd) {                                                                            \
        fused_##s(cpu, v, f, form, to_vd);                                                                                        \
    }                                                                                                                             \
    static NOT_INLINE void far_reduce_##s(struct cpu *cpu, const struct vector_call *v, binary_function *f) {                     \
        reduce_##s(cpu, v, f);                                                                                                    \
    }
LOOPS(s)
LOOPS(d)
#undef LOOPS
// clang-format on

// A loop for the numbers' width and the rounding mode: with the host's function, or its twin for ties away from zero.
#define BY_MODE(loop, host, away, ...)                                                    \
    do {                                                                                  \
        bool is_away = cpu->fp_rounding == FP_RMM, is_double = vector_sew(cpu) == DOUBLE; \
        if (is_away && is_double) far_##loop##_d(cpu, v, fp_##away##_d, ##__VA_ARGS__);   \
        else if (is_away) far_##loop##_s(cpu, v, fp_##away##_s, ##__VA_ARGS__);           \
        else if (is_double) loop##_d(cpu, v, fp_##host##_d, ##__VA_ARGS__);               \
        else loop##_s(cpu, v, fp_##host##_s, ##__VA_ARGS__);                              \
    } while (0)

// ---- single width

#define BINARY(name, form, host, away)                          \
    VECTOR(name) {                                              \
        if (!single_width_is_legal(cpu, v, form)) return false; \
        BY_MODE(binary, host, away, form);                      \
        return true;                                            \
    }
BINARY(vfadd_vv, VV, add, away_add)
BINARY(vfadd_vf, VF, add, away_add)
BINARY(vfsub_vv, VV, sub, away_sub)
BINARY(vfsub_vf, VF, sub, away_sub)
BINARY(vfrsub_vf, FV, sub, away_sub)
BINARY(vfmul_vv, VV, mul, away_mul)
BINARY(vfmul_vf, VF, mul, away_mul)
BINARY(vfdiv_vv, VV, div, away_div)
BINARY(vfdiv_vf, VF, div, away_div)
BINARY(vfrdiv_vf, FV, div, away_div)
BINARY(vfmin_vv, VV, min, slow_min)
BINARY(vfmin_vf, VF, min, slow_min)
BINARY(vfmax_vv, VV, max, slow_max)
BINARY(vfmax_vf, VF, max, slow_max)

VECTOR(vfsqrt_v) {
    if (!single_width_is_legal(cpu, v, VF)) return false;
    BY_MODE(unary, sqrt, away_sqrt);
    return true;
}

// As with scalar ones: nmadd and nmacc have both product and addend negative, nmsub and nmsac the product only.
#define FUSED(name, to_vd, operation)                           \
    VECTOR(name##_vv) {                                         \
        if (!single_width_is_legal(cpu, v, VV)) return false;   \
        BY_MODE(fused, operation, away_##operation, VV, to_vd); \
        return true;                                            \
    }                                                           \
    VECTOR(name##_vf) {                                         \
        if (!single_width_is_legal(cpu, v, VF)) return false;   \
        BY_MODE(fused, operation, away_##operation, VF, to_vd); \
        return true;                                            \
    }
FUSED(vfmacc, true, madd)
FUSED(vfnmacc, true, nmadd)
FUSED(vfmsac, true, msub)
FUSED(vfnmsac, true, nmsub)
FUSED(vfmadd, false, madd)
FUSED(vfnmadd, false, nmadd)
FUSED(vfmsub, false, msub)
FUSED(vfnmsub, false, nmsub)

#define SIGN(name, form, how)                                     \
    VECTOR(name) {                                                \
        if (!single_width_is_legal(cpu, v, form)) return false;   \
        if (vector_sew(cpu) == DOUBLE) sign_d(cpu, v, form, how); \
        else sign_s(cpu, v, form, how);                           \
        return true;                                              \
    }
SIGN(vfsgnj_vv, VV, OF_OTHER)
SIGN(vfsgnj_vf, VF, OF_OTHER)
SIGN(vfsgnjn_vv, VV, AGAINST_OTHER)
SIGN(vfsgnjn_vf, VF, AGAINST_OTHER)
SIGN(vfsgnjx_vv, VV, OF_PRODUCT)
SIGN(vfsgnjx_vf, VF, OF_PRODUCT)

static void put_mask(struct cpu *cpu, const struct vector_call *v, uint32_t bits) {
    uint32_t active = active_elements(cpu, v), others = (uint32_t)vector_get(cpu, v->vd, 0, 2) & ~active;
    vector_put(cpu, v->vd, 0, 2, others | (bits & active));
}

#define COMPARE(name, form, operation, opposite)                                                                                   \
    VECTOR(name) {                                                                                                                 \
        if (!comparison_is_legal(cpu, v, form)) return false;                                                                      \
        uint32_t bits =                                                                                                            \
            vector_sew(cpu) == DOUBLE ? compare_d(cpu, v, fp_##operation##_d, form) : compare_s(cpu, v, fp_##operation##_s, form); \
        put_mask(cpu, v, opposite ? ~bits : bits);                                                                                 \
        return true;                                                                                                               \
    }
COMPARE(vmfeq_vv, VV, eq, false)
COMPARE(vmfeq_vf, VF, eq, false)
COMPARE(vmfne_vv, VV, eq, true)
COMPARE(vmfne_vf, VF, eq, true)
COMPARE(vmflt_vv, VV, lt, false)
COMPARE(vmflt_vf, VF, lt, false)
COMPARE(vmfle_vv, VV, le, false)
COMPARE(vmfle_vf, VF, le, false)
COMPARE(vmfgt_vf, FV, lt, false)
COMPARE(vmfge_vf, FV, le, false)

#define UNARY(name, single, double)                                 \
    VECTOR(name) {                                                  \
        if (!single_width_is_legal(cpu, v, VF)) return false;       \
        if (vector_sew(cpu) == DOUBLE) far_unary_d(cpu, v, double); \
        else far_unary_s(cpu, v, single);                           \
        return true;                                                \
    }

static uint64_t class_s(struct cpu *cpu, uint64_t a) {
    (void)cpu;
    return fp_class_s(a);
}

static uint64_t class_d(struct cpu *cpu, uint64_t a) {
    (void)cpu;
    return fp_class_d(a);
}

UNARY(vfclass_v, class_s, class_d)

// ---- estimates ("Vector Floating-Point Reciprocal Square-Root Estimate Instruction", "... Reciprocal Estimate Instruction")

#define ESTIMATE(name, function)                                \
    static uint64_t function##_s(struct cpu *cpu, uint64_t a) { \
        return vector_##function(cpu, (uint32_t)a, false);      \
    }                                                           \
    static uint64_t function##_d(struct cpu *cpu, uint64_t a) { \
        return vector_##function(cpu, a, true);                 \
    }                                                           \
    UNARY(name, function##_s, function##_d)
ESTIMATE(vfrsqrt7_v, reciprocal_root)
ESTIMATE(vfrec7_v, reciprocal)

// ---- widening: singles are made doubles, which is exact, and then rounded once

// In the loop: what is widened may be a signaling NaN, and raise a flag.
VECTOR_INLINE uint64_t widened(struct cpu *cpu, uint64_t bits) {
    return fp_s_to_d(cpu, fp_box_s(bits));
}

VECTOR_INLINE void wide_binary(struct cpu *cpu, const struct vector_call *v, binary_function *f, enum form form, bool vs2_is_wide) {
    element_d *d = group_d(cpu, v->vd);
    const element_d *wide = group_d(cpu, v->vs2);
    const element_s *a = group_s(cpu, v->vs2), *b = group_s(cpu, v->vs1);
    uint64_t x = scalar_s(v);
    EACH(i, active_elements(cpu, v)) {
        uint64_t left = vs2_is_wide ? wide[i] : widened(cpu, a[i]);
        d[i] = f(cpu, left, widened(cpu, form == VV ? b[i] : x));
    }
}

VECTOR_INLINE void wide_fused(struct cpu *cpu, const struct vector_call *v, ternary_function *f, enum form form) {
    element_d *d = group_d(cpu, v->vd);
    const element_s *a = group_s(cpu, v->vs2), *b = group_s(cpu, v->vs1);
    uint64_t x = scalar_s(v);
    EACH(i, active_elements(cpu, v)) d[i] = f(cpu, widened(cpu, form == VV ? b[i] : x), widened(cpu, a[i]), d[i]);
}

VECTOR_INLINE void wide_reduce(struct cpu *cpu, const struct vector_call *v, binary_function *f) {
    const element_s *a = group_s(cpu, v->vs2);
    uint64_t so_far = *group_d(cpu, v->vs1);
    EACH(i, active_elements(cpu, v)) so_far = f(cpu, so_far, widened(cpu, a[i]));
    if (cpu->vector.length) *group_d(cpu, v->vd) = so_far;
}

#define WIDE_BINARY(name, form, vs2_is_wide, operation)                                                  \
    VECTOR(name) {                                                                                       \
        if (!wide_binary_is_legal(cpu, v, form, vs2_is_wide)) return false;                              \
        if (cpu->fp_rounding == FP_RMM) wide_binary(cpu, v, fp_away_##operation##_d, form, vs2_is_wide); \
        else wide_binary(cpu, v, fp_##operation##_d, form, vs2_is_wide);                                 \
        return true;                                                                                     \
    }
WIDE_BINARY(vfwadd_vv, VV, false, add)
WIDE_BINARY(vfwadd_vf, VF, false, add)
WIDE_BINARY(vfwadd_wv, VV, true, add)
WIDE_BINARY(vfwadd_wf, VF, true, add)
WIDE_BINARY(vfwsub_vv, VV, false, sub)
WIDE_BINARY(vfwsub_vf, VF, false, sub)
WIDE_BINARY(vfwsub_wv, VV, true, sub)
WIDE_BINARY(vfwsub_wf, VF, true, sub)
WIDE_BINARY(vfwmul_vv, VV, false, mul)
WIDE_BINARY(vfwmul_vf, VF, false, mul)

#define WIDE_FUSED_FORM(name, form, operation)                                             \
    VECTOR(name) {                                                                         \
        if (!wide_fused_is_legal(cpu, v, form)) return false;                              \
        if (cpu->fp_rounding == FP_RMM) wide_fused(cpu, v, fp_away_##operation##_d, form); \
        else wide_fused(cpu, v, fp_##operation##_d, form);                                 \
        return true;                                                                       \
    }
#define WIDE_FUSED(name, operation) WIDE_FUSED_FORM(name##_vv, VV, operation) WIDE_FUSED_FORM(name##_vf, VF, operation)
WIDE_FUSED(vfwmacc, madd)
WIDE_FUSED(vfwnmacc, nmadd)
WIDE_FUSED(vfwmsac, msub)
WIDE_FUSED(vfwnmsac, nmsub)

// ---- reductions: in order, all of them

#define REDUCTION(name, host, away)                    \
    VECTOR(name) {                                     \
        if (!reduction_is_legal(cpu, v)) return false; \
        BY_MODE(reduce, host, away);                   \
        return true;                                   \
    }
REDUCTION(vfredosum_vs, add, away_add)
REDUCTION(vfredusum_vs, add, away_add)
REDUCTION(vfredmin_vs, min, slow_min)
REDUCTION(vfredmax_vs, max, slow_max)

VECTOR(vfwredosum_vs) {
    if (!is_single(cpu) || !reduction_is_legal(cpu, v)) return false;
    if (cpu->fp_rounding == FP_RMM) wide_reduce(cpu, v, fp_away_add_d);
    else wide_reduce(cpu, v, fp_add_d);
    return true;
}

VECTOR(vfwredusum_vs) {
    return riscv64_vector_vfwredosum_vs(cpu, v);
}

// ---- conversions

// Between elements of these types, `a` being the source's.
#define CONVERT(to, from, value)                                        \
    do {                                                                \
        to *d_ = (to *)vector_elements(cpu, v->vd);                     \
        const from *from_ = (const from *)vector_elements(cpu, v->vs2); \
        EACH(i, active_elements(cpu, v)) {                              \
            const from a = from_[i];                                    \
            d_[i] = (to)(value);                                        \
        }                                                               \
    } while (0)

#define CONVERT_SAME(name, single, double)                                  \
    VECTOR(name) {                                                          \
        if (!single_width_is_legal(cpu, v, VF)) return false;               \
        if (vector_sew(cpu) == DOUBLE) CONVERT(uint64_t, uint64_t, double); \
        else CONVERT(uint32_t, uint32_t, single);                           \
        return true;                                                        \
    }
CONVERT_SAME(vfcvt_xu_f_v, fp_to_wu_s(cpu, fp_box_s(a), FP_DYN), fp_to_lu_d(cpu, a, FP_DYN))
CONVERT_SAME(vfcvt_x_f_v, fp_to_w_s(cpu, fp_box_s(a), FP_DYN), fp_to_l_d(cpu, a, FP_DYN))
CONVERT_SAME(vfcvt_rtz_xu_f_v, fp_to_wu_s(cpu, fp_box_s(a), FP_RTZ), fp_to_lu_d(cpu, a, FP_RTZ))
CONVERT_SAME(vfcvt_rtz_x_f_v, fp_to_w_s(cpu, fp_box_s(a), FP_RTZ), fp_to_l_d(cpu, a, FP_RTZ))
CONVERT_SAME(vfcvt_f_xu_v, fp_from_wu_s(cpu, a, FP_DYN), fp_from_lu_d(cpu, a, FP_DYN))
CONVERT_SAME(vfcvt_f_x_v, fp_from_w_s(cpu, a, FP_DYN), fp_from_l_d(cpu, a, FP_DYN))

// From singles.
#define WIDEN(name, value)                                                       \
    VECTOR(name) {                                                               \
        if (!is_single(cpu) || !widening_is_legal(cpu, v, v->vs2)) return false; \
        CONVERT(uint64_t, uint32_t, value);                                      \
        return true;                                                             \
    }
WIDEN(vfwcvt_xu_f_v, fp_to_lu_s(cpu, fp_box_s(a), FP_DYN))
WIDEN(vfwcvt_x_f_v, fp_to_l_s(cpu, fp_box_s(a), FP_DYN))
WIDEN(vfwcvt_rtz_xu_f_v, fp_to_lu_s(cpu, fp_box_s(a), FP_RTZ))
WIDEN(vfwcvt_rtz_x_f_v, fp_to_l_s(cpu, fp_box_s(a), FP_RTZ))
WIDEN(vfwcvt_f_f_v, widened(cpu, a))

static bool integer_widening_is_legal(const struct cpu *cpu, const struct vector_call *v) {
    unsigned sew = vector_sew(cpu);
    return (sew == SINGLE || sew == SINGLE - 1) && has_rounding(cpu) && widening_is_legal(cpu, v, v->vs2);
}

VECTOR(vfwcvt_f_xu_v) {
    if (!integer_widening_is_legal(cpu, v)) return false;
    if (vector_sew(cpu) == SINGLE) CONVERT(uint64_t, uint32_t, fp_from_wu_d(cpu, a, FP_DYN));
    else CONVERT(uint32_t, uint16_t, fp_from_wu_s(cpu, a, FP_DYN));
    return true;
}

VECTOR(vfwcvt_f_x_v) {
    if (!integer_widening_is_legal(cpu, v)) return false;
    if (vector_sew(cpu) == SINGLE) CONVERT(uint64_t, uint32_t, fp_from_w_d(cpu, a, FP_DYN));
    else CONVERT(uint32_t, int16_t, fp_from_w_s(cpu, (uint64_t)(int64_t)a, FP_DYN));
    return true;
}

// To 16 bits. What does not fit is invalid and not inexact.
static uint64_t to_half_width(struct cpu *cpu, uint64_t a, unsigned rm, bool is_signed) {
    uint32_t flags = cpu->fp_flags;
    int64_t value = (int64_t)fp_slow_to_s(cpu, fp_box_s(a), rm, 64, true);
    int64_t lowest = is_signed ? INT16_MIN : 0, highest = is_signed ? INT16_MAX : UINT16_MAX;
    if (value >= lowest && value <= highest) return (uint64_t)value;
    cpu->fp_flags = flags | FP_NV;
    return (uint64_t)(value < lowest ? lowest : highest);
}

#define NARROW_TO_INTEGER(name, from_double, rm, is_signed)                                    \
    VECTOR(name) {                                                                             \
        unsigned sew = vector_sew(cpu);                                                        \
        if ((sew != SINGLE && sew != SINGLE - 1) || !narrowing_is_legal(cpu, v)) return false; \
        if (sew == SINGLE) CONVERT(uint32_t, uint64_t, from_double(cpu, a, rm));               \
        else CONVERT(uint16_t, uint32_t, to_half_width(cpu, a, rm, is_signed));                \
        return true;                                                                           \
    }
NARROW_TO_INTEGER(vfncvt_xu_f_w, fp_to_wu_d, FP_DYN, false)
NARROW_TO_INTEGER(vfncvt_x_f_w, fp_to_w_d, FP_DYN, true)
NARROW_TO_INTEGER(vfncvt_rtz_xu_f_w, fp_to_wu_d, FP_RTZ, false)
NARROW_TO_INTEGER(vfncvt_rtz_x_f_w, fp_to_w_d, FP_RTZ, true)

// To the number towards zero, its last bit set if that is not exact: rounding that once more, to fewer bits, is as good as doing
// only that.
static uint64_t to_odd(struct cpu *cpu, uint64_t a) {
    uint32_t flags = cpu->fp_flags;
    cpu->fp_flags = 0;
    uint64_t result = fp_slow_d_to_s(cpu, a, FP_RTZ);
    if (cpu->fp_flags & FP_NX) result |= 1;
    cpu->fp_flags |= flags;
    return result;
}

// To singles.
#define NARROW(name, value)                                               \
    VECTOR(name) {                                                        \
        if (!is_single(cpu) || !narrowing_is_legal(cpu, v)) return false; \
        CONVERT(uint32_t, uint64_t, value);                               \
        return true;                                                      \
    }
NARROW(vfncvt_f_xu_w, fp_from_lu_s(cpu, a, FP_DYN))
NARROW(vfncvt_f_x_w, fp_from_l_s(cpu, a, FP_DYN))
NARROW(vfncvt_f_f_w, fp_d_to_s(cpu, a, FP_DYN))
NARROW(vfncvt_rod_f_f_w, to_odd(cpu, a))

// ---- moves

// clang-format off: macros that read as tables
#define MOVES(s)                                                                                                        \
    VECTOR_INLINE void fill_##s(struct cpu *cpu, const struct vector_call *v) {                                         \
        element_##s *d = group_##s(cpu, v->vd), x = (element_##s)scalar_##s(v);                                         \
        for (uint64_t i = cpu->vector.start; i < cpu->vector.length; i++) d[i] = x;                                     \
    }                                                                                                                   \
    VECTOR_INLINE void merge_##s(struct cpu *cpu, const struct vector_call *v) {                                        \
        element_##s *d = group_##s(cpu, v->vd), x = (element_##s)scalar_##s(v);                                         \
        const element_##s *a = group_##s(cpu, v->vs2);                                                                  \
        uint64_t mask = vector_get(cpu, 0, 0, 2);                                                                       \
        for (uint64_t i = cpu->vector.start; i < cpu->vector.length; i++) d[i] = mask >> i & 1 ? x : a[i];              \
    }                                                                                                                   \
    VECTOR_INLINE void slide1up_##s(struct cpu *cpu, const struct vector_call *v) {                                     \
        element_##s *d = group_##s(cpu, v->vd);                                                                         \
        const element_##s *a = group_##s(cpu, v->vs2);                                                                  \
        uint32_t active = active_elements(cpu, v);                                                                      \
        if (v->masked) EACH(i, active & ~UINT32_C(1)) d[i] = a[i - 1];                                                  \
        else for (uint64_t i = cpu->vector.start ? cpu->vector.start : 1; i < cpu->vector.length; i++) d[i] = a[i - 1]; \
        if (active & 1) *d = (element_##s)scalar_##s(v);                                                                \
    }                                                                                                                   \
    VECTOR_INLINE void slide1down_##s(struct cpu *cpu, const struct vector_call *v) {                                   \
        element_##s *d = group_##s(cpu, v->vd);                                                                         \
        const element_##s *a = group_##s(cpu, v->vs2);                                                                  \
        uint32_t active = active_elements(cpu, v);                                                                      \
        uint64_t last = cpu->vector.length - 1;  /* if there is any */                                                  \
        if (v->masked) EACH(i, active & ~(UINT32_C(1) << (last & 31))) d[i] = a[i + 1];                                 \
        else for (uint64_t i = cpu->vector.start; i + 1 < cpu->vector.length; i++) d[i] = a[i + 1];                     \
        if (active >> (last & 31) & 1) d[last] = (element_##s)scalar_##s(v);                                            \
    }
MOVES(s)
MOVES(d)
#undef MOVES
// clang-format on

#define MOVE(name, loop, legal)                          \
    VECTOR(name) {                                       \
        if (!(legal)) return false;                      \
        if (vector_sew(cpu) == DOUBLE) loop##_d(cpu, v); \
        else loop##_s(cpu, v);                           \
        return true;                                     \
    }
MOVE(vfmv_v_f, fill, has_numbers(cpu) && vector_is_group(v->vd, vector_lmul(cpu)))
MOVE(vfmerge_vfm, merge, single_width_is_legal(cpu, v, VF))
MOVE(vfslide1up_vf, slide1up, single_width_is_legal(cpu, v, VF) && v->vd != v->vs2)
MOVE(vfslide1down_vf, slide1down, single_width_is_legal(cpu, v, VF))

// Whatever vl and LMUL are.
VECTOR(vfmv_f_s) {
    if (!has_numbers(cpu)) return false;
    *v->result = vector_sew(cpu) == DOUBLE ? *group_d(cpu, v->vs2) : fp_box_s(*group_s(cpu, v->vs2));
    return true;
}

VECTOR(vfmv_s_f) {
    if (!has_numbers(cpu)) return false;
    if (cpu->vector.start >= cpu->vector.length) return true;
    if (vector_sew(cpu) == DOUBLE) *group_d(cpu, v->vd) = v->x;
    else *group_s(cpu, v->vd) = (element_s)scalar_s(v);
    return true;
}
