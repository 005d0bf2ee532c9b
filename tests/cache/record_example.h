// A region's record for test_record and fuzz_record, and what is true of any bytes that record_read lets by.
#pragma once
#include "cache/record.h"
#include <string.h>

enum { START = 0x10000000, OTHER = 0x70000000, MODULE_BYTES = 0x8000, CODE_BYTES = 1000 };

static struct channel_request request;
static struct channel_result result;
static uint8_t code[CODE_BYTES];
static const struct image_hole hole[] = {
    {7, IMAGE_VALUE, 0}, {START + 0x123456, IMAGE_PC, 0}, {OTHER - 16, IMAGE_PC, 1}, {1, IMAGE_TARGET, 0}};
static _Alignas(16) uint8_t written[RECORD_MAX_BYTES];

static inline void add_block(uint64_t pc, uint16_t bytes, bool entry, uint8_t module) {
    request.block[request.blocks++] =
        (struct channel_block){.pc = pc, .at = (uint16_t)request.bytes, .bytes = bytes, .entry = entry, .module = module};
    for (unsigned i = 0; i < bytes; i++) request.byte[request.bytes++] = (uint8_t)(pc + i);
}

static inline void make_request(void) {
    memset(&request, 0, sizeof request);
    memset(&result, 0, sizeof result);
    request.modules = 2;
    request.module[0] = (struct channel_module){.key = {{1}}, .start = START, .bytes = MODULE_BYTES};
    request.module[1] = (struct channel_module){.key = {{2}}, .start = OTHER, .bytes = MODULE_BYTES};
    add_block(START + 0x100, 12, true, 0);
    add_block(OTHER + 0x40, 6, false, 1);
    add_block(START + MODULE_BYTES - 4, 4, true, 0);
    request.block[2].scatters = 1;
    request.exits = 2;
    request.exit[0] = START - 8;  // a distance before the module's start is one as well
    request.exit[1] = OTHER + 0x46;
    request.exit_module[1] = 1;
    request.ways = 2;
    request.way[0] = (struct channel_way){1, 0};
    request.way[1] = (struct channel_way){1, 2};
    result = (struct channel_result){.bytes = CODE_BYTES, .holes = 4, .holes_at = 64, .exits_at = 128, .instructions = 9};
    result.entry[0] = 0;
    result.entry[2] = 512;
    for (unsigned i = 0; i < CODE_BYTES; i++) code[i] = (uint8_t)(i * 7);
}

static inline size_t write_it(void) {
    return record_write(written, &request, &result, code, hole);
}

// What is wrong with what was read of these bytes: NULL if nothing is, or if they are no record. `*read`: whether they are.
static inline const char *look_at_record(const uint8_t *bytes, size_t size, bool *read) {
    static struct channel_request asked;
    struct record r;
    *read = record_read(bytes, size, &r);
    if (!*read) return NULL;
    for (unsigned i = 0; i < r.blocks; i++) {
        if (r.block[i].module >= r.modules) return "a block of no module";
        if (r.block[i].scatters > 1) return "a block that is neither one that scatters nor one that does not";
    }
    for (unsigned i = 0; i < r.image.exits; i++) {
        if (r.exit[i].module >= r.modules) return "an exit to no module";
    }
    for (unsigned i = 0; i < r.ways; i++) {
        if (r.way[i].from >= r.blocks || r.way[i].to >= r.blocks) return "a way between no blocks";
    }
    for (unsigned i = 0; i < r.image.holes; i++) {
        if (r.image.hole[i].module >= r.modules) return "a hole with no module";
    }
    if (r.guest < bytes || r.guest + r.guest_bytes > r.code) return "guest bytes outside of the record";
    if (r.code < bytes || r.code + r.image.bytes > bytes + size) return "code outside of the record";
    for (uint32_t kind = 0; kind < 8; kind++) {
        if (record_request(&r, kind, &asked) && asked.bytes != r.guest_bytes) return "a request for other bytes";
    }
    return NULL;
}
