// Bump allocator on anonymous mappings: many small pieces that live and die together. Not thread-safe; callers lock.
// Nothing here uses malloc, because the guest may fork while another thread holds malloc's locks.
#pragma once
#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    char *next, *end;
    size_t used;  // bytes handed out
};

// `size` bytes, zeroed, aligned to `align` (a power of two, at most 4096). Never NULL: memory that the host cannot
// give ends the program with a message.
void *arena_alloc(struct arena *arena, size_t size, size_t align);
char *arena_strdup(struct arena *arena, const char *text);
// Gives every chunk back to the host; the arena is then empty and usable again.
void arena_free(struct arena *arena);

// Whole pages from the host, zeroed; never NULL. By way of the C library, so that sanitizers see them come and go.
void *pages_take(size_t size);
void pages_give(void *pages, size_t size);
