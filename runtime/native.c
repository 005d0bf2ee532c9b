// Native code's memory: see native.h.
#include "runtime/native.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/cpu_loop.h"
#include "runtime/mem.h"
#include "runtime/perfmap.h"
#include "runtime/stats.h"
#include <string.h>
#include <sys/mman.h>

enum {
    NATIVE_BYTES = 64 << 20,
    UNIT_MAX_BYTES = 64 << 10,
    UNIT_ALIGN = 16,
    UNITS = NATIVE_BYTES / 64,
};

static uint8_t scratch[UNIT_MAX_BYTES];  // a unit is made here, then copied: only then it is known which pages it takes

static void *map(size_t size, int protection) {
    long at = host_call(mmap, 0, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

bool native_init(const uint8_t *pins) {
    if (!quick_available()) return false;
    uint8_t *at = map(MEM_PAGE, PROT_READ | PROT_WRITE);
    if (!at) return false;
    quick_make_stubs(at, (uintptr_t)at, pins);
    return host_call(mprotect, at, MEM_PAGE, PROT_READ | PROT_EXEC) == 0;  // some systems forbid it to everyone
}

static bool begin(struct native *native) {
    native->base = map(NATIVE_BYTES, PROT_NONE);
    native->unit = map(UNITS * sizeof *native->unit, PROT_READ | PROT_WRITE);
    return native->base && native->unit;
}

static void protect(const uint8_t *start, size_t size, int protection) {
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(MEM_PAGE - 1), last = ((uintptr_t)start + size - 1) | (MEM_PAGE - 1);
    long error = host_call(mprotect, first, last + 1 - first, protection);
    if (error < 0) error_die("the host refused to change the protection of native code: error %ld", -error);
}

static void copy_in(uint8_t *to, const uint8_t *from, size_t size) {
    protect(to, size, PROT_READ | PROT_WRITE);
    memcpy(to, from, size);
    protect(to, size, PROT_READ | PROT_EXEC);
}

void native_switch(const struct block *block, bool away) {
    const struct quick_unit *unit = block->unit;
    uint8_t bytes[QUICK_SWITCH_BYTES];
    if (!quick_hot_passes) return;
    unsigned at = quick_number(block);
    quick_switch(unit, at, away, bytes);
    copy_in((uint8_t *)(uintptr_t)unit->code + unit->start[at], bytes, sizeof bytes);
}

bool native_make(struct native *native, struct arena *arena, struct block *const *blocks, unsigned count, bool counts, bool *full) {
    *full = false;
    if (!native->base && !begin(native)) return false;
    uint8_t *to = native->base + native->used;
    *full = NATIVE_BYTES - native->used < UNIT_MAX_BYTES || native->units == UNITS;
    if (*full) return false;
    struct quick_unit *unit = quick_emit(arena, blocks, count, scratch, sizeof scratch, (uintptr_t)to, counts);
    if (!unit) return false;
    copy_in(to, scratch, unit->bytes);
    size_t size = (unit->bytes + UNIT_ALIGN - 1) & ~(size_t)(UNIT_ALIGN - 1);
    __atomic_store_n(&native->used, native->used + size, __ATOMIC_RELAXED);
    native->unit[native->units] = unit;
    __atomic_store_n(&native->units, native->units + 1, __ATOMIC_RELEASE);
    perfmap_add(unit->code, unit->bytes, blocks[0]->pc, "quick");
    bool again = blocks[0]->unit != NULL;
    quick_install(unit);
    for (unsigned i = 0; again && i < count; i++) cpu_forget_native_jump(blocks[i]->pc);
    for (unsigned i = 0; i < count; i++) {
        if (blocks[i]->optimised) native_switch(blocks[i], true);
    }
    stats_native(unit->blocks, unit->bytes);
    return true;
}

void native_free(struct native *native) {
    if (native->base) host_call(munmap, native->base, NATIVE_BYTES);
    if (native->unit) host_call(munmap, native->unit, UNITS * sizeof *native->unit);
    *native = (struct native){0};
}

bool native_owns(const struct native *native, uint64_t host_pc) {
    return native->base && host_pc - (uintptr_t)native->base < NATIVE_BYTES;
}

const struct quick_unit *native_find(const struct native *native, uint64_t host_pc) {
    if (!native_owns(native, host_pc)) return NULL;
    uint32_t low = 0, high = __atomic_load_n(&native->units, __ATOMIC_ACQUIRE);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if ((uintptr_t)native->unit[middle]->code <= host_pc) low = middle;
        else high = middle;
    }
    return high ? native->unit[low] : NULL;
}

bool native_retry(const struct native *native, uint64_t host_pc, uint64_t address) {
    enum { LONGEST_INSTRUCTION = 15 };  // it may reach into the next page
    return address - host_pc < LONGEST_INSTRUCTION && native_owns(native, host_pc) &&
           host_pc - (uintptr_t)native->base < __atomic_load_n(&native->used, __ATOMIC_RELAXED);
}
