// The longer meanings of uops.def.
#include "translator/ir/uop_body.h"
#include "runtime/base/clock.h"
#include <string.h>
#include <time.h>

uint32_t atomic_version[ATOMIC_VERSIONS];

uint64_t uop_read_time(void) {
    return clock_nanoseconds(CLOCK_MONOTONIC) / 100;
}

INTERP_SECTION INTERP_UNCHECKED void uop_zero_line(struct cpu *cpu, uint64_t address) {
    (void)cpu;
    volatile uint64_t *line = (volatile uint64_t *)(uintptr_t)(address & ~UINT64_C(63));
    for (int i = 0; i < 8; i++) line[i] = 0;
}

static unsigned __int128 pair_read(const struct cpu *cpu, unsigned first) {
    if (first == SLOT_ZERO) return 0;
    return (unsigned __int128)cpu->slot[first + 1] << 64 | cpu->slot[first];
}

// amocas.q. Nothing else on RV64 accesses 128 bits atomically, so the host's 16-byte compare-and-swap is all it takes.
INTERP_SECTION INTERP_UNCHECKED void atomic_cas128(struct cpu *cpu, unsigned __int128 *at, unsigned a, unsigned c) {
    unsigned __int128 expected = pair_read(cpu, a), value = pair_read(cpu, c);
    atomic_raise(at);
#ifdef __x86_64__
    uint64_t low = (uint64_t)expected, high = (uint64_t)(expected >> 64);
    __asm__ volatile("lock cmpxchg16b %2"
                     : "+a"(low), "+d"(high), "+m"(*at)
                     : "b"((uint64_t)value), "c"((uint64_t)(value >> 64))
                     : "cc");
    unsigned __int128 old = (unsigned __int128)high << 64 | low;
#else
    unsigned __int128 old = __sync_val_compare_and_swap(at, expected, value);
#endif
    if (a == SLOT_ZERO || a == SLOT_SINK) return;
    cpu->slot[a] = (uint64_t)old;
    cpu->slot[a + 1] = (uint64_t)(old >> 64);
}

INTERP_SECTION INTERP_UNCHECKED void atomic_wait_reserved(struct cpu *cpu) {
    for (int i = 0; i < 200 && cpu->reserved_address && !__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED); i++) {
        if (__atomic_load_n(atomic_version_of((void *)(uintptr_t)cpu->reserved_address), __ATOMIC_RELAXED) != cpu->reserved_version)
            return;
        atomic_pause();
    }
}
