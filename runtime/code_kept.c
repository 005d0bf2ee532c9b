// What was kept between runs, and what is told to the compiler program so that it may be: sheets of the quick tier, which are laid where a page's code is first
// entered, and records of LLVM's regions.
#include "runtime/code.h"
#include "runtime/code_table.h"
#include "runtime/base/clock.h"
#include "runtime/cpu_loop.h"
#include "cache/gather.h"
#include "runtime/journal.h"
#include "runtime/keep.h"
#include "runtime/mem.h"
#include "runtime/meter.h"
#include "runtime/sheets.h"
#include "runtime/state.h"
#include "runtime/stats.h"

enum { SHEET_PASSES = 50000 };  // of a loop in a sheet: what is worth LLVM's code was found out when the sheet was made, or nearly

// ---- what the compiler program is told

static bool tell(struct block *block) {
    uint8_t bytes[BLOCK_MAX_BYTES];
    if (journal_is_left(block) && code_copy_bytes(block, bytes)) journal_add(&code__current.optimiser.compiler, block, bytes);
    return journal_left();
}

// Under the lock.
void code_tell(void) {
    if (journal_left()) code__each(tell);
}

// Nanoseconds of the process's life.
enum { SECOND = 1000000000, EARLIEST = SECOND / 10 };
static uint64_t begun, wait_to_tell_at = EARLIEST;

static uint64_t age(void) {
    uint64_t now = clock_nanoseconds(CLOCK_MONOTONIC_COARSE), before = __atomic_load_n(&begun, __ATOMIC_RELAXED);
    if (!before) __atomic_store_n(&begun, before = now, __ATOMIC_RELAXED);
    return now - before;
}

void code__begin_life(void) {
    begun = 0;
    wait_to_tell_at = EARLIEST;
}

// Starts the compiler program if so much is to be told that it is worth it.
static void start_to_tell(uint32_t worth) {
    bool full;
    if (journal_left() < worth) return;
    optimise_start(&code__current.optimiser, &code__current.native, &full);
    if (full) code__begin_generation();
}

void code__tell_soon(void) {
    if (!compiler_listens(&code__current.optimiser.compiler))
        start_to_tell(age() > SECOND ? JOURNAL_WORTH_AT_END : JOURNAL_WORTH_NOW);
}

// A process may wait for good, and be killed then. One that did not run for long before has little to lose, and most of these end soon. Where there can be
// no program, it is tried again after a second.
void code_before_wait(void) {
    if (journal_left() < JOURNAL_WORTH_AT_END) return;
    uint64_t now = age();
    if (now < __atomic_load_n(&wait_to_tell_at, __ATOMIC_RELAXED)) return;
    __atomic_store_n(&wait_to_tell_at, now + SECOND, __ATOMIC_RELAXED);
    lock_take(&code__lock);
    start_to_tell(JOURNAL_WORTH_AT_END);
    lock_drop(&code__lock);
}

void code_at_exit(void) {
    lock_take(&code__lock);
    start_to_tell(JOURNAL_WORTH_AT_END);
    lock_drop(&code__lock);
}

void code_before_exec(void) {
    lock_take(&code__lock);
    start_to_tell(JOURNAL_WORTH_AT_END);
    optimise_close(&code__current.optimiser);
    lock_drop(&code__lock);
}

// ---- sheets

// The sheet with a block at `pc`, or NULL.
static struct laid *sheet_at(uint64_t pc, uint32_t mode, int *number) {
    bool full;
    return sheets_find(pc, mode, &code__current.native, &code__current.about, number, &full);
}

// A block that no run came to before: from now on it belongs to its page's first sheet.
static void tell_of(struct block *block) {
    uint8_t bytes[BLOCK_MAX_BYTES];
    if (mem_copy_in(bytes, block->pc, block->bytes) < 0) return;
    block->bytes_hash = code__hash_bytes(bytes, block->bytes);
    journal_add(&code__current.optimiser.compiler, block, bytes);
}

// The block of a sheet at `pc`, or NULL. *full: for lack of room.
static struct block *lay(uint64_t pc, uint32_t mode, bool *full) {
    int number;
    struct laid *sheet = sheets_find(pc, mode, &code__current.native, &code__current.about, &number, full);
    if (!sheet) return NULL;
    struct block *block =
        interp_block_bare(&code__current.about, pc, sheet->sheet.block[number].bytes, mode, sheets_entry(sheet, number));
    if (!sheets_has_better(sheet, number)) block->sought = 2;
    if (sheet->second) tell_of(block);
    code__enlist(block);
    return block;
}

// Jumps back to the block in a sheet lead to its better code.
void code__divert(struct block *block) {
    int number;
    struct laid *sheet = block->optimised || block->unit ? sheet_at(block->pc, block->mode, &number) : NULL;
    if (sheet) sheets_divert(sheet, number, &code__current.about, block);
}

bool code__is_plain(uint64_t pc, uint32_t mode) {
    int number;
    const struct laid *sheet = sheet_at(pc, mode, &number);
    return sheet && sheet->sheet.block[number].plain;
}

// A block with cells in place of a bare one, or where a sheet has one; or what else there is, or NULL.
struct block *code__thicken(uint64_t pc, uint32_t mode) {
    int number;
    uint8_t bytes[BLOCK_MAX_BYTES];
    struct block *block = code__find(pc, mode);
    if (block && !block->kept) return block;
    const struct laid *sheet = sheet_at(pc, mode, &number);
    if (!sheet || mem_copy_in(bytes, pc, sheet->sheet.block[number].bytes) < 0) return NULL;
    if (block) code__drop(block);
    sheets_part(sheet, number);
    block = code__build(pc, mode, bytes, sheet->sheet.block[number].bytes);
    if (!block) return NULL;
    block->settled = true;
    block->marks = sheet->sheet.block[number].plain ? CHANNEL_PLAIN : 0;
    block->tries = UINT8_MAX;  // one is enough: what comes of it is kept in mind
    block->thick = true;
    code__publish(block, bytes);
    return block;
}

// Native code that a sheet has goes on in another one without a block: most of a sheet's code runs once or seldom, and blocks take time and memory. What cannot be
// had this way, the interpreter looks up.

const void *code_find_native(struct cpu *cpu) {
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    const void *code = sheets_code(cpu->pc, cpu->mode);
    if (code) {
        meter_count(cpu, METER_LOOKUPS);
        cpu_note_far_jump(cpu, cpu->pc, (uintptr_t)code | cpu->far_stamp);
    }
    meter_switch(cpu, before);
    return code;
}

// The code that the exit leads to from now on, or NULL.
static const void *link_exit(const struct laid *sheet, unsigned exit, uint64_t pc, uint32_t mode) {
    const uint8_t *code = sheets_code(pc, mode);
    if (code) {
        sheets_lead(sheet, exit, code);
        return code;
    }
    struct block *block = code__find(pc, mode);
    if (!block || !quick_code(block)) return NULL;
    struct quick_exit *way = sheets_exit(sheet, exit, &code__current.about);
    __atomic_store_n(&way->out.target, block->code->cell, __ATOMIC_RELEASE);
    native_link(&code__current.native, way);
    return quick_code(block);
}

const void *code_leave_sheet(struct cpu *cpu, const uint8_t *behind) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    lock_take(&code__lock);
    bool current = native_owns(&code__current.native, (uintptr_t)behind);
    const struct laid *sheet = native_find_laid(current ? &code__current.native : &code__old.native, (uintptr_t)behind);
    unsigned exit = sheets_way(sheet, behind, &cpu->pc);
    const void *code = current && !sheet->dead ? link_exit(sheet, exit, cpu->pc, cpu->mode) : NULL;
    lock_drop(&code__lock);
    meter_switch(cpu, before);
    return code ? code : quick_stubs.indirect;
}

// ---- regions

// A block of the region, as it was when that was compiled, or NULL.
static struct block *make_kept(const struct kept *kept, unsigned i, uint32_t mode, bool *full) {
    uint32_t bytes = kept->record.block[i].bytes;
    struct block *block = code__find(kept->pc[i], mode);
    if (!block) block = lay(kept->pc[i], mode, full);
    if (*full) return NULL;
    if (!block) {
        block = code__build(kept->pc[i], mode, kept->bytes[i], bytes);
        if (!block) return NULL;
        code__publish(block, kept->bytes[i]);
    }
    if (block->bytes != bytes) return NULL;
    if (block->kept) return block;
    block->restored = true;
    gather_prepare(&code__current.about, code_isa, block);
    return block;
}

// The code of a region that is entered here, if it was kept.
static bool restore(uint64_t pc, uint32_t mode) {
    static struct kept kept;
    static struct block *blocks[CHANNEL_BLOCKS];
    bool full = false;
    if (mode & MODE_CAREFUL || !keep_find(pc, mode, optimise_is_exact(), &kept)) return false;
    bool made = true;
    for (unsigned i = 0; made && i < kept.record.blocks; i++) {
        blocks[i] = make_kept(&kept, i, mode, &full);
        made = blocks[i] != NULL;
    }
    if (full) code__begin_generation();
    if (!made) return false;
    bool restored = optimise_restore(&code__current.optimiser, &code__current.native, &code__current.about, &kept, blocks, &full);
    for (unsigned i = 0; restored && i < kept.record.blocks; i++) code__divert(blocks[i]);
    if (full) code__begin_generation();
    return restored;
}

// Looks once, and again when code has to be exact.
static bool is_sought(const struct block *block) {
    return __atomic_load_n(&block->sought, __ATOMIC_RELAXED) > optimise_is_exact();
}

bool code__seek(struct block *block) {
    if (is_sought(block)) return false;
    __atomic_store_n(&block->sought, 1 + optimise_is_exact(), __ATOMIC_RELAXED);
    return !block->optimised && restore(block->pc, block->mode);
}

// A block that was made for the sake of a region around it, or before code had to be exact.
void code__seek_again(struct cpu *cpu, struct block *block) {
    if (is_sought(block) || __atomic_load_n(&block->unit, __ATOMIC_RELAXED)) return;
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    lock_take(&code__lock);
    if (!cpu_is_behind(cpu) && !block->dead) code__seek(block);
    lock_drop(&code__lock);
    meter_switch(cpu, before);
}

// A block of a sheet. Whether there is better code for it is looked for at once where it is known that there may be some, else when it turns hot.
struct block *code__make_bare(uint64_t pc, uint32_t mode, bool *full) {
    struct block *block = lay(pc, mode, full);
    return block && code__seek(block) ? code__find(pc, mode) : block;
}

// A sheet's loop goes round often: first it is looked whether LLVM's code was kept; then, if it still does, it is treated as all hot code.
static void heat(uint64_t pc, uint32_t mode) {
    int number;
    struct laid *sheet = sheet_at(pc, mode, &number);
    if (!sheet) return;
    bool first_time = sheets_count(sheet, number, SHEET_PASSES);
    struct block *block = code__find(pc, mode);
    if (block && block->optimised) code__divert(block);
    else if (first_time) restore(pc, mode);
    else code__heat(pc, mode);
}

const struct cell *code_resolve_hot(struct cpu *cpu) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    cpu_forget_native_jump(cpu->pc);
    lock_take(&code__lock);
    heat(cpu->pc, cpu->mode);
    lock_drop(&code__lock);
    meter_switch(cpu, before);
    return code_resolve(cpu);
}
