// Guest atomics on the host's, and load-reserved/store-conditional on compare-and-swap. (RISC-V unprivileged manual, "A"
// and "Zacas" extensions.) All are sequentially consistent: on x86-64 that costs nothing more, and it satisfies every aq/rl.
//
// A store-conditional must fail if another hart stored to the reserved address in between, even if it stored the same value
// (ABA). Stores by atomics are seen through a table of versions, hashed by address: every guest atomic that stores raises the version
// before it does, LR notes it, SC compares version and value. Plain stores that restore the exact value are not seen.
#pragma once
#include "translator/ir/cpu.h"
#include <stdint.h>

enum { ATOMIC_VERSIONS = 1024 };
extern uint32_t atomic_version[ATOMIC_VERSIONS];

#define ATOMIC_INLINE static inline __attribute__((always_inline))

ATOMIC_INLINE uint32_t *atomic_version_of(const void *at) {
    return &atomic_version[((uintptr_t)at >> 3) % ATOMIC_VERSIONS];
}

ATOMIC_INLINE void atomic_raise(const void *at) {
    __atomic_fetch_add(atomic_version_of(at), 1, __ATOMIC_SEQ_CST);
}

// clang-format off: macros that read as tables
#define ATOMIC_WIDTH(bits)                                                                                                   \
    ATOMIC_INLINE uint##bits##_t atomic_load_reserved##bits(struct cpu *cpu, uint##bits##_t *at) {                           \
        cpu->reserved_version = __atomic_load_n(atomic_version_of(at), __ATOMIC_SEQ_CST);                                    \
        uint##bits##_t value = __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                        \
        cpu->reserved_address = (uintptr_t)at;                                                                               \
        cpu->reserved_value = value;                                                                                         \
        return value;                                                                                                        \
    }                                                                                                                        \
    /* 0 on success, 1 on failure, as SC returns it; the reservation is gone either way */                                   \
    ATOMIC_INLINE uint64_t atomic_store_conditional##bits(struct cpu *cpu, uint##bits##_t *at, uint##bits##_t value) {       \
        uint##bits##_t expected = (uint##bits##_t)cpu->reserved_value;                                                       \
        uint32_t version = cpu->reserved_version;                                                                            \
        uint64_t address = cpu->reserved_address;                                                                            \
        cpu->reserved_address = 0;                                                                                           \
        if (address != (uintptr_t)at) return 1;                                                                              \
        if (!__atomic_compare_exchange_n(atomic_version_of(at), &version, version + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) \
            return 1;                                                                                                        \
        return !__atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                    \
    }                                                                                                                        \
    ATOMIC_INLINE uint##bits##_t atomic_swap##bits(uint##bits##_t *at, uint##bits##_t value) {                               \
        atomic_raise(at);                                                                                                    \
        return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                                             \
    }                                                                                                                        \
    ATOMIC_INLINE uint##bits##_t atomic_cas##bits(uint##bits##_t *at, uint##bits##_t expected, uint##bits##_t value) {       \
        atomic_raise(at);                                                                                                    \
        __atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                            \
        return expected;                                                                                                     \
    }                                                                                                                        \
    ATOMIC_FETCH(add, bits, __atomic_fetch_add)                                                                              \
    ATOMIC_FETCH(xor, bits, __atomic_fetch_xor)                                                                              \
    ATOMIC_FETCH(and, bits, __atomic_fetch_and)                                                                              \
    ATOMIC_FETCH(or, bits, __atomic_fetch_or)                                                                                \
    ATOMIC_CHOOSE(min, bits, (int##bits##_t)old < (int##bits##_t)value)                                                      \
    ATOMIC_CHOOSE(max, bits, (int##bits##_t)old > (int##bits##_t)value)                                                      \
    ATOMIC_CHOOSE(minu, bits, old < value)                                                                                   \
    ATOMIC_CHOOSE(maxu, bits, old > value)

#define ATOMIC_FETCH(name, bits, builtin)                                                            \
    ATOMIC_INLINE uint##bits##_t atomic_##name##bits(uint##bits##_t *at, uint##bits##_t value) {     \
        atomic_raise(at);                                                                            \
        return builtin(at, value, __ATOMIC_SEQ_CST);                                                 \
    }

#define ATOMIC_CHOOSE(name, bits, keeps_old)                                                                                \
    ATOMIC_INLINE uint##bits##_t atomic_##name##bits(uint##bits##_t *at, uint##bits##_t value) {                            \
        atomic_raise(at);                                                                                                   \
        uint##bits##_t old = __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                         \
        while (!__atomic_compare_exchange_n(at, &old, (keeps_old) ? old : value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {} \
        return old;                                                                                                         \
    }

ATOMIC_WIDTH(32)
ATOMIC_WIDTH(64)
#undef ATOMIC_WIDTH
#undef ATOMIC_FETCH
#undef ATOMIC_CHOOSE
// clang-format on

// amocas.q: comparand and result in slots (a, a + 1), new value in (c, c + 1); slot 0 as first of a pair reads as 0 and is not written.
void atomic_cas128(struct cpu *cpu, unsigned __int128 *at, unsigned a, unsigned c);
// fence: full, since a store before it may not pass a load behind it (the one reordering that x86-64 does).
ATOMIC_INLINE void atomic_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
ATOMIC_INLINE void atomic_pause(void) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}
// wrs.nto, wrs.sto ("Zawrs"): returns when the reserved value changed, at the latest after some microseconds.
void atomic_wait_reserved(struct cpu *cpu);
