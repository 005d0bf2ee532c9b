// IEEE 754 arithmetic in integers: see fp_soft.h. Every operation computes its result exactly, or with all lost bits jammed into the lowest one, as
// significand * 2^exponent with a 128-bit significand, and round_and_pack does the rest.
#include "translator/ir/fp_soft.h"
#include "translator/ir/fp.h"

typedef unsigned __int128 wide;  // NOLINT: C has no name for it

const struct fp_format fp_half = {10, 5}, fp_single = {23, 8}, fp_double = {52, 11};

enum kind { ZERO, FINITE, INFINITE, QUIET_NAN, SIGNALING_NAN };

struct number {
    enum kind kind;
    bool negative;
    int exponent;  // of the significand's lowest bit
    wide significand;
};

static int bias(const struct fp_format *format) {
    return (1 << (format->exponent_bits - 1)) - 1;
}

static struct number unpack(const struct fp_format *format, uint64_t a) {
    uint64_t fraction = a & ((UINT64_C(1) << format->fraction_bits) - 1);
    int field = (int)(a >> format->fraction_bits & ((1u << format->exponent_bits) - 1));
    struct number n = {.negative = (a & fp_sign_bit(format)) != 0};
    if (field == (1 << format->exponent_bits) - 1) {
        n.kind = !fraction ? INFINITE : fp_is_signaling(format, a) ? SIGNALING_NAN : QUIET_NAN;
        return n;
    }
    n.kind = field || fraction ? FINITE : ZERO;
    n.significand = field ? fraction | UINT64_C(1) << format->fraction_bits : fraction;
    n.exponent = (field ? field : 1) - bias(format) - format->fraction_bits;
    return n;
}

static int bit_length(wide x) {
    return x >> 64 ? 128 - __builtin_clzll((uint64_t)(x >> 64)) : x ? 64 - __builtin_clzll((uint64_t)x) : 0;
}

// Shifts right; bits that fall out leave their trace in the lowest.
static wide shift_jam(wide x, int by) {
    if (by <= 0) return x;
    if (by > 127) return x != 0;
    return x >> by | ((x & (((wide)1 << by) - 1)) != 0);
}

static bool rounds_up(bool negative, unsigned rm, bool odd, int against_half, bool inexact) {
    switch (rm) {
    case FP_RNE: return against_half > 0 || (against_half == 0 && odd);
    case FP_RMM: return against_half >= 0;
    case FP_RUP: return inexact && !negative;
    case FP_RDN: return inexact && negative;
    default: return false;
    }
}

// x / 2^by, rounded.
static wide round_off(wide x, int by, bool negative, unsigned rm, bool *inexact) {
    *inexact = false;
    if (by <= 0) return x << (-by & 127);
    wide kept = by > 127 ? 0 : x >> by, rest = by > 127 ? x : x & (((wide)1 << by) - 1);
    wide half = by > 127 ? 0 : (wide)1 << (by - 1);
    *inexact = rest != 0;
    int against_half = by > 127 || rest < half ? -1 : rest > half;
    return kept + rounds_up(negative, rm, kept & 1, against_half, *inexact);
}

static uint64_t overflow(const struct fp_format *format, bool negative, unsigned rm, uint32_t *flags) {
    *flags |= FP_OF | FP_NX;
    bool to_infinity = rm == FP_RNE || rm == FP_RMM || (rm == FP_RUP && !negative) || (rm == FP_RDN && negative);
    return (negative ? fp_sign_bit(format) : 0) | (fp_infinity(format) - !to_infinity);
}

// The value significand * 2^exponent, not zero, as bits.
static uint64_t round_and_pack(const struct fp_format *format, bool negative, int exponent, wide significand, unsigned rm,
                               uint32_t *flags) {
    int leading = exponent + bit_length(significand) - 1, least = 1 - bias(format);
    int lowest = (leading < least ? least : leading) - format->fraction_bits;
    bool inexact, ignored;
    wide result = round_off(significand, lowest - exponent, negative, rm, &inexact);
    if (inexact) *flags |= FP_NX;
    if (inexact && leading < least) {  // tiny, unless rounding with an unbounded exponent reaches the least normal number
        wide unbounded = round_off(significand, leading - format->fraction_bits - exponent, negative, rm, &ignored);
        bool reaches = leading == least - 1 && unbounded >> (format->fraction_bits + 1);
        if (!reaches) *flags |= FP_UF;
    }
    if (result >> (format->fraction_bits + 1)) {
        result >>= 1;
        lowest++;
    }
    uint64_t hidden = UINT64_C(1) << format->fraction_bits, bits = (uint64_t)result;
    int field = bits < hidden ? 0 : lowest + format->fraction_bits + bias(format);
    if (field >= (1 << format->exponent_bits) - 1) return overflow(format, negative, rm, flags);
    return (negative ? fp_sign_bit(format) : 0) | (uint64_t)field << format->fraction_bits | (bits & (hidden - 1));
}

static uint64_t invalid(const struct fp_format *format, uint32_t *flags) {
    *flags |= FP_NV;
    return fp_canonical_nan(format);
}

static bool is_nan(const struct number *n) {
    return n->kind >= QUIET_NAN;
}

static uint64_t nan_of(const struct fp_format *format, const struct number *a, const struct number *b, uint32_t *flags) {
    if (a->kind == SIGNALING_NAN || b->kind == SIGNALING_NAN) *flags |= FP_NV;
    return fp_canonical_nan(format);
}

static uint64_t signed_bits(const struct fp_format *format, bool negative, uint64_t bits) {
    return (negative ? fp_sign_bit(format) : 0) | bits;
}

// Brings the highest bit to bit 125: room for a carry and nothing lost.
static void normalise(struct number *n) {
    int by = 126 - bit_length(n->significand);
    n->significand = by >= 0 ? n->significand << by : shift_jam(n->significand, -by);
    n->exponent -= by;
}

// a + b of finite numbers, not both zero.
static uint64_t sum(const struct fp_format *format, struct number a, struct number b, unsigned rm, uint32_t *flags) {
    if (a.kind == ZERO || b.kind == ZERO) {
        const struct number *n = a.kind == ZERO ? &b : &a;
        return round_and_pack(format, n->negative, n->exponent, n->significand, rm, flags);
    }
    normalise(&a);
    normalise(&b);
    if (a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand)) {
        struct number other = a;
        a = b;
        b = other;
    }
    wide aligned = shift_jam(b.significand, a.exponent - b.exponent);
    wide total = a.negative == b.negative ? a.significand + aligned : a.significand - aligned;
    if (!total) return signed_bits(format, rm == FP_RDN, 0);
    return round_and_pack(format, a.negative, a.exponent, total, rm, flags);
}

static uint64_t add_numbers(const struct fp_format *format, const struct number *a, const struct number *b, unsigned rm,
                            uint32_t *flags) {
    if (a->kind == INFINITE && b->kind == INFINITE && a->negative != b->negative) return invalid(format, flags);
    if (a->kind == INFINITE || b->kind == INFINITE)
        return signed_bits(format, a->kind == INFINITE ? a->negative : b->negative, fp_infinity(format));
    if (a->kind == ZERO && b->kind == ZERO) return signed_bits(format, a->negative == b->negative ? a->negative : rm == FP_RDN, 0);
    return sum(format, *a, *b, rm, flags);
}

uint64_t fp_soft_add(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags) {
    struct number x = unpack(format, a), y = unpack(format, b);
    if (is_nan(&x) || is_nan(&y)) return nan_of(format, &x, &y, flags);
    return add_numbers(format, &x, &y, rm, flags);
}

// The exact product of numbers that are no NaNs and not infinity and zero.
static struct number product(const struct number *a, const struct number *b) {
    struct number n = {.negative = a->negative != b->negative};
    if (a->kind == INFINITE || b->kind == INFINITE) n.kind = INFINITE;
    else if (a->kind == ZERO || b->kind == ZERO) n.kind = ZERO;
    else n = (struct number){FINITE, n.negative, a->exponent + b->exponent, a->significand * b->significand};
    return n;
}

static bool is_zero_times_infinity(const struct number *a, const struct number *b) {
    return (a->kind == ZERO && b->kind == INFINITE) || (a->kind == INFINITE && b->kind == ZERO);
}

uint64_t fp_soft_mul(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags) {
    struct number x = unpack(format, a), y = unpack(format, b);
    if (is_nan(&x) || is_nan(&y)) return nan_of(format, &x, &y, flags);
    if (is_zero_times_infinity(&x, &y)) return invalid(format, flags);
    struct number n = product(&x, &y);
    if (n.kind != FINITE) return signed_bits(format, n.negative, n.kind == INFINITE ? fp_infinity(format) : 0);
    return round_and_pack(format, n.negative, n.exponent, n.significand, rm, flags);
}

uint64_t fp_soft_fma(const struct fp_format *format, uint64_t a, uint64_t b, uint64_t c, unsigned rm, uint32_t *flags) {
    struct number x = unpack(format, a), y = unpack(format, b), z = unpack(format, c);
    if (is_zero_times_infinity(&x, &y)) return invalid(format, flags);
    if (is_nan(&x) || is_nan(&y) || is_nan(&z)) {
        if (z.kind == SIGNALING_NAN) *flags |= FP_NV;
        return nan_of(format, &x, &y, flags);
    }
    struct number n = product(&x, &y);
    return add_numbers(format, &n, &z, rm, flags);
}

uint64_t fp_soft_div(const struct fp_format *format, uint64_t a, uint64_t b, unsigned rm, uint32_t *flags) {
    struct number x = unpack(format, a), y = unpack(format, b);
    bool negative = x.negative != y.negative;
    if (is_nan(&x) || is_nan(&y)) return nan_of(format, &x, &y, flags);
    if (x.kind == y.kind && x.kind != FINITE) return invalid(format, flags);
    if (x.kind == INFINITE) return signed_bits(format, negative, fp_infinity(format));
    if (x.kind == ZERO || y.kind == INFINITE) return signed_bits(format, negative, 0);
    if (y.kind == ZERO) {
        *flags |= FP_DZ;
        return signed_bits(format, negative, fp_infinity(format));
    }
    normalise(&x);
    wide quotient = x.significand / y.significand;
    quotient |= quotient * y.significand != x.significand;
    return round_and_pack(format, negative, x.exponent - y.exponent, quotient, rm, flags);
}

static wide integer_root(wide x, bool *exact) {
    wide root = 0;
    for (wide bit = (wide)1 << 126; bit; bit >>= 2) {
        bool fits = x >= root + bit;
        if (fits) x -= root + bit;
        root = fits ? (root >> 1) + bit : root >> 1;
    }
    *exact = !x;
    return root;
}

uint64_t fp_soft_sqrt(const struct fp_format *format, uint64_t a, unsigned rm, uint32_t *flags) {
    struct number x = unpack(format, a);
    if (is_nan(&x)) return nan_of(format, &x, &x, flags);
    if (x.kind == ZERO) return a;
    if (x.negative) return invalid(format, flags);
    if (x.kind == INFINITE) return a;
    normalise(&x);
    if (x.exponent & 1) {
        x.significand <<= 1;
        x.exponent--;
    }
    bool exact;
    wide root = integer_root(x.significand, &exact) << 1;  // one more bit, for the trace of an inexact root
    return round_and_pack(format, false, x.exponent / 2 - 1, root | !exact, rm, flags);
}

uint64_t fp_soft_convert(const struct fp_format *to, const struct fp_format *from, uint64_t a, unsigned rm, uint32_t *flags) {
    struct number x = unpack(from, a);
    if (is_nan(&x)) return nan_of(to, &x, &x, flags);
    if (x.kind != FINITE) return signed_bits(to, x.negative, x.kind == INFINITE ? fp_infinity(to) : 0);
    return round_and_pack(to, x.negative, x.exponent, x.significand, rm, flags);
}

uint64_t fp_soft_from_integer(const struct fp_format *to, uint64_t magnitude, bool negative, unsigned rm, uint32_t *flags) {
    return magnitude ? round_and_pack(to, negative, 0, magnitude, rm, flags) : 0;
}

static uint64_t saturated(unsigned bits, bool is_signed, bool negative) {
    if (bits == 32) return is_signed ? (negative ? UINT64_C(0xffffffff80000000) : INT32_MAX) : negative ? 0 : UINT64_MAX;
    return is_signed ? (negative ? UINT64_C(1) << 63 : INT64_MAX) : negative ? 0 : UINT64_MAX;
}

uint64_t fp_soft_to_integer(const struct fp_format *from, uint64_t a, unsigned rm, unsigned bits, bool is_signed, uint32_t *flags) {
    struct number x = unpack(from, a);
    if (x.kind == ZERO) return 0;
    bool negative = x.negative && !is_nan(&x), inexact = false;
    bool huge = x.kind != FINITE || x.exponent + bit_length(x.significand) > 65;
    wide magnitude = huge ? 0 : round_off(x.significand, -x.exponent, negative, rm, &inexact);
    wide limit = is_signed ? ((wide)1 << (bits - 1)) - !negative : negative ? 0 : ((wide)1 << bits) - 1;
    if (huge || magnitude > limit) {
        *flags |= FP_NV;
        return saturated(bits, is_signed, negative);
    }
    if (inexact) *flags |= FP_NX;
    uint64_t value = negative ? -(uint64_t)magnitude : (uint64_t)magnitude;
    return bits == 32 ? (uint64_t)(int64_t)(int32_t)value : value;
}

uint64_t fp_soft_round(const struct fp_format *format, uint64_t a, unsigned rm, bool exact, uint32_t *flags) {
    struct number x = unpack(format, a);
    if (is_nan(&x)) return nan_of(format, &x, &x, flags);
    if (x.kind != FINITE || x.exponent >= 0) return a;
    bool inexact;
    uint32_t none = 0;
    wide magnitude = round_off(x.significand, -x.exponent, x.negative, rm, &inexact);
    if (inexact && exact) *flags |= FP_NX;
    if (!magnitude) return signed_bits(format, x.negative, 0);
    return round_and_pack(format, x.negative, 0, magnitude, FP_RTZ, &none);
}
