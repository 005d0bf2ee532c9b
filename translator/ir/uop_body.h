// Helpers that the meanings in uops.def are written with.
#pragma once
#include "translator/interp/section.h"
#include "translator/ir/atomic.h"
#include "translator/ir/fp.h"
#include <stdint.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#define SX32(value) ((uint64_t)(int64_t)(int32_t)(value))

static inline uint64_t uop_div64(uint64_t b, uint64_t c) {
    if (c == 0) return ~UINT64_C(0);
    if (c == ~UINT64_C(0)) return -b;  // also the overflow case: INT64_MIN / -1 wraps
    return (uint64_t)((int64_t)b / (int64_t)c);
}

static inline uint64_t uop_rem64(uint64_t b, uint64_t c) {
    if (c == 0) return b;
    if (c == ~UINT64_C(0)) return 0;
    return (uint64_t)((int64_t)b % (int64_t)c);
}

static inline uint64_t uop_div32(uint64_t b, uint64_t c) {
    if ((uint32_t)c == 0) return ~UINT64_C(0);
    if ((uint32_t)c == ~UINT32_C(0)) return SX32(-(uint32_t)b);
    return SX32((int32_t)b / (int32_t)c);
}

static inline uint64_t uop_rem32(uint64_t b, uint64_t c) {
    if ((uint32_t)c == 0) return SX32(b);
    if ((uint32_t)c == ~UINT32_C(0)) return 0;
    return SX32((int32_t)b % (int32_t)c);
}

// Every byte that is not zero becomes 0xff.
static inline uint64_t uop_orcb(uint64_t b) {
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t tops = (((b & low7) + low7) | b) & ~low7;
    return (tops >> 7) * 0xff;
}

// The shift by which the last round of a loop finds the highest byte of `value` that is not zero, which begins with this one and takes off eight until it is zero (scan.h).
static inline uint64_t uop_top_byte(uint64_t value, uint64_t shift) {
    if (shift & 7 || shift - 8 > 48) return shift;
    uint64_t below = value & UINT64_MAX >> (56 - shift);
    return (63 - (uint64_t)__builtin_clzll(below | 256)) & 56;
}

// The time CSR: nanoseconds of the monotonic clock in steps of 100, so 10 MHz, the frequency that auxiliary data announces.
uint64_t uop_read_time(void);

static inline uint64_t uop_read_cycles(void) {
#ifdef __x86_64__
    return __rdtsc();
#else
    return uop_read_time();
#endif
}

// cbo.zero
void uop_zero_line(struct cpu *cpu, uint64_t address) INTERP_SECTION;

// Vectors (guest/riscv64/vector.c). False: an illegal instruction, and nothing is changed. `what`: an instruction with its registers, as
// lift_vector.c has it.
bool uop_vector(struct cpu *cpu, uint64_t *result, uint32_t what, uint64_t x, uint64_t y);
uint64_t uop_vector_csr_read(const struct cpu *cpu, unsigned csr);
void uop_vector_csr_write(struct cpu *cpu, unsigned csr, uint64_t value);
