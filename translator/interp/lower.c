// Lowers a lifted block to threaded code: binds pc-relative constants to the block's address, lays out cells, then exits. Fusing of neighbours
// comes later, for blocks that are entered again: most are not.
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "translator/interp/cells.h"
#include <string.h>

struct lowering {
    const struct ir_block *ir;
    uint64_t pc;
    uint32_t mode;
    unsigned cells, exits;
    struct cell cell[INTERP_MAX_CELLS + 4];
    uint16_t offset[INTERP_MAX_CELLS + 4];
    uint16_t code[INTERP_MAX_CELLS + 4];  // of cells (cells.h)
    uint64_t exit_pc[INTERP_MAX_CELLS];
    unsigned counted;  // instructions that a count cell stands for already
};

static struct cell *put(struct lowering *l, const struct uop *uop, unsigned code, const void *handler) {
    unsigned at = l->cells++;
    l->offset[at] = uop->offset;
    l->code[at] = (uint16_t)code;
    l->cell[at] = (struct cell){.handler = handler, .a = uop->a, .b = uop->b, .c = uop->c, .d = uop->d, .imm = (int32_t)uop->imm};
    return &l->cell[at];
}

// `what`: CELL_OTHER or CELL_PC
static void put_data(struct lowering *l, const struct uop *uop, unsigned what, uint64_t data) {
    put(l, uop, what, (const void *)(uintptr_t)data);
}

static void put_constant(struct lowering *l, const struct uop *uop, unsigned what, uint64_t value) {
    if ((int64_t)value == (int32_t)value) {
        put(l, uop, UOP_li, cell_handler[UOP_li])->imm = (int32_t)value;
        return;
    }
    put(l, uop, CELL_li64, cell_handler_li64);
    put_data(l, uop, what, value);
}

// Uops that can leave the block count what was executed so far. Instructions without uops (nops) count with the last exit.
static void put_count(struct lowering *l, unsigned at, bool last) {
    if (!(l->mode & MODE_COUNT)) return;
    unsigned upto = last ? l->ir->instructions : ir_block_instructions(l->ir, at);
    put(l, &l->ir->uop[at], CELL_OTHER, cell_handler_count)->imm = (int32_t)(upto - l->counted);
    l->counted = upto;
}

static void put_exit_trap(struct lowering *l, const struct uop *uop) {
    put(l, uop, uop->code, cell_handler[uop->code]);
    put_data(l, uop, CELL_PC, l->pc + uop_exit_offset(uop));
}

static void put_uop(struct lowering *l, unsigned at) {
    const struct uop *uop = &l->ir->uop[at];
    unsigned at_cell = l->cells;
    switch (uop_info[uop->code].format) {
    case UOP_FORMAT_LINK: put_constant(l, uop, CELL_PC, l->pc + (uint64_t)uop->imm); break;
    case UOP_FORMAT_DI:
        if (uop->code == UOP_li) put_constant(l, uop, CELL_OTHER, (uint64_t)uop->imm);
        else put(l, uop, uop->code, cell_handler[uop->code]);
        break;
    case UOP_FORMAT_BRANCH:
    case UOP_FORMAT_JUMP:
        put_count(l, at, at + 1 == l->ir->count);
        l->exit_pc[l->exits] = l->pc + (uint64_t)uop->imm;
        put(l, uop, uop->code, cell_handler[uop->code])->imm = (int32_t)l->exits++;
        break;
    case UOP_FORMAT_INDIRECT:
        put_count(l, at, true);
        put(l, uop, uop->code, cell_handler[uop->code]);
        break;
    case UOP_FORMAT_EXIT:
        put_count(l, at, true);
        put_exit_trap(l, uop);
        break;
    case UOP_FORMAT_LOAD:
    case UOP_FORMAT_STORE:
    case UOP_FORMAT_AMO: put(l, uop, uop->code, cell_handler[uop->code])->d = (uint8_t)(2 * at_cell); break;
    default: put(l, uop, uop->code, cell_handler[uop->code]);
    }
}

// sequences.def as lists by the codes of the first two cells, made before main.
enum { SEQUENCE_LISTS = 1024, MAX_SEQUENCES = 2048 };
static uint16_t sequence_head[SEQUENCE_LISTS], sequence_next[MAX_SEQUENCES];  // index + 1 into cell_sequences

static uint16_t *sequence_list(unsigned first, unsigned second) {
    return &sequence_head[(first * 37 + second) % SEQUENCE_LISTS];
}

__attribute__((constructor)) static void index_sequences(void) {
    for (unsigned i = cell_sequence_count; i-- > 0;) {
        uint16_t *list = sequence_list(cell_sequences[i].code[0], cell_sequences[i].code[1]);
        sequence_next[i] = *list;
        *list = (uint16_t)(i + 1);
    }
}

// What stands in the cells, without data.
struct step {
    uint16_t cell, code;
    uint16_t chains;  // the ways in which it can take the result of the one before
    uint16_t saved;  // the most that can be saved from here on, in quarters of a step
    const struct cell_sequence *chosen;
};

static unsigned find_steps(const struct block *block, struct step *step) {
    const struct cell *cell = block->code->cell;
    const uint16_t *code = block->code->about->cell_code;
    unsigned count = 0;
    for (unsigned i = 0, before = 0; i < block->count; before = i, i += cell_width(code[2 * i])) {
        unsigned chains = count ? cell_chains(&cell[before], code[2 * before], &cell[i], code[2 * i]) : 0;
        step[count++] = (struct step){.cell = (uint16_t)i, .code = code[2 * i], .chains = (uint16_t)chains};
    }
    return count;
}

// Whether the sequence fits the steps, of which there are `count`; the first two have the right codes or are in the same list.
static bool fits(const struct cell_sequence *sequence, const struct step *step, unsigned count) {
    if (sequence->length > count || step->code != sequence->code[0]) return false;
    for (unsigned i = 1; i < sequence->length; i++) {
        if (step[i].code != sequence->code[i] || (sequence->chain[i] & step[i].chains) != sequence->chain[i]) return false;
    }
    return true;
}

// A dispatch, the way of a result through its slot, its store.
static unsigned savings(const struct cell_sequence *sequence) {
    unsigned saves = 0;
    for (unsigned i = 1; i < sequence->length; i++) {
        saves += 4;
        if (sequence->chain[i]) saves += 2;
        if (sequence->chain[i] & (CHAIN_bo | CHAIN_co)) saves += 1;
    }
    return saves;
}

// Chooses the sequences to fuse so that the sum of what they save is greatest.
static void choose(struct step *step, unsigned count) {
    step[count].saved = 0;
    for (unsigned i = count; i-- > 0;) {
        step[i].chosen = NULL;
        step[i].saved = step[i + 1].saved;
        if (i + 1 == count) continue;
        for (unsigned n = *sequence_list(step[i].code, step[i + 1].code); n; n = sequence_next[n - 1]) {
            const struct cell_sequence *sequence = &cell_sequences[n - 1];
            if (!fits(sequence, &step[i], count - i)) continue;
            unsigned saves = step[i + sequence->length].saved + savings(sequence);
            if (saves > step[i].saved) step[i].saved = (uint16_t)saves, step[i].chosen = sequence;
        }
    }
}

static bool is_exit_cell(unsigned code) {
    return cell_format(code) == UOP_FORMAT_BRANCH || cell_format(code) == UOP_FORMAT_JUMP;
}

// ---- laying out

struct plan {
    struct layout *about;
    uint16_t *offset, *cell_code;
    struct threaded *code;
};

static struct plan make_plan(struct arena *code, struct arena *about, struct block *block, unsigned units) {
    struct plan plan;
    plan.code = arena_alloc(code, sizeof(struct threaded) + units * (size_t)CELL_UNIT, 16);
    plan.about = arena_alloc(about, sizeof *plan.about, 8);
    plan.offset = arena_alloc(about, 2 * units * sizeof *plan.offset, sizeof *plan.offset);
    plan.cell_code = plan.offset + units;
    *plan.about = (struct layout){.block = block, .offset = plan.offset, .cell_code = plan.cell_code};
    *plan.code = (struct threaded){plan.about, block->pc, interp_native_leave};
    return plan;
}

static struct block *finish(struct lowering *l, struct arena *arena) {
    struct block *block = arena_alloc(arena, sizeof *block + l->exits * sizeof(struct exit), 16);
    *block = (struct block){.pc = l->pc, .bytes = l->ir->bytes, .mode = l->mode, .count = l->cells, .exits = l->exits};
    struct plan plan = make_plan(arena, arena, block, 2 * l->cells);
    block->code = plan.code;
    memcpy(plan.code->cell, l->cell, l->cells * sizeof *l->cell);
    for (unsigned i = 0; i < l->cells; i++) {
        plan.offset[2 * i] = l->offset[i];
        plan.cell_code[2 * i] = l->code[i];
        if (!is_exit_cell(l->code[i])) continue;
        struct exit *exit = &block->exit[l->cell[i].imm];
        *exit = (struct exit){l->exit_pc[l->cell[i].imm], &plan.code->cell[i], {.handler = cell_handler_link}};
        if (!cell_link(exit->branch, &exit->link)) error_die("the host gave memory too far apart");
    }
    return block;
}

static unsigned units_of(const struct step *step, bool first, bool fused) {
    if (!fused) return 2 * cell_width(step->code);
    return (first ? 2 : 1) + (step->code == CELL_li64);
}

// Copies a cell from the old code to a place in the new, and makes its exit, if it is one, leave from there.
static void move_cell(struct block *block, const struct step *step, struct plan *plan, unsigned place, bool first, bool fused,
                      unsigned *exits) {
    const struct cell *from = &block->code->cell[step->cell];
    struct cell *to = cell_at(plan->code, place);
    size_t skipped = first ? 0 : CELL_UNIT;
    memcpy((char *)to + skipped, (const char *)from + skipped, sizeof *to - skipped);
    if (step->code == CELL_li64) memcpy(to + 1, from + 1, fused ? CELL_UNIT : sizeof *to);
    if (cell_has_place(step->code)) to->d = (uint8_t)place;
    plan->offset[place] = block->code->about->offset[2 * step->cell];
    plan->cell_code[place] = step->code;
    if (!is_exit_cell(step->code)) return;
    struct exit *exit = &block->exit[(*exits)++];
    if (!cell_link(to, cell_target(from)) && !cell_link(to, &exit->link)) error_die("the host gave memory too far apart");
    __atomic_store_n(&exit->branch, to, __ATOMIC_RELEASE);
}

void interp_block_fuse(struct arena *code, struct arena *about, struct block *block) {
    struct step step[INTERP_MAX_CELLS + 5];
    unsigned count = find_steps(block, step), units = 0, exits = 0;
    choose(step, count);
    for (unsigned i = 0; i < count;) {
        unsigned length = step[i].chosen ? step[i].chosen->length : 1;
        for (unsigned n = 0; n < length; n++) units += units_of(&step[i + n], n == 0, length > 1);
        i += length;
    }
    struct plan plan = make_plan(code, about, block, units);
    for (unsigned i = 0, place = 0; i < count;) {
        unsigned length = step[i].chosen ? step[i].chosen->length : 1, first = place;
        for (unsigned n = 0; n < length; n++) {
            move_cell(block, &step[i + n], &plan, n ? place - 1 : place, n == 0, length > 1, &exits);
            place += units_of(&step[i + n], n == 0, length > 1);
        }
        if (length > 1) cell_at(plan.code, first)->handler = step[i].chosen->handler;
        i += length;
    }
    __atomic_store_n(&block->code, plan.code, __ATOMIC_RELEASE);
    __atomic_store_n(&block->settled, true, __ATOMIC_RELEASE);
}

struct block *interp_block_build(struct arena *arena, const struct ir_block *ir, uint64_t pc, uint32_t mode) {
    struct lowering l;  // most of it is never touched
    l.ir = ir, l.pc = pc, l.mode = mode;
    l.cells = l.exits = l.counted = 0;
    for (unsigned i = 0; i < ir->count; i++) {
        if (l.cells + 3 > INTERP_MAX_CELLS) return NULL;
        put_uop(&l, i);
    }
    return finish(&l, arena);
}

struct block *interp_block_bare(struct arena *arena, uint64_t pc, uint32_t bytes, uint32_t mode, const void *native) {
    struct block *block = arena_alloc(arena, sizeof *block, 16);
    struct layout *about = arena_alloc(arena, sizeof *about, 8);
    struct threaded *code = arena_alloc(arena, sizeof *code + sizeof *code->cell, 16);
    *block = (struct block){.pc = pc, .bytes = bytes, .mode = mode, .settled = true, .kept = native, .code = code};
    *about = (struct layout){.block = block};
    *code = (struct threaded){about, pc, native};
    code->cell->handler = cell_handler_native;
    return block;
}

void interp_block_kill(struct block *block) {
    __atomic_store_n(&block->dead, true, __ATOMIC_RELAXED);
    __atomic_store_n(&block->code->native, interp_native_leave,
                     __ATOMIC_RELEASE);  // that of a bare block would else lead to its code
    __atomic_store_n(&block->code->cell[0].handler, cell_handler_dead, __ATOMIC_RELEASE);
}
