// Loops that go on until a number that each round adds to is equal to another one, as compilers make of counting: up and down, by one and by more, of 64 and of 32
// bits, past the largest number, of any number of rounds, with memory and without.
#include <stdint.h>
#include <stdio.h>

enum { TIMES = 20000, MOST = 45 };

static uint64_t (*volatile anywhere)(uint64_t);  // so that what it gets is known to nobody

static uint64_t same(uint64_t value) {
    return value;
}

#define WIDE(value) (value)
#define NARROW(value) ((uint64_t)(int64_t)(int32_t)(uint32_t)(value))

// Adds `step` until `at` is `bound`, by the instruction `add`, compared by `branch`.
#ifdef __riscv
#define LOOP(name, add, kind, step, branch)                                                     \
    __attribute__((noinline)) static uint64_t name(uint64_t at, uint64_t bound, uint64_t sum) { \
        __asm__ volatile("1: slli t0, %0, 1\n"                                                  \
                         "   add %0, %0, t0\n"                                                  \
                         "   xor %0, %0, %1\n"                                                  \
                         "   " add " %1, %1, " #step "\n"                                       \
                         "   " branch ", 1b\n"                                                  \
                         : "+r"(sum), "+r"(at)                                                  \
                         : "r"(bound)                                                           \
                         : "t0");                                                               \
        return sum ^ at;                                                                        \
    }
#else
#define LOOP(name, add, kind, step, branch)                                                     \
    __attribute__((noinline)) static uint64_t name(uint64_t at, uint64_t bound, uint64_t sum) { \
        do {                                                                                    \
            sum = (3 * sum) ^ at;                                                               \
            at = kind(at + (uint64_t)(step));                                                   \
        } while (at != bound);                                                                  \
        return sum ^ at;                                                                        \
    }
#endif

LOOP(up, "addi", WIDE, 1, "bne %1, %2")
LOOP(up_turned, "addi", WIDE, 1, "bne %2, %1")
LOOP(up_by_more, "addi", WIDE, 48, "bne %1, %2")
LOOP(up_by_most, "addi", WIDE, 2047, "bne %2, %1")
LOOP(down, "addi", WIDE, -1, "bne %1, %2")
LOOP(down_to_zero, "addi", WIDE, -3, "bne %1, zero")
LOOP(down_by_most, "addi", WIDE, -2048, "bne %2, %1")
LOOP(narrow_up, "addiw", NARROW, 1, "bne %1, %2")
LOOP(narrow_up_by_more, "addiw", NARROW, 56, "bne %2, %1")
LOOP(narrow_down, "addiw", NARROW, -1, "bnez %1")
LOOP(narrow_down_by_more, "addiw", NARROW, -7, "bne %1, %2")

static const struct {
    const char *name;
    uint64_t (*loop)(uint64_t, uint64_t, uint64_t);
    int64_t step;
    uint64_t bound;
    int narrow;
} loops[] = {
    {"up", up, 1, 1000, 0},
    {"up past the largest number", up, 1, 20, 0},
    {"up, turned", up_turned, 1, UINT64_C(1) << 63, 0},
    {"up by more", up_by_more, 48, 48 * 20, 0},
    {"up by most", up_by_most, 2047, UINT64_C(0x123456789abc), 0},
    {"down", down, -1, UINT64_MAX - 17, 0},
    {"down to zero", down_to_zero, -3, 0, 0},
    {"down by most", down_by_most, -2048, 77, 0},
    {"32 bits, up", narrow_up, 1, UINT64_C(0xffffffff80000010), 1},
    {"32 bits, up by more", narrow_up_by_more, 56, 560, 1},
    {"32 bits, down", narrow_down, -1, 0, 1},
    {"32 bits, down by more", narrow_down_by_more, -7, UINT64_C(0x7ffffff0), 1},
};

// ---- memory

enum { ITEMS = 64 };
static int16_t item[2 * ITEMS];
static int32_t result[2 * ITEMS];

__attribute__((noinline)) static int32_t product(const int16_t *a, const int16_t *b, unsigned count) {
    int32_t sum = 0;
    for (const int16_t *end = a + count; a != end; a++, b += 2) sum += *a * *b;
    return sum;
}

__attribute__((noinline)) static void spread(int32_t *to, const int16_t *from, unsigned count) {
    for (const int16_t *end = from + count; from != end;) *to++ = 3 * *from++;
}

// Each round sees what the one before stored.
__attribute__((noinline)) static void run_on(int32_t *at, unsigned count) {
    for (int32_t *end = at + count; at != end; at++) at[1] = at[0] * 5 + at[1];
}

__attribute__((noinline)) static double add_up(const int32_t *at, unsigned count) {
    double sum = 0;
    for (const int32_t *end = at + count; at != end; at++) sum += *at * 0.5;
    return sum;
}

// ---- sums of what is loaded, from pieces of each width and places side by side, or not, or each other's

#define SUM(name, type, sum_type, step, expression)                                                \
    __attribute__((noinline)) static uint64_t name(const type *a, const type *b, long count) {     \
        sum_type sum = 1;                                                                          \
        for (const type *end = a + count * (step); a != end; a += (step), b += (step)) expression; \
        return (uint64_t)sum;                                                                      \
    }

SUM(bytes, uint8_t, uint32_t, 1, sum += *a)
SUM(signed_bytes, int8_t, int64_t, 1, sum += *a)
SUM(bytes_back, uint8_t, uint64_t, -1, sum += *a)
SUM(shorts, int16_t, uint32_t, 1, sum += *a * *b)
SUM(shorts_apart, uint16_t, uint32_t, 3, sum += *a ^ *b)
SUM(words, int32_t, uint32_t, 1, sum += (*a >> 3 & 0x1f) * (*b >> 7))
SUM(words_wide, uint32_t, int64_t, 1, sum += *a)
SUM(longs, uint64_t, uint64_t, 1, sum ^= *a + (*b << 5))
SUM(longs_or, uint64_t, uint64_t, 1, sum |= *a & 0xff00ff0000ff)
SUM(matches, uint8_t, uint64_t, 1, sum += *a == 7)
SUM(less, int16_t, uint32_t, 1, sum += *a < *b)
SUM(places, uint8_t, uint64_t, 1, sum += *a ^ (uint64_t)(uintptr_t)a % 256)
SUM(two_of_one, int16_t, uint32_t, 1, sum += a[0] * a[3])
SUM(two_sums, int32_t, uint32_t, 1, {
    sum += *a;
    b += *a & 1;
})

static uint64_t (*const sums[])(const uint64_t *, const uint64_t *, long) = {
#define AS_ANY(name) (uint64_t (*)(const uint64_t *, const uint64_t *, long))(void (*)(void)) name
    AS_ANY(bytes), AS_ANY(signed_bytes), AS_ANY(bytes_back), AS_ANY(shorts),   AS_ANY(shorts_apart),
    AS_ANY(words), AS_ANY(words_wide),   AS_ANY(longs),      AS_ANY(longs_or), AS_ANY(matches),
    AS_ANY(less),  AS_ANY(places),       AS_ANY(two_of_one), AS_ANY(two_sums),
};

static void all_sums(void) {
    static uint64_t data[3 * MOST + 64] __attribute__((aligned(256)));
    for (unsigned i = 0; i < sizeof data / sizeof *data; i++) data[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < sizeof sums / sizeof *sums; i++) {
        uint64_t all = 0;
        for (unsigned time = 0; time < TIMES; time++) {
            const uint64_t *a = data + MOST, *b = time % 3 ? data + MOST + time % 16 : data + 2 * MOST;
            all = all * 31 + sums[i](a, time % 7 ? b : a - time % 5, 1 + time % MOST);
        }
        printf("sum %u: %016llx\n", i, (unsigned long long)all);
    }
}

// What a round leaves in a register that each round sets, and counters, behind the loop.
__attribute__((noinline)) static uint64_t last_of(const uint32_t *at, uint64_t count) {
#ifdef __riscv
    uint64_t last, other = 5, sum = 0;
    __asm__ volatile("1: lwu %0, 0(%2)\n"
                     "   addi %3, %3, 3\n"
                     "   mulw %0, %0, %3\n"
                     "   addi %2, %2, 4\n"
                     "   add %1, %1, %0\n"
                     "   addi %3, %3, 4\n"
                     "   addiw %4, %4, -1\n"
                     "   bnez %4, 1b\n"
                     : "=&r"(last), "+r"(sum), "+r"(at), "+r"(other), "+r"(count)
                     :
                     : "memory");
#else
    uint64_t last = 0, other = 5, sum = 0;
    for (uint32_t n = (uint32_t)count; n > 0; n--) {
        other += 3;
        last = (uint64_t)(int64_t)(int32_t)(*at++ * (uint32_t)other);
        sum += last;
        other += 4;
    }
    count = 0;
#endif
    return last ^ sum << 1 ^ other << 7 ^ count ^ (uintptr_t)at % 4096 << 20;
}

static void all_last(void) {
    static uint32_t data[MOST + 1] __attribute__((aligned(4096)));
    uint64_t all = 0;
    for (unsigned i = 0; i <= MOST; i++) data[i] = (i + 1) * 2654435761u;
    for (unsigned time = 0; time < TIMES; time++) {
        uint64_t count = 1 + time % MOST;
        all = all * 31 + last_of(data, time % 2 ? count : count | UINT64_C(1) << 40);  // only 32 bits of it are looked at
    }
    printf("last: %016llx\n", (unsigned long long)all);
}

static void all_memory(void) {
    uint32_t sum = 0;
    double doubles = 0;
    for (unsigned i = 0; i < 2 * ITEMS; i++) item[i] = (int16_t)(i * 2654435761u >> 8);
    for (unsigned time = 0; time < TIMES; time++) {
        unsigned count = 1 + time % ITEMS;
        sum = sum * 31 + (uint32_t)product(item, item + time % 3, count);
        spread(result, item + time % 5, count);
        run_on(result, count);
        sum = sum * 31 + (uint32_t)result[count];
        doubles += add_up(result, count);
    }
    printf("memory: %08x %.1f\n", sum, doubles);
}

int main(void) {
    anywhere = same;
    for (unsigned i = 0; i < sizeof loops / sizeof *loops; i++) {
        uint64_t sum = i;
        for (unsigned time = 0; time < TIMES; time++) {
            uint64_t rounds = 1 + time % MOST, at = loops[i].bound - rounds * (uint64_t)loops[i].step;
            if (loops[i].narrow && time % 2) at = NARROW(at);
            sum = loops[i].loop(anywhere(at), loops[i].bound, sum);
        }
        printf("%s: %016llx\n", loops[i].name, (unsigned long long)sum);
    }
    all_memory();
    all_sums();
    all_last();
    return 0;
}
