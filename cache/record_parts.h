// How records are written and read: part by part, from the front to the end, with zeros up to a multiple of RECORD_ALIGN. Nothing is written or read behind
// the end.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RECORD_ALIGN = 8 };

struct writing {
    uint8_t *at;
    size_t left;
    bool failed;
};

static inline void put(struct writing *w, const void *from, size_t size) {
    w->failed |= size > w->left;
    if (w->failed) return;
    memcpy(w->at, from, size);
    w->at += size;
    w->left -= size;
}

// The record's size, or 0 if anything failed.
static inline size_t put_end(struct writing *w, const uint8_t *buffer) {
    static const uint8_t zeros[RECORD_ALIGN];
    put(w, zeros, (size_t)(buffer - w->at) % RECORD_ALIGN);
    return w->failed ? 0 : (size_t)(w->at - buffer);
}

// Takes `count` things from the front, or NULL.
static inline const void *take(const uint8_t **at, size_t *left, uint64_t count, size_t size) {
    if (count > *left / size) return NULL;
    const void *taken = *at;
    *at += count * size;
    *left -= count * size;
    return taken;
}

// The header; NULL if there is none, or the record lies where none may.
static inline const void *take_header(const uint8_t **at, size_t *left, size_t size) {
    return (uintptr_t)*at % RECORD_ALIGN ? NULL : take(at, left, 1, size);
}
