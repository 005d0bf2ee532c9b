// Regions for the compiler program: see optimise.h.
#include "runtime/optimise.h"
#include "runtime/base/arena.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/cpu_loop.h"
#include "cache/gather.h"
#include "runtime/keep.h"
#include "runtime/native.h"
#include "runtime/options.h"
#include "runtime/perfmap.h"
#include "runtime/state.h"
#include "runtime/stats.h"
#include "translator/interp/cells.h"
#include "translator/quick/quick.h"
#include <string.h>

enum {
    AGAIN_SOON = 2000,  // passes
    AGAIN_EXACT = 60000,  // of what is to be exact, once: such code gains least, and takes LLVM the most time for an instruction
    PATIENCE = 5,
    MOST_GROWN = 4,
    MOST_TRIES = 2,  // each time it takes twice as long to the next one
    MOST_IDLE = 5,  // the same
    FAILURES = 4,  // of compiler programs in one process, after which it does without
    LEAST_ARENA = 1 << 20,
    MOST_ARENA = 4 << 20,
    BANNED = 64,
};

// A region that was asked for.
struct optimised {
    struct optimised *next;
    const uint8_t *code;
    uint32_t bytes, blocks, exits;
    struct quick_exit *exit;
    bool dead, exact;
    struct block *by;  // that made us ask
    uint8_t grown;  // how often its like was asked for before
    struct use {
        struct use *next;  // of the same block
        struct optimised *unit;
        struct block *block;
        bool entry;
    } use[];
};

static const struct guest_isa *guest;  // NULL: no compiler program
static guest_features guest_has;
static uint32_t arena_bytes;
static unsigned failures;
static long owner;  // process id; processes may share our memory until they execute
static uint64_t banned[BANNED];  // pcs of regions that LLVM failed at
static unsigned bans;
static bool exact;  // from now on code has to be

void optimise_init(const struct guest_isa *isa, guest_features features, uint64_t size) {
    guest = isa;
    guest_has = features;
    arena_bytes = (uint32_t)(size < LEAST_ARENA ? LEAST_ARENA : size > MOST_ARENA ? MOST_ARENA : size);
    owner = host_call(getpid);
}

// The program at work, or NULL.
static struct compiler *at_work(struct optimiser *o) {
    return o->compiler.channel ? &o->compiler : NULL;
}

// ---- asking

static bool copy_bytes(const struct gathering *g, struct channel_request *request) {
    request->bytes = 0;
    for (unsigned i = 0; i < g->blocks; i++) {
        const struct block *block = g->block[i];
        if (!code_copy_bytes(block, request->byte + request->bytes)) return false;
        request->block[i] = (struct channel_block){
            .pc = block->pc, .at = (uint16_t)request->bytes, .bytes = (uint16_t)block->bytes, .entry = g->entry[i]};
        request->bytes += block->bytes;
    }
    return true;
}

static void make_exits(struct optimised *unit, const uint64_t *pc, unsigned count, struct arena *arena) {
    unit->exits = count;
    unit->exit = arena_alloc(arena, count * sizeof *unit->exit + 1, 8);
    for (unsigned i = 0; i < count; i++) quick_exit_init(&unit->exit[i], pc[i]);
}

static struct optimised *make_unit(struct block *const *blocks, const bool *entry, unsigned count, struct arena *arena) {
    struct optimised *unit = arena_alloc(arena, sizeof *unit + count * sizeof *unit->use, 8);
    unit->blocks = count;
    unit->exact = exact;
    for (unsigned i = 0; i < count; i++) {
        unit->use[i] = (struct use){blocks[i]->uses, unit, blocks[i], entry[i]};
        blocks[i]->uses = &unit->use[i];
    }
    return unit;
}

// The living region that the block is in, or NULL.
static struct optimised *around(const struct block *block) {
    const struct use *use = block->uses;
    while (use && use->unit->dead) use = use->next;
    return use ? use->unit : NULL;
}

static bool gather_region(struct gathering *g, struct block *first, gather_find *find) {
    return gather_loop(g, first, find, exact && options.tier != TIER_OPT);
}

// A region anew, with blocks that turned hot since then, to be entered at this one as well. False if it is not in it, or if the region grew often enough.
static bool grow(struct gathering *g, const struct optimised *unit, const struct block *block, gather_find *find) {
    if (unit->grown == MOST_GROWN || !gather_region(g, unit->use[0].block, find) || !gather_enter(g, block)) return false;
    for (unsigned i = 0; i < unit->blocks; i++) {
        if (unit->use[i].entry) gather_enter(g, unit->use[i].block);
    }
    return true;
}

// A region that this one is about the same as, and begins elsewhere.
static const struct optimised *alike(const struct gathering *g) {
    for (unsigned i = 1; i < g->blocks; i++) {
        const struct optimised *unit = g->block[i]->optimised_by;
        if (unit && unit->use[0].block == g->block[i] && g->blocks <= 2 * unit->blocks) return unit;
    }
    return NULL;
}

// What to ask for because of a block that turned hot: the region around it, or one that it is another way into, or a new one. How often that was asked for
// before goes to *grown.
static bool find_region(struct gathering *g, struct block *block, gather_find *find, unsigned *grown) {
    const struct optimised *like = around(block);
    *grown = like ? like->grown + 1u : 0;
    if (like && grow(g, like, block, find)) return true;
    *grown = 0;
    if (!gather_region(g, block, find)) return options.tier == TIER_OPT && gather_any(g, block, find);
    like = alike(g);
    if (!like) return true;
    *grown = like->grown + 1u;
    if (grow(g, like, block, find)) return true;
    *grown = 0;
    return gather_region(g, block, find);
}

static bool ask(struct optimiser *o, struct compiler *c, struct arena *arena, struct block *block, gather_find *find) {
    static struct gathering g;
    unsigned grown;
    struct channel_request *request = compiler_request(c);
    if (!find_region(&g, block, find, &grown) || !copy_bytes(&g, request)) return false;
    request->id = c->asked + 1;
    request->mode = block->mode;
    request->exact = exact;
    request->stepwise = quick_stepwise;
    gather_request(&g, request);
    keep_describe(&g, request);
    struct optimised *unit = make_unit(g.block, g.entry, g.blocks, arena);
    make_exits(unit, g.exit, g.exits, arena);
    unit->grown = (uint8_t)grown;
    unit->by = block;
    o->asked[c->asked % CHANNEL_REQUESTS] = unit;
    block->asked = true;
    compiler_send(c);
    return true;
}

// ---- what came of it

static void give(struct block *block, const void *code) {
    quick_optimise(block, code);
    cpu_forget_native_jump(block->pc);
    native_switch(block);
}

static void remove_unit(struct optimised *unit) {
    if (unit->dead) return;
    unit->dead = true;
    unit->by->asked = false;
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *block = unit->use[i].block;
        if (block->optimised_by != unit) continue;
        block->optimised_by = NULL;
        block->asked = false;
        give(block, NULL);
    }
}

// A copy of the image, at *unit->code. What the compiler program says about it was checked, and is checked again by what uses it.
static bool copy_in(struct native *native, const struct compiler *c, struct optimised *unit, const struct channel_result *result,
                    bool *full) {
    static struct image_hole hole[IMAGE_MAX_HOLES];
    if (result->holes > IMAGE_MAX_HOLES) return false;
    memcpy(hole, c->arena + result->list_at, result->holes * sizeof *hole);
    const struct image image = {.bytes = result->bytes,
                                .holes_at = result->holes_at,
                                .exits_at = result->exits_at,
                                .holes = result->holes,
                                .exits = unit->exits,
                                .hole = hole};
    unit->code = native_add(native, &image, c->arena + result->at, unit->exit, full);
    unit->bytes = result->bytes;
    return unit->code;
}

// Faults in the code must be known as such before anyone enters it. `entry`: by block, from the code's start.
static void install(struct optimiser *o, struct optimised *unit, const uint32_t *entry) {
    perfmap_add(unit->code, unit->bytes, unit->use[0].block->pc, "opt");
    unit->next = o->made;
    __atomic_store_n(&o->made, unit, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct use *use = &unit->use[i];
        if (!use->entry || entry[i] >= unit->bytes) continue;
        use->block->optimised_by = unit;
        give(use->block, unit->code + entry[i]);
    }
}

static void ban(const struct optimised *unit) {
    banned[bans++ % BANNED] = unit->by->pc;
}

static bool is_banned(uint64_t pc) {
    for (unsigned i = 0; i < BANNED; i++) {
        if (banned[i] == pc && i < bans) return true;
    }
    return false;
}

static void take(struct optimiser *o, struct native *native, struct optimised *unit, const struct channel_result *result,
                 bool *full) {
    bool ours = result->id == o->compiler.answered;
    if (unit->dead) return;
    if (ours && result->outcome == CHANNEL_MADE && copy_in(native, &o->compiler, unit, result, full)) {
        install(o, unit, result->entry);
        stats_optimised(result, unit->blocks);
        return;
    }
    if (result->outcome != CHANNEL_FULL && !*full) ban(unit);
    else unit->by->asked = false;
    unit->dead = true;
}

// *full: there was no room for the code.
static void take_results(struct optimiser *o, struct native *native, bool *full) {
    static struct channel_result result;
    struct compiler *c = &o->compiler;
    while (!*full && compiler_result(c, &result)) {
        take(o, native, o->asked[(c->answered - 1) % CHANNEL_REQUESTS], &result, full);
        compiler_took(c);
    }
}

// Requests that nobody will answer may be made again; the one that the program ended at may not.
static void forget_requests(struct optimiser *o, struct compiler *c, uint32_t current) {
    for (; c->answered != c->asked; c->answered++) {
        struct optimised *unit = o->asked[c->answered % CHANNEL_REQUESTS];
        if (c->answered + 1 == current) ban(unit);
        unit->by->asked = false;
        unit->dead = true;
    }
}

// The program to ask: the one at work, or a new one after it is gone.
static struct compiler *program(struct optimiser *o, struct native *native, bool *full) {
    struct compiler *c = &o->compiler;
    uint32_t current = 0;
    if (c->channel) {
        take_results(o, native, full);
        if (*full) return NULL;
        if (!compiler_is_gone(c, &current)) return c;
        failures += current != 0 || c->asked != c->answered;
        forget_requests(o, c, current);
        compiler_close(c);
    }
    if (failures >= FAILURES || host_call(getpid) != owner) return NULL;
    if (compiler_begin(c, guest, guest_has, arena_bytes)) {
        c->channel->exact = exact;
        code_tell();
        return c;
    }
    failures = FAILURES;
    return NULL;
}

void optimise_start(struct optimiser *o, struct native *native, bool *full) {
    *full = false;
    if (guest) program(o, native, full);
}

// Under --tier=opt nothing goes on before the code is there.
static void wait_for(struct optimiser *o, struct native *native, bool *full) {
    struct compiler *c = &o->compiler;
    uint32_t current;
    while (!*full && c->answered != c->asked && !compiler_is_gone(c, &current)) {
        compiler_wait(c);
        take_results(o, native, full);
    }
}

// A block in the midst of a region that has code will mostly be reached by way of that. As long as the region is asked for only, nobody can say.
static bool waits(struct block *block) {
    const struct optimised *unit = around(block);
    return unit && (!unit->code || block->waited++ < PATIENCE);
}

// Counting takes time: a unit that runs out at blocks that have their code stops it before long.
static uint32_t have_nothing_to_ask(const struct block *block) {
    struct quick_unit *unit = block->unit;
    return unit->idle < MOST_IDLE ? AGAIN_SOON << unit->idle++ : OPTIMISE_NEVER;
}

static bool postpone(struct block *block) {
    bool first = exact && options.tier == TIER_AUTO && !block->postponed;
    block->postponed |= first;
    return first;
}

uint32_t optimise(struct optimiser *o, struct native *native, struct arena *arena, struct block *block, gather_find *find,
                  bool *full) {
    *full = false;
    if (!guest) return OPTIMISE_NEVER;
    struct compiler *c = program(o, native, full);
    if (!c) return *full || failures < FAILURES ? AGAIN_SOON : OPTIMISE_NEVER;
    if (block->optimised_by) return have_nothing_to_ask(block);
    if (block->asked || waits(block)) return AGAIN_SOON;
    if (block->marks & CHANNEL_PLAIN || is_banned(block->pc)) return OPTIMISE_NEVER;
    if (postpone(block)) return AGAIN_EXACT;
    if (!compiler_request(c)) return AGAIN_SOON;  // its ring is full: no fault of the block's
    if (!ask(o, c, arena, block, find)) return block->tries < MOST_TRIES ? AGAIN_SOON << block->tries++ : OPTIMISE_NEVER;
    if (options.tier == TIER_OPT) wait_for(o, native, full);
    return AGAIN_SOON;
}

// ---- what was kept

bool optimise_restore(struct optimiser *o, struct native *native, struct arena *arena, const struct kept *kept,
                      struct block *const *blocks, bool *full) {
    const struct record *record = &kept->record;
    uint32_t entry[CHANNEL_BLOCKS] = {0};
    bool is_entry[CHANNEL_BLOCKS];
    for (unsigned i = 0; i < record->blocks; i++) {
        entry[i] = record->block[i].entry;
        is_entry[i] = entry[i] != RECORD_NO_ENTRY;
    }
    struct optimised *unit = make_unit(blocks, is_entry, record->blocks, arena);
    make_exits(unit, kept->exit, record->image.exits, arena);
    unit->by = blocks[0];
    unit->bytes = record->image.bytes;
    unit->code = native_add(native, &record->image, record->code, unit->exit, full);
    unit->dead = !unit->code;
    if (unit->dead) return false;
    install(o, unit, entry);
    stats_restored(record);
    return true;
}

unsigned optimise_blocks(const struct block *block, struct block *blocks[CHANNEL_BLOCKS]) {
    const struct optimised *unit = block->optimised_by;
    for (unsigned i = 0; unit && i < unit->blocks; i++) blocks[i] = unit->use[i].block;
    return unit ? unit->blocks : 0;
}

bool optimise_drop(struct block *block) {
    bool any = false;
    for (struct use *use = block->uses; use; use = use->next) {
        any |= !use->unit->dead;
        remove_unit(use->unit);
    }
    return any;
}

// ---- ending

void optimise_retire(struct optimiser *o) {
    struct compiler *c = at_work(o);
    if (!c) return;
    forget_requests(o, c, 0);
    compiler_close(c);
}

void optimise_close(struct optimiser *o) {
    if (host_call(getpid) == owner) optimise_retire(o);
}

void optimise_forked(struct optimiser *o) {
    struct compiler *c = at_work(o);
    if (c) {
        forget_requests(o, c, 0);
        compiler_forked(c);
    }
    owner = host_call(getpid);
    failures = 0;
}

// ---- faults

// Of exact code: to where the guest goes on from, carefully. What is in the cpu's anchor is for the block it names if the code is what it should be.
HOST_HANDLER static void go_to_anchor(const struct optimised *unit, struct cpu *cpu) {
    uint32_t block = cpu->anchor >> CPU_ANCHOR_SHIFT, offset = cpu->anchor & ((1u << CPU_ANCHOR_SHIFT) - 1);
    cpu->pc = unit->use[block < unit->blocks ? block : 0].block->pc + offset;
    cpu_take_care(cpu);
}

enum native_fault optimise_fault(const struct optimiser *o, struct cpu *cpu, uint64_t host_pc, bool write) {
    static const struct cell reads = {.d = 0}, writes = {.d = 1};
    for (const struct optimised *unit = __atomic_load_n(&o->made, __ATOMIC_ACQUIRE); unit; unit = unit->next) {
        if (host_pc - (uintptr_t)unit->code >= unit->bytes) continue;
        if (unit->exact) {
            go_to_anchor(unit, cpu);
            return NATIVE_RESUME;
        }
        cpu->pc = unit->use[0].block->pc;
        cpu->at = write ? &writes : &reads;
        cpu->trap.inexact = 1;
        return NATIVE_TRAP;
    }
    return NATIVE_FOREIGN;
}

bool optimise_is_exact(void) {
    return exact;
}

void optimise_exactly(struct optimiser *o) {
    exact = true;
    struct compiler *c = at_work(o);
    if (c) c->channel->exact = true;
    for (uint32_t i = c ? c->answered : 0; c && i != c->asked; i++) remove_unit(o->asked[i % CHANNEL_REQUESTS]);
    for (struct optimised *unit = o->made; unit; unit = unit->next) {
        if (!unit->exact) remove_unit(unit);
    }
}
