// A sheet of a page with loops, accesses, calls and what only C bodies do, and what has to hold for any record, which test_sheet_record.c and fuzz_sheet.c look at:
// what sheet_read lets by is in bounds, and sheet_fill writes nowhere else. Guard pages are behind everything, and canaries before the code.
#pragma once
#include "cache/sheet_record.h"
#include "runtime/base/arena.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { EXAMPLE_PAGE = 0x2000, EXAMPLE_MODULE = 0x10000000, EXAMPLE_CANARIES = 64, EXAMPLE_BIGGEST = 1 << 20 };
#define EXAMPLE_CANARY 0xa5

// Memory that ends with a page nobody may touch. Together, so that distances between them fit.
static uint8_t *example_record, *example_code;
static struct quick_exit *example_exits, **example_ways;
static const uint8_t **example_words;
static int32_t *example_passes;
static _Alignas(16) uint8_t example_written[SHEET_RECORD_MAX_BYTES];

enum { EXAMPLE_CALL = 5 };  // bytes of the instruction
enum { EXAMPLE_MAX_EXITS = IMAGE_MAX_BYTES / SHEET_EXIT_BYTES };

static inline void *example_guarded(size_t size) {
    enum { PAGE = 4096 };
    size = (size + PAGE - 1) / PAGE * PAGE;
    uint8_t *start = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + size, PAGE, PROT_NONE)) abort();
    return start + size;
}

static inline void example_begin(void) {
    example_record = example_guarded(EXAMPLE_BIGGEST);
    example_code = example_guarded(IMAGE_MAX_BYTES + EXAMPLE_CANARIES);
    example_exits = example_guarded(EXAMPLE_MAX_EXITS * sizeof(struct quick_exit));
    example_ways = example_guarded(EXAMPLE_MAX_EXITS * sizeof(void *));
    example_words = example_guarded(EXAMPLE_MAX_EXITS * sizeof(void *));
    example_passes = example_guarded(SHEET_MAX_BLOCKS * sizeof *example_passes);
    uint8_t *stubs = example_guarded(QUICK_STUBS_BYTES);
    stubs -= QUICK_STUBS_BYTES;
    sheet_begin(&guest_riscv64, guest_riscv64.default_features);
    quick_make_stubs(stubs, (uintptr_t)stubs, guest_riscv64.pins);
}

struct example_block {
    uint16_t at, count;
    uint32_t code[12];
    bool plain;
};

static const struct example_block example_blocks[] = {
    {0x10, 4, {0x00452783, 0x00450513, 0x00f585b3, 0xfec51ae3}, false},  // lw, addi, add, bne to the first
    {0x20, 2, {0x00b13423, 0x06c000ef}, false},  // sd, jal
    {0x28,
     6,
     {0x1ab57553, 0x00b6252f, 0x58067653, 0x12345737, 0x00001697, 0x00100073},
     false},  // fdiv.d, amoadd.w, fsqrt.s, lui, auipc, ebreak
    {0x90, 2, {0xff853783, 0xfe078ee3}, true},  // ld, beqz to the ld
    {0x98, 1, {0x0000306f}, false},  // j to another page
    {0xb0, 1, {0x00008067}, false},  // ret
    {0xff8, 2, {0x00853b03, 0x00853783}, false},  // ld s6, which a host register owes at the next, to the page's end
};

// Of the example's own record in example_written; 0: this host has no quick tier.
static inline size_t example_write(struct sheet *sheet) {
    struct sheet_source source[sizeof example_blocks / sizeof *example_blocks];
    unsigned count = 0;
    for (; count < sizeof source / sizeof *source; count++) {
        const struct example_block *block = &example_blocks[count];
        source[count] = (struct sheet_source){
            .at = block->at, .bytes = (uint16_t)(4 * block->count), .plain = block->plain, .byte = (const uint8_t *)block->code};
    }
    return sheet_make(EXAMPLE_PAGE, 0, source, count, sheet) ? sheet_write(example_written, sheet) : 0;
}

// ---- what has to hold

static inline bool example_lies_in(const void *part, uint64_t count, uint64_t size, const uint8_t *record, size_t left) {
    uint64_t at = (uint64_t)((const uint8_t *)part - record);
    return at <= left && count <= (left - at) / size;
}

static inline const char *example_bad_tables(const struct sheet *s, const uint8_t *record, size_t size) {
    const struct image *image = &s->image;
    if (!example_lies_in(s->hole, image->holes, sizeof *s->hole, record, size)) return "holes outside of the record";
    if (!example_lies_in(s->exit, image->exits, sizeof *s->exit, record, size)) return "exits outside of the record";
    if (!example_lies_in(s->block, s->blocks, sizeof *s->block, record, size)) return "blocks outside of the record";
    if (!example_lies_in(s->access, s->accesses, sizeof *s->access, record, size)) return "accesses outside of the record";
    if (!example_lies_in(s->owed, s->oweds, sizeof *s->owed, record, size)) return "what is owed outside of the record";
    if (!example_lies_in(s->count, s->counts, sizeof *s->count, record, size)) return "counts outside of the record";
    if (!example_lies_in(s->guest, s->guest_bytes, 1, record, size)) return "guest bytes outside of the record";
    if (!example_lies_in(s->code, image->bytes, 1, record, size)) return "code outside of the record";
    if (!s->blocks || s->blocks > SHEET_MAX_BLOCKS || s->guest_bytes > SHEET_MAX_GUEST) return "too many blocks or guest bytes";
    if (!image->bytes || image->bytes > IMAGE_MAX_BYTES || image->exits > EXAMPLE_MAX_EXITS) return "too much code";
    return s->page % SHEET_PAGE ? "no page" : NULL;
}

static inline const char *example_bad_blocks(const struct sheet *s) {
    for (unsigned i = 0; i < s->blocks; i++) {
        const struct sheet_block *block = &s->block[i];
        unsigned place = (unsigned)(block->at - s->block[0].at);
        if (i && block->at <= block[-1].at) return "blocks that do not ascend";
        if (!block->bytes || block->bytes > BLOCK_MAX_BYTES || place + block->bytes > s->guest_bytes)
            return "a block outside of the guest bytes";
        if (block->entry >= s->image.bytes) return "an entry outside of the code";
        if (block->start != SHEET_NO_START && (uint32_t)block->start + QUICK_SWITCH_BYTES > s->image.bytes)
            return "a start outside of the code";
        if (sheet_block_at(s, (unsigned)block->at) != (int)i) return "a block that is not found";
    }
    return sheet_fits(s, s->guest) ? NULL : "guest bytes that are not their own";
}

static inline const char *example_bad_counts(const struct sheet *s) {
    for (uint32_t i = 0; i < s->counts; i++) {
        if ((uint32_t)s->count[i].at + 4 > s->image.bytes || s->count[i].block >= s->blocks) return "a count of nothing";
    }
    return NULL;
}

static inline const char *example_bad_accesses(const struct sheet *s) {
    for (uint32_t i = 0; i < s->accesses; i += 1 + s->accesses / 64) {
        const struct sheet_access *found = sheet_access_at(s, s->access[i].at);
        if (found && found->at != s->access[i].at) return "another access";
    }
    return NULL;
}

static inline void example_fill_canaries(uint8_t *code) {
    memset(code - EXAMPLE_CANARIES, EXAMPLE_CANARY, EXAMPLE_CANARIES);
}

// A copy of the code that is filled, right before a guard page, with exits of which every other one has a structure. NULL if sheet_fill refuses.
static inline uint8_t *example_fill(struct sheet *s, uint64_t module, const uint8_t ***words) {
    uint32_t count = s->image.exits;
    struct quick_exit *exit = example_exits - count, **way = example_ways - count;
    const uint8_t **word = example_words - count;
    uint8_t *code = example_code - s->image.bytes;
    for (uint32_t i = 0; i < count; i++) {
        quick_exit_init(&exit[i], module + (uint64_t)(int64_t)s->exit[i].pc);
        way[i] = i % 2 ? &exit[i] : NULL;
    }
    example_fill_canaries(code);
    memcpy(code, s->code, s->image.bytes);
    s->passes = example_passes - s->blocks;
    *words = word;
    return sheet_fill(s, module, code, (uintptr_t)code, way, word) ? code : NULL;
}

static inline const char *example_bad_code(const struct sheet *s, const uint8_t *code, const uint8_t *const *word) {
    for (unsigned i = 1; i <= EXAMPLE_CANARIES; i++) {
        if (code[-(int)i] != EXAMPLE_CANARY) return "something written before the code";
    }
    for (uint32_t i = 0; i < s->image.exits; i++) {
        const struct quick_exit *exit = &example_exits[i] - s->image.exits;
        bool inside = word[i] >= code && word[i] < code + s->image.bytes && word[i] == quick_sheet_apart(&s->image, code, i);
        if (!inside || (i % 2 && (exit->apart != word[i] || exit->word != &word[i]))) return "an exit that leads astray";
        if (quick_sheet_exit(&s->image, code, word[i] + EXAMPLE_CALL) != i) return "an exit that is taken for another one";
    }
    return NULL;
}

enum example_outcome { EXAMPLE_REFUSED, EXAMPLE_READ, EXAMPLE_FILLED };

// What is wrong with how a record was read and filled, or NULL; *outcome says how far it got. `bytes` may be anything, and up to EXAMPLE_BIGGEST of them.
static inline const char *example_look(const uint8_t *bytes, size_t size, enum example_outcome *outcome) {
    struct sheet s;
    const uint8_t **word;
    uint8_t *record = example_record - (size + 7) / 8 * 8;
    memcpy(record, bytes, size);
    *outcome = EXAMPLE_REFUSED;
    if (!sheet_read(record, size, &s)) return NULL;
    *outcome = EXAMPLE_READ;
    const char *wrong = example_bad_tables(&s, record, size);
    if (!wrong) wrong = example_bad_blocks(&s);
    if (!wrong) wrong = example_bad_accesses(&s);
    if (!wrong) wrong = example_bad_counts(&s);
    if (wrong) return wrong;
    const uint8_t *code = example_fill(&s, EXAMPLE_MODULE, &word);
    if (!code) return NULL;
    *outcome = EXAMPLE_FILLED;
    return example_bad_code(&s, code, word);
}
