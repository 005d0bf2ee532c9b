// The parts of floating point that are not one host instruction: see fp.h.
#include "translator/ir/fp.h"
#include "translator/ir/fp_soft.h"
#ifndef __x86_64__
#include <fenv.h>
#endif

bool fp_host_has_fma;

__attribute__((constructor)) static void look_at_host(void) {
#ifdef __x86_64__
    fp_host_has_fma = __builtin_cpu_supports("fma");
#else
    fp_host_has_fma = true;
#endif
}

// ---- the host's environment

#ifdef __x86_64__
// MXCSR (Intel manual 1, "MXCSR Control and Status Register"): flags in bits 0-5, all exceptions masked in 7-12, rounding in 13-14.
enum { MXCSR_FLAGS = 0x3f, MXCSR_PLAIN = 0x1f80 };

static uint32_t mxcsr_get(void) {
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value)::"memory");
    return value;
}

static void mxcsr_set(uint32_t value) {
    __asm__ volatile("ldmxcsr %0" ::"m"(value) : "memory");
}

static void host_round(unsigned rm) {
    static const uint8_t field[8] = {[FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 1, [FP_RUP] = 2};
    mxcsr_set((mxcsr_get() & ~UINT32_C(0x6000)) | (uint32_t)field[rm & 7] << 13);
}

static uint32_t host_flags(void) {
    uint32_t flags = mxcsr_get();
    return (flags & 1 ? FP_NV : 0) | (flags & 4 ? FP_DZ : 0) | (flags & 8 ? FP_OF : 0) | (flags & 16 ? FP_UF : 0) |
           (flags & 32 ? FP_NX : 0);
}

// The rounding mode that the host is in: the dynamic one, or what a setrm before this uop says.
static unsigned host_mode(void) {
    static const uint8_t mode[4] = {FP_RNE, FP_RDN, FP_RUP, FP_RTZ};
    return mode[mxcsr_get() >> 13 & 3];
}

static void host_clear(void) {
    mxcsr_set(mxcsr_get() & ~(uint32_t)MXCSR_FLAGS);
}
#else
static void host_round(unsigned rm) {
    static const int mode[8] = {[FP_RNE] = FE_TONEAREST, [FP_RTZ] = FE_TOWARDZERO, [FP_RDN] = FE_DOWNWARD, [FP_RUP] = FE_UPWARD};
    fesetround(rm <= FP_RUP ? mode[rm] : FE_TONEAREST);
}

static uint32_t host_flags(void) {
    int flags = fetestexcept(FE_ALL_EXCEPT);
    return (flags & FE_INVALID ? FP_NV : 0) | (flags & FE_DIVBYZERO ? FP_DZ : 0) | (flags & FE_OVERFLOW ? FP_OF : 0) |
           (flags & FE_UNDERFLOW ? FP_UF : 0) | (flags & FE_INEXACT ? FP_NX : 0);
}

static unsigned host_mode(void) {
    switch (fegetround()) {
    case FE_TOWARDZERO: return FP_RTZ;
    case FE_DOWNWARD: return FP_RDN;
    case FE_UPWARD: return FP_RUP;
    default: return FP_RNE;
    }
}

static void host_clear(void) {
    feclearexcept(FE_ALL_EXCEPT);
}
#endif

void fp_host_enter(struct cpu *cpu) {
    host_clear();
    host_round(cpu->fp_rounding);
}

void fp_host_leave(struct cpu *cpu) {
    cpu->fp_flags |= host_flags();
    host_clear();
    host_round(FP_RNE);
}

uint32_t fp_flags_read(const struct cpu *cpu) {
    return cpu->fp_flags | host_flags();
}

// Programs often write back what they read before. Clearing the host's flags costs much more than looking at them: the next operations have to
// raise them again.
void fp_flags_write(struct cpu *cpu, uint32_t flags) {
    cpu->fp_flags = flags & 31;
    if (host_flags() & ~cpu->fp_flags) host_clear();
}

void fp_rounding_write(struct cpu *cpu, uint32_t rounding) {
    cpu->fp_rounding = rounding & 7;
    cpu->mode &= ~(uint32_t)(MODE_RM_AWAY | MODE_RM_BAD);
    if (cpu->fp_rounding == FP_RMM) cpu->mode |= MODE_RM_AWAY;
    if (cpu->fp_rounding > FP_RMM) cpu->mode |= MODE_RM_BAD;
    host_round(cpu->fp_rounding);
}

void fp_round_set(struct cpu *cpu, unsigned rm) {
    (void)cpu;
    host_round(rm);
}

void fp_round_restore(struct cpu *cpu) {
    host_round(cpu->fp_rounding);
}

// ---- by format

static unsigned mode_of(const struct cpu *cpu, unsigned rm) {
    return rm == FP_DYN ? cpu->fp_rounding : rm;
}

static uint64_t class_of(const struct fp_format *format, uint64_t a) {
    bool negative = a & fp_sign_bit(format);
    uint64_t magnitude = a & (fp_sign_bit(format) - 1), infinity = fp_infinity(format);
    if (magnitude > infinity) return UINT64_C(1) << (fp_is_signaling(format, a) ? 8 : 9);
    if (magnitude == infinity) return UINT64_C(1) << (negative ? 0 : 7);
    if (magnitude >> format->fraction_bits) return UINT64_C(1) << (negative ? 1 : 6);
    if (magnitude) return UINT64_C(1) << (negative ? 2 : 5);
    return UINT64_C(1) << (negative ? 3 : 4);
}

// Orders numbers, -0 below +0.
static int64_t order(const struct fp_format *format, uint64_t a) {
    int64_t magnitude = (int64_t)(a & (fp_sign_bit(format) - 1));
    return a & fp_sign_bit(format) ? -1 - magnitude : magnitude;
}

// minimumNumber and maximumNumber of IEEE 754-2019, or minimum and maximum where a NaN wins.
static uint64_t extreme(struct cpu *cpu, const struct fp_format *format, uint64_t a, uint64_t b, bool greater, bool nan_wins) {
    bool nan_a = fp_is_nan(format, a), nan_b = fp_is_nan(format, b);
    if (fp_is_signaling(format, a) || fp_is_signaling(format, b)) cpu->fp_flags |= FP_NV;
    if ((nan_a && nan_b) || (nan_wins && (nan_a || nan_b))) return fp_canonical_nan(format);
    if (nan_a || nan_b) return nan_a ? b : a;
    return (order(format, a) > order(format, b)) == greater ? a : b;
}

// clang-format off: macros that read as tables
#define BY_FORMAT(s, format)                                                                                                                \
    static uint64_t in_##s(uint64_t slot) { return fp_unbox_##s(slot); }                                                                    \
    uint64_t fp_away_add_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                                     \
        return fp_box_##s(fp_soft_add(format, in_##s(a), in_##s(b), FP_RMM, &cpu->fp_flags));                                               \
    }                                                                                                                                       \
    uint64_t fp_away_sub_##s(struct cpu *cpu, uint64_t a, uint64_t b) { return fp_away_add_##s(cpu, a, fp_negate_##s(b)); }                 \
    uint64_t fp_away_mul_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                                     \
        return fp_box_##s(fp_soft_mul(format, in_##s(a), in_##s(b), FP_RMM, &cpu->fp_flags));                                               \
    }                                                                                                                                       \
    uint64_t fp_away_div_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                                     \
        return fp_box_##s(fp_soft_div(format, in_##s(a), in_##s(b), FP_RMM, &cpu->fp_flags));                                               \
    }                                                                                                                                       \
    uint64_t fp_away_sqrt_##s(struct cpu *cpu, uint64_t a) { return fp_box_##s(fp_soft_sqrt(format, in_##s(a), FP_RMM, &cpu->fp_flags)); }  \
    static uint64_t fma_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c, unsigned rm) {                                             \
        return fp_box_##s(fp_soft_fma(format, in_##s(a), in_##s(b), in_##s(c), rm, &cpu->fp_flags));                                        \
    }                                                                                                                                       \
    uint64_t fp_away_madd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) { return fma_##s(cpu, a, b, c, FP_RMM); }                \
    uint64_t fp_away_msub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) { return fma_##s(cpu, a, b, fp_negate_##s(c), FP_RMM); } \
    uint64_t fp_away_nmsub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) { return fma_##s(cpu, fp_negate_##s(a), b, c, FP_RMM); } \
    uint64_t fp_away_nmadd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) {                                                       \
        return fma_##s(cpu, fp_negate_##s(a), b, fp_negate_##s(c), FP_RMM);                                                                 \
    }                                                                                                                                       \
    uint64_t fp_slow_madd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) { return fma_##s(cpu, a, b, c, host_mode()); }        \
    uint64_t fp_slow_min_##s(struct cpu *cpu, uint64_t a, uint64_t b) { return fp_box_##s(extreme(cpu, format, in_##s(a), in_##s(b), false, false)); } \
    uint64_t fp_slow_max_##s(struct cpu *cpu, uint64_t a, uint64_t b) { return fp_box_##s(extreme(cpu, format, in_##s(a), in_##s(b), true, false)); }  \
    uint64_t fp_minm_##s(struct cpu *cpu, uint64_t a, uint64_t b) { return fp_box_##s(extreme(cpu, format, in_##s(a), in_##s(b), false, true)); } \
    uint64_t fp_maxm_##s(struct cpu *cpu, uint64_t a, uint64_t b) { return fp_box_##s(extreme(cpu, format, in_##s(a), in_##s(b), true, true)); }  \
    uint64_t fp_class_##s(uint64_t a) { return class_of(format, in_##s(a)); }                                                               \
    uint64_t fp_round_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                                       \
        return fp_box_##s(fp_soft_round(format, in_##s(a), mode_of(cpu, rm), false, &cpu->fp_flags));                                       \
    }                                                                                                                                       \
    uint64_t fp_roundnx_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                                     \
        return fp_box_##s(fp_soft_round(format, in_##s(a), mode_of(cpu, rm), true, &cpu->fp_flags));                                        \
    }                                                                                                                                       \
    uint64_t fp_slow_to_##s(struct cpu *cpu, uint64_t a, unsigned rm, unsigned bits, bool is_signed) {                                      \
        return fp_soft_to_integer(format, in_##s(a), mode_of(cpu, rm), bits, is_signed, &cpu->fp_flags);                                    \
    }                                                                                                                                       \
    uint64_t fp_slow_from_##s(struct cpu *cpu, uint64_t a, unsigned rm, bool is_signed) {                                                   \
        bool negative = is_signed && (int64_t)a < 0;                                                                                        \
        return fp_box_##s(fp_soft_from_integer(format, negative ? -a : a, negative, mode_of(cpu, rm), &cpu->fp_flags));                     \
    }

// clang-format on
BY_FORMAT(s, &fp_single)
BY_FORMAT(d, &fp_double)

// ---- between formats

uint64_t fp_slow_d_to_s(struct cpu *cpu, uint64_t a, unsigned rm) {
    return fp_box_s(fp_soft_convert(&fp_single, &fp_double, a, mode_of(cpu, rm), &cpu->fp_flags));
}

uint64_t fp_s_to_h(struct cpu *cpu, uint64_t a, unsigned rm) {
    return FP_BOX_H | fp_soft_convert(&fp_half, &fp_single, fp_unbox_s(a), mode_of(cpu, rm), &cpu->fp_flags);
}

uint64_t fp_d_to_h(struct cpu *cpu, uint64_t a, unsigned rm) {
    return FP_BOX_H | fp_soft_convert(&fp_half, &fp_double, a, mode_of(cpu, rm), &cpu->fp_flags);
}

uint64_t fp_h_to_s(struct cpu *cpu, uint64_t a) {
    return fp_box_s(fp_soft_convert(&fp_single, &fp_half, fp_unbox_h(a), FP_RNE, &cpu->fp_flags));
}

uint64_t fp_h_to_d(struct cpu *cpu, uint64_t a) {
    return fp_soft_convert(&fp_double, &fp_half, fp_unbox_h(a), FP_RNE, &cpu->fp_flags);
}

// fcvtmod.w.d (Zfa): towards zero, modulo 2^32; invalid where fcvt.w.d would be.
uint64_t fp_modular_w_d(struct cpu *cpu, uint64_t a) {
    uint32_t flags = 0;
    uint64_t plain = fp_soft_to_integer(&fp_double, a, FP_RTZ, 32, true, &flags);
    cpu->fp_flags |= flags;
    if (!(flags & FP_NV)) return plain;
    int exponent = (int)(a >> 52 & 0x7ff) - 1075;
    if (exponent > 31) return 0;  // NaNs and infinities as well
    uint64_t significand = (a & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    uint64_t integer = exponent >= 0 ? significand << exponent : significand >> -exponent;
    return (uint64_t)(int64_t)(int32_t)(a >> 63 ? -integer : integer);
}
