// Floating point as the uops define it: IEEE 754 with the guest-visible choices of the RISC-V manual (canonical NaN
// results, NaN boxing of narrow values, tininess after rounding, saturating conversions), on the host's FPU wherever it
// gives the same bits and flags, in integer code (fp_soft.h) where not. While guest code runs, the host's FPU is in the guest's rounding
// mode and its sticky flags are the guest's; flags that come from integer code are in cpu->fp_flags, and both together are fflags. All
// values are raw slot bits. Callers: the bodies in uops_fp.def.
#pragma once
#include "translator/ir/cpu.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// RISC-V unprivileged manual, "Floating-Point Control and Status Register": fflags bits and rounding modes.
enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };
enum { FP_RNE, FP_RTZ, FP_RDN, FP_RUP, FP_RMM, FP_DYN = 7 };

// ---- environment

// Gives the host's FPU the guest's rounding mode, and no flags / takes the guest's flags out of it and leaves it as C wants it.
void fp_host_enter(struct cpu *cpu);
void fp_host_leave(struct cpu *cpu);
// fflags; on the cpu's own thread only.
uint32_t fp_flags_read(const struct cpu *cpu);
void fp_flags_write(struct cpu *cpu, uint32_t flags);
// frm: sets cpu->fp_rounding, the host's mode, and the bits of cpu->mode that follow from it.
void fp_rounding_write(struct cpu *cpu, uint32_t rounding);
// The host's rounding mode for an instruction that names one (0 to 3), and back to the dynamic one.
void fp_round_set(struct cpu *cpu, unsigned rm);
void fp_round_restore(struct cpu *cpu);

// ---- boxing

#define FP_INLINE static inline __attribute__((always_inline))
#define FP_NAN_S UINT32_C(0x7fc00000)
#define FP_NAN_D UINT64_C(0x7ff8000000000000)
#define FP_INFINITY_s UINT32_C(0x7f800000)
#define FP_INFINITY_d UINT64_C(0x7ff0000000000000)
#define FP_BOX_S UINT64_C(0xffffffff00000000)
#define FP_BOX_H UINT64_C(0xffffffffffff0000)

FP_INLINE uint64_t fp_box_s(uint64_t bits) {
    return bits | FP_BOX_S;
}
FP_INLINE uint64_t fp_box_d(uint64_t bits) {
    return bits;
}
FP_INLINE uint64_t fp_unbox_s(uint64_t slot) {
    return __builtin_expect(slot >= FP_BOX_S, 1) ? (uint32_t)slot : FP_NAN_S;
}
FP_INLINE uint64_t fp_unbox_d(uint64_t slot) {
    return slot;
}
FP_INLINE uint64_t fp_unbox_h(uint64_t slot) {
    return slot >= FP_BOX_H ? (uint16_t)slot : 0x7e00;
}

FP_INLINE float fp_value_s(uint64_t slot) {
    uint32_t bits = (uint32_t)fp_unbox_s(slot);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
FP_INLINE double fp_value_d(uint64_t slot) {
    double value;
    memcpy(&value, &slot, sizeof value);
    return value;
}
// Results: NaNs become the canonical one.
FP_INLINE uint64_t fp_result_s(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (__builtin_expect((bits & 0x7fffffff) > 0x7f800000, 0)) bits = FP_NAN_S;
    return bits | FP_BOX_S;
}
FP_INLINE uint64_t fp_result_d(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (__builtin_expect((bits & INT64_MAX) > UINT64_C(0x7ff0000000000000), 0)) bits = FP_NAN_D;
    return bits;
}

// ---- out of line (fp.c): integer code, by format and operation

extern bool fp_host_has_fma;

// clang-format off: macros that read as tables
#define FP_SLOW(s)                                                                                                          \
    uint64_t fp_away_add_##s(struct cpu *cpu, uint64_t a, uint64_t b);                                                      \
    uint64_t fp_away_sub_##s(struct cpu *cpu, uint64_t a, uint64_t b);                                                      \
    uint64_t fp_away_mul_##s(struct cpu *cpu, uint64_t a, uint64_t b);                                                      \
    uint64_t fp_away_div_##s(struct cpu *cpu, uint64_t a, uint64_t b);                                                      \
    uint64_t fp_away_sqrt_##s(struct cpu *cpu, uint64_t a);                                                                 \
    uint64_t fp_away_madd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);                                         \
    uint64_t fp_away_msub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);                                         \
    uint64_t fp_away_nmsub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);                                        \
    uint64_t fp_away_nmadd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);                                        \
    uint64_t fp_slow_min_##s(struct cpu *cpu, uint64_t a, uint64_t b), fp_slow_max_##s(struct cpu *cpu, uint64_t a, uint64_t b); \
    uint64_t fp_minm_##s(struct cpu *cpu, uint64_t a, uint64_t b), fp_maxm_##s(struct cpu *cpu, uint64_t a, uint64_t b);    \
    uint64_t fp_class_##s(uint64_t a);                                                                                      \
    uint64_t fp_round_##s(struct cpu *cpu, uint64_t a, unsigned rm), fp_roundnx_##s(struct cpu *cpu, uint64_t a, unsigned rm); \
    /* conversions that the host does not do alike; rm may be FP_DYN */                                                     \
    uint64_t fp_slow_to_##s(struct cpu *cpu, uint64_t a, unsigned rm, unsigned bits, bool is_signed);                       \
    uint64_t fp_slow_from_##s(struct cpu *cpu, uint64_t a, unsigned rm, bool is_signed);                                    \
    uint64_t fp_slow_madd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);
FP_SLOW(s)
FP_SLOW(d)
#undef FP_SLOW
// clang-format on
uint64_t fp_slow_d_to_s(struct cpu *cpu, uint64_t a, unsigned rm);
uint64_t fp_s_to_h(struct cpu *cpu, uint64_t a, unsigned rm), fp_d_to_h(struct cpu *cpu, uint64_t a, unsigned rm);
uint64_t fp_h_to_s(struct cpu *cpu, uint64_t a), fp_h_to_d(struct cpu *cpu, uint64_t a);
uint64_t fp_modular_w_d(struct cpu *cpu, uint64_t a);

// ---- the host's FPU. Assembly, because compilers take flags and rounding modes for granted; elsewhere volatile C.

#ifdef __x86_64__
// clang-format off: macros that read as tables
#define FP_BINARY(name, type, instruction)                                  \
    FP_INLINE type name(type a, type b) {                                   \
        __asm__ volatile(instruction " %1, %0" : "+x"(a) : "x"(b));         \
        return a;                                                           \
    }
FP_BINARY(fp_host_add_s, float, "addss")
FP_BINARY(fp_host_sub_s, float, "subss")
FP_BINARY(fp_host_mul_s, float, "mulss")
FP_BINARY(fp_host_div_s, float, "divss")
FP_BINARY(fp_host_add_d, double, "addsd")
FP_BINARY(fp_host_sub_d, double, "subsd")
FP_BINARY(fp_host_mul_d, double, "mulsd")
FP_BINARY(fp_host_div_d, double, "divsd")
#undef FP_BINARY
#define FP_UNARY(name, to, from, instruction)                               \
    FP_INLINE to name(from a) {                                             \
        to result;                                                          \
        __asm__ volatile(instruction : "=&x"(result) : "x"(a));             \
        return result;                                                      \
    }
FP_UNARY(fp_host_sqrt_s, float, float, "sqrtss %1, %0")
FP_UNARY(fp_host_sqrt_d, double, double, "sqrtsd %1, %0")
FP_UNARY(fp_host_widen, double, float, "xorps %0, %0\n\tcvtss2sd %1, %0")
FP_UNARY(fp_host_narrow, float, double, "xorps %0, %0\n\tcvtsd2ss %1, %0")
#undef FP_UNARY
#define FP_FUSED(name, type, instruction)                                   \
    FP_INLINE type name(type a, type b, type c) {                           \
        __asm__ volatile(instruction " %2, %1, %0" : "+x"(c) : "x"(a), "x"(b)); \
        return c;                                                           \
    }
FP_FUSED(fp_host_fma_s, float, "vfmadd231ss")
FP_FUSED(fp_host_fma_d, double, "vfmadd231sd")
#undef FP_FUSED
// x86 compares a to b by the flags of (b, a): "above" is a < b and false for unordered operands.
#define FP_COMPARE(s, type, quiet, signaling)                                                                                      \
    FP_INLINE bool fp_host_eq_##s(type a, type b) {                                                                                \
        bool equal, ordered;                                                                                                       \
        __asm__ volatile(quiet " %3, %2" : "=@cce"(equal), "=@ccnp"(ordered) : "x"(a), "x"(b));                                    \
        return equal && ordered;                                                                                                   \
    }                                                                                                                              \
    FP_INLINE bool fp_host_lt_##s(type a, type b) { bool is; __asm__ volatile(signaling " %1, %2" : "=@cca"(is) : "x"(a), "x"(b)); return is; }  \
    FP_INLINE bool fp_host_le_##s(type a, type b) { bool is; __asm__ volatile(signaling " %1, %2" : "=@ccae"(is) : "x"(a), "x"(b)); return is; } \
    FP_INLINE bool fp_host_ltq_##s(type a, type b) { bool is; __asm__ volatile(quiet " %1, %2" : "=@cca"(is) : "x"(a), "x"(b)); return is; }     \
    FP_INLINE bool fp_host_leq_##s(type a, type b) { bool is; __asm__ volatile(quiet " %1, %2" : "=@ccae"(is) : "x"(a), "x"(b)); return is; }
FP_COMPARE(s, float, "ucomiss", "comiss")
FP_COMPARE(d, double, "ucomisd", "comisd")
#undef FP_COMPARE
// Truncation: only for values that fit; to the nearest, by the host's rounding mode: only for values that still fit when rounded.
#define FP_CONVERT(s, type, x)                                                                                                     \
    FP_INLINE int64_t fp_host_truncate_##s(type a) { int64_t is; __asm__ volatile("cvtt" x "2siq %1, %0" : "=r"(is) : "x"(a)); return is; }      \
    FP_INLINE int64_t fp_host_nearest_##s(type a) { int64_t is; __asm__ volatile("cvt" x "2siq %1, %0" : "=r"(is) : "x"(a)); return is; }        \
    FP_INLINE type fp_host_integer_##s(int64_t a) { type is; __asm__ volatile("xorps %0, %0\n\tcvtsi2" x "q %1, %0" : "=&x"(is) : "r"(a)); return is; }
FP_CONVERT(s, float, "ss")
FP_CONVERT(d, double, "sd")
#undef FP_CONVERT
// clang-format on
#else
#include <math.h>
// clang-format off: macros that read as tables
#define FP_C(s, type, f)                                                                                               \
    FP_INLINE type fp_host_add_##s(type a, type b) { volatile type x = a, y = b, r = x + y; return r; }                \
    FP_INLINE type fp_host_sub_##s(type a, type b) { volatile type x = a, y = b, r = x - y; return r; }                \
    FP_INLINE type fp_host_mul_##s(type a, type b) { volatile type x = a, y = b, r = x * y; return r; }                \
    FP_INLINE type fp_host_div_##s(type a, type b) { volatile type x = a, y = b, r = x / y; return r; }                \
    FP_INLINE type fp_host_sqrt_##s(type a) { volatile type x = a, r = sqrt##f(x); return r; }                         \
    FP_INLINE type fp_host_fma_##s(type a, type b, type c) { volatile type x = a, y = b, z = c, r = fma##f(x, y, z); return r; } \
    FP_INLINE bool fp_host_eq_##s(type a, type b) { volatile type x = a, y = b; return x == y; }                       \
    FP_INLINE bool fp_host_lt_##s(type a, type b) { volatile type x = a, y = b; return x < y; }                        \
    FP_INLINE bool fp_host_le_##s(type a, type b) { volatile type x = a, y = b; return x <= y; }                       \
    FP_INLINE bool fp_host_ltq_##s(type a, type b) { volatile type x = a, y = b; return isless(x, y); }                \
    FP_INLINE bool fp_host_leq_##s(type a, type b) { volatile type x = a, y = b; return islessequal(x, y); }           \
    FP_INLINE int64_t fp_host_truncate_##s(type a) { volatile type x = a; volatile int64_t r = (int64_t)x; return r; } \
    FP_INLINE int64_t fp_host_nearest_##s(type a) { volatile type x = a; volatile int64_t r = llrint##f(x); return r; }     \
    FP_INLINE type fp_host_integer_##s(int64_t a) { volatile int64_t x = a; volatile type r = (type)x; return r; }
FP_C(s, float, f)
FP_C(d, double, )
#undef FP_C
// clang-format on
FP_INLINE double fp_host_widen(float a) {
    volatile float x = a;
    volatile double r = x;
    return r;
}
FP_INLINE float fp_host_narrow(double a) {
    volatile double x = a;
    volatile float r = (float)x;
    return r;
}
#endif

// ---- operations

// Whether the host's FPU is in rounding mode rm (FP_DYN: the guest's dynamic one).
FP_INLINE bool fp_host_rounds(const struct cpu *cpu, unsigned rm) {
    return (rm == FP_DYN || rm == cpu->fp_rounding) && cpu->fp_rounding != FP_RMM;
}

// clang-format off: macros that read as tables
#define FP_OPERATIONS(s, type, sign)                                                                                            \
    FP_INLINE uint64_t fp_add_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        (void)cpu;                                                                                                              \
        return fp_result_##s(fp_host_add_##s(fp_value_##s(a), fp_value_##s(b)));                                                \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_sub_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        (void)cpu;                                                                                                              \
        return fp_result_##s(fp_host_sub_##s(fp_value_##s(a), fp_value_##s(b)));                                                \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_mul_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        (void)cpu;                                                                                                              \
        return fp_result_##s(fp_host_mul_##s(fp_value_##s(a), fp_value_##s(b)));                                                \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_div_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        (void)cpu;                                                                                                              \
        return fp_result_##s(fp_host_div_##s(fp_value_##s(a), fp_value_##s(b)));                                                \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_sqrt_##s(struct cpu *cpu, uint64_t a) {                                                               \
        (void)cpu;                                                                                                              \
        return fp_result_##s(fp_host_sqrt_##s(fp_value_##s(a)));                                                                \
    }                                                                                                                           \
    /* A NaN out of infinity times zero plus NaN is invalid in RISC-V and not on every host: integer code decides. */          \
    FP_INLINE uint64_t fp_madd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) {                                       \
        if (__builtin_expect(!fp_host_has_fma, 0)) return fp_slow_madd_##s(cpu, a, b, c);                                       \
        type result = fp_host_fma_##s(fp_value_##s(a), fp_value_##s(b), fp_value_##s(c));                                       \
        if (__builtin_expect(__builtin_isnan(result), 0)) return fp_slow_madd_##s(cpu, a, b, c);                                \
        return fp_result_##s(result);                                                                                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_negate_##s(uint64_t a) { return fp_box_##s(fp_unbox_##s(a) ^ (sign)); }                               \
    FP_INLINE uint64_t fp_msub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) {                                       \
        return fp_madd_##s(cpu, a, b, fp_negate_##s(c));                                                                        \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_nmsub_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) {                                      \
        return fp_madd_##s(cpu, fp_negate_##s(a), b, c);                                                                        \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_nmadd_##s(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c) {                                      \
        return fp_madd_##s(cpu, fp_negate_##s(a), b, fp_negate_##s(c));                                                         \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_sgnj_##s(uint64_t a, uint64_t b) {                                                                    \
        return fp_box_##s((fp_unbox_##s(a) & ~(sign)) | (fp_unbox_##s(b) & (sign)));                                            \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_sgnjn_##s(uint64_t a, uint64_t b) {                                                                   \
        return fp_box_##s((fp_unbox_##s(a) & ~(sign)) | (~fp_unbox_##s(b) & (sign)));                                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_sgnjx_##s(uint64_t a, uint64_t b) { return fp_box_##s(fp_unbox_##s(a) ^ (fp_unbox_##s(b) & (sign))); } \
    /* Zeroes of either sign are equal to each other, and NaNs are unordered: integer code sorts them out. */                   \
    FP_INLINE uint64_t fp_min_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        if (fp_host_ltq_##s(fp_value_##s(a), fp_value_##s(b))) return a;                                                        \
        if (fp_host_ltq_##s(fp_value_##s(b), fp_value_##s(a))) return b;                                                        \
        return fp_slow_min_##s(cpu, a, b);                                                                                      \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_max_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                                    \
        if (fp_host_ltq_##s(fp_value_##s(b), fp_value_##s(a))) return a;                                                        \
        if (fp_host_ltq_##s(fp_value_##s(a), fp_value_##s(b))) return b;                                                        \
        return fp_slow_max_##s(cpu, a, b);                                                                                      \
    }                                                                                                                           \
    FP_COMPARISON(eq, s)                                                                                                        \
    FP_COMPARISON(lt, s)                                                                                                        \
    FP_COMPARISON(le, s)                                                                                                        \
    FP_COMPARISON(ltq, s)                                                                                                       \
    FP_COMPARISON(leq, s)                                                                                                       \
    FP_INLINE bool fp_nan_##s(uint64_t a) { return (fp_unbox_##s(a) & ~(sign)) > FP_INFINITY_##s; }                             \
    FP_INLINE uint64_t fp_ltn_##s(uint64_t a, uint64_t b) {                                                                     \
        return !fp_nan_##s(a) && !fp_nan_##s(b) && fp_host_ltq_##s(fp_value_##s(a), fp_value_##s(b));                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_len_##s(uint64_t a, uint64_t b) {                                                                     \
        return !fp_nan_##s(a) && !fp_nan_##s(b) && fp_host_leq_##s(fp_value_##s(a), fp_value_##s(b));                           \
    }                                                                                                                           \
    /* Inside the range, truncation and rounding as the host rounds now are one instruction; everything else is rare. */        \
    FP_INLINE uint64_t fp_to_w_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                  \
        if (FP_FITS(a, s, -0x1p31, 0x7fffff80.0p0)) {                                                                           \
            if (rm == FP_RTZ) return (uint64_t)fp_host_truncate_##s(fp_value_##s(a));                                           \
            if (fp_host_rounds(cpu, rm)) return (uint64_t)fp_host_nearest_##s(fp_value_##s(a));                                 \
        }                                                                                                                       \
        return fp_slow_to_##s(cpu, a, rm, 32, true);                                                                            \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_to_wu_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                 \
        if (FP_FITS(a, s, 0, 0xffffff00.0p0)) {                                                                                 \
            if (rm == FP_RTZ) return (uint64_t)(int64_t)(int32_t)fp_host_truncate_##s(fp_value_##s(a));                         \
            if (fp_host_rounds(cpu, rm)) return (uint64_t)(int64_t)(int32_t)fp_host_nearest_##s(fp_value_##s(a));               \
        }                                                                                                                       \
        return fp_slow_to_##s(cpu, a, rm, 32, false);                                                                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_to_l_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                  \
        if (FP_FITS(a, s, -0x1p63, 0x1p63)) {                                                                                   \
            if (rm == FP_RTZ) return (uint64_t)fp_host_truncate_##s(fp_value_##s(a));                                           \
            if (fp_host_rounds(cpu, rm)) return (uint64_t)fp_host_nearest_##s(fp_value_##s(a));                                 \
        }                                                                                                                       \
        return fp_slow_to_##s(cpu, a, rm, 64, true);                                                                            \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_to_lu_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                 \
        if (FP_FITS(a, s, 0, 0x1p63)) {                                                                                         \
            if (rm == FP_RTZ) return (uint64_t)fp_host_truncate_##s(fp_value_##s(a));                                           \
            if (fp_host_rounds(cpu, rm)) return (uint64_t)fp_host_nearest_##s(fp_value_##s(a));                                 \
        }                                                                                                                       \
        return fp_slow_to_##s(cpu, a, rm, 64, false);                                                                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_from_l_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                \
        if (!fp_host_rounds(cpu, rm)) return fp_slow_from_##s(cpu, a, rm, true);                                                \
        return fp_result_##s(fp_host_integer_##s((int64_t)a));                                                                  \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_from_lu_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                               \
        if (!fp_host_rounds(cpu, rm) || (int64_t)a < 0) return fp_slow_from_##s(cpu, a, rm, false);                             \
        return fp_result_##s(fp_host_integer_##s((int64_t)a));                                                                  \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_from_w_##s(struct cpu *cpu, uint64_t a, unsigned rm) {                                                \
        return fp_from_l_##s(cpu, (uint64_t)(int64_t)(int32_t)a, rm);                                                           \
    }                                                                                                                           \
    FP_INLINE uint64_t fp_from_wu_##s(struct cpu *cpu, uint64_t a, unsigned rm) { return fp_from_l_##s(cpu, (uint32_t)a, rm); }

#define FP_COMPARISON(name, s)                                                                                                  \
    FP_INLINE uint64_t fp_##name##_##s(struct cpu *cpu, uint64_t a, uint64_t b) {                                               \
        (void)cpu;                                                                                                              \
        return fp_host_##name##_##s(fp_value_##s(a), fp_value_##s(b));                                                          \
    }
#define FP_FITS(a, s, low, high) (fp_host_leq_##s(low, fp_value_##s(a)) && fp_host_ltq_##s(fp_value_##s(a), high))
FP_OPERATIONS(s, float, UINT64_C(0x80000000))
FP_OPERATIONS(d, double, UINT64_C(1) << 63)
#undef FP_OPERATIONS
// clang-format on

FP_INLINE uint64_t fp_d_to_s(struct cpu *cpu, uint64_t a, unsigned rm) {
    if (!fp_host_rounds(cpu, rm)) return fp_slow_d_to_s(cpu, a, rm);
    return fp_result_s(fp_host_narrow(fp_value_d(a)));
}
FP_INLINE uint64_t fp_s_to_d(struct cpu *cpu, uint64_t a) {
    (void)cpu;
    return fp_result_d(fp_host_widen(fp_value_s(a)));
}
