// The sorted array of guest areas: see mem_list.h. Everything is a binary search and a memmove. Neighbours that are equal in all
// that matters are one area, so the list is as short as the kernel's own. Areas that grow downwards (stacks) grow by page
// faults, of which we hear nothing: before such an area's lower end matters, the host is asked where it is now.
#include "runtime/mem_list.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_AREAS = 1024,
    SPARE_AREAS = 4,         // what one operation may add
    GUARD = 256 * MEM_PAGE,  // kept free below an area that grows (kernel: stack_guard_gap)
    USUAL_LIMIT = 65530,     // vm.max_map_count where nobody changed it
    OWN_MAPPINGS = 530,      // of the limit's, left to the runner
};

struct mem_area *mem__area;
size_t mem__count;
// The array lies in the middle of its buffer, so that it can be opened and closed from the nearer end: programs map from the top
// down, which is always at one end.
static struct mem_area *buffer;
static size_t room;
static size_t limit = USUAL_LIMIT - OWN_MAPPINGS;
static bool limit_known;
static uint64_t top = MEM_TOP;
// Above `searched_to` no free place is larger than `largest_above`.
static uint64_t searched_to = MEM_TOP, largest_above;

static void centre(size_t new_room) {
    struct mem_area *to = buffer + (new_room - mem__count) / 2;
    memmove(to, mem__area, mem__count * sizeof *to);
    mem__area = to;
    room = new_room;
}

void mem__list_init(void) {
    long at = host_call(mmap, 0, FIRST_AREAS * sizeof *buffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096) error_die("out of memory for the list of guest mappings");
    buffer = mem__area = (struct mem_area *)at;
    centre(FIRST_AREAS);
}

void mem_set_top(uint64_t new_top) {
    top = searched_to = new_top;
    largest_above = 0;
}

// The kernel's own limit on mappings, asked for only by those who come near the usual one.
static void learn_limit(void) {
    char text[32] = "";
    long fd = host_call(openat, AT_FDCWD, "/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    limit_known = true;
    if (fd < 0) return;
    host_call(read, fd, text, sizeof text - 1);
    host_call(close, fd);
    size_t most = strtoull(text, NULL, 10);
    limit = most > 2 * OWN_MAPPINGS ? most - OWN_MAPPINGS : most / 2;
}

// The list's doubling is the only allocation here, so a guest at the limit gets ENOMEM and the runner still has mappings for itself.
long mem__reserve(void) {
    size_t head = (size_t)(mem__area - buffer);
    if (mem__count + SPARE_AREAS > limit && !limit_known) learn_limit();
    if (mem__count + SPARE_AREAS > limit) return -ENOMEM;
    if (head >= SPARE_AREAS && room - head - mem__count >= SPARE_AREAS) return 0;
    if (2 * mem__count <= room) return centre(room), 0;
    long at = host_call(mremap, buffer, room * sizeof *buffer, 2 * room * sizeof *buffer, MREMAP_MAYMOVE);
    if (at < 0 && at > -4096) return -ENOMEM;
    buffer = (struct mem_area *)at;
    mem__area = buffer + head;
    centre(2 * room);
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
    if (at < mem__count / 2) {
        mem__area--;
        memmove(mem__area, mem__area + 1, at * sizeof *mem__area);
    } else memmove(&mem__area[at + 1], &mem__area[at], (mem__count - at) * sizeof *mem__area);
    mem__count++;
}

static void close_slots(size_t at, size_t count) {
    size_t behind = mem__count - at - count;
    if (at < behind) {
        memmove(mem__area + count, mem__area, at * sizeof *mem__area);
        mem__area += count;
    } else memmove(&mem__area[at], &mem__area[at + count], behind * sizeof *mem__area);
    mem__count -= count;
}

// What begins at `start` has become free: the place that it is part of may be the largest above where the search has come, or reach above.
static void note_free(uint64_t start) {
    size_t i = mem__above(start);
    uint64_t low = i ? mem__area[i - 1].end : MEM_BOTTOM, high = i < mem__count ? mem__area[i].start : MEM_TOP;
    if (start >= top || high <= searched_to) return;
    if (low < searched_to) searched_to = mem__lower(high, top);
    else if (high - low > largest_above) largest_above = high - low;
}

static void cut(uint64_t start, uint64_t end) {
    size_t i = mem__above(start);
    if (i < mem__count && mem__area[i].start < start) {
        if (mem__area[i].end > end) {  // a hole in the middle
            struct mem_area before = mem__area[i];
            open_slot(i);
            mem__area[i] = before;
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

void mem__cut(uint64_t start, uint64_t end) {
    cut(start, end);
    note_free(start);
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

// The highest free place below `limit`, or 0; the size of the largest that was too small goes to `largest`.
static uint64_t gap_below(uint64_t limit, uint64_t size, uint64_t align, uint64_t *largest) {
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
            if (at >= low) {
                *largest = mem__higher(*largest, high - (at + size));
                return at;
            }
        }
        if (high > low) *largest = mem__higher(*largest, high - low);
        if (!i) return 0;
        if (mem__area[i - 1].flags & MAP_GROWSDOWN) mem__see_growth(mem__area[i - 1].start - 1, mem__area[i - 1].start);
        high = mem__lower(high, fence(i - 1));
    }
}

uint64_t mem__find_gap(uint64_t size, uint64_t align) {
    bool again = size <= largest_above;  // something above may do
    uint64_t from = again ? top : searched_to, largest = again ? 0 : largest_above;
    uint64_t at = gap_below(from, size, align, &largest);
    if (!at) return gap_below(MEM_TOP, size, align, &largest);
    if (!again || at <= searched_to) {
        searched_to = at + size;
        largest_above = largest;
    }
    return at;
}

uint64_t mem_size(void) {
    uint64_t size = 0;
    lock_take(&mem_lock);
    for (size_t i = 0; i < mem__count; i++) size += mem__area[i].end - mem__area[i].start;
    lock_drop(&mem_lock);
    return size;
}
