// Sheets, whatever the host: see sheet.h.
#include "translator/quick/sheet.h"
#include "runtime/base/arena.h"
#include <string.h>

// Where modules are while sheets are made: so far from zero that no guest address fits into 32 bits, as then it would be taken for a plain number (lower.c).
#define BASE (UINT64_C(1) << 36)

enum { CODE_BYTES = IMAGE_MAX_BYTES };

static const struct guest_isa *guest;
static guest_features guest_has;

void sheet_begin(const struct guest_isa *isa, guest_features features) {
    guest = isa;
    guest_has = features;
    quick_begin(isa->pins);
    quick_hot_passes = 1;  // any: loops count
}

// ---- making

static struct making {
    struct arena arena;
    struct ir_block ir;
    struct block *block[SHEET_MAX_BLOCKS];
    struct sheet_block about[SHEET_MAX_BLOCKS];
    unsigned count;
    uint8_t guest[SHEET_MAX_GUEST];
    uint64_t hole[IMAGE_MAX_HOLES];
    uint8_t code[CODE_BYTES];
} making;

static void add_block(uint32_t page, uint32_t mode, const struct sheet_source *source, struct sheet *sheet) {
    struct making *m = &making;
    uint64_t pc = BASE + page + source->at;
    guest_lift_block(guest, source->byte, source->bytes, pc, mode, guest_has, GUEST_BLOCK_INSTRUCTIONS, &m->ir);
    if (!m->ir.count || m->ir.bytes != source->bytes) return;
    struct block *block = interp_block_build(&m->arena, &m->ir, pc, mode);
    if (!block) return;
    block->plain = source->plain;
    m->about[m->count] = (struct sheet_block){.at = source->at, .bytes = source->bytes, .plain = source->plain};
    m->block[m->count++] = block;
    sheet->instructions += m->ir.instructions;
}

// Blocks that begin where the one before does say the same, or are nonsense.
static bool is_good(const struct sheet_source *source, unsigned count, unsigned i) {
    return source[i].at < SHEET_PAGE && source[i].bytes && source[i].bytes <= BLOCK_MAX_BYTES &&
           (i == 0 || source[i].at > source[i - 1].at) && i < count;
}

static void copy_guest(const struct sheet_source *source, struct sheet *sheet) {
    struct making *m = &making;
    uint32_t end = 0, first = m->about[0].at;
    memset(m->guest, 0, sizeof m->guest);
    for (unsigned i = 0, n = 0; i < m->count; n++) {
        if (source[n].at != m->about[i].at) continue;
        memcpy(m->guest + source[n].at - first, source[n].byte, source[n].bytes);
        if (source[n].at + source[n].bytes > end) end = source[n].at + source[n].bytes;
        i++;
    }
    sheet->guest = m->guest;
    sheet->guest_bytes = end - first;
}

// Holes in short: the kind below, and a value of so many bits.
enum { KIND_BITS = 5, KINDS = 1 << KIND_BITS };
_Static_assert(0 + IMAGE_TALLY < 0 + KINDS, "there is room for the last kind");

static bool pack_holes(struct sheet *sheet) {
    struct making *m = &making;
    for (unsigned i = 0; i < sheet->image.holes; i++) {
        struct image_hole hole = sheet->image.hole[i];
        if (hole.kind == IMAGE_PC) hole.value -= BASE;
        m->hole[i] = hole.value << KIND_BITS | hole.kind;
        if ((uint64_t)((int64_t)m->hole[i] >> KIND_BITS) != hole.value) return false;
    }
    sheet->hole = m->hole;
    sheet->image.hole = NULL;
    return true;
}

static bool make_distances(struct sheet *sheet) {
    struct sheet_exit *exit = (struct sheet_exit *)sheet->exit;
    for (unsigned i = 0; i < sheet->image.exits; i++) exit[i].pc -= (int64_t)BASE;
    return pack_holes(sheet);
}

bool sheet_make(uint32_t page, uint32_t mode, const struct sheet_source *source, unsigned count, struct sheet *sheet) {
    struct making *m = &making;
    if (count > SHEET_MAX_BLOCKS) return false;
    arena_free(&m->arena);
    m->count = 0;
    *sheet = (struct sheet){.page = page, .block = m->about};
    for (unsigned i = 0; i < count; i++) {
        if (!is_good(source, count, i)) return false;
        add_block(page, mode, &source[i], sheet);
    }
    if (!m->count || !quick_emit_sheet(m->block, m->count, m->code, sizeof m->code, m->about, sheet)) return false;
    sheet->blocks = m->count;
    copy_guest(source, sheet);
    return make_distances(sheet);
}

// ---- using

bool sheet_next_span(const struct sheet *sheet, struct sheet_span *span) {
    for (span->from = span->to; span->block < sheet->blocks; span->block++) {
        const struct sheet_block *block = &sheet->block[span->block];
        unsigned at = (unsigned)(block->at - sheet->block[0].at), end = at + (unsigned)block->bytes;
        if (end <= span->to) continue;
        if (at > span->from) span->from = at;
        span->to = end;
        return true;
    }
    return false;
}

bool sheet_fits(const struct sheet *sheet, const uint8_t *guest_bytes) {
    struct sheet_span span = {0};
    while (sheet_next_span(sheet, &span)) {
        if (memcmp(guest_bytes + span.from, sheet->guest + span.from, span.to - span.from) != 0) return false;
    }
    return true;
}

bool sheet_fill(const struct sheet *sheet, uint64_t module, uint8_t *buffer, uintptr_t address, struct quick_exit *const *exit,
                const uint8_t **word) {
    const struct image *image = &sheet->image;
    if (!image_holds(image, image->holes_at, image->holes, sizeof(uint64_t))) return false;
    for (uint32_t i = 0; i < image->holes; i++) {
        struct image_hole hole = {.value = (uint64_t)((int64_t)sheet->hole[i] >> KIND_BITS), .kind = sheet->hole[i] % KINDS};
        uint64_t value = hole.value + module;
        if (hole.kind == IMAGE_TARGET) return false;  // sheets have none
        if (hole.kind != IMAGE_PC && !image_content(image, &hole, NULL, &value)) return false;
        memcpy(buffer + image->holes_at + i * sizeof value, &value, sizeof value);
    }
    return quick_place_sheet(sheet, buffer, address, exit, word);
}

int sheet_block_at(const struct sheet *sheet, unsigned at) {
    for (unsigned low = 0, high = sheet->blocks; low < high;) {
        unsigned middle = (low + high) / 2;
        if (sheet->block[middle].at == at) return (int)middle;
        if (sheet->block[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return -1;
}

const struct sheet_access *sheet_access_at(const struct sheet *sheet, uint32_t at) {
    for (unsigned low = 0, high = sheet->accesses; low < high;) {
        unsigned middle = (low + high) / 2;
        if (sheet->access[middle].at == at) return &sheet->access[middle];
        if (sheet->access[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return NULL;
}
