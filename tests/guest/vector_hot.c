// guest-test: expect=file arch=riscv64 variants=static timeout=120
// Vector instructions in loops that turn hot, with vsetvli in the loop and before it, for each width of elements and groups of one and more registers, beside what
// they mean for each element. The last round of a loop is a short one.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 1024 + 24, ROUNDS = 120 };
static _Alignas(16) uint8_t x[BYTES], y[BYTES], z[BYTES], first[BYTES];

// clang-format off: assembly
#define LOOP(sew, lmul, instruction)                                                              \
    ".option push\n .option arch, +v\n"                                                           \
    "1: vsetvli t0, %[n], e" #sew ", " #lmul ", ta, ma\n vle" #sew ".v v8, (%[x])\n"              \
    "vle" #sew ".v v16, (%[y])\n vle" #sew ".v v24, (%[z])\n"                                     \
    instruction "\n vse" #sew ".v v24, (%[z])\n sub %[n], %[n], t0\n"                             \
    "slli t0, t0, %[log]\n add %[x], %[x], t0\n add %[y], %[y], t0\n add %[z], %[z], t0\n"        \
    "bnez %[n], 1b\n .option pop\n"
// Whole vectors only: what is left is done by the loop above.
#define LOOP_BEHIND(sew, lmul, instruction)                                                       \
    ".option push\n .option arch, +v\n"                                                           \
    "vsetvli t0, zero, e" #sew ", " #lmul ", tu, mu\n slli t1, t0, %[log]\n"                      \
    "1: vle" #sew ".v v8, (%[x])\n vle" #sew ".v v16, (%[y])\n vle" #sew ".v v24, (%[z])\n"       \
    instruction "\n vse" #sew ".v v24, (%[z])\n sub %[n], %[n], t0\n"                             \
    "add %[x], %[x], t1\n add %[y], %[y], t1\n add %[z], %[z], t1\n"                              \
    "bgeu %[n], t0, 1b\n .option pop\n"
#define RUN(loop, sew_log)                                                                        \
    asm volatile(loop : [n] "+r"(n), [x] "+r"(a), [y] "+r"(b), [z] "+r"(c)                        \
                 : [log] "i"(sew_log), [scalar] "r"(scalar) : "t0", "t1", "memory")
// clang-format on

static uint64_t scalar;

static uint64_t read_element(const uint8_t *from, unsigned i, unsigned log) {
    uint64_t value = 0;
    memcpy(&value, from + ((size_t)i << log), (size_t)1 << log);
    return value;
}

static void fill(void) {
    uint64_t state = 88172645463325252;
    for (unsigned i = 0; i < BYTES; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        x[i] = (uint8_t)state, y[i] = (uint8_t)(state >> 8), z[i] = first[i] = (uint8_t)(state >> 16);
    }
}

typedef uint64_t meaning(uint64_t x, uint64_t y, uint64_t z, unsigned bits);
typedef void code(uint64_t n, const uint8_t *a, const uint8_t *b, uint8_t *c);

static bool check(const char *name, unsigned log, code *run, meaning *means) {
    unsigned elements = BYTES >> log, bits = 8u << log;
    uint64_t mask = bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
    fill();
    for (unsigned round = 0; round < ROUNDS; round++) {
        memcpy(z, first, sizeof z);
        run(elements, x, y, z);
    }
    for (unsigned i = 0; i < elements; i++) {
        uint64_t want = means(read_element(x, i, log), read_element(y, i, log), read_element(first, i, log), bits) & mask;
        uint64_t got = read_element(z, i, log);
        if (got == want) continue;
        printf("%s: element %u is %#llx, not %#llx\n", name, i, (unsigned long long)got, (unsigned long long)want);
        return false;
    }
    return true;
}

static int64_t extended(uint64_t value, unsigned bits) {
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static uint64_t reversed(uint64_t value, unsigned bits) {
    return __builtin_bswap64(value) >> (64 - bits);
}

static uint64_t rotated(uint64_t value, uint64_t count, unsigned bits) {
    count &= bits - 1;
    return count ? value >> count | value << (bits - count) : value;
}

static unsigned failures;

// clang-format off: a table of instructions on v8 and v16 to v24, and what they mean
#define EACH(ROW)                                                                                 \
    ROW(vadd_vv, "vadd.vv v24, v8, v16", x + y)                                                   \
    ROW(vadd_vx, "vadd.vx v24, v8, %[scalar]", x + scalar)                                        \
    ROW(vadd_vi, "vadd.vi v24, v8, -3", x - 3)                                                    \
    ROW(vsub_vv, "vsub.vv v24, v8, v16", x - y)                                                   \
    ROW(vsub_vx, "vsub.vx v24, v8, %[scalar]", x - scalar)                                        \
    ROW(vrsub_vx, "vrsub.vx v24, v8, %[scalar]", scalar - x)                                      \
    ROW(vrsub_vi, "vrsub.vi v24, v8, 7", 7 - x)                                                   \
    ROW(vand_vv, "vand.vv v24, v8, v16", x & y)                                                   \
    ROW(vand_vi, "vand.vi v24, v8, -6", x & (uint64_t)-6)                                         \
    ROW(vor_vv, "vor.vv v24, v8, v16", x | y)                                                     \
    ROW(vor_vx, "vor.vx v24, v8, %[scalar]", x | scalar)                                          \
    ROW(vxor_vv, "vxor.vv v24, v8, v16", x ^ y)                                                   \
    ROW(vxor_vx, "vxor.vx v24, v8, %[scalar]", x ^ scalar)                                        \
    ROW(vmul_vv, "vmul.vv v24, v8, v16", x * y)                                                   \
    ROW(vmul_vx, "vmul.vx v24, v8, %[scalar]", x * scalar)                                        \
    ROW(vsll_vv, "vsll.vv v24, v8, v16", x << (y & (bits - 1)))                                   \
    ROW(vsll_vi, "vsll.vi v24, v8, 3", x << 3)                                                    \
    ROW(vsrl_vv, "vsrl.vv v24, v8, v16", x >> (y & (bits - 1)))                                   \
    ROW(vsrl_vx, "vsrl.vx v24, v8, %[scalar]", x >> (scalar & (bits - 1)))                        \
    ROW(vsra_vv, "vsra.vv v24, v8, v16", (uint64_t)(extended(x, bits) >> (y & (bits - 1))))       \
    ROW(vsra_vi, "vsra.vi v24, v8, 5", (uint64_t)(extended(x, bits) >> 5))                        \
    ROW(vmv_v_v, "vmv.v.v v24, v16", y)                                                           \
    ROW(vmv_v_x, "vmv.v.x v24, %[scalar]", scalar)                                                \
    ROW(vmv_v_i, "vmv.v.i v24, -9", (uint64_t)-9)                                                 \
    ROW(vminu_vv, "vminu.vv v24, v8, v16", x < y ? x : y)                                         \
    ROW(vmaxu_vx, "vmaxu.vx v24, v8, %[scalar]", x > (scalar & (~UINT64_C(0) >> (64 - bits))) ? x : scalar)     \
    ROW(vmacc_vv, "vmacc.vv v24, v8, v16", z + x * y)                                             \
    ROW(vmerge_vvm, "vmslt.vv v0, v8, v16\n vmerge.vvm v24, v8, v16, v0", extended(x, bits) < extended(y, bits) ? y : x) \
    ROW(vrev8_v, ".word 0x4a84ac57", reversed(x, bits))                                           \
    ROW(vror_vi, ".word 0x5282bc57", rotated(x, 5, bits))                                         \
    ROW(vror_vv, ".word 0x52880c57", rotated(x, y, bits))                                         \
    ROW(both, "vadd.vv v24, v8, v16\n vxor.vv v24, v24, v8\n vsub.vv v24, v24, v16", ((x + y) ^ x) - y)

#define CODE(name, instruction, sew, log, lmul)                                                   \
    static void name##_##sew##_##lmul(uint64_t n, const uint8_t *a, const uint8_t *b, uint8_t *c) {         \
        RUN(LOOP(sew, lmul, instruction), log);                                                   \
    }
#define CODE_BEHIND(name, instruction, sew, log, lmul)                                            \
    static void name##_##sew##_##lmul##_behind(uint64_t n, const uint8_t *a, const uint8_t *b, uint8_t *c) { \
        RUN(LOOP_BEHIND(sew, lmul, instruction), log);                                            \
        if (n) RUN(LOOP(sew, lmul, instruction), log);                                            \
    }
#define CHECK(name, sew, log, lmul) failures += !check(#name " e" #sew " " #lmul, log, name##_##sew##_##lmul, name##_means);
#define ROW(name, instruction, ...)                                                               \
    static uint64_t name##_means(uint64_t x, uint64_t y, uint64_t z, unsigned bits) {             \
        (void)x, (void)y, (void)z, (void)bits;                                                    \
        return __VA_ARGS__;                                                                       \
    }                                                                                             \
    CODE(name, instruction, 16, 1, m2) CODE_BEHIND(name, instruction, 32, 2, m1)                  \
    static void name##_all(void) {                                                                \
        CHECK(name, 16, 1, m2) CHECK(name, 32, 2, m1_behind)                                      \
    }
// Some in all shapes.
#define SHAPES(name, instruction)                                                                 \
    CODE(name, instruction, 8, 0, m1) CODE(name, instruction, 16, 1, mf2) CODE(name, instruction, 32, 2, m8)    \
    CODE_BEHIND(name, instruction, 64, 3, m4)                                                     \
    static void name##_shapes(void) {                                                             \
        CHECK(name, 8, 0, m1) CHECK(name, 16, 1, mf2) CHECK(name, 32, 2, m8) CHECK(name, 64, 3, m4_behind)      \
    }
EACH(ROW)
SHAPES(vadd_vx, "vadd.vx v24, v8, %[scalar]")
SHAPES(vsra_vv, "vsra.vv v24, v8, v16")
SHAPES(vmerge_vvm, "vmslt.vv v0, v8, v16\n vmerge.vvm v24, v8, v16, v0")
SHAPES(vror_vi, ".word 0x5282bc57")
// clang-format on

int main(void) {
    scalar = UINT64_C(0x9123456789abcdef);
#define CALL(name, instruction, ...) name##_all();
    EACH(CALL)
    vadd_vx_shapes();
    vsra_vv_shapes();
    vmerge_vvm_shapes();
    vror_vi_shapes();
    printf("%u failures\n", failures);
    return failures != 0;
}
