// A hash map from 64-bit keys to pointers on anonymous mappings: open addressing, no malloc. Not thread-safe; callers lock.
// A zeroed struct map is an empty one that holds no memory.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct map_entry {
    uint64_t key;
    void *value;  // NULL: the place is free
};

struct map {
    struct map_entry *entry;
    size_t size;   // places, a power of two, or 0
    size_t count;  // of them in use
};

// The value of `key`, or NULL.
void *map_find(const struct map *map, uint64_t key);
// Gives `key` the value `value`, which must not be NULL. Returns the value it had, or NULL. Memory that the host cannot
// give ends the program with a message.
void *map_insert(struct map *map, uint64_t key, void *value);
// Forgets `key`. Returns the value it had, or NULL.
void *map_remove(struct map *map, uint64_t key);
// Walks all entries in no order: start with *at = 0; NULL at the end. An insertion or removal in between makes the walk skip or
// repeat entries.
const struct map_entry *map_next(const struct map *map, size_t *at);
// Gives the memory back to the host; the map is then empty and usable again.
void map_free(struct map *map);
