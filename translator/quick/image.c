// Filling the holes of code: see image.h.
#include "translator/quick/image.h"
#include "translator/interp/interp.h"
#include <string.h>

bool image_content(const struct image *image, const struct image_hole *hole, const struct quick_exit *exit, uint64_t *to) {
    switch (hole->kind) {
    case IMAGE_VALUE: *to = hole->value; return true;
    case IMAGE_PC: *to = hole->value + (image->module ? image->module[hole->module] : 0); return true;
    case IMAGE_LEAVE: *to = (uintptr_t)quick_stubs.leave; return true;
    case IMAGE_STOP: *to = (uintptr_t)quick_stubs.stop; return true;
    case IMAGE_INDIRECT: *to = (uintptr_t)quick_stubs.indirect; return true;
    case IMAGE_BODY:
        if (hole->value >= UOP_COUNT_OF_CODES) return false;
        *to = (uintptr_t)interp_body[hole->value];
        return true;
    case IMAGE_CALL: *to = (uintptr_t)quick_stubs.body; return true;
    case IMAGE_TALLY:
        *to = image->module ? offsetof(struct cpu, kept_optimised_instructions) : offsetof(struct cpu, optimised_instructions);
        return true;
    case IMAGE_HOT: *to = (uintptr_t)quick_stubs.hot_at; return true;
    case IMAGE_TARGET:
        if (hole->value >= image->exits) return false;
        *to = (uintptr_t)&exit[hole->value].out.target;
        return true;
    default: return false;
    }
}

bool image_holds(const struct image *image, uint32_t at, uint32_t count, uint32_t size) {
    return at <= image->bytes && count <= (image->bytes - at) / size;
}

bool image_fill(const struct image *image, uint8_t *buffer, uintptr_t address, struct quick_exit *exit) {
    if (!image_holds(image, image->holes_at, image->holes, sizeof(uint64_t))) return false;
    if (!image_holds(image, image->exits_at, image->exits, IMAGE_EXIT_BYTES)) return false;
    for (uint32_t i = 0; i < image->holes; i++) {
        uint64_t value;
        if (!image_content(image, &image->hole[i], exit, &value)) return false;
        memcpy(buffer + image->holes_at + i * sizeof value, &value, sizeof value);
    }
    return quick_place_exits(buffer + image->exits_at, address + image->exits_at, exit, image->exits);
}
