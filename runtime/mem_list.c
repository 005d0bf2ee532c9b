// The sorted array of guest areas: see mem_list.h. Everything is a binary search and a memmove. Neighbours that are equal in all
// that matters are one area, so the list is as short as the kernel's own. Areas that grow downwards (stacks) grow by page
// faults, of which we hear nothing: before such an area's lower end matters, the host is asked where it is now.
#include "runtime/mem_list.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include <errno.h>
#include <string.h>

enum {
    FIRST_AREAS = 1024,
    SPARE_AREAS = 4,  // what one operation may add
    GUARD = 256 * MEM_PAGE,  // kept free below an area that grows (kernel: stack_guard_gap)
};

struct mem_area *mem__area;
size_t mem__count;
static size_t room;
static uint64_t top = MEM_TOP;

void mem__list_init(void) {
    long at = host_call(mmap, 0, FIRST_AREAS * sizeof *mem__area, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096) error_die("out of memory for the list of guest mappings");
    mem__area = (struct mem_area *)at;
    room = FIRST_AREAS;
}

void mem_set_top(uint64_t new_top) {
    top = new_top;
}

long mem__reserve(void) {
    if (mem__count + SPARE_AREAS <= room) return 0;
    long at = host_call(mremap, mem__area, room * sizeof *mem__area, 2 * room * sizeof *mem__area, MREMAP_MAYMOVE);
    if (at < 0 && at > -4096) return -ENOMEM;
    mem__area = (struct mem_area *)at;
    room *= 2;
    return 0;
}

size_t mem__above(uint64_t address) {
    size_t low = 0, high = mem__count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mem__area[middle].end > address) high = middle;
        else low = middle + 1;
    }
    return low;
}

static void open_slot(size_t at) {
    memmove(&mem__area[at + 1], &mem__area[at], (mem__count - at) * sizeof *mem__area);
    mem__count++;
}

static void close_slots(size_t at, size_t count) {
    memmove(&mem__area[at], &mem__area[at + count], (mem__count - at - count) * sizeof *mem__area);
    mem__count -= count;
}

void mem__cut(uint64_t start, uint64_t end) {
    size_t i = mem__above(start);
    if (i < mem__count && mem__area[i].start < start) {
        if (mem__area[i].end > end) {  // a hole in the middle
            open_slot(i);
            mem__area[i].end = start;
            mem__area[i + 1].start = end;
            return;
        }
        mem__area[i++].end = start;
    }
    size_t last = i;
    while (last < mem__count && mem__area[last].end <= end) last++;
    close_slots(i, last - i);
    if (i < mem__count && mem__area[i].start < end) mem__area[i].start = end;
}

static bool joins(const struct mem_area *a, const struct mem_area *b) {
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->kind == b->kind && a->sealed == b->sealed &&
           a->no_fork == b->no_fork && a->mapping == b->mapping;
}

static void join_with_next(size_t i) {
    if (i + 1 >= mem__count || !joins(&mem__area[i], &mem__area[i + 1])) return;
    mem__area[i].end = mem__area[i + 1].end;
    close_slots(i + 1, 1);
}

void mem__put(const struct mem_area *area) {
    size_t i = mem__above(area->start);
    open_slot(i);
    mem__area[i] = *area;
    join_with_next(i);
    if (i) join_with_next(i - 1);
}

// ---- areas that grow

// msync(2) without flags changes nothing and says ENOMEM where a page is not mapped.
bool mem__host_has(uint64_t start, uint64_t end) {
    return host_call(msync, start, end - start, 0) != -ENOMEM;
}

// Where the area that the list has beginning at `start` begins now; nothing else lies in [low, start).
static uint64_t grown_start(uint64_t low, uint64_t start) {
    uint64_t has = start;
    if (start == low || !mem__host_has(start - MEM_PAGE, start)) return start;
    while (low < has) {
        uint64_t middle = (low + (has - low) / 2) & ~(MEM_PAGE - 1);
        if (mem__host_has(middle, middle + MEM_PAGE)) has = middle;
        else low = middle + MEM_PAGE;
    }
    return has;
}

void mem__see_growth(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); i < mem__count; i++) {
        uint64_t low = i ? mem__area[i - 1].end : MEM_BOTTOM;
        if (low >= end) return;
        if (mem__area[i].flags & MAP_GROWSDOWN) mem__area[i].start = grown_start(low, mem__area[i].start);
    }
}

// Where the free space below area `i` ends.
static uint64_t fence(size_t i) {
    uint64_t start = mem__area[i].start;
    if (!(mem__area[i].flags & MAP_GROWSDOWN)) return start;
    return start > GUARD ? start - GUARD : 0;
}

bool mem__is_free(uint64_t start, uint64_t end) {
    mem__see_growth(start, end + GUARD);
    size_t i = mem__above(start);
    return i == mem__count || fence(i) >= end;
}

// ---- questions

bool mem__is_full(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); start < end; start = mem__area[i++].end) {
        if (i == mem__count || mem__area[i].start > start) return false;
    }
    return true;
}

bool mem__is_sealed(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); i < mem__count && mem__area[i].start < end; i++) {
        if (mem__area[i].sealed) return true;
    }
    return false;
}

void mem__tell_code(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); i < mem__count && mem__area[i].start < end; i++) {
        uint64_t from = mem__higher(start, mem__area[i].start), to = mem__lower(end, mem__area[i].end);
        if (mem__area[i].prot & PROT_EXEC) code_invalidate(from, to - from);
    }
}

void mem__recheck(uint64_t start, uint64_t end) {
    for (size_t i = mem__above(start); i < mem__count && mem__area[i].start < end; i++) {
        uint64_t from = mem__higher(start, mem__area[i].start), to = mem__lower(end, mem__area[i].end);
        if (mem__host_has(from, to)) continue;
        mem__tell_code(from, to);
        mem__cut(from, to);
        i = mem__above(from) - 1;
    }
}

static uint64_t gap_below(uint64_t limit, uint64_t size, uint64_t align) {
    uint64_t high = limit;
    size_t i = mem__above(limit - 1);
    if (i < mem__count) {
        mem__see_growth(limit - 1, limit + GUARD);
        high = mem__lower(high, fence(i));
    }
    for (;; i--) {
        uint64_t low = i ? mem__area[i - 1].end : MEM_BOTTOM;
        if (high > low && high - low >= size) {
            uint64_t at = (high - size) & ~(align - 1);
            if (at >= low) return at;
        }
        if (!i) return 0;
        if (mem__area[i - 1].flags & MAP_GROWSDOWN) mem__see_growth(mem__area[i - 1].start - 1, mem__area[i - 1].start);
        high = mem__lower(high, fence(i - 1));
    }
}

uint64_t mem__find_gap(uint64_t size, uint64_t align) {
    uint64_t at = gap_below(top, size, align);
    return at ? at : gap_below(MEM_TOP, size, align);
}

uint64_t mem_size(void) {
    uint64_t size = 0;
    lock_take(&mem_lock);
    for (size_t i = 0; i < mem__count; i++) size += mem__area[i].end - mem__area[i].start;
    lock_drop(&mem_lock);
    return size;
}
