// Code for a guest pc: see code.h. The table is in code_table.c, what was kept between runs in code_kept.c, native code in code_native.c. Blocks' memory goes when
// the whole generation goes: once its arenas are over their limit, a new generation begins, every cpu is asked to leave translated code once, and then
// the old arenas are freed.
#include "runtime/code.h"
#include "runtime/base/error.h"
#include "runtime/block_log.h"
#include "runtime/code_table.h"
#include "runtime/cosim.h"
#include "runtime/jitdump.h"
#include "runtime/journal.h"
#include "runtime/keep.h"
#include "runtime/mem.h"
#include "runtime/meter.h"
#include "runtime/module.h"
#include "runtime/options.h"
#include "runtime/sheets.h"
#include "runtime/state.h"
#include "runtime/stats.h"

enum {
    FETCH_BYTES = 512,
    CODE_LIMIT = 512 << 20,  // bytes, unless options.code_size says otherwise
    OPTIMISED_LIMIT = 64 << 20,  // bytes
};

const struct guest_isa *code_isa;
guest_features code_features;
uint32_t code_generation;
struct generation code__current, code__old;

static struct ir_block lifted;  // under the lock

void code_init(const struct guest_isa *isa, guest_features features) {
    code_isa = isa;
    code_features = features;
    code__table_init();
    bool native = options.tier != TIER_INTERP && native_init(isa->pins);
    if (options.cosim && native) cosim_init();
    if (stats_wanted()) meter_init();
    if (options.cosim && !native)
        error_say("--cosim compares nothing: there is no native code with --tier=interp, nor on hosts without a quick tier");
    if (!native) return;
    jitdump_begin();
    code__native_init();
    if (options.tier == TIER_QUICK) return;
    bool named = options.perfmap || options.jitdump;  // by functions, which takes long for all blocks of a page
    if (keep_init(isa, features) && options.tier == TIER_AUTO && !named) {
        sheets_init();
        if (keep_adds()) journal_init();
    }
    optimise_init(isa, features, options.code_size ? options.code_size : OPTIMISED_LIMIT);
}

void code_forked(void) {
    jitdump_begin();
    journal_forget();
    code__begin_life();
    optimise_forked(&code__current.optimiser);
    optimise_forked(&code__old.optimiser);
    code_collect();
}

// ---- making

static const struct cell *fetch_fault(struct cpu *cpu, uint64_t address) {
    cpu->trap = (struct trap){.kind = TRAP_FETCH, .address = address};
    return NULL;
}

struct block *code__build(uint64_t pc, uint32_t mode, const uint8_t *bytes, size_t size) {
    for (unsigned limit = GUEST_BLOCK_INSTRUCTIONS;; limit /= 2) {
        guest_lift_block(code_isa, bytes, size, pc, mode, code_features, limit, &lifted);
        if (!lifted.count) return NULL;
        struct block *block = interp_block_build(&code__current.about, &lifted, pc, mode);
        if (block) return block;
        if (limit == 1) error_die("one guest instruction at %#llx needs too many cells", (unsigned long long)pc);
    }
}

void code__publish(struct block *block, const uint8_t *bytes) {
    block->bytes_hash = code__hash_bytes(bytes, block->bytes);
    stats_translated(lifted.instructions, lifted.bytes);
    if (options.log_blocks) block_log_add(block->pc, block->bytes);
    code__enlist(block);
    journal_add(&code__current.optimiser.compiler, block, bytes);
}

// Guest bytes at a pc, read before the table's lock is taken: the address space's lock comes first in the locking order.
struct fetched {
    uint8_t bytes[FETCH_BYTES];
    size_t size;
    uint32_t changes;  // as it was before reading
};

static void fetch(uint64_t pc, struct fetched *fetched) {
    module_learn(pc);  // for whoever asks for it under the table's lock
    fetched->changes = __atomic_load_n(&code__changes, __ATOMIC_SEQ_CST);
    fetched->size = mem_executable(pc, FETCH_BYTES);
    // What is executable may still be unreadable: a file that became shorter.
    while (fetched->size && mem_copy_in(fetched->bytes, pc, fetched->size) < 0) fetched->size = fetched->size / 2 & ~(size_t)1;
}

static const struct cell *translate(struct cpu *cpu, const struct fetched *fetched) {
    size_t size = fetched->size;
    if (!size) return fetch_fault(cpu, cpu->pc);
    struct block *block = code__build(cpu->pc, cpu->mode, fetched->bytes, size);
    if (!block) return fetch_fault(cpu, cpu->pc + size);
    code__publish(block, fetched->bytes);
    return block->code->cell;
}

// ---- generations

// Forgets all translations; the calling cpu must leave translated code at once. False, and nothing done, while the generation before is
// not collected yet: until then the arena exceeds its limit.
bool code__begin_generation(void) {
    if (code__old.about.chunks) return false;
    stats_count(STATS_GENERATION);
    optimise_retire(&code__current.optimiser);
    sheets_forget(&code__current.native);
    journal_forget();
    code__old = code__current;
    code__current = (struct generation){0};
    code__table_clear();
    __atomic_fetch_add(&code_generation, 1, __ATOMIC_SEQ_CST);
    code__ask_to_leave();
    return true;
}

static void holds_on(struct cpu *cpu, void *data) {
    struct cpu_state *state = runtime_of(cpu);
    bool away = !__atomic_load_n(&state->in_code, __ATOMIC_SEQ_CST);
    if (!away && __atomic_load_n(&state->generation, __ATOMIC_SEQ_CST) != code_generation) *(bool *)data = true;
}

void code_collect(void) {
    lock_take(&code__lock);
    bool held = false;
    if (code__old.about.chunks) cpu_each(holds_on, &held);
    if (code__old.about.chunks && !held) {
        arena_free(&code__old.code);
        arena_free(&code__old.about);
        native_free(&code__old.native);
        code__old.optimiser = (struct optimiser){.made = NULL};
    }
    lock_drop(&code__lock);
}

static bool is_over_limit(void) {
    uint64_t used = code__current.code.used + code__current.about.used + code__current.native.used;
    return used > (options.code_size ? options.code_size : CODE_LIMIT);
}

// ---- looking up

static const struct cell *begin_again(struct cpu *cpu) {
    cpu->trap.kind = TRAP_RESUME;
    return NULL;
}

// Under the lock: the block that another thread made meanwhile, or a new one.
static const struct cell *find_or_translate(struct cpu *cpu, const struct fetched *fetched) {
    bool full = false;
    struct block *block = code__find(cpu->pc, cpu->mode);
    if (block) return block->code->cell;
    if (is_over_limit() && code__begin_generation()) return begin_again(cpu);
    block = fetched->size ? code__make_bare(cpu->pc, cpu->mode, &full) : NULL;
    if (full && code__begin_generation()) return begin_again(cpu);
    if (block) return block->code->cell;
    const struct cell *code = translate(cpu, fetched);
    code__tell_soon();
    if (code) code__seek(threaded_of(code)->about->block);
    return code;
}

// A block is entered again.
static void settle(struct cpu *cpu, struct block *block) {
    if (__atomic_load_n(&block->settled, __ATOMIC_ACQUIRE)) return;
    if (interp_hot_passes) {  // it will soon have native code, or is not worth the trouble
        __atomic_store_n(&block->settled, true, __ATOMIC_RELEASE);
        return;
    }
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    lock_take(&code__lock);
    if (!cpu_is_behind(cpu) && !block->dead && !block->settled) interp_block_fuse(&code__current.code, &code__current.about, block);
    lock_drop(&code__lock);
    meter_switch(cpu, before);
}

static const struct cell *make(struct cpu *cpu) {
    struct fetched fetched;
    for (;;) {
        fetch(cpu->pc, &fetched);
        lock_take(&code__lock);
        bool fresh = fetched.changes == code__changes;
        const struct cell *code = fresh ? find_or_translate(cpu, &fetched) : NULL;
        lock_drop(&code__lock);
        if (fresh) return code;
    }
}

const struct cell *code_resolve(struct cpu *cpu) {
    meter_count(cpu, METER_LOOKUPS);
    struct block *block = code__find(cpu->pc, cpu->mode);
    if (block) {
        settle(cpu, block);
        code__seek_again(cpu, block);
        code__count_lookup(cpu, block);
        return block->code->cell;
    }
    if (!mem_is_guest(cpu->pc, 1) || cpu->pc % code_isa->min_instruction) return fetch_fault(cpu, cpu->pc);
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    const struct cell *code = make(cpu);
    meter_switch(cpu, before);
    return code;
}
