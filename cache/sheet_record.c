// Records of sheets, in the order header, holes, exits, blocks, accesses, what they owe, counts, guest bytes, code: see sheet_record.h.
#include "cache/sheet_record.h"
#include "cache/record_parts.h"

struct header {
    uint32_t page, instructions;
    uint32_t blocks, exits, holes, accesses, oweds, counts, guest_bytes;
    uint32_t bytes, holes_at, exits_at;
};

enum { KIND = 1 << 17, REST = 1 << 18 };

uint32_t sheet_kind(uint32_t mode, bool rest) {
    return KIND | mode | (rest ? REST : 0);
}

// ---- writing

size_t sheet_write(uint8_t *buffer, const struct sheet *sheet) {
    const struct image *image = &sheet->image;
    const struct header header = {.page = sheet->page,
                                  .instructions = sheet->instructions,
                                  .blocks = sheet->blocks,
                                  .exits = image->exits,
                                  .holes = image->holes,
                                  .accesses = sheet->accesses,
                                  .oweds = sheet->oweds,
                                  .counts = sheet->counts,
                                  .guest_bytes = sheet->guest_bytes,
                                  .bytes = image->bytes,
                                  .holes_at = image->holes_at,
                                  .exits_at = image->exits_at};
    struct writing w = {.at = buffer, .left = SHEET_RECORD_MAX_BYTES};
    put(&w, &header, sizeof header);
    put(&w, sheet->hole, image->holes * sizeof *sheet->hole);
    put(&w, sheet->exit, image->exits * sizeof *sheet->exit);
    put(&w, sheet->block, sheet->blocks * sizeof *sheet->block);
    put(&w, sheet->access, sheet->accesses * sizeof *sheet->access);
    put(&w, sheet->owed, sheet->oweds * sizeof *sheet->owed);
    put(&w, sheet->count, sheet->counts * sizeof *sheet->count);
    put(&w, sheet->guest, sheet->guest_bytes);
    put(&w, sheet->code, image->bytes);
    return put_end(&w, buffer);
}

// ---- reading

static bool is_small(const struct header *h) {
    return h->blocks && h->blocks <= SHEET_MAX_BLOCKS && h->bytes && h->bytes <= IMAGE_MAX_BYTES && h->holes <= IMAGE_MAX_HOLES &&
           h->guest_bytes <= SHEET_MAX_GUEST && h->page % SHEET_PAGE == 0;
}

static bool holds_good_blocks(const struct sheet *sheet) {
    unsigned first = sheet->block[0].at;
    for (unsigned i = 0; i < sheet->blocks; i++) {
        const struct sheet_block *block = &sheet->block[i];
        bool starts = block->start == SHEET_NO_START ||
                      (block->start < sheet->image.bytes && sheet->image.bytes - block->start >= QUICK_SWITCH_BYTES);
        bool inside = block->bytes && block->bytes <= BLOCK_MAX_BYTES && block->entry < sheet->image.bytes;
        if (!inside || !starts || (i && block->at <= sheet->block[i - 1].at)) return false;
        if (block->at - first + block->bytes > sheet->guest_bytes) return false;
    }
    return true;
}

// Whether the four bytes of a distance at this place lie in the code.
static bool holds_distance(const struct image *image, uint32_t at) {
    return at < image->bytes && image->bytes - at >= sizeof(int32_t);
}

static bool holds_good_exits(const struct sheet *sheet) {
    const struct image *image = &sheet->image;
    if (image->exits_at > image->bytes || image->exits > (image->bytes - image->exits_at) / SHEET_EXIT_BYTES) return false;
    for (unsigned i = 0; i < image->exits; i++) {
        if (!holds_distance(image, sheet->exit[i].site)) return false;
    }
    return true;
}

static bool holds_good_counts(const struct sheet *sheet) {
    for (unsigned i = 0; i < sheet->counts; i++) {
        const struct sheet_count *count = &sheet->count[i];
        if (!holds_distance(&sheet->image, count->at) || count->block >= sheet->blocks) return false;
    }
    return true;
}

bool sheet_read(const void *bytes, size_t size, struct sheet *sheet) {
    const uint8_t *at = bytes;
    const struct header *h = take_header(&at, &size, sizeof *h);
    if (!h || !is_small(h)) return false;
    *sheet = (struct sheet){
        .page = h->page,
        .instructions = h->instructions,
        .blocks = h->blocks,
        .accesses = h->accesses,
        .oweds = h->oweds,
        .counts = h->counts,
        .guest_bytes = h->guest_bytes,
        .image = {.bytes = h->bytes, .holes_at = h->holes_at, .exits_at = h->exits_at, .holes = h->holes, .exits = h->exits}};
    sheet->hole = take(&at, &size, h->holes, sizeof *sheet->hole);
    sheet->exit = take(&at, &size, h->exits, sizeof *sheet->exit);
    sheet->block = take(&at, &size, h->blocks, sizeof *sheet->block);
    sheet->access = take(&at, &size, h->accesses, sizeof *sheet->access);
    sheet->owed = take(&at, &size, h->oweds, sizeof *sheet->owed);
    sheet->count = take(&at, &size, h->counts, sizeof *sheet->count);
    sheet->guest = take(&at, &size, h->guest_bytes, 1);
    sheet->code = take(&at, &size, h->bytes, 1);
    bool whole = sheet->hole && sheet->exit && sheet->block && sheet->access && sheet->owed && sheet->count && sheet->guest &&
                 sheet->code && size < RECORD_ALIGN;
    return whole && holds_good_blocks(sheet) && holds_good_exits(sheet) && holds_good_counts(sheet);
}
