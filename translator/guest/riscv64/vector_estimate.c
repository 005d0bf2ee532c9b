// Estimates: tables, and what becomes of exponents and of numbers that are none. See vector_estimate.h.
#include "translator/guest/riscv64/vector_estimate.h"
#include "translator/ir/fp.h"

struct parts {
    bool negative;
    int exponent;  // biased; below 1 for subnormal numbers
    uint64_t fraction;  // without the leading one, which subnormal numbers are shifted up to have
};

// A format.
static const struct shape {
    int fraction_bits, bias;
} single_shape = {23, 127}, double_shape = {52, 1023};

static uint64_t infinity_of(const struct shape *of) {
    return (uint64_t)(2 * of->bias + 1) << of->fraction_bits;
}

static uint64_t sign_of(const struct shape *of) {
    return infinity_of(of) + (UINT64_C(1) << of->fraction_bits);
}

static uint64_t nan_of(struct cpu *cpu, const struct shape *of, uint64_t a) {
    uint64_t quiet = UINT64_C(1) << (of->fraction_bits - 1);
    if (!(a & quiet)) cpu->fp_flags |= FP_NV;
    return infinity_of(of) | quiet;
}

// Of a finite number that is not zero.
static struct parts take_apart(const struct shape *of, uint64_t a) {
    uint64_t one = UINT64_C(1) << of->fraction_bits;
    struct parts p = {
        .negative = a & sign_of(of), .exponent = (int)(a >> of->fraction_bits) & (2 * of->bias + 1), .fraction = a & (one - 1)};
    if (p.exponent) return p;
    p.exponent = 1;
    for (; !(p.fraction & one); p.exponent--) p.fraction <<= 1;
    p.fraction &= one - 1;
    return p;
}

uint64_t vector_reciprocal_root(struct cpu *cpu, uint64_t a, bool is_double) {
    const struct shape *of = is_double ? &double_shape : &single_shape;
    // By the exponent's lowest bit and the fraction's highest six.
    static const uint8_t estimate[128] = {
        52,  51,  50,  48, 47, 46, 44, 43, 42, 41, 40, 39, 38,  36,  35,  34,  33,  32,  31,  30,  30,  29,  28,  27,  26,  25,
        24,  23,  23,  22, 21, 20, 19, 19, 18, 17, 16, 16, 15,  14,  14,  13,  12,  12,  11,  10,  10,  9,   9,   8,   7,   7,
        6,   6,   5,   4,  4,  3,  3,  2,  2,  1,  1,  0,  127, 125, 123, 121, 119, 118, 116, 114, 113, 111, 109, 108, 106, 105,
        103, 102, 100, 99, 97, 96, 95, 93, 92, 91, 90, 88, 87,  86,  85,  84,  83,  82,  80,  79,  78,  77,  76,  75,  74,  73,
        72,  71,  70,  70, 69, 68, 67, 66, 65, 64, 63, 63, 62,  61,  60,  59,  59,  58,  57,  56,  56,  55,  54,  53};
    uint64_t infinity = infinity_of(of), sign = a & sign_of(of), magnitude = a ^ sign;
    if (magnitude > infinity) return nan_of(cpu, of, a);
    if (!magnitude) {
        cpu->fp_flags |= FP_DZ;
        return sign | infinity;
    }
    if (sign) return nan_of(cpu, of, 0);
    if (magnitude == infinity) return 0;
    struct parts p = take_apart(of, a);
    unsigned index = (unsigned)(p.exponent & 1) << 6 | (unsigned)(p.fraction >> (of->fraction_bits - 6));
    return (uint64_t)((3 * of->bias - 1 - p.exponent) / 2) << of->fraction_bits | (uint64_t)estimate[index]
                                                                                      << (of->fraction_bits - 7);
}

// Out of range: infinity, or the greatest number where that is the rounding mode's choice.
static uint64_t overflowed(struct cpu *cpu, const struct shape *of, bool negative) {
    unsigned rm = cpu->fp_rounding;
    cpu->fp_flags |= FP_OF | FP_NX;
    return infinity_of(of) - (rm == FP_RTZ || rm == (negative ? FP_RUP : FP_RDN));
}

uint64_t vector_reciprocal(struct cpu *cpu, uint64_t a, bool is_double) {
    const struct shape *of = is_double ? &double_shape : &single_shape;
    // By the fraction's highest seven bits.
    static const uint8_t estimate[128] = {
        127, 125, 123, 121, 119, 117, 116, 114, 112, 110, 109, 107, 105, 104, 102, 100, 99, 97, 96, 94, 93, 91, 90, 88, 87, 85,
        84,  83,  81,  80,  79,  77,  76,  75,  74,  72,  71,  70,  69,  68,  66,  65,  64, 63, 62, 61, 60, 59, 58, 57, 56, 55,
        54,  53,  52,  51,  50,  49,  48,  47,  46,  45,  44,  43,  42,  41,  40,  40,  39, 38, 37, 36, 35, 35, 34, 33, 32, 31,
        31,  30,  29,  28,  28,  27,  26,  25,  25,  24,  23,  23,  22,  21,  21,  20,  19, 19, 18, 17, 17, 16, 15, 15, 14, 14,
        13,  12,  12,  11,  11,  10,  9,   9,   8,   8,   7,   7,   6,   5,   5,   4,   4,  3,  3,  2,  2,  1,  1,  0};
    uint64_t infinity = infinity_of(of), sign = a & sign_of(of), magnitude = a ^ sign;
    if (magnitude > infinity) return nan_of(cpu, of, a);
    if (magnitude == infinity) return sign;
    if (!magnitude) {
        cpu->fp_flags |= FP_DZ;
        return sign | infinity;
    }
    struct parts p = take_apart(of, a);
    int exponent = 2 * of->bias - 1 - p.exponent;
    if (exponent > 2 * of->bias) return sign | overflowed(cpu, of, p.negative);
    uint64_t fraction = (uint64_t)estimate[p.fraction >> (of->fraction_bits - 7)] << (of->fraction_bits - 7);
    if (exponent > 0) return sign | (uint64_t)exponent << of->fraction_bits | fraction;
    return sign | (UINT64_C(1) << of->fraction_bits | fraction) >> (1 - exponent);
}
