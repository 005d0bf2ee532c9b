// Native code of blocks: when they get it, and that it is entered, linked and left by faults.
#include "runtime/code.h"
#include "runtime/code_table.h"
#include "runtime/cpu_loop.h"
#include "cache/gather.h"
#include "runtime/host/host.h"
#include "runtime/journal.h"
#include "runtime/meter.h"
#include "runtime/options.h"
#include "runtime/sheets.h"
#include "runtime/state.h"
#include "translator/interp/interp.h"

enum {
    HOT_PASSES = 30,  // through an exit
    HOT_LOOKUPS = 8,  // which cost more
    HOT_UNIT_PASSES = 10000,
    LAST_UNIT_PASSES = 100000,  // of what is to have no better code; then it is worth the time to make it anew without counting
    SHEET_UNIT_PASSES = 1000,  // then, until it is asked for, with what is known of indirect jumps by then
    OPT_UNIT_PASSES = 50,  // under --tier=opt, at first
    OPT_REGIONS = 4096,  // after so many it is twice that, and so on
    OPT_DOUBLINGS = 6,
    BEHIND_PASSES =
        100,  // of a cpu that is about to leave code of an old generation: it does not look at what is pending where a count runs out
    RAN_LONG = 4,  // times
    UNIT_MAX_CELLS = 400,  // but always one block
};

static uint32_t hot_lookups;

void code__native_init(void) {
    bool at_once = options.tier == TIER_QUICK || options.tier == TIER_OPT;
    interp_hot_passes = at_once ? 1 : HOT_PASSES;
    hot_lookups = at_once ? 1 : HOT_LOOKUPS;
    if (options.tier == TIER_QUICK) return;
    quick_hot_passes = options.tier == TIER_OPT ? OPT_UNIT_PASSES : HOT_UNIT_PASSES;
}

// Also without the lock; then it may be wrong by the time.
static bool wants_native(const struct block *block) {
    return block && !block->kept && !(block->mode & MODE_CAREFUL) && __atomic_load_n(&block->settled, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&block->dead, __ATOMIC_RELAXED) && !__atomic_load_n(&block->unit, __ATOMIC_RELAXED) &&
           !__atomic_load_n(&block->optimised, __ATOMIC_RELAXED) && !__atomic_load_n(&block->plain, __ATOMIC_RELAXED);
}

// The block, and those that are entered again and again after it: what comes next first, so that it follows in the unit as well. `next_of` finds them.
static unsigned gather(struct block *first, struct block **blocks, struct block *(*next_of)(uint64_t pc, uint32_t mode)) {
    struct block *waiting[QUICK_MAX_BLOCKS * 4];
    unsigned count = 0, cells = 0, left = 0;
    waiting[left++] = first;
    while (left && count < QUICK_MAX_BLOCKS) {
        struct block *block = waiting[--left];
        bool known = false;
        for (unsigned i = 0; i < count; i++) known |= blocks[i] == block;
        if (known || (count && cells + block->count > UNIT_MAX_CELLS)) continue;
        blocks[count++] = block;
        cells += block->count;
        if (quick_hot_passes) gather_prepare(&code__current.about, code_isa, block);
        for (unsigned i = 0; i < block->exits; i++) {
            struct block *next = next_of(block->exit[i].pc, block->mode);
            if (wants_native(next) && left < sizeof waiting / sizeof *waiting) waiting[left++] = next;
        }
    }
    return count;
}

// Under --tier=opt the guest waits for each region: the more there are, the hotter code has to be.
static void raise_passes(void) {
    uint32_t times = code__current.optimiser.compiler.asked / OPT_REGIONS;
    if (options.tier == TIER_OPT) quick_hot_passes = OPT_UNIT_PASSES << (times < OPT_DOUBLINGS ? times : OPT_DOUBLINGS);
}

static uint32_t decide(struct block *block, bool *full) {
    raise_passes();
    uint32_t passes = optimise(&code__current.optimiser, &code__current.native, &code__current.about, block, code__find, full);
    if (passes == OPTIMISE_NEVER && !block->optimised) journal_mark(&code__current.optimiser.compiler, block, CHANNEL_PLAIN);
    return passes;
}

static bool loops(const struct quick_unit *unit, unsigned i) {
    return i == 0 || unit->start[i] != QUICK_NOWHERE;
}

// The other loops of a unit in place of sheets' code, once there is to be no better code for the block where its count ran out: soon nobody will count any more,
// and each later run would begin anew with them.
static uint32_t decide_rest(const struct quick_unit *unit, const struct block *block, bool *full) {
    uint32_t soonest = OPTIMISE_NEVER, generation = code_generation;
    for (unsigned i = 0; i < unit->blocks && !*full; i++) {
        struct block *other = unit->block[i];
        bool concerns = other != block && other->thick && other->unit == unit && !other->optimised;
        if (!concerns || !loops(unit, i) || code__seek(other)) continue;
        if (code_generation != generation) return OPTIMISE_NEVER;
        uint32_t passes = decide(other, full);
        if (passes < soonest) soonest = passes;
    }
    return soonest;
}

// For later runs: what was hot long enough, but too late, too short or too large a part of this one.
static void note_heat(struct quick_unit *unit, const struct block *block) {
    if (unit->ran < RAN_LONG) unit->ran++;
    unsigned hot = CHANNEL_HOT | (unit->ran == RAN_LONG ? CHANNEL_LONG : 0);
    for (unsigned i = 0; i < unit->blocks; i++) {
        struct block *other = unit->block[i];
        unsigned marks = (other->targets ? CHANNEL_LEADS : 0) | (other == block || loops(unit, i) ? hot : 0);
        journal_mark(&code__current.optimiser.compiler, other, (uint8_t)marks);
    }
}

// A block that has native code is run often. Counting takes up to a quarter of the time of code that goes from unit to unit all the time: it ends. Then
// all blocks get the new unit: code that stayed in the old one would go on to blocks that are dropped with the new one alone.
static void improve(struct block *block) {
    bool full;
    struct quick_unit *unit = block->unit;
    uint32_t generation = code_generation;  // a new one may begin whenever kept code is looked for
    note_heat(unit, block);
    if (code__seek(block) || code_generation != generation) return;
    uint32_t passes = decide(block, &full);
    if (passes == OPTIMISE_NEVER && unit->passes && !full) passes = decide_rest(unit, block, &full);
    if (code_generation != generation) return;
    bool never = passes == OPTIMISE_NEVER && unit->passes && !full, twice = never && unit->never;
    if (never && !twice) passes = LAST_UNIT_PASSES;
    if (unit->passes) __atomic_store_n(unit->passes, (int32_t)passes, __ATOMIC_RELAXED);
    unit->never |= never;
    if (twice) native_make(&code__current.native, &code__current.about, unit->block, unit->blocks, false, &full);
    if (full) code__begin_generation();
}

static void make_native(struct block *first, struct block *(*next_of)(uint64_t pc, uint32_t mode)) {
    struct block *blocks[QUICK_MAX_BLOCKS];
    bool full;
    unsigned count = gather(first, blocks, next_of);
    bool made = native_make(&code__current.native, &code__current.about, blocks, count, true, &full);
    if (!made && !full && count > 1) made = native_make(&code__current.native, &code__current.about, blocks, 1, true, &full);
    if (!made) __atomic_store_n(&first->plain, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; made && i < count; i++) {
        code__divert(blocks[i]);
        journal_mark(&code__current.optimiser.compiler, blocks[i], CHANNEL_WARM);
    }
    if (full) code__begin_generation();
}

void code_hot(struct cpu *cpu, const struct cell *code) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    struct block *first = threaded_of(code)->about->block;
    lock_take(&code__lock);
    if (cpu_is_behind(cpu)) {
        if (first->unit && first->unit->passes) __atomic_store_n(first->unit->passes, BEHIND_PASSES, __ATOMIC_RELAXED);
    } else if (wants_native(first) && first->code->cell == code) {
        make_native(first, code__find);
    } else if (!first->dead && first->unit && quick_hot_passes) {
        meter_switch(cpu, METER_OPTIMISING);
        meter_count(cpu, METER_HOT);
        cpu_forget_native_jump(first->pc);  // perhaps this cpu came by way of an older unit
        improve(first);
    }
    lock_drop(&code__lock);
    meter_switch(cpu, before);
}

void code__count_lookup(struct cpu *cpu, struct block *block) {
    if (!hot_lookups || !wants_native(block)) return;
    uint16_t passes = __atomic_load_n(&block->passes, __ATOMIC_RELAXED);
    __atomic_store_n(&block->passes, passes + 1, __ATOMIC_RELAXED);
    if (passes + 1u >= hot_lookups) code_hot(cpu, block->code->cell);
}

// ---- what is laid from sheets

// A block of a sheet, and those around it, become like all hot code.
void code__heat(uint64_t pc, uint32_t mode) {
    if (code__is_plain(pc, mode)) return;
    struct block *block = code__thicken(pc, mode);
    if (wants_native(block)) make_native(block, code__thicken);
    if (block && block->unit && block->unit->passes) __atomic_store_n(block->unit->passes, SHEET_UNIT_PASSES, __ATOMIC_RELAXED);
    if (block && (block->unit || block->optimised)) code__divert(block);
}

// ---- exits and faults

// An exit whose target was dropped gets the one that took its place.
static void renew_target(struct quick_exit *exit) {
    const struct cell *target = __atomic_load_n(&exit->out.target, __ATOMIC_ACQUIRE);
    const struct block *block = target == &exit->out.link ? NULL : threaded_of(target)->about->block;
    struct block *living = block && block->dead ? code__find(block->pc, block->mode) : NULL;
    if (living) __atomic_store_n(&exit->out.target, living->code->cell, __ATOMIC_RELEASE);
}

static void link_exit(struct quick_exit *exit, uint32_t mode) {
    if (exit->back) code__heat(exit->out.pc, mode);
    renew_target(exit);
    native_link(&code__current.native, exit);
}

void code_link(struct cpu *cpu, struct quick_exit *exit) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    lock_take(&code__lock);
    if (cpu_is_behind(cpu)) __atomic_store_n(&exit->passes, BEHIND_PASSES, __ATOMIC_RELAXED);
    else link_exit(exit, cpu->mode);
    lock_drop(&code__lock);
    meter_switch(cpu, before);
}

void code_be_exact(void) {
    static bool done;
    if (__atomic_exchange_n(&done, true, __ATOMIC_SEQ_CST)) return;
    lock_take(&code__lock);
    optimise_exactly(&code__current.optimiser);
    code__lose_native();
    lock_drop(&code__lock);
}

HOST_HANDLER static enum native_fault go_on_carefully(struct cpu *cpu) {
    cpu_take_care(cpu);
    return NATIVE_RESUME;
}

HOST_HANDLER static enum native_fault note_sheet_access(const struct laid *sheet, struct cpu *cpu, uint64_t host_pc,
                                                        const void *ucontext) {
    const struct sheet_access *access = sheets_access(sheet, host_pc);
    struct cell *cell = &runtime_of(cpu)->access;
    if (!access || access->owed >= sheet->sheet.oweds) return NATIVE_FOREIGN;
    quick_store_slots(cpu, sheet->sheet.owed[access->owed], host_context_register, ucontext);
    cpu->pc = sheet->start + access->place;
    if (access->joined) return go_on_carefully(cpu);
    *cell = (struct cell){.b = access->base, .d = access->writes, .imm = access->imm};
    cpu->at = cell;
    return NATIVE_TRAP;
}

enum native_fault code_native_fault(struct cpu *cpu, uint64_t host_pc, uint64_t address, const void *ucontext) {
    const struct native *native = native_owns(&code__current.native, host_pc) ? &code__current.native : &code__old.native;
    if (native_retry(native, host_pc, address)) return NATIVE_RETRY;
    bool write = host_context_was_write(ucontext);
    enum native_fault fault = optimise_fault(&code__current.optimiser, cpu, host_pc, write);
    if (fault == NATIVE_FOREIGN) fault = optimise_fault(&code__old.optimiser, cpu, host_pc, write);
    if (fault != NATIVE_FOREIGN) return fault;
    const struct laid *sheet = native_find_laid(native, host_pc);
    if (sheet) return note_sheet_access(sheet, cpu, host_pc, ucontext);
    const struct quick_unit *unit = native_find(native, host_pc);
    const struct quick_access *access = unit ? quick_find_access(unit, cpu, host_pc) : NULL;
    if (!access) return NATIVE_FOREIGN;
    quick_store_slots(cpu, access->owed, host_context_register, ucontext);
    if (!access->joined) return NATIVE_TRAP;
    const struct block *block = unit->block[access->block];
    cpu->pc = block->pc + block->code->about->offset[access->place];
    return go_on_carefully(cpu);
}
