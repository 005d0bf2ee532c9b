// The list of guest areas behind mem.h, shared by mem.c and mem_move.c only. Callers hold mem_lock.
#pragma once
#include "runtime/mem.h"
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

extern struct mem_area *mem__area;  // sorted, not overlapping
extern size_t mem__count;

void mem__list_init(void);
// Makes sure that a few more areas fit (one operation's worth): 0, or -ENOMEM.
long mem__reserve(void);
// Index of the first area that ends above `address`.
size_t mem__above(uint64_t address);
// Removes what lies in [start, end), cutting areas in two where needed.
void mem__cut(uint64_t start, uint64_t end);
// Adds an area where nothing is, and joins it with equal neighbours.
void mem__put(const struct mem_area *area);
// Areas that grow downwards do so without our doing; notes how far those have come that reach into [start, end).
void mem__see_growth(uint64_t start, uint64_t end);
// Whether [start, end) holds nothing, nor is in the way of an area that grows.
bool mem__is_free(uint64_t start, uint64_t end);
// Whether all of [start, end) is mapped.
bool mem__is_full(uint64_t start, uint64_t end);
bool mem__is_sealed(uint64_t start, uint64_t end);
// The highest free place of `size` bytes below the top of mappings, aligned to `align`; 0 where there is none.
uint64_t mem__find_gap(uint64_t size, uint64_t align);
// Drops translations if [start, end) holds executable areas.
void mem__tell_code(uint64_t start, uint64_t end);
// After a host call that failed half way: removes what the host does not have any more of [start, end).
void mem__recheck(uint64_t start, uint64_t end);
// Whether the host has all of [start, end) mapped.
bool mem__host_has(uint64_t start, uint64_t end);

// Shared by mem.c and mem_move.c.
int mem__host_prot(int prot);
long mem__unmap(uint64_t start, uint64_t end);
uint32_t mem__new_mapping(void);
void mem__lock_future(int flags);  // MCL_FUTURE and MCL_ONFAULT, or 0

static inline uint64_t mem__page_up(uint64_t size) {
    return (size + MEM_PAGE - 1) & ~(MEM_PAGE - 1);
}

static inline bool mem__in_range(uint64_t start, uint64_t size) {
    return start >= MEM_BOTTOM && mem_is_guest(start, size);
}

static inline uint64_t mem__lower(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static inline uint64_t mem__higher(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}
