// Native code's memory: see native.h.
#include "runtime/native.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/cpu_loop.h"
#include "runtime/mem.h"
#include "runtime/perfmap.h"
#include "runtime/sheets.h"
#include "runtime/stats.h"
#include <string.h>
#include <sys/mman.h>

enum {
    NATIVE_BYTES = 256 << 20,
    UNIT_MAX_BYTES = 64 << 10,
    UNIT_ALIGN = 16,
    UNITS = NATIVE_BYTES / 64,
    SHEETS = NATIVE_BYTES / 512,
    LINKED_TOGETHER = 16,  // exits, or
    LINKED_SHARE = 16,  // one for so many that are linked already
    WAITING_PASSES = 1000,
    MOST_PATIENCE = 14,
    READY_BYTES = 64 << 10,
    POPULATE_WRITE = 23,  // MADV_POPULATE_WRITE, for which C libraries are too old; where the kernel is, pages come one by one
    COUNTERS = 1024,
    FEW = 8,  // pages are better made writable one by one
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
    native->laid = map(SHEETS * sizeof *native->laid, PROT_READ | PROT_WRITE);
    return native->base && native->unit && native->laid;
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

// ---- exits that lead straight to their targets

static void write_distance(const struct quick_exit *exit, const uint8_t *to) {
    int32_t distance = to ? (int32_t)(to - (exit->site + sizeof distance)) : exit->away;
    memcpy(exit->site, &distance, sizeof distance);
}

struct span {
    const uint8_t *start, *end;
};

static void widen(struct span *span, const struct quick_exit *exit) {
    if (!span->start || exit->site < span->start) span->start = exit->site;
    if (exit->site + sizeof exit->away > span->end) span->end = exit->site + sizeof exit->away;
}

// Where all of these lead now, or away: whoever comes by meanwhile waits in native_retry.
static void write_distances(struct quick_exit *const *exits, unsigned count, bool linked) {
    struct span all = {0};
    for (unsigned i = 0; i < count; i++) widen(&all, exits[i]);
    bool together = count > FEW;
    if (together) protect(all.start, (size_t)(all.end - all.start), PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < count; i++) {
        if (!together) protect(exits[i]->site, sizeof exits[i]->away, PROT_READ | PROT_WRITE);
        write_distance(exits[i], linked ? quick_entry(threaded_of(exits[i]->out.target)->about->block) : NULL);
        if (!together) protect(exits[i]->site, sizeof exits[i]->away, PROT_READ | PROT_EXEC);
    }
    if (together) protect(all.start, (size_t)(all.end - all.start), PROT_READ | PROT_EXEC);
}

// The block that an exit leads to by way of its target, if it could do so directly.
static struct block *target_of(const struct quick_exit *exit) {
    const struct cell *cell = __atomic_load_n(&exit->out.target, __ATOMIC_ACQUIRE);
    struct block *block = cell == &exit->out.link ? NULL : threaded_of(cell)->about->block;
    return block && !block->dead && (block->unit || block->optimised || block->kept) ? block : NULL;
}

static void enlist(struct quick_exit *exit, struct block *block) {
    exit->state = QUICK_LINKED;
    exit->next = block->linked;
    block->linked = exit;
}

static void link_waiting(struct native *native) {
    struct quick_exit *good[NATIVE_WAITING];
    unsigned count = 0;
    for (unsigned i = 0; i < native->waitings; i++) {
        struct quick_exit *exit = native->waiting[i];
        struct block *block = target_of(exit);
        exit->state = QUICK_APART;
        if (!block) continue;
        enlist(exit, block);
        good[count++] = exit;
    }
    write_distances(good, count, true);
    native->links += count;
    native->waitings = 0;
}

// An exit of a sheet jumps to where its word says: nothing else has to be changed.
static void link_word(struct quick_exit *exit) {
    struct block *block = target_of(exit);
    if (exit->state == QUICK_LINKED) return;
    __atomic_store_n(&exit->passes, QUICK_LINK_PASSES, __ATOMIC_RELAXED);
    if (!block) return;
    enlist(exit, block);
    __atomic_store_n(exit->word, quick_entry(block), __ATOMIC_RELEASE);
}

void native_link(struct native *native, struct quick_exit *exit) {
    if (exit->apart) {
        link_word(exit);
        return;
    }
    bool again = exit->state == QUICK_WAITING, ours = native_owns(native, (uintptr_t)exit->site);
    __atomic_store_n(&exit->passes, again || exit->state == QUICK_LINKED ? WAITING_PASSES : QUICK_LINK_PASSES << exit->patience,
                     __ATOMIC_RELAXED);
    if (!ours || quick_stepwise || exit->state == QUICK_LINKED) return;
    if (!target_of(exit)) {
        if (exit->patience < MOST_PATIENCE) exit->patience++;
        return;
    }
    if (!again) {
        exit->state = QUICK_WAITING;
        __atomic_store_n(&exit->passes, WAITING_PASSES, __ATOMIC_RELAXED);
        native->waiting[native->waitings++] = exit;
    }
    uint32_t enough = LINKED_TOGETHER + native->links / LINKED_SHARE;
    if (again || native->waitings == NATIVE_WAITING || native->waitings >= enough) link_waiting(native);
}

// All that lead straight to the block, some at a time.
static void rewrite(struct block *block, bool linked) {
    struct quick_exit *some[NATIVE_WAITING], *exit = block->linked;
    while (exit) {
        unsigned count = 0;
        for (; exit && count < NATIVE_WAITING; exit = exit->next) {
            if (exit->apart) __atomic_store_n(exit->word, linked ? quick_entry(block) : exit->apart, __ATOMIC_RELEASE);
            else some[count++] = exit;
        }
        if (count) write_distances(some, count, linked);
    }
}

void native_unlink(struct block *block) {
    rewrite(block, false);
    for (struct quick_exit *exit = block->linked; exit; exit = exit->next) {
        exit->state = QUICK_APART;
        __atomic_store_n(&exit->passes, QUICK_LINK_PASSES, __ATOMIC_RELAXED);
    }
    block->linked = NULL;
}

// ---- units

// The unit's jumps back to the block lead to its better code, or no longer.
static void switch_loop(const struct quick_unit *unit, const struct block *block) {
    uint8_t bytes[QUICK_SWITCH_BYTES];
    unsigned at = quick_number(block);
    if (unit->start[at] == QUICK_NOWHERE || quick_stepwise) return;
    quick_switch(unit, at, block->optimised, bytes);
    copy_in((uint8_t *)(uintptr_t)unit->code + unit->start[at], bytes, sizeof bytes);
}

void native_switch(struct block *block) {
    if (!block->unit && !block->optimised) {
        native_unlink(block);
        return;
    }
    rewrite(block, true);
    if (block->unit) switch_loop(block->unit, block);
}

static int32_t *take_counter(struct native *native, struct arena *arena) {
    if (!native->counters) {
        native->counter = arena_alloc(arena, COUNTERS * sizeof *native->counter, 64);
        native->counters = COUNTERS;
    }
    native->counters--;
    return native->counter++;
}

bool native_make(struct native *native, struct arena *arena, struct block *const *blocks, unsigned count, bool counts, bool *full) {
    *full = false;
    if (!native->base && !begin(native)) return false;
    uint8_t *to = native->base + native->used;
    *full = NATIVE_BYTES - native->used < UNIT_MAX_BYTES || native->units == UNITS;
    if (*full) return false;
    int32_t *passes = counts && quick_hot_passes ? take_counter(native, arena) : NULL;
    struct quick_unit *unit = quick_emit(arena, blocks, count, scratch, sizeof scratch, (uintptr_t)to, passes);
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
    unsigned guest_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        guest_bytes += blocks[i]->bytes;
        rewrite(blocks[i], true);
        if (blocks[i]->optimised) switch_loop(unit, blocks[i]);
    }
    stats_native(count, guest_bytes, unit->bytes);
    return true;
}

void native_divert(const uint8_t *site, struct quick_exit *exit, struct block *block) {
    static const uint8_t jump[QUICK_SWITCH_BYTES] = {0xe9};  // to what is behind it
    *exit = (struct quick_exit){
        .out.target = block->code->cell, .site = (uint8_t *)(uintptr_t)site + 1, .state = QUICK_LINKED, .next = block->linked};
    block->linked = exit;
    copy_in(exit->site - 1, jump, sizeof jump);
    rewrite(block, true);
}

// Room for so much code, writable, or NULL: *full says whether for lack of room.
static uint8_t *reserve(struct native *native, uint32_t bytes, bool *full) {
    *full = false;
    if (!native->base && !begin(native)) return NULL;
    size_t start = (native->used + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1);
    *full = start + bytes > NATIVE_BYTES;
    if (*full) return NULL;
    protect(native->base + start, bytes, PROT_READ | PROT_WRITE);
    return native->base + start;
}

static void settle(struct native *native, const uint8_t *code, uint32_t bytes) {
    protect(code, bytes, PROT_READ | PROT_EXEC);
    size_t end = (size_t)(code - native->base) + bytes;
    __atomic_store_n(&native->used, (end + UNIT_ALIGN - 1) & ~(size_t)(UNIT_ALIGN - 1), __ATOMIC_RELAXED);
}

// Whole pages for a sheet, writable: many come one after the other when a program starts, so that memory is got ready for several at once.
static uint8_t *prepare(struct native *native, uint32_t bytes, bool *full) {
    *full = false;
    if (!native->base && !begin(native)) return NULL;
    size_t start = (native->used + MEM_PAGE - 1) & ~(size_t)(MEM_PAGE - 1), end = start + bytes;
    *full = end + READY_BYTES > NATIVE_BYTES || native->laids == SHEETS;
    if (*full) return NULL;
    if (end > native->ready) {
        size_t from = native->ready > start ? native->ready : start, size = (end - from + READY_BYTES) & ~(size_t)(MEM_PAGE - 1);
        protect(native->base + from, size, PROT_READ | PROT_WRITE);
        host_call(madvise, native->base + from, size, POPULATE_WRITE);
        native->ready = from + size;
    }
    return native->base + start;
}

const uint8_t *native_lay(struct native *native, const struct sheet *sheet, uint64_t module, struct laid *laid, bool *full) {
    uint8_t *to = prepare(native, sheet->image.bytes, full);
    if (!to) return NULL;
    memcpy(to, sheet->code, sheet->image.bytes);
    bool filled = sheet_fill(sheet, module, to, (uintptr_t)to, laid->exit, laid->word);
    settle(native, to, filled ? sheet->image.bytes : 1);
    if (!filled) return NULL;
    native->laid[native->laids] = laid;
    laid->code = to;
    __atomic_store_n(&native->laids, native->laids + 1, __ATOMIC_RELEASE);
    return to;
}

const uint8_t *native_add(struct native *native, const struct image *image, const uint8_t *code, struct quick_exit *exits,
                          bool *full) {
    *full = false;
    if (!image->bytes || image->bytes > IMAGE_MAX_BYTES) return NULL;
    uint8_t *to = reserve(native, image->bytes, full);
    if (!to) return NULL;
    memcpy(to, code, image->bytes);
    bool filled = image_fill(image, to, (uintptr_t)to, exits);
    settle(native, to, filled ? image->bytes : 1);
    return filled ? to : NULL;
}

void native_free(struct native *native) {
    if (native->base) host_call(munmap, native->base, NATIVE_BYTES);
    if (native->unit) host_call(munmap, native->unit, UNITS * sizeof *native->unit);
    if (native->laid) host_call(munmap, native->laid, SHEETS * sizeof *native->laid);
    *native = (struct native){0};
}

bool native_owns(const struct native *native, uint64_t host_pc) {
    return native->base && host_pc - (uintptr_t)native->base < NATIVE_BYTES;
}

typedef const uint8_t *get_code(const struct native *native, uint32_t i);  // NOLINT: a function's type

// The last of `count` things, ascending by address, that does not begin behind a host pc: its number from 1, or 0.
static uint32_t last_before(const struct native *native, uint32_t count, get_code *code, uint64_t host_pc) {
    uint32_t low = 0, high = count;
    if (!native_owns(native, host_pc)) return 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((uintptr_t)code(native, middle) <= host_pc) low = middle + 1;
        else high = middle;
    }
    return low;
}

static const uint8_t *code_of_unit(const struct native *native, uint32_t i) {
    return native->unit[i]->code;
}

const struct quick_unit *native_find(const struct native *native, uint64_t host_pc) {
    uint32_t last = last_before(native, __atomic_load_n(&native->units, __ATOMIC_ACQUIRE), code_of_unit, host_pc);
    return last ? native->unit[last - 1] : NULL;
}

static const uint8_t *code_of_sheet(const struct native *native, uint32_t i) {
    return native->laid[i]->code;
}

struct laid *native_find_laid(const struct native *native, uint64_t host_pc) {
    uint32_t last = last_before(native, __atomic_load_n(&native->laids, __ATOMIC_ACQUIRE), code_of_sheet, host_pc);
    struct laid *laid = last ? native->laid[last - 1] : NULL;
    return laid && host_pc - (uintptr_t)laid->code < laid->sheet.image.bytes ? laid : NULL;
}

bool native_retry(const struct native *native, uint64_t host_pc, uint64_t address) {
    enum { LONGEST_INSTRUCTION = 15 };  // it may reach into the next page
    return address - host_pc < LONGEST_INSTRUCTION && native_owns(native, host_pc) &&
           host_pc - (uintptr_t)native->base < __atomic_load_n(&native->used, __ATOMIC_RELAXED);
}
