// The quick tier's code for many blocks of one page of a module, as an image: what is kept between runs of code that LLVM is not worth the trouble for. Blocks of the page go to each other
// directly; for other pages, at first, by exits, like units. Where the module is, is not known when a sheet is made: guest addresses are distances from its start.
#pragma once
#include "translator/guest/guest.h"
#include "translator/quick/image.h"

// Guest blocks, ascending by `at`; no two begin at the same place. This and what follows is as small as it can be, because it is read whenever a program starts.
struct sheet_block {
    uint64_t at : 12, bytes : 11;  // from the page's start
    uint64_t plain : 1;  // no better code is wanted for a loop that begins here
    uint64_t entry : 20;  // into the code
    uint64_t start : 20;  // of blocks that the sheet jumps back to, else SHEET_NO_START: as in struct quick_unit
};

// An instruction of the code that accesses guest memory, and the address that it computes: that of slot `base` and `imm`.
struct sheet_access {
    uint32_t at : 20;  // into the code
    uint32_t place : 12;  // of the guest instruction, from the page's start
    uint32_t base : 8, owed : 8;  // the latter a row of the sheet's table of what registers owe there
    uint32_t writes : 1, joined : 1;  // the latter as in struct quick_access
    int32_t imm : 14;  // 0 where it does not fit
};

// Exits jump to where a word says that the runtime may write at any time, unlike code.
struct sheet_exit {
    int64_t pc : 43;  // a distance from the module's start
    uint64_t back : 1;  // of a loop, as far as one can see
    uint64_t site : 20;  // offset of the four bytes of the jump that are the word's distance
};

// Where code counts a block's passes down.
struct sheet_count {
    uint32_t at : 20;  // offset of the four bytes that are the count's distance
    uint32_t block : 12;
};
_Static_assert(sizeof(struct sheet_count) == 4 && sizeof(struct sheet_block) == 8 && sizeof(struct sheet_access) == 8 &&
                   sizeof(struct sheet_exit) == 8,
               "no gaps");

struct sheet {
    struct image image;  // without a list of holes; its exits' room is SHEET_EXIT_BYTES each
    const uint64_t *hole;  // of the image: what belongs there (sheet_hole)
    const uint8_t *code;
    const struct sheet_block *block;
    const struct sheet_access *access;  // ascending by `at`
    const uint8_t (*owed)[QUICK_OWING];  // rows like that of struct quick_access
    const struct sheet_exit *exit;
    const struct sheet_count *count;
    int32_t *passes;  // left, by block; where the code is used
    const uint8_t *guest;  // the guest bytes from the first block's start to the last one's end; of what lies between blocks, zeros
    uint32_t page;  // the page's start, from the module's
    uint32_t blocks, accesses, oweds, counts, guest_bytes, instructions;
};

// Modes that there may be sheets for, as bits.
enum { SHEET_MODES = MODE_COUNT };

enum {
    SHEET_EXIT_BYTES = 20,
    SHEET_MAX_OWED = 256,
    SHEET_MAX_BLOCKS = 2048,
    SHEET_PAGE = 4096,
    SHEET_MAX_GUEST = SHEET_PAGE + BLOCK_MAX_BYTES
};
#define SHEET_NO_START 0xfffffu
_Static_assert(IMAGE_MAX_BYTES <= SHEET_NO_START, "all places in code are below");

// A block to make code of. The bytes are those of the whole block, as guest_lift_block cuts it.
struct sheet_source {
    uint16_t at, bytes;  // from the page's start
    bool plain;  // as in struct sheet_block
    const uint8_t *byte;
};

// For the process that makes sheets: they are for runners with this guest. Once, before the first.
void sheet_begin(const struct guest_isa *isa, guest_features features);
// Makes a sheet of the blocks, which are in the order of struct sheet. False if there is no emitter for this host or it would be too big; blocks that cannot be
// lifted are left out. What it points to stays until the next call. Not thread-safe.
bool sheet_make(uint32_t page, uint32_t mode, const struct sheet_source *source, unsigned count, struct sheet *sheet);
// A stretch of guest bytes that blocks are of, from where the first block begins; zeroed at first.
struct sheet_span {
    unsigned from, to;
    uint32_t block;  // the next one
};
// The next one; false behind the last.
bool sheet_next_span(const struct sheet *sheet, struct sheet_span *span);
// Whether all of the sheet's blocks have these guest bytes, which begin where the first block does, sheet->guest_bytes of them.
bool sheet_fits(const struct sheet *sheet, const uint8_t *guest);
// Fills a copy of the code in `buffer`, which is to run at `address`: the module begins at `module`. Each exit has its word in `word`, which is set to where it
// leads at first: to what `exit` has for it, whose pc is given, or if that is NULL, to cpu->leave_sheet. sheet->passes is set. False if it is no sheet, or if `address` is out of
// the words', the counts', the exits' or the stubs' reach.
bool sheet_fill(const struct sheet *sheet, uint64_t module, uint8_t *buffer, uintptr_t address, struct quick_exit *const *exit,
                const uint8_t **word);
// The number of the block at this distance from the page's start, or -1.
int sheet_block_at(const struct sheet *sheet, unsigned at);
// What the code's access at this offset is, or NULL.
const struct sheet_access *sheet_access_at(const struct sheet *sheet, uint32_t at);

// The host's part of both: code for the blocks, in `buffer`, and what belongs to it; `about` gets entries and starts.
bool quick_emit_sheet(struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size, struct sheet_block *about,
                      struct sheet *sheet);
// Writes the exits into a copy of the code that is to run at `at`, into their words where they go at first, and where its counts are. False if any of these or the stubs are out of reach.
bool quick_place_sheet(const struct sheet *sheet, uint8_t *buffer, uintptr_t at, struct quick_exit *const *exit,
                       const uint8_t **word);
// Of code that was filled: the number of the exit whose call of quick_stubs.leave_sheet ends at `behind`, and where an exit's word leads at first.
unsigned quick_sheet_exit(const struct image *image, const uint8_t *code, const uint8_t *behind);
const uint8_t *quick_sheet_apart(const struct image *image, const uint8_t *code, unsigned exit);
