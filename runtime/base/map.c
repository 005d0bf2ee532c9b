// Hash map with linear probing: see map.h. Removal moves later entries of the run back instead of leaving marks, so look-ups
// never get slower with age.
#include "runtime/base/map.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include <assert.h>
#include <sys/mman.h>

enum { FIRST_SIZE = 4096 / sizeof(struct map_entry) };

static size_t bytes_of(size_t size) {
    return size * sizeof(struct map_entry);
}

// Keys are often addresses, which differ in the middle bits only: the product spreads them over its top bits.
static size_t place_of(const struct map *map, uint64_t key) {
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->size - 1);
}

// The entry of `key`, or the free one where it belongs. There is always a free one.
static struct map_entry *probe(const struct map *map, uint64_t key) {
    size_t at = place_of(map, key);
    while (map->entry[at].value && map->entry[at].key != key) at = (at + 1) & (map->size - 1);
    return &map->entry[at];
}

static struct map_entry *new_entries(size_t size) {
    long at = host_call(mmap, 0, bytes_of(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096) error_die("out of memory: the host refused %zu bytes", bytes_of(size));
    return (struct map_entry *)at;
}

static void grow(struct map *map) {
    struct map old = *map;
    map->size = old.size ? old.size * 2 : FIRST_SIZE;
    map->entry = new_entries(map->size);
    for (size_t at = 0; at < old.size; at++) {
        if (old.entry[at].value) *probe(map, old.entry[at].key) = old.entry[at];
    }
    if (old.entry) host_call(munmap, old.entry, bytes_of(old.size));
}

void *map_find(const struct map *map, uint64_t key) {
    return map->count ? probe(map, key)->value : NULL;
}

void *map_insert(struct map *map, uint64_t key, void *value) {
    assert(value);
    if ((map->count + 1) * 4 > map->size * 3) grow(map);
    struct map_entry *entry = probe(map, key);
    void *before = entry->value;
    *entry = (struct map_entry){key, value};
    map->count += !before;
    return before;
}

// Fills the hole at `hole` with a later entry of the same run that may stand there, and goes on with the hole that this leaves.
static void close_hole(struct map *map, size_t hole) {
    size_t mask = map->size - 1;
    for (size_t at = (hole + 1) & mask; map->entry[at].value; at = (at + 1) & mask) {
        size_t distance_from_home = (at - place_of(map, map->entry[at].key)) & mask;
        if (distance_from_home < ((at - hole) & mask)) continue;
        map->entry[hole] = map->entry[at];
        hole = at;
    }
    map->entry[hole].value = NULL;
}

void *map_remove(struct map *map, uint64_t key) {
    if (!map->count) return NULL;
    struct map_entry *entry = probe(map, key);
    void *before = entry->value;
    if (!before) return NULL;
    close_hole(map, (size_t)(entry - map->entry));
    map->count--;
    return before;
}

const struct map_entry *map_next(const struct map *map, size_t *at) {
    while (*at < map->size) {
        const struct map_entry *entry = &map->entry[(*at)++];
        if (entry->value) return entry;
    }
    return NULL;
}

void map_free(struct map *map) {
    if (map->entry) host_call(munmap, map->entry, bytes_of(map->size));
    *map = (struct map){0};
}
