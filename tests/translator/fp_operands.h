// Random floating-point operands that are worth testing: specials, subnormals, near overflow, few or many fraction bits set, and operands
// that are related to each other so that sums cancel and products tie. Shared by test_fp.c and make_fp_vectors.c.
#pragma once
#include <stdint.h>
#include <string.h>

static uint64_t operand_state = 0x9e3779b97f4a7c15;

static uint64_t operand_random(void) {  // xorshift64*
    operand_state ^= operand_state >> 12, operand_state ^= operand_state << 25, operand_state ^= operand_state >> 27;
    return operand_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t operand_below(uint64_t limit) {
    return (operand_random() >> 32) % limit;
}

static uint64_t operand_fraction(unsigned bits) {
    uint64_t mask = (UINT64_C(1) << bits) - 1, one = UINT64_C(1) << operand_below(bits);
    switch (operand_below(8)) {
    case 0: return 0;
    case 1: return mask;
    case 2: return one;
    case 3: return mask & -one;  // ones above
    case 4: return one - 1;  // ones below
    case 5: return (one | UINT64_C(1) << operand_below(bits)) ^ (operand_random() & 1);
    case 6: return operand_random() & mask & ~((UINT64_C(1) << operand_below(bits)) - 1);  // ends in zeroes: exact results, ties
    default: return operand_random() & mask;
    }
}

// A biased exponent, not the greatest.
static uint64_t operand_exponent(unsigned bits) {
    uint64_t greatest = (UINT64_C(1) << bits) - 2, bias = greatest / 2;
    switch (operand_below(6)) {
    case 0: return operand_below(4);  // subnormal and just above
    case 1: return greatest - operand_below(3);
    case 2: return bias + operand_below(70);
    case 3: return bias - operand_below(12);
    case 4: return bias / 2 + operand_below(2) * bias + operand_below(8);  // products at the limits
    default: return operand_below(greatest + 1);
    }
}

// A number in a format of so many fraction and exponent bits.
static uint64_t operand_number(unsigned fraction_bits, unsigned exponent_bits) {
    uint64_t sign = (operand_random() >> 40 & 1) << (fraction_bits + exponent_bits);
    uint64_t infinity = ((UINT64_C(1) << exponent_bits) - 1) << fraction_bits;
    switch (operand_below(20)) {
    case 0: return sign;
    case 1: return sign | infinity;
    case 2: return sign | infinity | UINT64_C(1) << (fraction_bits - 1) | (operand_random() & operand_random() & 255);  // quiet NaN
    case 3: return sign | infinity | 1 | (operand_random() & ((UINT64_C(1) << (fraction_bits - 1)) - 1));  // signaling
    case 4: return sign | ((infinity >> (fraction_bits + 1)) << fraction_bits);  // 1.0
    default:
        return sign | (operand_exponent(exponent_bits) % (infinity >> fraction_bits)) << fraction_bits |
               operand_fraction(fraction_bits);
    }
}

// Another one near `a`: the same, its neighbour, its negative, or as far away as the fraction is long.
static uint64_t operand_near(uint64_t a, unsigned fraction_bits, unsigned exponent_bits) {
    uint64_t sign = UINT64_C(1) << (fraction_bits + exponent_bits), mask = sign - 1, other = a ^ (operand_random() & sign);
    switch (operand_below(5)) {
    case 0: return other;
    case 1: return (other & sign) | ((other + 1) & mask);
    case 2: return (other & sign) | ((other - 1) & mask);
    default:
        return (other & sign) |
               ((other - ((fraction_bits - 1 + operand_below(4)) << fraction_bits)) & mask & ~operand_fraction(fraction_bits));
    }
}

// A slot. `letter`: s single, d double, h half, w 32-bit integer, l 64-bit integer; `near`: a slot of the same kind, or NULL.
static uint64_t operand_slot(char letter, const uint64_t *near) {
    uint64_t a;
    switch (letter) {
    case 's':
        a = near ? operand_near(*near & UINT32_MAX, 23, 8) : operand_number(23, 8);
        return operand_below(100) ? a | UINT64_C(0xffffffff00000000) : a | operand_random() << 32;
    case 'h': a = operand_number(10, 5); return operand_below(100) ? a | UINT64_C(0xffffffffffff0000) : a | operand_random() << 16;
    case 'd': return near ? operand_near(*near, 52, 11) : operand_number(52, 11);
    default:
        a = operand_random() >> operand_below(64);
        if (operand_below(4) == 0) a = (UINT64_C(1) << operand_below(64)) + operand_below(3) - 1;
        if (operand_below(3) == 0) a = -a;
        if (operand_below(8) == 0) a = (uint64_t)INT64_MIN + operand_below(3) - 1;
        return letter == 'w' ? (uint64_t)(int64_t)(int32_t)a : a;
    }
}

// To an integer: a number around the limits of 32 and 64 bits, or with a fraction that ties.
static uint64_t operand_near_integer(char letter) {
    static const double edges[] = {0,      0.25,   0.5,    1,      1.5,    2.5,      0x1p31,  0x1p32,
                                   0x1p52, 0x1p53, 0x1p62, 0x1p63, 0x1p64, 0x1.8p31, 0x1.8p63};
    double value = edges[operand_below(sizeof edges / sizeof *edges)];
    static const double steps[] = {0, 0.5, 0.25, 0.75, 1, 1.5};
    value += (operand_random() >> 40 & 1 ? -1 : 1) * steps[operand_below(6)];
    if (operand_random() >> 41 & 1) value = -value;
    uint64_t bits = 0;
    float narrow = (float)value;
    uint32_t narrow_bits;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    bits = letter == 's' ? UINT64_C(0xffffffff00000000) | narrow_bits : bits;
    return operand_below(3) ? bits : bits + operand_below(3) - 1;
}

// a * b, so that a third operand can cancel it.
static uint64_t operand_product(char letter, uint64_t a, uint64_t b) {
    if (letter == 's') {
        float x, y;
        uint32_t bits;
        memcpy(&x, &a, sizeof x), memcpy(&y, &b, sizeof y);
        x *= y;
        memcpy(&bits, &x, sizeof bits);
        return UINT64_C(0xffffffff00000000) | bits;
    }
    double x, y;
    memcpy(&x, &a, sizeof x), memcpy(&y, &b, sizeof y);
    x *= y;
    memcpy(&a, &x, sizeof a);
    return a;
}

// Operands for one operation; `letters` has one for each.
static void operand_choose(const char *letters, int to_integer, uint64_t slot[3]) {
    slot[0] = slot[1] = slot[2] = 0;
    for (unsigned i = 0; letters[i]; i++) slot[i] = operand_slot(letters[i], i && operand_below(4) == 0 ? &slot[i - 1] : NULL);
    if (to_integer && (letters[0] == 's' || letters[0] == 'd') && operand_below(2)) slot[0] = operand_near_integer(letters[0]);
    if (strlen(letters) == 3 && operand_below(3) == 0) {
        uint64_t product = operand_product(letters[0], slot[0], slot[1]);
        slot[2] = operand_below(2) ? product : operand_slot(letters[0], &product);
        if (operand_below(2)) slot[2] ^= letters[0] == 's' ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    }
}
