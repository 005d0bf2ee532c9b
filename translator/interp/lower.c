// Lowers a lifted block to threaded code: binds pc-relative constants to the block's address, lays out cells, then exits, and fuses
// neighbours. One pass over the uops, one over the cells.
#include "runtime/base/arena.h"
#include "translator/interp/cells.h"
#include <string.h>

struct lowering {
    const struct ir_block *ir;
    uint64_t pc;
    uint32_t mode;
    unsigned cells, exits;
    struct cell cell[INTERP_MAX_CELLS + 4];
    uint16_t offset[INTERP_MAX_CELLS + 4];
    uint16_t code[INTERP_MAX_CELLS + 4];  // uop code of a cell, UOP_COUNT_OF_CODES for data and our own
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
    put(l, uop, UOP_COUNT_OF_CODES, (const void *)(uintptr_t)data)->imm = 0;
}

static void put_constant(struct lowering *l, const struct uop *uop, uint64_t value) {
    if ((int64_t)value == (int32_t)value) {
        put(l, uop, UOP_li, cell_handler[UOP_li])->imm = (int32_t)value;
        return;
    }
    put(l, uop, UOP_COUNT_OF_CODES, cell_handler_li64);
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
    put(l, &l->ir->uop[at], UOP_COUNT_OF_CODES, cell_handler_count)->imm = (int32_t)(upto - l->counted);
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

// pairs.def as chains by first uop, made before main.
static uint16_t pair_head[UOP_COUNT_OF_CODES], pair_next[2048];  // index + 1 into cell_pairs

__attribute__((constructor)) static void index_pairs(void) {
    for (unsigned i = cell_pair_count; i-- > 0;) {
        pair_next[i] = pair_head[cell_pairs[i].first];
        pair_head[cell_pairs[i].first] = (uint16_t)(i + 1);
    }
}

static const void *pair_handler(unsigned first, unsigned second) {
    if (first >= UOP_COUNT_OF_CODES) return NULL;
    for (unsigned i = pair_head[first]; i; i = pair_next[i - 1]) {
        if (cell_pairs[i - 1].second == second) return cell_pairs[i - 1].handler;
    }
    return NULL;
}

static void fuse(struct lowering *l) {
    for (unsigned i = 0; i + 1 < l->cells; i++) {
        const void *both = pair_handler(l->code[i], l->code[i + 1]);
        if (both) l->cell[i++].handler = both;
    }
}

static bool is_exit_cell(unsigned code) {
    return code < UOP_COUNT_OF_CODES && (uop_info[code].format == UOP_FORMAT_BRANCH || uop_info[code].format == UOP_FORMAT_JUMP);
}

static struct block *finish(struct lowering *l, struct arena *arena) {
    size_t head = offsetof(struct block, cell) + l->cells * sizeof(struct cell);
    size_t exits = l->exits * sizeof(struct exit);
    struct block *block = arena_alloc(arena, head + exits + l->cells * sizeof(uint16_t), 16);
    struct exit *exit = (struct exit *)((char *)block + head);
    uint16_t *offset = (uint16_t *)((char *)exit + exits);
    *block = (struct block){.pc = l->pc, .bytes = l->ir->bytes, .mode = l->mode, .count = l->cells, .offset = offset};
    memcpy(offset, l->offset, l->cells * sizeof(uint16_t));
    memcpy(block->cell, l->cell, l->cells * sizeof(struct cell));
    for (unsigned i = 0; i < l->exits; i++) exit[i] = (struct exit){&exit[i].link, l->exit_pc[i], {.handler = cell_handler_link}};
    for (unsigned i = 0; i < l->cells; i++) {
        if (is_exit_cell(l->code[i])) block->cell[i].imm = (int32_t)((char *)&exit[l->cell[i].imm] - (char *)&block->cell[i]);
    }
    return block;
}

struct block *interp_block_build(struct arena *arena, const struct ir_block *ir, uint64_t pc, uint32_t mode) {
    struct lowering l = {.ir = ir, .pc = pc, .mode = mode};
    for (unsigned i = 0; i < ir->count; i++) {
        if (l.cells + 3 > INTERP_MAX_CELLS) return NULL;
        put_uop(&l, i);
    }
    fuse(&l);
    return finish(&l, arena);
}

void interp_block_kill(struct block *block) {
    block->dead = true;
    __atomic_store_n(&block->cell[0].handler, cell_handler_dead, __ATOMIC_RELEASE);
}
