// Numbers put together from bytes and taken apart again at any address, as programs do that must not access memory misaligned: both orders, with and without sign, only some of
// the bytes, with the parts used as well, and copies over themselves.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 4096, ROUNDS = 400000 };

static uint8_t memory[BYTES + 64];

#define APART __attribute__((noinline))

APART static uint64_t little32(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

APART static int64_t little32_signed(const uint8_t *p) {
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

APART static uint64_t big32(const uint8_t *p) {
    return (uint64_t)p[3] | (uint64_t)p[2] << 8 | (uint64_t)p[1] << 16 | (uint64_t)p[0] << 24;
}

APART static int64_t big32_signed(const uint8_t *p) {
    return (int32_t)((uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24);
}

APART static uint64_t little64(const uint8_t *p) {
    uint64_t all = 0;
    for (int i = 0; i < 8; i++) all |= (uint64_t)p[i] << 8 * i;
    return all;
}

APART static uint64_t big64(const uint8_t *p) {
    uint64_t all = 0;
    for (int i = 0; i < 8; i++) all |= (uint64_t)p[7 - i] << 8 * i;
    return all;
}

APART static uint64_t shifted_up(const uint8_t *p) {
    return (uint64_t)p[0] << 16 | (uint64_t)p[1] << 24 | (uint64_t)p[2] << 32 | (uint64_t)p[3] << 40;
}

APART static uint64_t six(const uint8_t *p) {
    uint64_t all = 0;
    for (int i = 1; i < 7; i++) all |= (uint64_t)p[i] << 8 * (i - 1);
    return all + p[0] * 3u + p[7];
}

APART static uint64_t with_parts(const uint8_t *p) {
    uint64_t a = p[0], b = p[1], c = p[2], d = p[3], e = p[4], f = p[5], g = p[6], h = p[7];
    uint64_t low = a | b << 8 | c << 16 | d << 24, high = e | f << 8 | g << 16 | h << 24;
    return (low | high << 32) ^ (a * b + c * d + e * f + g * h) * low ^ high;
}

APART static uint64_t mixed_order(const uint8_t *p) {
    return (uint64_t)p[2] | (uint64_t)p[3] << 8 | (uint64_t)p[0] << 16 | (uint64_t)p[1] << 24;
}

APART static void copy8(uint8_t *to, const uint8_t *from) {
    uint8_t all[8];
    memcpy(all, from, 8);
    memcpy(to, all, 8);
}

APART static void copy4(uint8_t *to, const uint8_t *from) {
    uint8_t all[4];
    memcpy(all, from, 4);
    memcpy(to, all, 4);
}

APART static uint64_t by_memory(const uint8_t *from) {
    uint64_t all;
    memcpy(&all, from, sizeof all);
    return all;
}

APART static void overlapping(uint8_t *to, const uint8_t *from) {
    for (int i = 0; i < 8; i++) {
        to[i] = from[i];
        __asm__ volatile("" ::: "memory");  // one after the other: what is stored may be loaded again
    }
}

APART static void turned(uint8_t *to, const uint8_t *from) {
    uint8_t a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = d, to[1] = c, to[2] = b, to[3] = a;
}

#ifdef __riscv
// Every register's value along the way is looked at behind it.
APART static uint64_t all_registers(const uint8_t *p) {
    uint64_t sum;
    __asm__ volatile(
        "lbu a5, 1(%1)\n lbu t1, 0(%1)\n lbu s6, 2(%1)\n lbu t3, 3(%1)\n lbu s7, 4(%1)\n lbu t4, 5(%1)\n lbu a6, 6(%1)\n lbu t5, 7(%1)\n"
        "slli t2, a5, 8\n or t2, t2, t1\n slli s6, s6, 16\n or s8, s6, t2\n slli t3, t3, 24\n or a7, t3, s8\n"
        "slli s7, s7, 32\n or s9, s7, a7\n slli t4, t4, 40\n or t4, t4, s9\n slli t0, a6, 48\n or t0, t4, t0\n"
        "slli t6, t5, 56\n or t6, t6, t0\n"
        "add %0, a5, t1\n slli %0, %0, 1\n add %0, %0, s6\n slli %0, %0, 1\n add %0, %0, t3\n slli %0, %0, 1\n"
        "add %0, %0, s7\n xor %0, %0, t4\n slli %0, %0, 1\n add %0, %0, a6\n add %0, %0, t5\n xor %0, %0, t2\n"
        "slli %0, %0, 1\n add %0, %0, s8\n xor %0, %0, a7\n slli %0, %0, 1\n add %0, %0, s9\n xor %0, %0, t0\n add %0, %0, t6\n"
        : "=&r"(sum)
        : "r"(p)
        : "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s6", "s7", "s8", "s9", "memory");
    return sum;
}
#else
static uint64_t all_registers(const uint8_t *p) {
    uint64_t b[8], sum;
    for (int i = 0; i < 8; i++) b[i] = p[i];
    uint64_t t2 = b[1] << 8 | b[0], s6 = b[2] << 16, s8 = s6 | t2, t3 = b[3] << 24, a7 = t3 | s8, s7 = b[4] << 32, s9 = s7 | a7;
    uint64_t t4 = b[5] << 40 | s9, t0 = t4 | b[6] << 48, t6 = b[7] << 56 | t0;
    sum = b[1] + b[0];
    sum = (((sum << 1) + s6) << 1) + t3;
    sum = ((sum << 1) + s7) ^ t4;
    sum = ((sum << 1) + b[6] + b[7]) ^ t2;
    sum = ((sum << 1) + s8) ^ a7;
    return (((sum << 1) + s9) ^ t0) + t6;
}
#endif

static uint64_t (*const get[])(const uint8_t *p) = {little32, big32,      little64,    big64,     shifted_up,
                                                    six,      with_parts, mixed_order, by_memory, all_registers};
static int64_t (*const get_signed[])(const uint8_t *p) = {little32_signed, big32_signed};
static void (*const put[])(uint8_t *to, const uint8_t *from) = {copy8, copy4, overlapping, turned};
enum { GETS = sizeof get / sizeof *get, SIGNED = sizeof get_signed / sizeof *get_signed, PUTS = sizeof put / sizeof *put };

int main(void) {
    uint64_t sum[GETS + SIGNED] = {0}, random = 1;
    for (int i = 0; i < BYTES; i++) memory[i] = (uint8_t)(i * 37 + i / 251);
    for (int round = 0; round < ROUNDS; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint8_t *at = memory + (random >> 33) % BYTES;
        for (int i = 0; i < GETS; i++) sum[i] = (sum[i] << 7 | sum[i] >> 57) ^ get[i](at);
        for (int i = 0; i < SIGNED; i++) sum[GETS + i] = (sum[GETS + i] << 7 | sum[GETS + i] >> 57) ^ (uint64_t)get_signed[i](at);
        uint8_t *near = memory + ((random >> 33) + (random >> 20) % 16) % BYTES, *far = memory + (random >> 45) % BYTES;
        put[round % PUTS](round % 3 ? near : far, at);
    }
    for (int i = 0; i < GETS + SIGNED; i++) printf("%d %016lx\n", i, (unsigned long)sum[i]);
    uint64_t all = 0;
    for (unsigned i = 0; i < sizeof memory; i++) all = all * 31 + memory[i];
    printf("%016lx\n", (unsigned long)all);
    return 0;
}
