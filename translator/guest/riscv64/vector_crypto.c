// Vector cryptography (manual, "Cryptography Extensions: Vector Instructions"; the algorithms: FIPS 197 and 180-4, NIST SP
// 800-38D, GB/T 32905 and 32907). All but Zvbc's instructions take element groups: several elements which together are a block, a
// key or a state. Each is an expression of one group; what is legal is the same for all, but for a few rules. Where the host has
// instructions that do the same, there are two of them, and the portable one is the twin that says what is meant.
#include "translator/guest/riscv64/vector.h"
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

typedef unsigned __int128 uint128_t;

// ---- the host

#ifdef __x86_64__
static struct {
    bool aes, carryless, sha;
} host;

enum { CPUID_FEATURES = 7, CPUID_FEATURES_SHA = 1 << 29 };  // in ebx

__attribute__((constructor)) static void look_at_host(void) {
    unsigned a, b, c, d;
    __builtin_cpu_init();
    host.aes = __builtin_cpu_supports("aes");
    host.carryless = __builtin_cpu_supports("pclmul");
    host.sha = __builtin_cpu_supports("sse4.1") && __get_cpuid_count(CPUID_FEATURES, 0, &a, &b, &c, &d) && b & CPUID_FEATURES_SHA;
}

#define TARGET_portable
#define TARGET_aes __attribute__((target("aes,sse2")))
#define TARGET_carryless __attribute__((target("pclmul,sse2")))
#define TARGET_sha __attribute__((target("sha,sse4.1")))
#define FASTEST(feature, name) (host.feature ? name##_##feature : name##_portable)
#else
#define TARGET_portable
#define FASTEST(feature, name) name##_portable
#endif

// ---- element groups (manual, "Element Groups")

union block {  // 4 elements of 32 bits; AES has it as bytes
    uint8_t byte[16];
    uint32_t word[4];
    uint128_t bits;
};
struct words4 {
    uint32_t at[4];
};
struct words8 {
    uint32_t at[8];
};
struct longs4 {
    uint64_t at[4];
};

struct groups {
    void *vd;
    const void *vs2, *vs1;  // vs1 is vd's where it is none
    size_t count;
    size_t vs2_step;  // 0 where vs2's first group serves all of vd's (.vs)
    unsigned immediate;
};

typedef void groups_function(const struct groups *g);

// What the expression makes of a group of each is vd's new one.
#define GROUPS(name, target, type, ...)                                   \
    TARGET_##target static void name##_##target(const struct groups *g) { \
        const unsigned immediate = g->immediate;                          \
        for (size_t i = 0; i < g->count; i++) {                           \
            type *vd = (type *)g->vd + i;                                 \
            const type *vs2 = (const type *)g->vs2 + i * g->vs2_step;     \
            const type *vs1 = (const type *)g->vs1 + i;                   \
            (void)vs1, (void)immediate;                                   \
            *vd = (__VA_ARGS__);                                          \
        }                                                                 \
    }

// What an instruction has, beyond vd and vs2 which are groups of registers.
enum rules {
    PLAIN = 0,
    HAS_VS1 = 1,  // as a group of registers
    SPARES_VS1 = 2,  // vd may not overlap it
    SPARES_VS2 = 4,
    SCALAR = 8,  // .vs: vs2 is one group of elements, in a register which vd may not overlap
};

static bool is_source(const struct cpu *cpu, const struct vector_call *v, unsigned vs, bool spared) {
    int lmul = vector_lmul(cpu);
    return vector_is_group(vs, lmul) && !(spared && vs == v->vd);
}

static bool are_registers_legal(const struct cpu *cpu, const struct vector_call *v, unsigned rules) {
    int lmul = vector_lmul(cpu);
    if (!vector_is_group(v->vd, lmul)) return false;
    if (rules & HAS_VS1 && !is_source(cpu, v, v->vs1, rules & SPARES_VS1)) return false;
    if (rules & SCALAR) return !vector_overlap(v->vd, vector_registers(lmul), v->vs2, 1);
    return is_source(cpu, v, v->vs2, rules & SPARES_VS2);
}

// False if the instruction is illegal. Its groups are of so many elements (the manual's EGS).
static bool prepare(struct cpu *cpu, const struct vector_call *v, unsigned elements, unsigned rules, struct groups *g) {
    uint64_t start = cpu->vector.start, length = cpu->vector.length;
    unsigned sew = vector_sew(cpu);
    if (vector_vlmax(cpu) < elements || length % elements || start % elements) return false;
    if (!are_registers_legal(cpu, v, rules)) return false;
    size_t at = start < length ? (size_t)start << sew : 0;
    *g = (struct groups){.vd = vector_at(cpu, v->vd) + at,
                         .vs2 = vector_at(cpu, v->vs2) + (rules & SCALAR ? 0 : at),
                         .vs1 = vector_at(cpu, rules & HAS_VS1 ? v->vs1 : v->vd) + at,
                         .count = start < length ? (size_t)(length - start) / elements : 0,
                         .vs2_step = !(rules & SCALAR),
                         .immediate = v->vs1};
    return true;
}

enum { SEW_32 = 2, SEW_64 = 3 };

// An instruction of elements of 32 bits.
#define INSTRUCTION(name, elements, rules, function)                                          \
    VECTOR(name) {                                                                            \
        struct groups g;                                                                      \
        if (vector_sew(cpu) != SEW_32 || !prepare(cpu, v, elements, rules, &g)) return false; \
        (function)(&g);                                                                       \
        return true;                                                                          \
    }

static uint32_t rotate(uint32_t x, unsigned left) {
    return x << (left & 31) | x >> (-left & 31);
}

static uint32_t substitute_word(const uint8_t *box, uint32_t x) {
    return (uint32_t)box[x & 255] | (uint32_t)box[x >> 8 & 255] << 8 | (uint32_t)box[x >> 16 & 255] << 16 |
           (uint32_t)box[x >> 24] << 24;
}

// ---- Zvkned: AES

// clang-format off
static const uint8_t aes_box[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};

static const uint8_t aes_inverse_box[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

// clang-format on

enum { SHIFT_ROWS = 4, INVERSE_SHIFT_ROWS = 12 };

// SubBytes and ShiftRows, or the inverse of both.
static union block aes_substitute(union block state, const uint8_t *box, unsigned shift) {
    union block to;
    for (unsigned i = 0; i < 16; i++) to.byte[i] = box[state.byte[(i + i % 4 * shift) % 16]];
    return to;
}

static uint32_t aes_double(uint32_t bytes) {  // four elements of GF(2^8)
    return (bytes & 0x7f7f7f7f) << 1 ^ (bytes >> 7 & 0x01010101) * 0x1b;
}

static union block aes_mix(union block state) {  // MixColumns
    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = state.word[i], next = rotate(x, 24);
        state.word[i] = aes_double(x ^ next) ^ next ^ rotate(x, 16) ^ rotate(x, 8);
    }
    return state;
}

static union block aes_inverse_mix(union block state) {  // the same of a state changed so that it is the inverse
    for (unsigned i = 0; i < 4; i++) {
        uint32_t x = state.word[i];
        state.word[i] = x ^ aes_double(aes_double(x ^ rotate(x, 16)));
    }
    return aes_mix(state);
}

static union block aes_add(union block state, union block key) {
    state.bits ^= key.bits;
    return state;
}

static union block aes_forward(union block state) {
    return aes_substitute(state, aes_box, SHIFT_ROWS);
}

static union block aes_backward(union block state) {
    return aes_substitute(state, aes_inverse_box, INVERSE_SHIFT_ROWS);
}

GROUPS(vaesem, portable, union block, aes_add(aes_mix(aes_forward(*vd)), *vs2))
GROUPS(vaesef, portable, union block, aes_add(aes_forward(*vd), *vs2))
GROUPS(vaesdm, portable, union block, aes_inverse_mix(aes_add(aes_backward(*vd), *vs2)))
GROUPS(vaesdf, portable, union block, aes_add(aes_backward(*vd), *vs2))
GROUPS(vaesz, portable, union block, aes_add(*vd, *vs2))
#ifdef __x86_64__
GROUPS(vaesem, aes, __m128i, _mm_aesenc_si128(*vd, *vs2))
GROUPS(vaesef, aes, __m128i, _mm_aesenclast_si128(*vd, *vs2))
// The host's middle round adds the key after it has mixed, the guest's before.
GROUPS(vaesdm, aes, __m128i, _mm_aesimc_si128(_mm_aesdeclast_si128(*vd, *vs2)))
GROUPS(vaesdf, aes, __m128i, _mm_aesdeclast_si128(*vd, *vs2))
#endif

// RotWord, SubWord and the round's constant.
static uint32_t aes_key_step(uint32_t x, unsigned index) {
    static const uint8_t constant[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
    return rotate(substitute_word(aes_box, x), 24) ^ constant[index];
}

// The round which the immediate means: out of range ones are made others, so that all are defined.
static unsigned aes_round(unsigned immediate, unsigned first, unsigned last) {
    unsigned round = immediate & 15;
    return round < first || round > last ? round ^ 8 : round;
}

static union block aes_key(union block before, uint32_t x) {
    for (unsigned i = 0; i < 4; i++) before.word[i] = x ^= before.word[i];
    return before;
}

static union block aes128_key(union block key, unsigned immediate) {
    return aes_key(key, aes_key_step(key.word[3], aes_round(immediate, 1, 10) - 1));
}

static union block aes256_key(union block before, union block key, unsigned immediate) {
    unsigned round = aes_round(immediate, 2, 14);
    return aes_key(before, round % 2 ? substitute_word(aes_box, key.word[3]) : aes_key_step(key.word[3], round / 2 - 1));
}

GROUPS(vaeskf1, portable, union block, aes128_key(*vs2, immediate))
GROUPS(vaeskf2, portable, union block, aes256_key(*vd, *vs2, immediate))

INSTRUCTION(vaesem_vv, 4, PLAIN, FASTEST(aes, vaesem))
INSTRUCTION(vaesem_vs, 4, SCALAR, FASTEST(aes, vaesem))
INSTRUCTION(vaesef_vv, 4, PLAIN, FASTEST(aes, vaesef))
INSTRUCTION(vaesef_vs, 4, SCALAR, FASTEST(aes, vaesef))
INSTRUCTION(vaesdm_vv, 4, PLAIN, FASTEST(aes, vaesdm))
INSTRUCTION(vaesdm_vs, 4, SCALAR, FASTEST(aes, vaesdm))
INSTRUCTION(vaesdf_vv, 4, PLAIN, FASTEST(aes, vaesdf))
INSTRUCTION(vaesdf_vs, 4, SCALAR, FASTEST(aes, vaesdf))
INSTRUCTION(vaesz_vs, 4, SCALAR, vaesz_portable)
INSTRUCTION(vaeskf1_vi, 4, PLAIN, vaeskf1_portable)
INSTRUCTION(vaeskf2_vi, 4, PLAIN, vaeskf2_portable)

// ---- Zvknha, Zvknhb: SHA-256, SHA-512

#define DISTANCES(...) __VA_ARGS__

// The functions of FIPS 180-4: by which distances its sigmas (capital: sum, small) 0 and 1 rotate, and shift last.
// State and words are in the manual's order: of the state, vs2 has {f, e, b, a}, vd {h, g, d, c}, from the lowest element on.
#define SHA2(n, group, sum0, sum1, small0, small1)                                                                      \
    static uint##n##_t sha##n##_rotate(uint##n##_t x, unsigned right) {                                                 \
        return x >> right | x << (n - right);                                                                           \
    }                                                                                                                   \
    static uint##n##_t sha##n##_sum(uint##n##_t x, unsigned p, unsigned q, unsigned r) {                                \
        return sha##n##_rotate(x, p) ^ sha##n##_rotate(x, q) ^ sha##n##_rotate(x, r);                                   \
    }                                                                                                                   \
    static uint##n##_t sha##n##_small(uint##n##_t x, unsigned p, unsigned q, unsigned shift) {                          \
        return sha##n##_rotate(x, p) ^ sha##n##_rotate(x, q) ^ x >> shift;                                              \
    }                                                                                                                   \
    static group sha##n##_schedule(group w0, group w4, group w12) { /* w4: {4, 9, 10, 11} */                            \
        group to;                                                                                                       \
        for (unsigned t = 0; t < 4; t++) {                                                                              \
            uint##n##_t w1 = t < 3 ? w0.at[t + 1] : w4.at[0], w9 = t < 3 ? w4.at[t + 1] : w12.at[0];                    \
            uint##n##_t w14 = t < 2 ? w12.at[t + 2] : to.at[t - 2];                                                     \
            to.at[t] = sha##n##_small(w14, DISTANCES small1) + w9 + sha##n##_small(w1, DISTANCES small0) + w0.at[t];    \
        }                                                                                                               \
        return to;                                                                                                      \
    }                                                                                                                   \
    static group sha##n##_rounds(group hgdc, group feba, const uint##n##_t *words) { /* two of them */                  \
        for (unsigned t = 0; t < 2; t++) {                                                                              \
            uint##n##_t F = feba.at[0], E = feba.at[1], B = feba.at[2], A = feba.at[3], G = hgdc.at[1], C = hgdc.at[3]; \
            uint##n##_t t1 = hgdc.at[0] + sha##n##_sum(E, DISTANCES sum1) + ((E & F) ^ (~E & G)) + words[t];            \
            uint##n##_t t2 = sha##n##_sum(A, DISTANCES sum0) + ((A & B) ^ (A & C) ^ (B & C));                           \
            feba = (group){{E, hgdc.at[2] + t1, A, t1 + t2}};                                                           \
            hgdc = (group){{G, F, C, B}};                                                                               \
        }                                                                                                               \
        return feba;                                                                                                    \
    }                                                                                                                   \
    GROUPS(vsha2ms_##n, portable, group, sha##n##_schedule(*vd, *vs2, *vs1))                                            \
    GROUPS(vsha2cl_##n, portable, group, sha##n##_rounds(*vd, *vs2, vs1->at))                                           \
    GROUPS(vsha2ch_##n, portable, group, sha##n##_rounds(*vd, *vs2, vs1->at + 2))

SHA2(32, struct words4, (2, 13, 22), (6, 11, 25), (7, 18, 3), (17, 19, 10))
SHA2(64, struct longs4, (28, 34, 39), (14, 18, 41), (1, 8, 7), (19, 61, 6))

#ifdef __x86_64__
// The host has the state in the same order.
GROUPS(vsha2ms_32, sha, __m128i,
       _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*vd, *vs2), _mm_alignr_epi8(*vs1, *vs2, 4)), *vs1))
GROUPS(vsha2cl_32, sha, __m128i, _mm_sha256rnds2_epu32(*vd, *vs2, *vs1))
GROUPS(vsha2ch_32, sha, __m128i, _mm_sha256rnds2_epu32(*vd, *vs2, _mm_unpackhi_epi64(*vs1, *vs1)))
#endif

// 64 bits are Zvknhb's. Nothing here knows whether that is offered, or Zvknha alone: they are always there.
static bool sha(struct cpu *cpu, const struct vector_call *v, groups_function *words, groups_function *longs) {
    unsigned sew = vector_sew(cpu);
    struct groups g;
    if (sew < SEW_32 || !prepare(cpu, v, 4, HAS_VS1 | SPARES_VS1 | SPARES_VS2, &g)) return false;
    (sew == SEW_32 ? words : longs)(&g);
    return true;
}

VECTOR(vsha2ms_vv) {
    return sha(cpu, v, FASTEST(sha, vsha2ms_32), vsha2ms_64_portable);
}

VECTOR(vsha2cl_vv) {
    return sha(cpu, v, FASTEST(sha, vsha2cl_32), vsha2cl_64_portable);
}

VECTOR(vsha2ch_vv) {
    return sha(cpu, v, FASTEST(sha, vsha2ch_32), vsha2ch_64_portable);
}

// ---- carry-less products

VECTOR_INLINE uint128_t carryless_portable(uint64_t a, uint64_t b) {  // 4 bits of a at once
    uint128_t multiple[16] = {0, b}, product = 0;
    for (unsigned i = 2; i < 16; i++) multiple[i] = i % 2 ? multiple[i - 1] ^ b : multiple[i / 2] << 1;
    for (unsigned at = 64; at > 0; at -= 4) product = product << 4 ^ multiple[a >> (at - 4) & 15];
    return product;
}

#ifdef __x86_64__
VECTOR_INLINE TARGET_carryless uint128_t carryless_carryless(uint64_t a, uint64_t b) {
    return (uint128_t)_mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)a), _mm_cvtsi64_si128((int64_t)b), 0);
}
#endif

// ---- Zvkg: GHASH

static uint64_t reverse_bytes_bits(uint64_t x) {  // within each byte
    x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
    x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
    return (x & 0x0f0f0f0f0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0f);
}

static uint128_t ghash_reverse(uint128_t x) {  // GCM has the lowest power in a byte's highest bit
    return (uint128_t)reverse_bytes_bits((uint64_t)(x >> 64)) << 64 | reverse_bytes_bits((uint64_t)x);
}

// The remainder of a product of 256 bits: x^128 is x^7 + x^2 + x + 1, and so is what goes beyond x^128 once more.
static uint128_t ghash_reduce(uint128_t high, uint128_t low) {
    high ^= high >> 127 ^ high >> 126 ^ high >> 121;
    return low ^ high ^ high << 1 ^ high << 2 ^ high << 7;
}

#define GHASH(target)                                                                                    \
    VECTOR_INLINE TARGET_##target uint128_t ghash_multiply_##target(uint128_t x, uint128_t y) {          \
        x = ghash_reverse(x), y = ghash_reverse(y);                                                      \
        uint64_t x1 = (uint64_t)(x >> 64), x0 = (uint64_t)x, y1 = (uint64_t)(y >> 64), y0 = (uint64_t)y; \
        uint128_t low = carryless_##target(x0, y0), high = carryless_##target(x1, y1);                   \
        uint128_t middle = carryless_##target(x0 ^ x1, y0 ^ y1) ^ low ^ high;                            \
        return ghash_reverse(ghash_reduce(high ^ middle >> 64, low ^ middle << 64));                     \
    }                                                                                                    \
    GROUPS(vgmul, target, uint128_t, ghash_multiply_##target(*vd, *vs2))                                 \
    GROUPS(vghsh, target, uint128_t, ghash_multiply_##target(*vd ^ *vs1, *vs2))

GHASH(portable)
#ifdef __x86_64__
GHASH(carryless)
#endif

INSTRUCTION(vgmul_vv, 4, PLAIN, FASTEST(carryless, vgmul))
INSTRUCTION(vghsh_vv, 4, HAS_VS1, FASTEST(carryless, vghsh))

// ---- Zvbc: carry-less products of elements

// What vclmul and vclmulh multiply vs2 with: vs1's elements, or (step 0) one for all. `shift` is 64 for products' upper halves.
typedef void products_function(struct cpu *cpu, const struct vector_call *v, const uint64_t *by, size_t step, unsigned shift);

#define PRODUCTS(target)                                                                                                         \
    TARGET_##target static void products_##target(struct cpu *cpu, const struct vector_call *v, const uint64_t *by, size_t step, \
                                                  unsigned shift) {                                                              \
        const uint64_t *vs2 = vector_elements(cpu, v->vs2);                                                                      \
        uint64_t *vd = vector_elements(cpu, v->vd);                                                                              \
        for (size_t i = cpu->vector.start; i < cpu->vector.length; i++) {                                                        \
            if (vector_is_active(cpu, v, (unsigned)i)) vd[i] = (uint64_t)(carryless_##target(vs2[i], by[i * step]) >> shift);    \
        }                                                                                                                        \
    }

PRODUCTS(portable)
#ifdef __x86_64__
PRODUCTS(carryless)
#endif

// A source may not be the mask as well, which is of another width ("Vector Operands").
static bool is_factor(const struct cpu *cpu, const struct vector_call *v, unsigned vs) {
    return is_source(cpu, v, vs, false) && !(v->masked && vs == 0);
}

static bool multiply(struct cpu *cpu, const struct vector_call *v, bool has_vs1, unsigned shift) {
    if (vector_sew(cpu) != SEW_64 || !vector_is_group(v->vd, vector_lmul(cpu)) || !vector_spares_mask(v)) return false;
    if (!is_factor(cpu, v, v->vs2) || (has_vs1 && !is_factor(cpu, v, v->vs1))) return false;
    products_function *products = FASTEST(carryless, products);
    products(cpu, v, has_vs1 ? vector_elements(cpu, v->vs1) : &v->x, has_vs1, shift);
    return true;
}

VECTOR(vclmul_vv) {
    return multiply(cpu, v, true, 0);
}

VECTOR(vclmul_vx) {
    return multiply(cpu, v, false, 0);
}

VECTOR(vclmulh_vv) {
    return multiply(cpu, v, true, 64);
}

VECTOR(vclmulh_vx) {
    return multiply(cpu, v, false, 64);
}

// ---- Zvksed: SM4

// clang-format off
static const uint8_t sm4_box[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

// clang-format on

// CK: its bytes, the highest first, are multiples of 7.
static uint32_t sm4_constant(unsigned index) {
    uint32_t x = 0;
    for (unsigned i = 0; i < 4; i++) x = x << 8 | ((4 * index + i) * 7 & 255);
    return x;
}

static union block sm4_keys(union block key, unsigned immediate) {
    for (unsigned i = 0; i < 4; i++) {
        uint32_t *k = key.word, constant = sm4_constant(4 * (immediate & 7) + i);
        uint32_t x = substitute_word(sm4_box, k[(i + 1) % 4] ^ k[(i + 2) % 4] ^ k[(i + 3) % 4] ^ constant);
        k[i] ^= x ^ rotate(x, 13) ^ rotate(x, 23);
    }
    return key;
}

static union block sm4_rounds(union block state, union block key) {
    for (unsigned i = 0; i < 4; i++) {
        uint32_t *s = state.word, x = substitute_word(sm4_box, s[(i + 1) % 4] ^ s[(i + 2) % 4] ^ s[(i + 3) % 4] ^ key.word[i]);
        s[i] ^= x ^ rotate(x, 2) ^ rotate(x, 10) ^ rotate(x, 18) ^ rotate(x, 24);
    }
    return state;
}

GROUPS(vsm4k, portable, union block, sm4_keys(*vs2, immediate))
GROUPS(vsm4r, portable, union block, sm4_rounds(*vd, *vs2))

INSTRUCTION(vsm4k_vi, 4, PLAIN, vsm4k_portable)
INSTRUCTION(vsm4r_vv, 4, PLAIN, vsm4r_portable)
INSTRUCTION(vsm4r_vs, 4, SCALAR, vsm4r_portable)

// ---- Zvksh: SM3, whose words are big-endian ones in the registers

static struct words8 sm3_swap(struct words8 x) {
    for (unsigned i = 0; i < 8; i++) x.at[i] = __builtin_bswap32(x.at[i]);
    return x;
}

static struct words8 sm3_expand(struct words8 w0, struct words8 w8) {
    uint32_t w[24];
    w0 = sm3_swap(w0), w8 = sm3_swap(w8);
    memcpy(w, &w0, sizeof w0);
    memcpy(w + 8, &w8, sizeof w8);
    for (unsigned j = 16; j < 24; j++) {
        uint32_t x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15);
        w[j] = x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6];
    }
    struct words8 to;
    memcpy(&to, w + 16, sizeof to);
    return sm3_swap(to);
}

static struct words8 sm3_round(struct words8 s, uint32_t word, uint32_t word4, unsigned j) {
    uint32_t a = s.at[0], b = s.at[1], c = s.at[2], e = s.at[4], f = s.at[5], g = s.at[6];
    bool early = j < 16;
    uint32_t ss1 = rotate(rotate(a, 12) + e + rotate(early ? 0x79cc4519 : 0x7a879d8a, j), 7), ss2 = ss1 ^ rotate(a, 12);
    uint32_t ff = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c), gg = early ? e ^ f ^ g : (e & f) | (~e & g);
    uint32_t tt1 = ff + s.at[3] + ss2 + (word ^ word4), tt2 = gg + s.at[7] + ss1 + word;
    return (struct words8){{tt1, a, rotate(b, 9), c, tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g}};
}

static struct words8 sm3_rounds(struct words8 state, struct words8 words, unsigned immediate) {
    state = sm3_swap(state), words = sm3_swap(words);
    for (unsigned i = 0; i < 2; i++) state = sm3_round(state, words.at[i], words.at[i + 4], 2 * immediate + i);
    return sm3_swap(state);
}

GROUPS(vsm3me, portable, struct words8, sm3_expand(*vs1, *vs2))
GROUPS(vsm3c, portable, struct words8, sm3_rounds(*vd, *vs2, immediate))

INSTRUCTION(vsm3me_vv, 8, HAS_VS1 | SPARES_VS2, vsm3me_portable)
INSTRUCTION(vsm3c_vi, 8, SPARES_VS2, vsm3c_portable)
