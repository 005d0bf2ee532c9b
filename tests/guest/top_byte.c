// Loops that look for the highest byte that is not zero, as libgcc has them, from any shift to begin with and with any number; the registers as they are after each way out.
#include <stdint.h>
#include <stdio.h>

enum { ROUNDS = 200000 };

struct found {
    uint64_t rest, byte, shift, by_leaving;
};

static __attribute__((noinline)) struct found look(uint64_t value, uint64_t shift) {
    struct found f = {0, 0, shift, 1};
#ifdef __riscv
    __asm__ volatile("1: srl %0, %4, %2\n zext.b %1, %0\n bnez %1, 2f\n addi %2, %2, -8\n bnez %2, 1b\n li %3, 0\n 2:\n"
                     : "=&r"(f.rest), "=&r"(f.byte), "+&r"(f.shift), "+&r"(f.by_leaving)
                     : "r"(value));
#else
    do {
        f.rest = value >> (f.shift & 63);
        f.byte = f.rest & 255;
        if (f.byte) return f;
        f.shift -= 8;
    } while (f.shift);
    f.by_leaving = 0;
#endif
    return f;
}

// With the shift known, and both numbers in one register.
static __attribute__((noinline)) uint64_t look_from_the_top(uint64_t value) {
#ifdef __riscv
    uint64_t shift, byte;
    __asm__ volatile("li %1, 56\n 1: srl %0, %2, %1\n zext.b %0, %0\n bnez %0, 2f\n addi %1, %1, -8\n bnez %1, 1b\n 2:\n"
                     : "=&r"(byte), "=&r"(shift)
                     : "r"(value));
    return byte << 8 | shift;
#else
    struct found f = look(value, 56);
    return f.byte << 8 | f.shift;
#endif
}

static uint64_t next(uint64_t *random) {
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *random >> 32 ^ *random << 17;
}

int main(void) {
    static const uint64_t shifts[] = {8,   16, 24, 32, 40, 48, 56, 64,   72,  120,  128,
                                      520, 0,  1,  7,  57, 60, 63, 1000, -8u, -13u, UINT64_C(1) << 63 | 24};
    uint64_t random = 7, sum = 0;
    for (unsigned i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        for (unsigned bits = 1; bits < 256; bits += 1 + bits / 3) {  // a bit of each byte: then all loops end
            uint64_t spread = UINT64_C(0x0101010101010101) * (bits | 128),
                     few = shifts[i] % 8 || shifts[i] > 56 || !shifts[i] ? spread : spread & next(&random);
            struct found f = look(few, shifts[i]);
            sum = sum * 31 + (f.rest ^ f.byte << 32 ^ f.shift << 3 ^ f.by_leaving);
        }
        printf("%d %016lx\n", (int)i, (unsigned long)sum);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value = next(&random) >> next(&random) % 64 << next(&random) % 64;
        struct found f = look(value, 8 + next(&random) % 7 * 8);
        sum = sum * 31 + (f.rest ^ f.byte << 32 ^ f.shift << 3 ^ f.by_leaving) + look_from_the_top(value);
    }
    printf("%016lx\n", (unsigned long)sum);
    for (unsigned i = 0; i < 64; i++)
        printf("%lx %lx\n", (unsigned long)look_from_the_top(UINT64_C(1) << i), (unsigned long)look(UINT64_C(1) << i, 56).shift);
    printf("%lx %lx\n", (unsigned long)look_from_the_top(0), (unsigned long)look(0, 32).by_leaving);
    return 0;
}
