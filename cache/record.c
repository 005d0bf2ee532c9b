// Records, in the order header, modules' keys, blocks, exits, holes, ways, guest bytes, code: see record.h.
#include "cache/record.h"
#include "cache/record_parts.h"
#include "translator/ir/cpu.h"
#include "translator/ir/uop.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

struct header {
    uint32_t modules, blocks, exits, holes;
    uint32_t bytes, holes_at, exits_at, instructions;
    uint32_t ways, guest_bytes;
};

enum { EXACT = 1 << 16, MODES = MODE_COUNT | MODE_RM_AWAY | MODE_RM_BAD };

uint32_t record_kind(uint32_t mode, bool exact) {
    return mode | (exact ? EXACT : 0);
}

bool record_is(uint32_t kind) {
    return !(kind & ~(uint32_t)(EXACT | MODES));
}

void record_hash(const uint8_t *bytes, size_t size, uint64_t hash[2]) {
    XXH128_hash_t made = XXH3_128bits(bytes, size);
    hash[0] = made.low64;
    hash[1] = made.high64;
}

// ---- writing

static void put_block(struct writing *w, const struct channel_request *request, const struct channel_result *result, unsigned i) {
    const struct channel_block *block = &request->block[i];
    w->failed |= block->module >= request->modules;
    if (w->failed) return;
    const struct channel_module *module = &request->module[block->module];
    uint64_t at = block->pc - module->start;
    w->failed |= at > UINT32_MAX || at > module->bytes || block->bytes > module->bytes - at;
    put(w,
        &(struct record_block){.at = (uint32_t)at,
                               .bytes = block->bytes,
                               .entry = block->entry ? result->entry[i] : RECORD_NO_ENTRY,
                               .module = block->module,
                               .scatters = block->scatters},
        sizeof(struct record_block));
}

static void put_exit(struct writing *w, const struct channel_request *request, unsigned i) {
    unsigned module = request->exit_module[i];
    w->failed |= module >= request->modules;
    if (w->failed) return;
    put(w, &(struct record_exit){request->exit[i] - request->module[module].start, module}, sizeof(struct record_exit));
}

static void put_hole(struct writing *w, const struct channel_request *request, struct image_hole hole) {
    w->failed |= hole.module >= request->modules;
    if (w->failed) return;
    if (hole.kind == IMAGE_PC) hole.value -= request->module[hole.module].start;
    put(w, &hole, sizeof hole);
}

static bool is_good(const struct channel_request *request, const struct channel_result *result) {
    return request->modules && request->modules <= CHANNEL_MODULES && request->blocks && request->blocks <= CHANNEL_BLOCKS &&
           request->exits <= CHANNEL_EXITS && request->ways <= CHANNEL_WAYS && request->bytes <= CHANNEL_BYTES &&
           result->holes <= IMAGE_MAX_HOLES && result->bytes && result->bytes <= IMAGE_MAX_BYTES && !request->stepwise;
}

// The blocks' bytes stand one behind the other in the request.
static bool is_dense(const struct channel_request *request) {
    uint32_t at = 0;
    for (unsigned i = 0; i < request->blocks; i++) {
        if (request->block[i].at != at) return false;
        at += request->block[i].bytes;
    }
    return at == request->bytes;
}

size_t record_write(uint8_t *buffer, const struct channel_request *request, const struct channel_result *result,
                    const uint8_t *code, const struct image_hole *hole) {
    if (!is_good(request, result) || !is_dense(request)) return 0;
    struct header header = {.modules = request->modules,
                            .blocks = request->blocks,
                            .exits = request->exits,
                            .holes = result->holes,
                            .bytes = result->bytes,
                            .holes_at = result->holes_at,
                            .exits_at = result->exits_at,
                            .instructions = result->instructions,
                            .ways = request->ways,
                            .guest_bytes = request->bytes};
    struct writing w = {.at = buffer, .left = RECORD_MAX_BYTES};
    put(&w, &header, sizeof header);
    for (unsigned i = 0; i < request->modules; i++) put(&w, &request->module[i].key, sizeof(struct store_key));
    for (unsigned i = 0; i < request->blocks; i++) put_block(&w, request, result, i);
    for (unsigned i = 0; i < request->exits; i++) put_exit(&w, request, i);
    for (unsigned i = 0; i < result->holes; i++) put_hole(&w, request, hole[i]);
    if (w.failed) return 0;
    put(&w, request->way, request->ways * sizeof *request->way);
    put(&w, request->byte, request->bytes);
    put(&w, code, result->bytes);
    return put_end(&w, buffer);
}

// ---- reading

static bool holds_good_numbers(const struct record *r) {
    bool good = true;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < r->blocks; i++) {
        const struct record_block *block = &r->block[i];
        good &= block->module < r->modules && block->scatters <= 1 && block->bytes && block->bytes <= BLOCK_MAX_BYTES;
        good &= block->entry == RECORD_NO_ENTRY || block->entry < r->image.bytes;
        bytes += block->bytes;
    }
    good &= bytes == r->guest_bytes;
    for (unsigned i = 0; i < r->ways; i++) good &= r->way[i].from < r->blocks && r->way[i].to < r->blocks;
    for (unsigned i = 0; i < r->image.exits; i++) good &= r->exit[i].module < r->modules;
    for (unsigned i = 0; i < r->image.holes; i++) good &= r->image.hole[i].module < r->modules;
    return good;
}

bool record_read(const void *bytes, size_t size, struct record *record) {
    const uint8_t *at = bytes;
    const struct header *h = take_header(&at, &size, sizeof *h);
    if (!h) return false;
    if (!h->modules || h->modules > CHANNEL_MODULES || !h->blocks || h->blocks > CHANNEL_BLOCKS || h->exits > CHANNEL_EXITS ||
        h->ways > CHANNEL_WAYS || h->guest_bytes > CHANNEL_BYTES || h->holes > IMAGE_MAX_HOLES || !h->bytes ||
        h->bytes > IMAGE_MAX_BYTES)
        return false;
    *record = (struct record){.modules = h->modules,
                              .blocks = h->blocks,
                              .ways = h->ways,
                              .guest_bytes = h->guest_bytes,
                              .instructions = h->instructions};
    record->module = take(&at, &size, h->modules, sizeof *record->module);
    record->block = take(&at, &size, h->blocks, sizeof *record->block);
    record->exit = take(&at, &size, h->exits, sizeof *record->exit);
    record->image = (struct image){.bytes = h->bytes,
                                   .holes_at = h->holes_at,
                                   .exits_at = h->exits_at,
                                   .holes = h->holes,
                                   .exits = h->exits,
                                   .hole = take(&at, &size, h->holes, sizeof(struct image_hole))};
    record->way = take(&at, &size, h->ways, sizeof *record->way);
    record->guest = take(&at, &size, h->guest_bytes, 1);
    record->code = take(&at, &size, h->bytes, 1);
    bool whole = record->module && record->block && record->exit && record->image.hole && record->way && record->guest &&
                 record->code && size < RECORD_ALIGN;
    return whole && holds_good_numbers(record);
}

// ---- the way back

// Modules so far from each other that nothing of one gets into another, and from zero that no address looks like a plain number.
static uint64_t place_of(unsigned module) {
    return (UINT64_C(16) + module) << 32;
}

static void fill_blocks(const struct record *r, struct channel_request *request) {
    memcpy(request->byte, r->guest, r->guest_bytes);
    request->bytes = 0;
    for (unsigned i = 0; i < r->blocks; i++) {
        const struct record_block *block = &r->block[i];
        request->block[i] = (struct channel_block){.pc = place_of(block->module) + block->at,
                                                   .at = (uint16_t)request->bytes,
                                                   .bytes = (uint16_t)block->bytes,
                                                   .entry = block->entry != RECORD_NO_ENTRY,
                                                   .module = (uint8_t)block->module,
                                                   .scatters = (uint8_t)block->scatters};
        request->bytes += block->bytes;
    }
}

bool record_request(const struct record *r, uint32_t kind, struct channel_request *request) {
    if (!record_is(kind)) return false;
    *request = (struct channel_request){.id = 1,
                                        .mode = kind & ~(uint32_t)EXACT,
                                        .exact = (kind & EXACT) != 0,
                                        .modules = r->modules,
                                        .blocks = r->blocks,
                                        .exits = r->image.exits,
                                        .ways = r->ways};
    for (unsigned i = 0; i < r->modules; i++)
        request->module[i] = (struct channel_module){.key = r->module[i], .start = place_of(i), .bytes = place_of(1) - place_of(0)};
    for (unsigned i = 0; i < r->image.exits; i++) {
        request->exit[i] = place_of((unsigned)r->exit[i].module) + r->exit[i].at;
        request->exit_module[i] = (uint8_t)r->exit[i].module;
    }
    memcpy(request->way, r->way, r->ways * sizeof *r->way);
    fill_blocks(r, request);
    return true;
}
