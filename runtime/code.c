// The table of translated blocks: see code.h. Three ways in: by pc (hash table), by page (for invalidation), and all of them (the page
// table again, for fence.i). A block that is dropped is only unlinked and made to look its pc up again (interp_block_kill): other threads may
// be in it. Its memory goes when the whole generation goes: once its arenas are over their limit, a new generation begins, every
// cpu is asked to leave translated code once, and then the old arenas are freed.
#include "runtime/code.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/lock.h"
#include "runtime/base/sys.h"
#include "runtime/block_log.h"
#include "runtime/cosim.h"
#include "runtime/gather.h"
#include "runtime/host/host.h"
#include "runtime/jitdump.h"
#include "runtime/journal.h"
#include "runtime/keep.h"
#include "runtime/mem.h"
#include "runtime/meter.h"
#include "runtime/native.h"
#include "runtime/optimise.h"
#include "runtime/options.h"
#include "runtime/sheets.h"
#include "runtime/state.h"
#include "runtime/stats.h"
#include "translator/interp/interp.h"
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    BUCKETS = 1 << 18,
    BUCKET_SHIFT = 3,  // neighbours share one, so that few pages of the table are touched
    PAGES = MEM_TOP / MEM_PAGE,
    REGION_PAGES = 512,
    REGIONS = (PAGES + REGION_PAGES - 1) / REGION_PAGES,
    FETCH_BYTES = 512,
    CODE_LIMIT = 512 << 20,  // bytes, unless options.code_size says otherwise
    HOT_PASSES = 30,  // through an exit
    HOT_LOOKUPS = 8,  // which cost more
    HOT_UNIT_PASSES = 10000,
    SHEET_UNIT_PASSES = 1000,  // then, until it is asked for, with what is known of indirect jumps by then
    SHEET_PASSES = 50000,  // of a loop in a sheet: what is worth LLVM's code was found out when the sheet was made, or nearly
    OPT_UNIT_PASSES = 50,  // under --tier=opt
    OPTIMISED_LIMIT = 64 << 20,  // bytes
    UNIT_MAX_CELLS = 400,  // but always one block
};

const struct guest_isa *code_isa;
guest_features code_features;
uint32_t code_generation;
uint32_t code_losses;

static struct lock code_lock;
// A generation: code, and what is about it.
struct generation {
    struct arena code, about;
    struct native native;
    struct optimiser optimiser;
};

static struct generation current, old;
static struct block **bucket;  // by hash of pc and mode; read without the lock
static struct block **page_blocks;  // by guest page: blocks with bytes in it (a block lies in two at most)
static uint32_t *region_blocks;  // by REGION_PAGES pages: how many list entries they have
static struct ir_block lifted;  // under the lock
static uint32_t hot_lookups;
static uint32_t changes;  // raised by every invalidation: bytes fetched before it may be old

static void *reserve(size_t size) {
    long at = host_call(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at < 0 && at > -4096) error_die("cannot reserve %zu bytes of address space for the code table", size);
    return (void *)at;
}

void code_init(const struct guest_isa *isa, guest_features features) {
    code_isa = isa;
    code_features = features;
    bucket = reserve(BUCKETS * sizeof *bucket);
    page_blocks = reserve(PAGES * sizeof *page_blocks);
    region_blocks = reserve(REGIONS * sizeof *region_blocks);
    lock_register(&code_lock);
    bool native = options.tier != TIER_INTERP && native_init(isa->pins);
    if (options.cosim && native) cosim_init();
    if (stats_wanted()) meter_init();
    if (options.cosim && !native)
        error_say("--cosim compares nothing: there is no native code with --tier=interp, nor on hosts without a quick tier");
    if (!native) return;
    jitdump_begin();
    bool at_once = options.tier == TIER_QUICK || options.tier == TIER_OPT;
    interp_hot_passes = at_once ? 1 : HOT_PASSES;
    hot_lookups = at_once ? 1 : HOT_LOOKUPS;
    if (options.tier == TIER_QUICK) return;
    quick_hot_passes = options.tier == TIER_OPT ? OPT_UNIT_PASSES : HOT_UNIT_PASSES;
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
    optimise_forked(&current.optimiser);
    optimise_forked(&old.optimiser);
    code_collect();
}

// ---- finding

static struct block **bucket_of(uint64_t pc, uint32_t mode) {
    return &bucket[((pc >> BUCKET_SHIFT) + mode * UINT64_C(0x9e3779b1)) % BUCKETS];
}

static struct block *find(uint64_t pc, uint32_t mode) {
    struct block *block = __atomic_load_n(bucket_of(pc, mode), __ATOMIC_ACQUIRE);
    while (block && (block->pc != pc || block->mode != mode || __atomic_load_n(&block->dead, __ATOMIC_RELAXED)))
        block = __atomic_load_n(&block->next, __ATOMIC_ACQUIRE);
    return block;
}

// ---- pages

static unsigned pages_of(const struct block *block) {
    return 1 + (block->pc / MEM_PAGE != (block->pc + block->bytes - 1) / MEM_PAGE);
}

// Which of a block's two links belongs to `page`.
static struct block **page_link(struct block *block, uint64_t page) {
    return &block->next_on_page[page != block->pc / MEM_PAGE];
}

static void link_pages(struct block *block) {
    for (unsigned i = 0; i < pages_of(block); i++) {
        uint64_t page = block->pc / MEM_PAGE + i;
        block->next_on_page[i] = page_blocks[page];
        page_blocks[page] = block;
        region_blocks[page / REGION_PAGES]++;
    }
}

static void unlink_page(struct block *block, uint64_t page) {
    for (struct block **at = &page_blocks[page]; *at; at = page_link(*at, page)) {
        if (*at != block) continue;
        *at = *page_link(block, page);
        region_blocks[page / REGION_PAGES]--;
        return;
    }
}

static void unlink_bucket(struct block *block) {
    struct block **at = bucket_of(block->pc, block->mode);
    while (*at != block) at = &(*at)->next;
    __atomic_store_n(at, block->next, __ATOMIC_RELEASE);  // block->next stays for readers that are on it
}

static void ask_to_leave(struct cpu *cpu, void *data) {
    (void)data;
    __atomic_store_n(&cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

static void remove_native(struct quick_unit *unit) {
    quick_remove(unit);
    for (unsigned i = 0; i < unit->blocks; i++) native_unlink(unit->block[i]);
}

// Whoever is in native code leaves it, and forgets where he would enter it.
static void lose_native(void) {
    __atomic_fetch_add(&code_losses, 1, __ATOMIC_SEQ_CST);
    cpu_each(ask_to_leave, NULL);
}

// Loops within a unit go on without looking at the cells: whoever is in one has to leave.
static void drop(struct block *block) {
    bool optimised = optimise_drop(block), native = block->unit != NULL;
    if (native) remove_native(block->unit);
    if (block->kept) native_unlink(block);
    if (optimised || native) lose_native();
    interp_block_kill(block);
    unlink_bucket(block);
    for (unsigned i = 0; i < pages_of(block); i++) unlink_page(block, block->pc / MEM_PAGE + i);
    stats_count(STATS_DROP);
}

static void lose_sheet(const struct laid *sheet) {
    for (struct block *block = page_blocks[sheet->start / MEM_PAGE], *next; block; block = next) {
        next = *page_link(block, sheet->start / MEM_PAGE);
        if (block->kept && block->pc >= sheet->start) drop(block);
    }
    lose_native();
}

// Drops the blocks of `page` that `condemned` says, or all.
static void drop_on_page(uint64_t page, bool (*condemned)(const struct block *, uint64_t, uint64_t), uint64_t start, uint64_t end) {
    for (struct block *block = page_blocks[page], *next; block; block = next) {
        next = *page_link(block, page);
        if (condemned(block, start, end)) drop(block);
    }
}

static void drop_in(uint64_t first, uint64_t last, bool (*condemned)(const struct block *, uint64_t, uint64_t), uint64_t start,
                    uint64_t end) {
    for (uint64_t page = first; page <= last; page++) {
        if (region_blocks[page / REGION_PAGES]) drop_on_page(page, condemned, start, end);
        else page |= REGION_PAGES - 1;
    }
}

static bool overlaps(const struct block *block, uint64_t start, uint64_t end) {
    return block->pc < end && block->pc + block->bytes > start;
}

void code_invalidate(uint64_t start, uint64_t size) {
    if (!size || !mem_is_guest(start, size) || !bucket) return;
    lock_take(&code_lock);
    __atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
    block_log_forget();
    stats_count(STATS_INVALIDATION);
    sheets_invalidate(start, size, lose_sheet);
    module_forget(start, size);
    drop_in(start / MEM_PAGE, (start + size - 1) / MEM_PAGE, overlaps, start, start + size);
    lock_drop(&code_lock);
}

// ---- making

static uint64_t hash_bytes(const uint8_t *bytes, size_t size) {
    return XXH3_64bits(bytes, size);
}

bool code_copy_bytes(const struct block *block, uint8_t *bytes) {
    return mem_copy_in(bytes, block->pc, block->bytes) == 0 && hash_bytes(bytes, block->bytes) == block->bytes_hash;
}

static bool changed(const struct block *block, uint64_t start, uint64_t end) {
    (void)start, (void)end;
    uint8_t bytes[BLOCK_MAX_BYTES];
    return !block->kept && !code_copy_bytes(block, bytes);
}

void code_sync(void) {
    lock_take(&code_lock);
    __atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
    stats_count(STATS_SYNC);
    sheets_sync(&current.native, lose_sheet);
    drop_in(0, PAGES - 1, changed, 0, 0);
    lock_drop(&code_lock);
}

static const struct cell *fetch_fault(struct cpu *cpu, uint64_t address) {
    cpu->trap = (struct trap){.kind = TRAP_FETCH, .address = address};
    return NULL;
}

static struct block *build(uint64_t pc, uint32_t mode, const uint8_t *bytes, size_t size) {
    for (unsigned limit = GUEST_BLOCK_INSTRUCTIONS;; limit /= 2) {
        guest_lift_block(code_isa, bytes, size, pc, mode, code_features, limit, &lifted);
        if (!lifted.count) return NULL;
        struct block *block = interp_block_build(&current.about, &lifted, pc, mode);
        if (block) return block;
        if (limit == 1) error_die("one guest instruction at %#llx needs too many cells", (unsigned long long)pc);
    }
}

static void enlist(struct block *block) {
    link_pages(block);
    struct block **at = bucket_of(block->pc, block->mode);
    block->next = *at;
    __atomic_store_n(at, block, __ATOMIC_RELEASE);
}

static void publish(struct block *block, const uint8_t *bytes) {
    block->bytes_hash = hash_bytes(bytes, block->bytes);
    stats_translated(lifted.instructions, lifted.bytes);
    if (options.log_blocks) block_log_add(block->pc, block->bytes);
    enlist(block);
    journal_add(&current.optimiser.compiler, block, bytes);
}

// Guest bytes at a pc, read before the table's lock is taken: the address space's lock comes first in the locking order.
struct fetched {
    uint8_t bytes[FETCH_BYTES];
    size_t size;
    uint32_t changes;  // as it was before reading
};

static void fetch(uint64_t pc, struct fetched *fetched) {
    module_learn(pc);  // for whoever asks for it under the table's lock
    fetched->changes = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
    fetched->size = mem_executable(pc, FETCH_BYTES);
    // What is executable may still be unreadable: a file that became shorter.
    while (fetched->size && mem_copy_in(fetched->bytes, pc, fetched->size) < 0) fetched->size = fetched->size / 2 & ~(size_t)1;
}

static const struct cell *translate(struct cpu *cpu, const struct fetched *fetched) {
    size_t size = fetched->size;
    if (!size) return fetch_fault(cpu, cpu->pc);
    struct block *block = build(cpu->pc, cpu->mode, fetched->bytes, size);
    if (!block) return fetch_fault(cpu, cpu->pc + size);
    publish(block, fetched->bytes);
    return block->code->cell;
}

// ---- generations

// Forgets all translations; the calling cpu must leave translated code at once. False, and nothing done, while the generation before is
// not collected yet: until then the arena exceeds its limit.
static bool begin_generation(void) {
    if (old.about.chunks) return false;
    stats_count(STATS_GENERATION);
    optimise_retire(&current.optimiser);
    sheets_forget(&current.native);
    journal_forget();
    old = current;
    current = (struct generation){0};
    memset(bucket, 0, BUCKETS * sizeof *bucket);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (region_blocks[page / REGION_PAGES]) page_blocks[page] = NULL;
        else page |= REGION_PAGES - 1;
    }
    memset(region_blocks, 0, REGIONS * sizeof *region_blocks);
    __atomic_fetch_add(&code_generation, 1, __ATOMIC_SEQ_CST);
    cpu_each(ask_to_leave, NULL);
    return true;
}

static void holds_on(struct cpu *cpu, void *data) {
    struct cpu_state *state = runtime_of(cpu);
    bool away = !__atomic_load_n(&state->in_code, __ATOMIC_SEQ_CST);
    if (!away && __atomic_load_n(&state->generation, __ATOMIC_SEQ_CST) != code_generation) *(bool *)data = true;
}

void code_collect(void) {
    lock_take(&code_lock);
    bool held = false;
    if (old.about.chunks) cpu_each(holds_on, &held);
    if (old.about.chunks && !held) {
        arena_free(&old.code);
        arena_free(&old.about);
        native_free(&old.native);
        old.optimiser = (struct optimiser){.made = NULL};
    }
    lock_drop(&code_lock);
}

static bool is_over_limit(void) {
    uint64_t used = current.code.used + current.about.used + current.native.used;
    return used > (options.code_size ? options.code_size : CODE_LIMIT);
}

// ---- what the compiler program is told

static void tell_page(uint64_t page) {
    uint8_t bytes[BLOCK_MAX_BYTES];
    for (struct block *block = page_blocks[page]; block; block = *page_link(block, page)) {
        if (journal_is_left(block) && code_copy_bytes(block, bytes)) journal_add(&current.optimiser.compiler, block, bytes);
    }
}

// Under the lock.
void code_tell(void) {
    for (uint64_t page = 0; page < PAGES && journal_left(); page++) {
        if (region_blocks[page / REGION_PAGES]) tell_page(page);
        else page |= REGION_PAGES - 1;
    }
}

// Whether the process may be killed before it has told anything that was worth it.
static bool runs_long(void) {
    static time_t begun;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (!begun) begun = now.tv_sec;
    return now.tv_sec - begun > 1;
}

// Starts the compiler program if so much is to be told that it is worth it.
static void start_to_tell(uint32_t worth) {
    bool full;
    if (journal_left() < worth) return;
    optimise_start(&current.optimiser, &current.native, &full);
    if (full) begin_generation();
}

void code_at_exit(void) {
    lock_take(&code_lock);
    start_to_tell(JOURNAL_WORTH_AT_END);
    lock_drop(&code_lock);
}

void code_before_exec(void) {
    lock_take(&code_lock);
    start_to_tell(JOURNAL_WORTH_AT_END);
    optimise_close(&current.optimiser);
    lock_drop(&code_lock);
}

// ---- code that was kept

// The sheet with a block at `pc`, or NULL.
static struct laid *sheet_at(uint64_t pc, uint32_t mode, int *number) {
    bool full;
    return sheets_find(pc, mode, &current.native, &current.about, number, &full);
}

// The block of a sheet at `pc`, or NULL. *full: for lack of room.
static struct block *lay(uint64_t pc, uint32_t mode, bool *full) {
    int number;
    struct laid *sheet = sheets_find(pc, mode, &current.native, &current.about, &number, full);
    if (!sheet) return NULL;
    struct block *block =
        interp_block_bare(&current.about, pc, sheet->sheet.block[number].bytes, mode, sheets_entry(sheet, number));
    if (!sheets_has_better(sheet, number)) block->sought = 2;
    enlist(block);
    return block;
}

// A block of the region, as it was when that was compiled, or NULL.
static struct block *make_kept(const struct kept *kept, unsigned i, uint32_t mode, bool *full) {
    uint32_t bytes = kept->record.block[i].bytes;
    struct block *block = find(kept->pc[i], mode);
    if (!block) block = lay(kept->pc[i], mode, full);
    if (*full) return NULL;
    if (!block) {
        block = build(kept->pc[i], mode, kept->bytes[i], bytes);
        if (!block) return NULL;
        publish(block, kept->bytes[i]);
    }
    if (block->bytes != bytes) return NULL;
    if (block->kept) return block;
    block->restored = true;
    gather_prepare(&current.about, code_isa, block);
    return block;
}

// Jumps back to the block in a sheet lead to its better code.
static void divert(struct block *block) {
    int number;
    struct laid *sheet = block->optimised || block->unit ? sheet_at(block->pc, block->mode, &number) : NULL;
    if (sheet) sheets_divert(sheet, number, &current.about, block);
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
    if (full) begin_generation();
    if (!made) return false;
    bool restored = optimise_restore(&current.optimiser, &current.native, &current.about, &kept, blocks, &full);
    for (unsigned i = 0; restored && i < kept.record.blocks; i++) divert(blocks[i]);
    if (full) begin_generation();
    return restored;
}

// Looks once, and again when code has to be exact.
static bool is_sought(const struct block *block) {
    return __atomic_load_n(&block->sought, __ATOMIC_RELAXED) > optimise_is_exact();
}

static bool seek(struct block *block) {
    if (is_sought(block)) return false;
    __atomic_store_n(&block->sought, 1 + optimise_is_exact(), __ATOMIC_RELAXED);
    return !block->optimised && restore(block->pc, block->mode);
}

// A block that was made for the sake of a region around it, or before code had to be exact.
static void seek_again(struct cpu *cpu, struct block *block) {
    if (is_sought(block) || __atomic_load_n(&block->unit, __ATOMIC_RELAXED)) return;
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    lock_take(&code_lock);
    if (!block->dead) seek(block);
    lock_drop(&code_lock);
    meter_switch(cpu, before);
}

// A block of a sheet. Whether there is better code for it is looked for at once where it is known that there may be some, else when it turns hot.
static struct block *make_bare(uint64_t pc, uint32_t mode, bool *full) {
    struct block *block = lay(pc, mode, full);
    return block && seek(block) ? find(pc, mode) : block;
}

static const struct cell *begin_again(struct cpu *cpu) {
    cpu->trap.kind = TRAP_RESUME;
    return NULL;
}

// Under the lock: the block that another thread made meanwhile, or a new one.
static const struct cell *find_or_translate(struct cpu *cpu, const struct fetched *fetched) {
    bool full = false;
    struct block *block = find(cpu->pc, cpu->mode);
    if (block) return block->code->cell;
    if (is_over_limit() && begin_generation()) return begin_again(cpu);
    block = fetched->size ? make_bare(cpu->pc, cpu->mode, &full) : NULL;
    if (full && begin_generation()) return begin_again(cpu);
    if (block) return block->code->cell;
    const struct cell *code = translate(cpu, fetched);
    if (!compiler_listens(&current.optimiser.compiler)) start_to_tell(runs_long() ? JOURNAL_WORTH_AT_END : JOURNAL_WORTH_NOW);
    if (code) seek(threaded_of(code)->about->block);
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
    lock_take(&code_lock);
    if (!block->dead && !block->settled) interp_block_fuse(&current.code, &current.about, block);
    lock_drop(&code_lock);
    meter_switch(cpu, before);
}

// ---- native code

// Also without the lock; then it may be wrong by the time.
static bool wants_native(const struct block *block) {
    return block && !block->kept && !(block->mode & MODE_CAREFUL) && __atomic_load_n(&block->settled, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&block->dead, __ATOMIC_RELAXED) && !__atomic_load_n(&block->unit, __ATOMIC_RELAXED) &&
           !__atomic_load_n(&block->optimised, __ATOMIC_RELAXED) && !__atomic_load_n(&block->plain, __ATOMIC_RELAXED);
}

// A block with cells in place of a bare one, or where a sheet has one; or what else there is, or NULL.
static struct block *thicken(uint64_t pc, uint32_t mode) {
    int number;
    uint8_t bytes[BLOCK_MAX_BYTES];
    struct block *block = find(pc, mode);
    if (block && !block->kept) return block;
    const struct laid *sheet = sheet_at(pc, mode, &number);
    if (!sheet || mem_copy_in(bytes, pc, sheet->sheet.block[number].bytes) < 0) return NULL;
    if (block) drop(block);
    block = build(pc, mode, bytes, sheet->sheet.block[number].bytes);
    if (!block) return NULL;
    block->settled = true;
    publish(block, bytes);
    return block;
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
        if (quick_hot_passes) gather_prepare(&current.about, code_isa, block);
        for (unsigned i = 0; i < block->exits; i++) {
            struct block *next = next_of(block->exit[i].pc, block->mode);
            if (wants_native(next) && left < sizeof waiting / sizeof *waiting) waiting[left++] = next;
        }
    }
    return count;
}

static void decline(struct block *block) {
    uint8_t bytes[BLOCK_MAX_BYTES];
    if (!block->optimised && code_copy_bytes(block, bytes)) journal_decline(&current.optimiser.compiler, block, bytes);
}

// A block that has native code is run often. Counting takes up to a quarter of the time of code that goes from unit to unit all the time: it ends. Then
// all blocks get the new unit: code that stayed in the old one would go on to blocks that are dropped with the new one alone.
static void improve(struct block *block) {
    bool full;
    struct quick_unit *unit = block->unit;
    if (seek(block)) return;
    uint32_t passes = optimise(&current.optimiser, &current.native, &current.about, block, find, &full);
    __atomic_store_n(&unit->passes, (int32_t)passes, __ATOMIC_RELAXED);
    if (passes == OPTIMISE_NEVER) decline(block);
    if (passes == OPTIMISE_NEVER && unit->counts && !full)
        native_make(&current.native, &current.about, unit->block, unit->blocks, false, &full);
    if (full) begin_generation();
}

static void make_native(struct block *first, struct block *(*next_of)(uint64_t pc, uint32_t mode)) {
    struct block *blocks[QUICK_MAX_BLOCKS];
    bool full;
    unsigned count = gather(first, blocks, next_of);
    bool made = native_make(&current.native, &current.about, blocks, count, true, &full);
    if (!made && !full && count > 1) made = native_make(&current.native, &current.about, blocks, 1, true, &full);
    if (!made) __atomic_store_n(&first->plain, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; made && i < count; i++) divert(blocks[i]);
    if (full) begin_generation();
}

void code_hot(struct cpu *cpu, const struct cell *code) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    struct block *first = threaded_of(code)->about->block;
    lock_take(&code_lock);
    if (wants_native(first) && first->code->cell == code) {
        make_native(first, find);
    } else if (!first->dead && first->unit && quick_hot_passes) {
        meter_switch(cpu, METER_OPTIMISING);
        meter_count(cpu, METER_HOT);
        cpu_forget_native_jump(first->pc);  // perhaps this cpu came by way of an older unit
        improve(first);
    }
    lock_drop(&code_lock);
    meter_switch(cpu, before);
}

// A block of a sheet, and those around it, become like all hot code.
static void heat_more(uint64_t pc, uint32_t mode) {
    int number;
    const struct laid *sheet = sheet_at(pc, mode, &number);
    if (sheet && sheet->sheet.block[number].plain) return;
    struct block *block = thicken(pc, mode);
    if (wants_native(block)) make_native(block, thicken);
    if (block && block->unit) {
        __atomic_store_n(&block->unit->passes, SHEET_UNIT_PASSES, __ATOMIC_RELAXED);
        block->tries = UINT8_MAX;  // enough: what comes of it is kept in mind
    }
    if (block && (block->unit || block->optimised)) divert(block);
}

// An exit whose target was dropped gets the one that took its place.
static void renew_target(struct quick_exit *exit) {
    const struct cell *target = __atomic_load_n(&exit->out.target, __ATOMIC_ACQUIRE);
    const struct block *block = target == &exit->out.link ? NULL : threaded_of(target)->about->block;
    struct block *living = block && block->dead ? find(block->pc, block->mode) : NULL;
    if (living) __atomic_store_n(&exit->out.target, living->code->cell, __ATOMIC_RELEASE);
}

void code_link(struct cpu *cpu, struct quick_exit *exit) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    lock_take(&code_lock);
    if (exit->back) heat_more(exit->out.pc, cpu->mode);
    renew_target(exit);
    native_link(&current.native, exit);
    lock_drop(&code_lock);
    meter_switch(cpu, before);
}

void code_be_exact(void) {
    static bool done;
    if (__atomic_exchange_n(&done, true, __ATOMIC_SEQ_CST)) return;
    lock_take(&code_lock);
    optimise_exactly(&current.optimiser);
    lose_native();
    lock_drop(&code_lock);
}

HOST_HANDLER static enum native_fault note_sheet_access(const struct laid *sheet, struct cpu *cpu, uint64_t host_pc,
                                                        const void *ucontext) {
    const struct sheet_access *access = sheets_access(sheet, host_pc);
    struct cell *cell = &runtime_of(cpu)->access;
    if (!access) return NATIVE_FOREIGN;
    quick_store_pins(cpu, host_context_register, ucontext);
    cpu->pc = sheet->start + access->place;
    *cell = (struct cell){.b = access->base, .d = access->writes, .imm = access->imm};
    cpu->at = cell;
    return NATIVE_TRAP;
}

enum native_fault code_native_fault(struct cpu *cpu, uint64_t host_pc, uint64_t address, const void *ucontext) {
    const struct native *native = native_owns(&current.native, host_pc) ? &current.native : &old.native;
    if (native_retry(native, host_pc, address)) return NATIVE_RETRY;
    bool write = host_context_was_write(ucontext);
    enum native_fault fault = optimise_fault(&current.optimiser, cpu, host_pc, write);
    if (fault == NATIVE_FOREIGN) fault = optimise_fault(&old.optimiser, cpu, host_pc, write);
    if (fault != NATIVE_FOREIGN) return fault;
    const struct laid *sheet = native_find_laid(native, host_pc);
    if (sheet) return note_sheet_access(sheet, cpu, host_pc, ucontext);
    const struct quick_unit *unit = native_find(native, host_pc);
    if (!unit || !quick_find_access(unit, cpu, host_pc)) return NATIVE_FOREIGN;
    quick_store_pins(cpu, host_context_register, ucontext);
    return NATIVE_TRAP;
}

static void count_lookup(struct cpu *cpu, struct block *block) {
    if (!hot_lookups || !wants_native(block)) return;
    uint16_t passes = __atomic_load_n(&block->passes, __ATOMIC_RELAXED);
    __atomic_store_n(&block->passes, passes + 1, __ATOMIC_RELAXED);
    if (passes + 1u >= hot_lookups) code_hot(cpu, block->code->cell);
}

// ---- looking up

static const struct cell *make(struct cpu *cpu) {
    struct fetched fetched;
    for (;;) {
        fetch(cpu->pc, &fetched);
        lock_take(&code_lock);
        bool fresh = fetched.changes == changes;
        const struct cell *code = fresh ? find_or_translate(cpu, &fetched) : NULL;
        lock_drop(&code_lock);
        if (fresh) return code;
    }
}

// A sheet's loop goes round often: first it is looked whether LLVM's code was kept; then, if it still does, it is treated as all hot code.
static void heat(uint64_t pc, uint32_t mode) {
    int number;
    struct laid *sheet = sheet_at(pc, mode, &number);
    if (!sheet) return;
    bool first_time = sheets_count(sheet, number, SHEET_PASSES);
    struct block *block = find(pc, mode);
    if (block && block->optimised) divert(block);
    else if (first_time) restore(pc, mode);
    else heat_more(pc, mode);
}

const struct cell *code_resolve_hot(struct cpu *cpu) {
    enum meter_activity before = meter_switch(cpu, METER_QUICK);
    cpu_forget_native_jump(cpu->pc);
    lock_take(&code_lock);
    heat(cpu->pc, cpu->mode);
    lock_drop(&code_lock);
    meter_switch(cpu, before);
    return code_resolve(cpu);
}

const struct cell *code_resolve(struct cpu *cpu) {
    meter_count(cpu, METER_LOOKUPS);
    struct block *block = find(cpu->pc, cpu->mode);
    if (block) {
        settle(cpu, block);
        seek_again(cpu, block);
        count_lookup(cpu, block);
        return block->code->cell;
    }
    if (!mem_is_guest(cpu->pc, 1) || cpu->pc % code_isa->min_instruction) return fetch_fault(cpu, cpu->pc);
    enum meter_activity before = meter_switch(cpu, METER_TRANSLATING);
    const struct cell *code = make(cpu);
    meter_switch(cpu, before);
    return code;
}
