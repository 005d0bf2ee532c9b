// IEEE 754 arithmetic in integers, in any format up to double and any rounding mode, with exact flags: what the host's FPU cannot do (ties
// away from zero, another mode than the one it is in, half precision), and the oracle that the host's results are tested against.
// Values are raw bits in the low end of a uint64_t, not boxed. NaN results are canonical (RISC-V unprivileged manual, "NaN
// Generation and Propagation"). Rounding modes and flags are numbered as in fp.h.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct fp_format {
    int fraction_bits, exponent_bits;
};
extern const struct fp_format fp_half, fp_single, fp_double;

// Each adds the flags it raises to *flags.
uint64_t fp_soft_add(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint64_t fp_soft_mul(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint64_t fp_soft_div(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags);
uint64_t fp_soft_sqrt(const struct fp_format *format, uint64_t a, unsigned rm, uint32_t *flags);
// a * b + c with one rounding; infinity times zero is invalid even if c is a quiet NaN.
uint64_t fp_soft_fma(const struct fp_format *format, uint64_t a, uint64_t b, uint64_t c, unsigned rm, uint32_t *flags);
uint64_t fp_soft_convert(const struct fp_format *to, const struct fp_format *from, uint64_t a, unsigned rm, uint32_t *flags);
uint64_t fp_soft_from_integer(const struct fp_format *to, uint64_t magnitude, bool negative, unsigned rm, uint32_t *flags);
// To an integer of `bits` (32 or 64), saturating; 32-bit results are sign-extended (unsigned ones too, as the manual has it).
uint64_t fp_soft_to_integer(const struct fp_format *from, uint64_t a, unsigned rm, unsigned bits, bool is_signed, uint32_t *flags);
// To the nearest integral value; raises inexact only if `exact`.
uint64_t fp_soft_round(const struct fp_format *format, uint64_t a, unsigned rm, bool exact, uint32_t *flags);

static inline uint64_t fp_sign_bit(const struct fp_format *format) {
    return UINT64_C(1) << (format->fraction_bits + format->exponent_bits);
}
static inline uint64_t fp_infinity(const struct fp_format *format) {
    return ((UINT64_C(1) << format->exponent_bits) - 1) << format->fraction_bits;
}
static inline uint64_t fp_canonical_nan(const struct fp_format *format) {
    return fp_infinity(format) | UINT64_C(1) << (format->fraction_bits - 1);
}
static inline bool fp_is_nan(const struct fp_format *format, uint64_t a) {
    return (a & (fp_sign_bit(format) - 1)) > fp_infinity(format);
}
static inline bool fp_is_signaling(const struct fp_format *format, uint64_t a) {
    return fp_is_nan(format, a) && !(a >> (format->fraction_bits - 1) & 1);
}
