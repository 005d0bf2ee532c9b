// The blocks of a region: see gather.h. What comes after a block is known from its exits, and for indirect jumps from where they led so far.
#include "cache/gather.h"
#include "runtime/base/arena.h"
#include "translator/guest/guest.h"
#include "translator/interp/cells.h"
#include <string.h>

enum {
    REGION_CELLS = 4000,
    AROUND_CELLS = 5000,  // looked at
    STORELESS_CELLS = 1000,  // the same, for loops that store nothing
    LOOP_CELLS = 3600,
    ANY_CELLS = 150,
    CALLEE_CELLS = 200,
    MOST_TARGETS = 4,
    SCATTERED = 8,  // targets
    MAX_AFTER = INTERP_MAX_CELLS + 1 + BLOCK_TARGETS,
};

enum { SCANNED = 1, CALLS = 2, INDIRECT = 4, RETURNS = 8, STORES = 16 };  // struct block, kind

// Calls leave the address behind them in a slot, as a constant.
static bool leaves_address(const struct block *block) {
    uint64_t behind = block->pc + block->bytes;
    const uint16_t *code = block->code->about->cell_code;
    for (unsigned i = 0; i < block->count; i += cell_width(code[2 * i])) {
        const struct cell *u = &block->code->cell[i];
        if (code[2 * i] == CELL_li64 && cell_wide(u + 1) == behind) return true;
        if (code[2 * i] == UOP_li && (uint64_t)(int64_t)u->imm == behind) return true;
    }
    return false;
}

static bool stores(const struct block *block) {
    for (unsigned i = 0, code; i < block->count; i += cell_width(code)) {
        code = block->code->about->cell_code[2 * i];
        if (code < UOP_COUNT_OF_CODES && uop_stores(code)) return true;
    }
    return false;
}

static bool is_link(const struct guest_isa *isa, unsigned slot) {
    const uint8_t *link = isa->links;
    while (*link && *link != slot) link++;
    return *link != 0;
}

void gather_prepare(struct arena *arena, const struct guest_isa *isa, struct block *block) {
    if (block->kind) return;
    unsigned last = block->count - 1;
    bool indirect = cell_format(block->code->about->cell_code[2 * last]) == UOP_FORMAT_INDIRECT, calls = leaves_address(block);
    bool returns = indirect && !calls && is_link(isa, block->code->cell[last].b);
    block->kind =
        SCANNED | (calls ? CALLS : 0) | (indirect ? INDIRECT : 0) | (returns ? RETURNS : 0) | (stores(block) ? STORES : 0);
    if (!indirect || returns) return;
    uint64_t *targets = arena_alloc(arena, BLOCK_TARGETS * sizeof *targets, 8);
    memset(targets, 0, BLOCK_TARGETS * sizeof *targets);
    block->targets = targets;
}

// ---- from block to block

static bool is_good(const struct block *block) {
    return block && (block->unit || block->restored) && !block->dead;
}

// Where the number of a block with this pc is, or is to be.
static uint8_t *number_of(const struct gathering *g, uint64_t pc) {
    unsigned at = (unsigned)(pc >> 1 ^ pc >> 9) % GATHER_NUMBERS;
    while (g->number[at] && g->block[g->number[at] - 1]->pc != pc) at = (at + 1) % GATHER_NUMBERS;
    return (uint8_t *)(uintptr_t)&g->number[at];
}

static int place_of(const struct gathering *g, uint64_t pc) {
    return *number_of(g, pc) - 1;
}

static bool is_call(const struct block *block) {
    return block->kind & CALLS;
}

static bool is_direct_call(const struct block *block) {
    return is_call(block) && !(block->kind & INDIRECT) && block->exits;
}

static uint64_t behind(const struct block *block) {
    return block->pc + block->bytes;
}

// Where an indirect jump led.
static unsigned all_targets_of(const struct block *block, uint64_t pc[BLOCK_TARGETS]) {
    unsigned count = 0;
    for (unsigned i = 0; i < BLOCK_TARGETS && block->targets; i++) {
        uint64_t target = __atomic_load_n(&block->targets[i], __ATOMIC_RELAXED);
        if (target) pc[count++] = target;
    }
    return count;
}

// The same for what is to be in a region. A jump that leads to many places, such as an interpreter's to its next operation, is predicted best as what it is: by
// comparisons it would take several jumps that the host cannot predict. It ends the region then.
static unsigned targets_of(const struct block *block, uint64_t pc[BLOCK_TARGETS]) {
    unsigned count = all_targets_of(block, pc);
    return count <= MOST_TARGETS ? count : 0;
}

// The host will often guess wrong where it leads.
static bool scatters(const struct block *block) {
    uint64_t pc[BLOCK_TARGETS];
    return all_targets_of(block, pc) >= SCATTERED;
}

// Where a call goes, as far as is known. A direct one goes to the block's last exit.
static unsigned callees_of(const struct block *block, uint64_t pc[BLOCK_TARGETS]) {
    if (!is_call(block)) return 0;
    if (!is_direct_call(block)) return targets_of(block, pc);
    pc[0] = block->exit[block->exits - 1].pc;
    return 1;
}

// The pcs that come after a block without entering what it calls.
static unsigned after(const struct block *block, uint64_t pc[MAX_AFTER]) {
    unsigned count = is_call(block) ? 0 : targets_of(block, pc), exits = block->exits - is_direct_call(block);
    for (unsigned i = 0; i < exits; i++) pc[count++] = block->exit[i].pc;
    if (is_call(block)) pc[count++] = behind(block);
    return count;
}

static bool add_block(struct gathering *g, struct block *block, unsigned most_cells) {
    if (!is_good(block) || place_of(g, block->pc) >= 0) return false;
    if (g->blocks == CHANNEL_BLOCKS || g->cells + block->count > most_cells || g->bytes + block->bytes > CHANNEL_BYTES)
        return false;
    uint8_t *number = number_of(g, block->pc);
    g->block[g->blocks++] = block;
    *number = (uint8_t)g->blocks;
    g->cells += block->count;
    g->bytes += block->bytes;
    return true;
}

// Adds the block and what comes after it, but for blocks of these kinds.
static void flood(struct gathering *g, struct block *first, gather_find *find, unsigned most_cells, unsigned without) {
    for (unsigned i = add_block(g, first, most_cells) ? g->blocks - 1 : g->blocks; i < g->blocks; i++) {
        uint64_t pc[MAX_AFTER];
        for (unsigned count = after(g->block[i], pc), n = 0; n < count; n++) {
            struct block *next = find(pc[n], first->mode);
            if (next && !(next->kind & without)) add_block(g, next, most_cells);
        }
    }
}

// ---- loops and calls

// Which blocks the first one can be reached from again.
static bool find_loop(const struct gathering *g, bool loops[CHANNEL_BLOCKS]) {
    bool any = false;
    for (bool news = true; news;) {
        news = false;
        for (unsigned i = g->blocks; i-- > 0;) {
            uint64_t pc[MAX_AFTER];
            for (unsigned count = after(g->block[i], pc), n = 0; n < count && !loops[i]; n++) {
                int to = place_of(g, pc[n]);
                loops[i] = to == 0 || (to > 0 && loops[to]);
                news |= loops[i];
            }
            any |= loops[i];
        }
    }
    return any;
}

// Whether the first block is what the function that it begins calls.
static bool is_recursive(const struct gathering *g) {
    uint64_t pc[BLOCK_TARGETS];
    for (unsigned i = 0; i < g->blocks; i++) {
        for (unsigned count = callees_of(g->block[i], pc), n = 0; n < count; n++) {
            if (pc[n] == g->block[0]->pc) return true;
        }
    }
    return false;
}

static void begin(struct gathering *g) {
    g->blocks = g->cells = g->bytes = g->exits = g->ways = 0;
    memset(g->entry, 0, sizeof g->entry);
    memset(g->number, 0, sizeof g->number);
}

static void add_callee(struct gathering *g, struct block *first, gather_find *find) {
    static struct gathering callee;
    if (!is_good(first) || place_of(g, first->pc) >= 0) return;
    begin(&callee);
    flood(&callee, first, find, CALLEE_CELLS + 1, 0);
    if (callee.cells > CALLEE_CELLS || g->cells + callee.cells > REGION_CELLS) return;
    for (unsigned n = 0; n < callee.blocks; n++) add_block(g, callee.block[n], REGION_CELLS);
}

// Small functions that the region calls belong to it, and those that they call.
static void add_callees(struct gathering *g, gather_find *find) {
    for (unsigned i = 0; i < g->blocks; i++) {
        uint64_t pc[BLOCK_TARGETS];
        for (unsigned count = callees_of(g->block[i], pc), n = 0; n < count; n++)
            add_callee(g, find(pc[n], g->block[i]->mode), find);
    }
}

// Whether the block calls what is outside of the region. Calls that nobody comes back from do not count: they are never made.
static bool calls_outside(const struct gathering *g, const struct block *block, gather_find *find) {
    uint64_t pc[BLOCK_TARGETS];
    if (!is_call(block) || !is_good(find(behind(block), block->mode))) return false;
    for (unsigned count = callees_of(block, pc), n = 0; n < count; n++) {
        if (place_of(g, pc[n]) < 0) return true;
    }
    return false;
}

// ---- what the compiler program is to know

static bool add_exit(struct gathering *g, uint64_t pc) {
    for (unsigned i = 0; i < g->exits; i++) {
        if (g->exit[i] == pc) return true;
    }
    if (g->exits == CHANNEL_EXITS) return false;
    g->exit[g->exits++] = pc;
    return true;
}

// A way that does not fit is left out: then it leads out of the region.
static void add_way(struct gathering *g, unsigned from, int to) {
    if (to < 0) return;
    for (unsigned i = 0; i < g->ways; i++) {
        if (g->way[i].from == from && g->way[i].to == to) return;
    }
    if (g->ways == CHANNEL_WAYS || !add_exit(g, g->block[to]->pc)) return;
    g->way[g->ways++] = (struct channel_way){(uint8_t)from, (uint8_t)to};
}

// From all that returns in the function that the block begins, as far as it is in the region.
static void add_returns(struct gathering *g, int function, int to) {
    bool seen[CHANNEL_BLOCKS] = {false};
    unsigned reached[CHANNEL_BLOCKS], count = 0;
    if (function < 0 || to < 0) return;
    reached[count++] = (unsigned)function;
    seen[function] = true;
    for (unsigned i = 0; i < count; i++) {
        uint64_t pc[MAX_AFTER];
        if (g->block[reached[i]]->kind & RETURNS) add_way(g, reached[i], to);
        for (unsigned all = after(g->block[reached[i]], pc), n = 0; n < all; n++) {
            int next = place_of(g, pc[n]);
            if (next < 0 || seen[next]) continue;
            seen[next] = true;
            reached[count++] = (unsigned)next;
        }
    }
}

static void add_ways(struct gathering *g) {
    for (unsigned i = 0; i < g->blocks; i++) {
        const struct block *block = g->block[i];
        uint64_t pc[BLOCK_TARGETS];
        for (unsigned count = targets_of(block, pc), n = 0; n < count; n++) add_way(g, i, place_of(g, pc[n]));
        for (unsigned count = callees_of(block, pc), n = 0; n < count; n++)
            add_returns(g, place_of(g, pc[n]), place_of(g, behind(block)));
    }
}

// Entries are the first block, and where calls come back to that are made outside.
static bool finish(struct gathering *g, gather_find *find) {
    g->entry[0] = true;
    for (unsigned i = 0; i < g->blocks; i++) {
        const struct block *block = g->block[i];
        for (unsigned n = 0; n < block->exits; n++) {
            if (!add_exit(g, block->exit[n].pc)) return false;
        }
        int back = calls_outside(g, block, find) || (is_call(block) && scatters(block)) ? place_of(g, behind(block)) : -1;
        if (back >= 0) g->entry[back] = true;
    }
    add_ways(g);
    return true;
}

void gather_request(const struct gathering *g, struct channel_request *request) {
    request->blocks = g->blocks;
    request->exits = g->exits;
    request->ways = g->ways;
    for (unsigned i = 0; i < g->blocks; i++) request->block[i].scatters = scatters(g->block[i]);
    memcpy(request->exit, g->exit, g->exits * sizeof *g->exit);
    memcpy(request->way, g->way, g->ways * sizeof *g->way);
}

static bool any_stores(const struct gathering *g) {
    for (unsigned i = 0; i < g->blocks; i++) {
        if (g->block[i]->kind & STORES) return true;
    }
    return false;
}

// ---- regions

static struct gathering around;  // what is looked at

// Whether there is a way from the block back to it without a store: quickly, since most that are asked about have none.
static bool may_store_nothing(struct block *first, gather_find *find) {
    bool loops[CHANNEL_BLOCKS] = {false};
    begin(&around);
    if (!(first->kind & STORES)) flood(&around, first, find, STORELESS_CELLS, STORES);
    return find_loop(&around, loops);
}

bool gather_loop(struct gathering *g, struct block *first, gather_find *find, bool exact) {
    bool loops[CHANNEL_BLOCKS] = {false};
    unsigned cells = 0;
    if (exact && !may_store_nothing(first, find)) return false;
    begin(&around);
    begin(g);
    flood(&around, first, find, AROUND_CELLS, 0);
    bool all = is_recursive(&around);
    if (!all && !find_loop(&around, loops)) return false;
    loops[0] = true;
    for (unsigned i = 0; i < around.blocks; i++) cells += all || loops[i] ? around.block[i]->count : 0;
    if (cells > LOOP_CELLS) return false;
    for (unsigned i = 0; i < around.blocks; i++) {
        if (all || loops[i]) add_block(g, around.block[i], REGION_CELLS);
    }
    add_callees(g, find);
    for (unsigned i = 0; i < g->blocks; i++) {
        if (calls_outside(g, g->block[i], find)) return false;
    }
    return !(exact && any_stores(g)) && finish(g, find);
}

bool gather_enter(struct gathering *g, const struct block *block) {
    int at = place_of(g, block->pc);
    if (at >= 0) g->entry[at] = true;
    return at >= 0;
}

bool gather_any(struct gathering *g, struct block *first, gather_find *find) {
    begin(g);
    flood(g, first, find, ANY_CELLS, 0);
    add_callees(g, find);
    return g->blocks > 0 && finish(g, find);
}
