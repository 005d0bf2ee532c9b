// Lowers a lifted block to threaded code: binds pc-relative constants to the block's address, lays out cells, then exits, and fuses
// neighbours. One pass over the uops, one over the cells.
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

static void put_data(struct lowering *l, const struct uop *uop, uint64_t data) {
    put(l, uop, CELL_OTHER, (const void *)(uintptr_t)data);
}

static void put_constant(struct lowering *l, const struct uop *uop, uint64_t value) {
    if ((int64_t)value == (int32_t)value) {
        put(l, uop, UOP_li, cell_handler[UOP_li])->imm = (int32_t)value;
        return;
    }
    put(l, uop, CELL_li64, cell_handler_li64);
    put_data(l, uop, value);
}

// Guest instructions from the block's start up to and including the one that `at` belongs to.
static unsigned instructions_until(const struct ir_block *ir, unsigned at) {
    unsigned n = 0;
    for (unsigned i = 0, last = ~0u; i <= at; i++) {
        if (ir->uop[i].offset != last) n++;
        last = ir->uop[i].offset;
    }
    return n;
}

// Uops that can leave the block count what was executed so far. Instructions without uops (nops) count with the last exit.
static void put_count(struct lowering *l, unsigned at, bool last) {
    if (!(l->mode & MODE_COUNT)) return;
    unsigned upto = last ? l->ir->instructions : instructions_until(l->ir, at);
    put(l, &l->ir->uop[at], CELL_OTHER, cell_handler_count)->imm = (int32_t)(upto - l->counted);
    l->counted = upto;
}

static void put_exit_trap(struct lowering *l, const struct uop *uop) {
    put(l, uop, uop->code, cell_handler[uop->code]);
    bool behind = uop->code == UOP_syscall || uop->code == UOP_codesync || uop->code == UOP_resume;
    put_data(l, uop, l->pc + uop->offset + (behind ? (uint64_t)uop->imm : 0));
}

static void put_uop(struct lowering *l, unsigned at) {
    const struct uop *uop = &l->ir->uop[at];
    unsigned at_cell = l->cells;
    switch (uop_info[uop->code].format) {
    case UOP_FORMAT_LINK: put_constant(l, uop, l->pc + (uint64_t)uop->imm); break;
    case UOP_FORMAT_DI:
        if (uop->code == UOP_li) put_constant(l, uop, (uint64_t)uop->imm);
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
    case UOP_FORMAT_AMO: put(l, uop, uop->code, cell_handler[uop->code])->d = (uint8_t)at_cell; break;
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

// The cell behind the last of the sequence, if it fits the cells from `at` on; 0 otherwise.
static unsigned end_of_sequence(const struct lowering *l, const struct cell_sequence *sequence, unsigned at) {
    if (l->code[at] != sequence->code[0]) return 0;
    for (unsigned i = 1, next; i < sequence->length; i++, at = next) {
        next = at + cell_width(l->code[at]);
        if (next >= l->cells || l->code[next] != sequence->code[i]) return 0;
        unsigned chains = cell_chains(&l->cell[at], l->code[at], &l->cell[next], l->code[next]);
        if (sequence->chain[i] && !(sequence->chain[i] & chains)) return 0;
    }
    return at + cell_width(l->code[at]);
}

// Quarters of a step: a dispatch, the way of a result through its slot, its store.
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
static void fuse(struct lowering *l) {
    const struct cell_sequence *chosen[INTERP_MAX_CELLS + 4];
    unsigned saved[INTERP_MAX_CELLS + 8] = {0};  // from cell i on
    for (unsigned i = l->cells; i-- > 0;) {
        unsigned next = i + cell_width(l->code[i]);
        chosen[i] = NULL;
        saved[i] = saved[next];
        if (next >= l->cells) continue;
        for (unsigned n = *sequence_list(l->code[i], l->code[next]); n; n = sequence_next[n - 1]) {
            unsigned end = end_of_sequence(l, &cell_sequences[n - 1], i);
            unsigned saves = end ? saved[end] + savings(&cell_sequences[n - 1]) : 0;
            if (saves > saved[i]) saved[i] = saves, chosen[i] = &cell_sequences[n - 1];
        }
    }
    for (unsigned i = 0; i < l->cells;) {
        if (chosen[i]) l->cell[i].handler = chosen[i]->handler;
        i = chosen[i] ? end_of_sequence(l, chosen[i], i) : i + cell_width(l->code[i]);
    }
}

static bool is_exit_cell(unsigned code) {
    return cell_format(code) == UOP_FORMAT_BRANCH || cell_format(code) == UOP_FORMAT_JUMP;
}

static struct block *finish(struct lowering *l, struct arena *code_arena, struct arena *arena) {
    size_t cells = offsetof(struct threaded, cell) + l->cells * sizeof(struct cell);
    struct threaded *code = arena_alloc(code_arena, cells, 16);
    struct block *block = arena_alloc(arena, sizeof *block + l->exits * sizeof(struct exit), 16);
    uint16_t *offset = arena_alloc(arena, l->cells * sizeof *offset, sizeof *offset);
    *block = (struct block){.pc = l->pc, .bytes = l->ir->bytes, .mode = l->mode, .count = l->cells, .offset = offset, .code = code};
    *code = (struct threaded){block, l->pc};
    memcpy(offset, l->offset, l->cells * sizeof *offset);
    memcpy(code->cell, l->cell, l->cells * sizeof *l->cell);
    for (unsigned i = 0; i < l->cells; i++) {
        if (!is_exit_cell(l->code[i])) continue;
        struct exit *exit = &block->exit[l->cell[i].imm];
        *exit = (struct exit){l->exit_pc[l->cell[i].imm], &code->cell[i], {.handler = cell_handler_link}};
        if (!cell_link(&code->cell[i], &exit->link)) error_die("the host gave memory too far apart");
    }
    return block;
}

struct block *interp_block_build(struct arena *code, struct arena *about, const struct ir_block *ir, uint64_t pc, uint32_t mode) {
    struct lowering l = {.ir = ir, .pc = pc, .mode = mode};
    for (unsigned i = 0; i < ir->count; i++) {
        if (l.cells + 3 > INTERP_MAX_CELLS) return NULL;
        put_uop(&l, i);
    }
    fuse(&l);
    return finish(&l, code, about);
}

void interp_block_kill(struct block *block) {
    block->dead = true;
    __atomic_store_n(&block->code->cell[0].handler, cell_handler_dead, __ATOMIC_RELEASE);
}
