// Code that LLVM made of a region, as bytes that run at any address: what depends on the process stands in holes, which are filled where it is
// installed. Between its parts the code has distances only. The one format for code that comes from elsewhere: from the compiler program or from a file.
#pragma once
#include "translator/quick/quick.h"

// What belongs into a hole of eight bytes.
enum image_hole_kind {
    IMAGE_VALUE,  // the value
    IMAGE_PC,  // the guest address `value`
    IMAGE_LEAVE,  // the addresses of stubs
    IMAGE_STOP,
    IMAGE_INDIRECT,
    IMAGE_BODY,  // the address of the C body of uop `value`
    IMAGE_TARGET,  // the address of what the exit number `value` has for a target
    IMAGE_CALL,  // of a stub that calls a body
    IMAGE_HOT,  // of a stub that tells the runtime that the block at cpu->pc turned hot
    IMAGE_TALLY,  // where in the cpu LLVM's code counts instructions: that from earlier runs apart
    IMAGE_HOLE_KINDS
};

struct image_hole {
    uint64_t value;
    uint32_t kind;
    uint32_t module;  // of IMAGE_PC: that of the guest instruction which makes it, as in struct region_block
};

enum {
    IMAGE_EXIT_BYTES = 24,  // room for each exit, which is jumped to
    IMAGE_ALIGN = 64,
    IMAGE_MAX_BYTES = 512 << 10,
    IMAGE_MAX_HOLES = 8192,
};

struct image {
    uint32_t bytes;
    uint32_t holes_at, exits_at;  // offsets of the holes, one behind the other, and of the exits
    uint32_t holes, exits;
    const struct image_hole *hole;
    const uint64_t *module;  // where the holes' modules are, which IMAGE_PCs are distances from; NULL: they are addresses
};

// What belongs into a hole. False if there is nothing that could be meant.
bool image_content(const struct image *image, const struct image_hole *hole, const struct quick_exit *exit, uint64_t *content);
// Whether `count` things of `size` bytes lie in the image at `at`.
bool image_holds(const struct image *image, uint32_t at, uint32_t count, uint32_t size);
// Fills a copy of the code in `buffer`, which is to run at `address`, a multiple of IMAGE_ALIGN, with exits of its own, whose pcs are given. False if it
// is no image, or if `address` is out of the exits' or the stubs' reach.
bool image_fill(const struct image *image, uint8_t *buffer, uintptr_t address, struct quick_exit *exit);
