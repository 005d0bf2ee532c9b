// Making kept code again: see remake.h.
#include "aot/remake.h"
#include "aot/compile.h"
#include "cache/record.h"
#include "cache/sheet_record.h"
#include <stdlib.h>
#include <string.h>

enum { ARENA = 4 << 20 };

static struct compiler *compiler;
static _Alignas(64) uint8_t arena[ARENA];

static bool is_sheet(uint32_t kind) {
    return kind == sheet_kind(kind & SHEET_MODES, false) || kind == sheet_kind(kind & SHEET_MODES, true);
}

enum remake_sort remake_sort(uint32_t kind) {
    return is_sheet(kind) ? REMAKE_SHEET : record_is(kind) ? REMAKE_REGION : REMAKE_NONE;
}

const char *remake_begin(const struct guest_isa *isa, guest_features features) {
    const char *why;
    compiler = compile_begin(isa, features, arena, sizeof arena, &why);
    sheet_begin(isa, features);
    return compiler ? NULL : why;
}

// Compares what was made, `size` bytes, with what was kept.
static enum remade compare(const struct remake_record *kept, const uint8_t *made, size_t size, uint32_t *at) {
    if (!size) return REMADE_NOT;
    *at = 0;
    while (*at < kept->size && *at < size && kept->bytes[*at] == made[*at]) ++*at;
    return *at == kept->size && *at == size ? REMADE_SAME : REMADE_OTHER;
}

static enum remade remake_sheet(const struct remake_record *record, uint32_t *at) {
    static _Alignas(16) uint8_t buffer[SHEET_RECORD_MAX_BYTES];
    static struct sheet_source source[SHEET_MAX_BLOCKS];
    struct sheet kept, made;
    if (!sheet_read(record->bytes, record->size, &kept) || kept.page != record->entry) return REMADE_NONSENSE;
    for (unsigned i = 0; i < kept.blocks; i++) {
        const struct sheet_block *block = &kept.block[i];
        source[i] = (struct sheet_source){.at = (uint16_t)block->at,
                                          .bytes = (uint16_t)block->bytes,
                                          .plain = block->plain,
                                          .byte = kept.guest + (block->at - kept.block[0].at)};
    }
    bool fine = sheet_make(kept.page, record->kind & SHEET_MODES, source, kept.blocks, &made);
    return compare(record, buffer, fine ? sheet_write(buffer, &made) : 0, at);
}

static enum remade remake_region(const struct remake_record *record, uint32_t *at) {
    static uint8_t buffer[RECORD_MAX_BYTES];
    static struct channel_request request;
    static struct channel_result result;
    struct record kept;
    if (!record_read(record->bytes, record->size, &kept) || !record_request(&kept, record->kind, &request)) return REMADE_NONSENSE;
    compile(compiler, &request, true, &result);
    if (result.outcome != CHANNEL_MADE) return REMADE_NOT;
    const struct image_hole *hole = (const struct image_hole *)(arena + result.list_at);
    return compare(record, buffer, record_write(buffer, &request, &result, arena + result.at, hole), at);
}

enum remade remake(const struct remake_record *record, uint32_t *at) {
    return remake_sort(record->kind) == REMAKE_SHEET ? remake_sheet(record, at) : remake_region(record, at);
}
