// Bump allocator on anonymous mappings: see arena.h.
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 256 << 10 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    char data[] __attribute__((aligned(16)));
};

void *pages_take(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) error_die("out of memory: the host refused %zu bytes", size);
    return at;
}

void pages_give(void *pages, size_t size) {
    munmap(pages, size);
}

static void add_chunk(struct arena *arena, size_t least) {
    size_t size = (sizeof(struct arena_chunk) + least + 4095) & ~(size_t)4095;
    if (size < CHUNK) size = CHUNK;
    struct arena_chunk *chunk = pages_take(size);
    *chunk = (struct arena_chunk){arena->chunks, size};
    arena->chunks = chunk;
    arena->next = chunk->data;
    arena->end = (char *)chunk + size;
}

static char *align_up(char *at, size_t align) {
    return (char *)(((size_t)at + align - 1) & ~(align - 1));
}

void *arena_alloc(struct arena *arena, size_t size, size_t align) {
    char *at = align_up(arena->next, align);
    if (!arena->next || at > arena->end || size > (size_t)(arena->end - at)) {
        add_chunk(arena, size + align);
        at = align_up(arena->next, align);
    }
    arena->next = at + size;
    arena->used += size;
    return at;
}

char *arena_strdup(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size, 1), text, size);
}

void arena_free(struct arena *arena) {
    for (struct arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        pages_give(chunk, chunk->size);
    }
    *arena = (struct arena){0};
}
