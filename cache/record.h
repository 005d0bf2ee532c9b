// Code of a region as it is kept between runs: an image (translator/quick/image.h) and what the runner has to know about it, with guest addresses as
// distances from modules. A module is executable memory that a file was mapped to; where it is, is for the reader to say.
//
// A record is good for those guest bytes only that it has. With them it has all that it was made of, so that anybody can make it again. The layout is this machine's: whatever makes it another one is in the store's key.
#pragma once
#include "cache/channel.h"
#include <stdbool.h>

struct record_block {
    uint32_t at, bytes;  // from the module's start
    uint32_t entry;  // into the code, or RECORD_NO_ENTRY
    uint16_t module, scatters;
};
#define RECORD_NO_ENTRY UINT32_MAX

struct record_exit {
    uint64_t at;  // from the module's start, modulo 2^64
    uint64_t module;
};

struct record {
    const struct store_key *module;
    const struct record_block *block;
    const struct record_exit *exit;
    const struct channel_way *way;
    const uint8_t *guest;  // the blocks' bytes, one behind the other
    const uint8_t *code;
    struct image image;  // its IMAGE_PCs are distances
    uint32_t modules, blocks, ways, guest_bytes, instructions;
};

enum { RECORD_MAX_BYTES = IMAGE_MAX_BYTES + IMAGE_MAX_HOLES * sizeof(struct image_hole) + (64 << 10) };

// What a record is for besides guest bytes: the same code may be there in several kinds.
uint32_t record_kind(uint32_t mode, bool exact);
bool record_is(uint32_t kind);  // whether records of this kind are such
// The request that a record of this kind came of, with modules at places of its own: what comes of it now makes the same record. False if there was none
// such.
bool record_request(const struct record *record, uint32_t kind, struct channel_request *request);
// Writes what came of a request with modules, whose image is at `code` with `hole`, to `buffer`, which has room for RECORD_MAX_BYTES. Returns its size, a
// multiple of 8, or 0 if it is not of a kind that can be kept.
size_t record_write(uint8_t *buffer, const struct channel_request *request, const struct channel_result *result,
                    const uint8_t *code, const struct image_hole *hole);
// Finds everything in a record, which has to be aligned to 8 bytes and stay. False if it is none: `bytes` may be anything.
bool record_read(const void *bytes, size_t size, struct record *record);
void record_hash(const uint8_t *bytes, size_t size, uint64_t hash[2]);
