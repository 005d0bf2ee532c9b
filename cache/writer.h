// Writes the store's files, for ferry-compiler: the one user of sqlite. No file is ever changed: the new one is written beside the old and takes its
// name, so that readers need no lock and a writer may die at any moment. One thread only.
#pragma once
#include "cache/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer;

struct writer_record {
    uint32_t kind, count;
    const uint32_t *entries;
    const uint8_t *bytes;
    uint32_t size;  // 1 to 16 MB
};

struct writer_status {
    uint64_t records, files;  // written
    uint64_t dropped;  // records that could not be written
    uint64_t damaged;  // files that were moved to damaged/
    uint64_t evicted;  // files that were removed for want of room
    const char *why;  // nothing is written any more, or NULL
};

#define WRITER_LIMIT (UINT64_C(2) << 30)  // bytes of all code, by default

// A writer of what belongs to `build` below `directory`, which is made where it is missing. NULL for want of memory only: where nothing can be kept the
// status says so, and what is added is dropped.
struct writer *writer_open(const char *directory, const struct store_key *build, uint64_t limit);
// Adds a record of a module; what it points to is copied. It replaces older records for the entries that they share, and is not written before
// writer_flush. False if it is not of a kind that can be kept, or for want of memory.
bool writer_add(struct writer *writer, const struct store_key *module, const char *name, const struct writer_record *record);
bool writer_add_profile(struct writer *writer, const struct store_key *module, const char *name,
                        const struct writer_record *record);
// Writes what was added, but for modules that another writer has in hand at the moment or that took so long to write that it would
// be a burden so soon: these wait for another call. To be called about every second.
void writer_flush(struct writer *writer);
// Writes at once all that no other writer is in the way of, whatever it costs: where memory is to be had again.
void writer_write(struct writer *writer);
const struct writer_status *writer_status(const struct writer *writer);
// Writes all that was added, and waits for other writers, some seconds at most.
void writer_close(struct writer *writer);
