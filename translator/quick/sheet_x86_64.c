// The quick tier on x86-64 hosts: what is different in sheets, whose code knows neither where it will be nor the process that runs it.
#ifdef __x86_64__
#include "translator/quick/emit_x86_64.h"
#include "translator/quick/sheet.h"

enum { KNOWN = sizeof(((struct sheet_parts *)NULL)->known) / sizeof(uint16_t) };

void quick_sheet_begin(struct sheet_parts *parts) {
    parts->exits = parts->holes = parts->fixes = parts->counts = 0;
    parts->oweds = 1;  // the first row owes nothing
    memset(parts->known, 0, sizeof parts->known);
}

static unsigned add_hole(struct unit *e, enum image_hole_kind kind, uint64_t value) {
    struct sheet_parts *parts = e->sheet;
    if (parts->holes == IMAGE_MAX_HOLES) {
        A->failed = true;
        return 0;
    }
    parts->hole[parts->holes] = (struct image_hole){.value = value, .kind = kind};
    return parts->holes++;
}

// One that has this content.
static unsigned find_hole(struct unit *e, enum image_hole_kind kind, uint64_t value) {
    struct sheet_parts *parts = e->sheet;
    unsigned at = (unsigned)((value * UINT64_C(0x9e3779b97f4a7c15) >> 40) + kind) % KNOWN;
    for (; parts->known[at]; at = (at + 1) % KNOWN) {
        const struct image_hole *hole = &parts->hole[parts->known[at] - 1];
        if (hole->kind == kind && hole->value == value) return parts->known[at] - 1u;
    }
    unsigned made = add_hole(e, kind, value);
    parts->known[at] = (uint16_t)(made + 1);
    return made;
}

// An instruction with [rip + distance to the hole].
static void near_hole(struct unit *e, unsigned opcode, unsigned reg, unsigned hole) {
    struct sheet_parts *parts = e->sheet;
    asm_opcode(A, opcode, reg, 0, false);
    asm_byte(A, (reg & 7) << 3 | 5);
    if (parts->fixes == sizeof parts->fix / sizeof *parts->fix) A->failed = true;
    else parts->fix[parts->fixes++] = (struct fix){asm_offset(A), hole};
    asm_32(A, 0);
}

void quick_emit_hole(struct unit *e, unsigned opcode, unsigned reg, enum image_hole_kind kind, uint64_t value) {
    near_hole(e, opcode, reg, find_hole(e, kind, value));
}

static unsigned cell_number(const struct unit *e, const struct cell *u) {
    return (unsigned)(u - e->block[e->block_at]->code->cell);
}

static unsigned offset_of(const struct unit *e, const struct cell *u) {
    return e->block[e->block_at]->code->about->offset[2 * cell_number(e, u)];
}

// The body gets a constant for a cell (interp.c, "bodies"): its words are holes as well, because in exits' cells there is a pc.
void quick_emit_sheet_body(struct unit *e, const struct cell *u, unsigned code) {
    struct cell constant = *u;
    enum uop_format format = cell_format(code);
    constant.handler = NULL;
    if (cell_has_place(code)) constant.d = uop_stores(code);
    uint64_t words[2];
    memcpy(words, &constant, sizeof words);
    unsigned first = add_hole(e, IMAGE_VALUE, words[0]);
    add_hole(e, IMAGE_VALUE, words[1]);
    if (format == UOP_FORMAT_EXIT) add_hole(e, IMAGE_PC, cell_wide(u + 1));
    get_pc(e, RAX, e->block[e->block_at]->pc + offset_of(e, u));
    asm_rm(A, WIDE | 0x89, RAX, CPU, offsetof(struct cpu, pc));
    near_hole(e, WIDE | 0x8d, RAX, first);
    quick_emit_hole(e, WIDE | 0x8b, RBX, IMAGE_BODY, code);
    quick_emit_hole(e, 0xff, 2, IMAGE_CALL, 0);
}

void quick_emit_sheet_count(struct unit *e, unsigned block) {
    struct sheet_parts *parts = e->sheet;
    asm_byte(A, 0xff);  // dec [rip + distance]
    asm_byte(A, 0x0d);
    if (parts->counts == MAX_LATER) A->failed = true;
    else
        parts->count[parts->counts++] =
            (struct sheet_count){.at = asm_offset(A) & SHEET_NO_START, .block = block & (SHEET_MAX_BLOCKS - 1)};
    asm_32(A, 0);
}

int quick_sheet_owed(struct unit *e, const uint8_t owed[QUICK_OWING]) {
    struct sheet_parts *parts = e->sheet;
    for (unsigned i = 0; i < parts->oweds; i++) {
        if (memcmp(parts->owed[i], owed, QUICK_OWING) == 0) return (int)i;
    }
    if (parts->oweds == SHEET_MAX_OWED) return -1;
    memcpy(parts->owed[parts->oweds], owed, QUICK_OWING);
    return (int)parts->oweds++;
}

void quick_emit_sheet_access(struct unit *e, const struct cell *u, unsigned owed, bool joined) {
    const struct block *block = e->block[e->block_at];
    struct sheet_access *access = &e->sheet->access[e->accesses++];
    *access = (struct sheet_access){.at = asm_offset(A),
                                    .place = (uint32_t)(block->pc % SHEET_PAGE) + offset_of(e, u),
                                    .base = u->b,
                                    .owed = owed & (SHEET_MAX_OWED - 1),
                                    .writes = uop_stores(block->code->about->cell_code[2 * cell_number(e, u)]),
                                    .joined = joined,
                                    .imm = u->imm};
    if (access->imm != u->imm) access->imm = 0;
}
#endif
