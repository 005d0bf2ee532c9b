// guest-test: expect=file
// guest-flags: -O1
// Doubles that are stored and then operands of fused multiplications, in hot loops: bits of what is stored, of sums and of flags where NaNs of all kinds come in,
// or are made. What must come out is what the manual says: each NaN is the canonical one, but for those that are only moved.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 24, TIMES = 4000 };

static double left[COUNT], right[COUNT], stored[COUNT];

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t mixed(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) >> 7 ^ hash << 5;
}

// Each stores what it then multiplies, adds, or both.
#define LOOP(name, operation, fused)                                                           \
    static double name(const double *a, const double *b, double *to, long count, double sum) { \
        double value;                                                                          \
        __asm__ volatile("1: fld ft0, 0(%0)\n"                                                 \
                         "   fld ft1, 0(%1)\n"                                                 \
                         "   addi %0, %0, 8\n"                                                 \
                         "   addi %1, %1, 8\n"                                                 \
                         "   " operation "\n"                                                  \
                         "   fsd %5, 0(%2)\n"                                                  \
                         "   " fused "\n"                                                      \
                         "   addi %2, %2, 8\n"                                                 \
                         "   addi %3, %3, -1\n"                                                \
                         "   bnez %3, 1b\n"                                                    \
                         : "+r"(a), "+r"(b), "+r"(to), "+r"(count), "+f"(sum), "=&f"(value)    \
                         :                                                                     \
                         : "ft0", "ft1", "memory");                                            \
        return bits_of(value) & 1 ? sum : -sum;                                                \
    }

LOOP(square, "fsub.d %5, ft0, ft1", "fmadd.d %4, %5, %5, %4")
LOOP(product, "fadd.d %5, ft0, ft1", "fmsub.d %4, %5, ft1, %4")
LOOP(quotient, "fdiv.d %5, ft0, ft1", "fnmsub.d %4, ft0, %5, %4")
LOOP(addend, "fmul.d %5, ft0, ft1", "fnmadd.d %4, ft0, ft1, %5")
LOOP(root, "fsqrt.d %5, ft0", "fmadd.d ft1, %5, ft1, %4\nfadd.d %4, %4, ft1")
LOOP(own, "fsub.d %5, ft0, ft1", "fmadd.d %5, %5, ft1, %4\nfsd %5, 0(%2)\nfadd.d %4, %4, %5")
LOOP(moved, "fadd.d ft1, ft0, ft1\nfmv.d %5, ft0", "fmadd.d %4, %5, ft1, ft1")

static double (*const loops[])(const double *, const double *, double *, long, double) = {square, product, quotient, addend,
                                                                                          root,   own,     moved};

// Kinds of operands, of which all pairs come together.
static double kind(unsigned number, unsigned at) {
    static const uint64_t kinds[] = {
        0x7ff0000000000000,
        0xfff0000000000000,  // infinite
        0x7ff8000000000000,
        0xfff8000000000000,  // quiet NaNs
        0x7ff8000000001234,
        0x7ff0000000000001,
        0xfff4000000000000,  // one with a payload, two that signal
        0,
        0x8000000000000000,
        0x3ff8000000000000,
        0xc00c000000000000,
        1,
        0x7fefffffffffffff,
    };
    unsigned count = sizeof kinds / sizeof *kinds;
    return number < count ? from_bits(kinds[number]) : 1.5 + at;
}

static uint64_t run(unsigned loop, unsigned x, unsigned y) {
    uint64_t hash = x * 31 + y, flags;
    for (unsigned i = 0; i < COUNT; i++) left[i] = kind(99, i), right[i] = kind(99, i * 3 % 7);
    left[(x + y) % COUNT] = kind(x, 0);
    right[(x * 5 + y) % COUNT] = kind(y, 0);
    __asm__ volatile("fsflags zero");
    double sum = loops[loop](left, right, stored, 1 + (x + 3 * y) % COUNT, (x + y) % 5 ? 0.25 : kind(y, 1));
    __asm__ volatile("frflags %0" : "=r"(flags) : "f"(sum));
    for (unsigned i = 0; i < COUNT; i++) hash = mixed(hash, bits_of(stored[i]));
    return mixed(mixed(hash, bits_of(sum)), flags);
}

int main(void) {
    for (unsigned loop = 0; loop < sizeof loops / sizeof *loops; loop++) {
        uint64_t hash = 0;
        for (unsigned time = 0; time < TIMES; time++) hash = mixed(hash, run(loop, time % 15, time / 15 % 15));
        printf("loop %u: %016llx\n", loop, (unsigned long long)hash);
    }
    return 0;
}
