// The quick tier's code for many blocks of one page of a module, as an image: what is kept between runs of code that LLVM is not worth the trouble for. Blocks of the page go to each other
// directly; for other pages, at first, by exits, like units. Where the module is, is not known when a sheet is made: guest addresses are distances from its start.
#pragma once
#include "translator/guest/guest.h"
#include "translator/quick/image.h"

// Guest blocks, ascending by `at` and `bytes`; no two begin at the same place.
struct sheet_block {
    uint16_t at, bytes;  // from the page's start
    uint32_t entry;  // into the code
    uint32_t start;  // of blocks that the sheet jumps back to, else QUICK_NOWHERE: as in struct quick_unit
};

// An instruction of the code that accesses guest memory, and the address that it computes: that of slot `base` and `imm`.
struct sheet_access {
    uint32_t at;  // into the code
    int32_t imm;
    uint16_t place;  // of the guest instruction, from the page's start
    uint8_t base, writes;
};

struct sheet_exit {
    uint64_t pc;  // a distance from the module's start, modulo 2^64
    uint32_t site;  // offset of the four bytes that lead there
    uint32_t zero;
};

struct sheet {
    struct image image;  // its IMAGE_PCs are distances; the exits' room is SHEET_EXIT_BYTES each
    const uint8_t *code;
    const struct sheet_block *block;
    const struct sheet_access *access;  // ascending by `at`
    const struct sheet_exit *exit;
    const uint8_t *guest;  // the guest bytes from the first block's start to the last one's end; of what lies between blocks, zeros
    uint32_t page;  // the page's start, from the module's
    uint32_t blocks, accesses, guest_bytes, instructions;
};

enum { SHEET_EXIT_BYTES = 12, SHEET_MAX_BLOCKS = 2048, SHEET_PAGE = 4096, SHEET_MAX_GUEST = SHEET_PAGE + BLOCK_MAX_BYTES };

// A block to make code of. The bytes are those of the whole block, as guest_lift_block cuts it.
struct sheet_source {
    uint16_t at, bytes;  // from the page's start
    const uint8_t *byte;
};

// For the process that makes sheets: they are for runners with this guest. Once, before the first.
void sheet_begin(const struct guest_isa *isa, guest_features features);
// Makes a sheet of the blocks, which are in the order of struct sheet. False if there is no emitter for this host or it would be too big; blocks that cannot be
// lifted are left out. What it points to stays until the next call. Not thread-safe.
bool sheet_make(uint32_t page, uint32_t mode, const struct sheet_source *source, unsigned count, struct sheet *sheet);
// Whether all of the sheet's blocks have these guest bytes, which begin where the first block does, sheet->guest_bytes of them.
bool sheet_fits(const struct sheet *sheet, const uint8_t *guest);
// The number of the block at this distance from the page's start, or -1.
int sheet_block_at(const struct sheet *sheet, unsigned at);
// What the code's access at this offset is, or NULL.
const struct sheet_access *sheet_access_at(const struct sheet *sheet, uint32_t at);

// The host's part of both: code for the blocks, in `buffer`, and what belongs to it; `about` gets entries and starts.
bool quick_emit_sheet(struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size, struct sheet_block *about,
                      struct sheet *sheet);
// Fills a copy of the code that is to run at `at`, with exits of its own, whose pcs are given. False if the exits or the stubs are out of reach.
bool quick_place_sheet_exits(const struct sheet *sheet, uint8_t *buffer, uintptr_t at, struct quick_exit *exit);
