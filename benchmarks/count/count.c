// ferry-count: the runner with an interpreter that counts how often each cell of each block is carried out, for choosing the sequences
// that translator/interp/sequences.def fuses. Slow, and the same program otherwise.
//
// This file is the interpreter compiled a second time, in the form for compilers without guaranteed tail calls (each function
// returns the next cell to a loop) and without sequences; the loop is here. Counts go into the file that FERRY_COUNTS names, through a
// shared mapping, so that they are there however the guest ends; children add theirs. count_sequences.py reads it.
#include "runtime/base/error.h"
#include "runtime/base/map.h"
#include "runtime/base/sys.h"
#include "translator/interp/section.h"
#include "translator/ir/uop_body.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define interp_run interp_run_uncounted
#define cell_sequence_count cell_sequence_count_unused
#undef __clang__  // which is how interp.c knows that it can have tail calls
#include "translator/interp/interp.c"
#undef interp_run
#undef cell_sequence_count

extern const unsigned cell_sequence_count;
const unsigned cell_sequence_count = 0;

// The file: this header, then records up to `used` bytes. Each record is followed by uint64_t counts and uint16_t codes (cells.h),
// one per cell, and room up to a multiple of 8 bytes. Bits 12 to 15 of a code say how the cell takes the result of the one before.
struct counts_header {
    uint64_t used;
};

struct record {
    uint64_t bytes, pc, cells;
    uint64_t count[];
};

enum { FILE_BYTES = 1 << 30 };

static struct counts_header *header;

static void open_counts(void) {
    const char *path = getenv("FERRY_COUNTS");
    if (!path) error_die("FERRY_COUNTS must name a file for the counts");
    long fd = host_call(openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) error_die("cannot write %s: error %ld", path, -fd);
    long error = host_call(ftruncate, fd, FILE_BYTES);
    if (error < 0) error_die("cannot make %s larger: error %ld", path, -error);
    long at = host_call(mmap, 0, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at < 0 && at > -4096) error_die("cannot map %s: error %ld", path, -at);
    host_call(close, fd);
    header = (struct counts_header *)at;
}

static void record_codes(uint16_t *codes, const struct block *block) {
    for (unsigned i = 0, last = 0; i < block->count; i++) {
        bool data = i && i < last + cell_width(codes[last] & 0xfff);
        unsigned code = block->code->about->cell_code[2 * i];
        unsigned chains = data || !i ? 0 : cell_chains(&block->code->cell[last], codes[last] & 0xfff, &block->code->cell[i], code);
        codes[i] = (uint16_t)(code | chains << 12);
        if (!data) last = i;
    }
}

static struct record *new_record(const struct block *block) {
    uint64_t bytes = (sizeof(struct record) + block->count * (sizeof(uint64_t) + sizeof(uint16_t)) + 7) & ~UINT64_C(7);
    uint64_t at = sizeof *header + __atomic_fetch_add(&header->used, bytes, __ATOMIC_RELAXED);
    if (at + bytes > FILE_BYTES) error_die("the file of counts is full");
    struct record *record = (struct record *)((char *)header + at);
    *record = (struct record){bytes, block->pc, block->count};
    uint16_t *code = (uint16_t *)(record->count + block->count);
    record_codes(code, block);
    return record;
}

static __thread struct map records;  // by address of a block's first cell

// The record of the block that begins at `first`; NULL for cells outside of blocks, and dead ones.
static struct record *record_of(const struct cell *first) {
    if (first->handler == cell_handler_link || first->handler == cell_handler_dead) return NULL;
    const struct block *block = threaded_of(first)->about->block;
    struct record *record = map_find(&records, (uintptr_t)first);
    if (record && record->pc == block->pc && record->cells == block->count) return record;
    record = new_record(block);
    map_insert(&records, (uintptr_t)first, record);
    return record;
}

void interp_run(struct cpu *cpu, const struct cell *code) {
    if (!header) open_counts();
    const struct cell *first = NULL;
    struct record *record = NULL;
    while (code) {
        if (!record || (uint64_t)(code - first) >= record->cells) record = record_of(first = code);
        if (record) __atomic_fetch_add(&record->count[code - first], 1, __ATOMIC_RELAXED);
        code = ((handler_function *)(uintptr_t)code->handler)(cpu, code);
    }
}
