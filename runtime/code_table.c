// The table itself. Three ways in: by pc (hash table), by page (for invalidation), and all of them (the page table again, for fence.i). A block that is
// dropped is only unlinked and made to look its pc up again (interp_block_kill): other threads may be in it. Its memory goes with its generation.
#include "runtime/code_table.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/block_log.h"
#include "runtime/code.h"
#include "runtime/mem.h"
#include "runtime/module.h"
#include "runtime/sheets.h"
#include "runtime/state.h"
#include "runtime/stats.h"
#include <string.h>
#include <sys/mman.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    BUCKETS = 1 << 18,
    BUCKET_SHIFT = 3,  // neighbours share one, so that few pages of the table are touched
    PAGES = MEM_TOP / MEM_PAGE,
    REGION_PAGES = 512,
    REGIONS = (PAGES + REGION_PAGES - 1) / REGION_PAGES,
};

struct lock code__lock;
uint32_t code__changes;
uint32_t code_losses;

static struct block **bucket;  // by hash of pc and mode; read without the lock
static struct block **page_blocks;  // by guest page: blocks with bytes in it (a block lies in two at most)
static uint32_t *region_blocks;  // by REGION_PAGES pages: how many list entries they have

static void *reserve(size_t size) {
    long at = host_call(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at < 0 && at > -4096) error_die("cannot reserve %zu bytes of address space for the code table", size);
    return (void *)at;
}

void code__table_init(void) {
    bucket = reserve(BUCKETS * sizeof *bucket);
    page_blocks = reserve(PAGES * sizeof *page_blocks);
    region_blocks = reserve(REGIONS * sizeof *region_blocks);
    lock_register(&code__lock);
}

void code__table_clear(void) {
    memset(bucket, 0, BUCKETS * sizeof *bucket);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (region_blocks[page / REGION_PAGES]) page_blocks[page] = NULL;
        else page |= REGION_PAGES - 1;
    }
    memset(region_blocks, 0, REGIONS * sizeof *region_blocks);
}

static struct block **bucket_of(uint64_t pc, uint32_t mode) {
    return &bucket[((pc >> BUCKET_SHIFT) + mode * UINT64_C(0x9e3779b1)) % BUCKETS];
}

struct block *code__find(uint64_t pc, uint32_t mode) {
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

void code__enlist(struct block *block) {
    link_pages(block);
    struct block **at = bucket_of(block->pc, block->mode);
    block->next = *at;
    __atomic_store_n(at, block, __ATOMIC_RELEASE);
}

static bool for_each_on_page(uint64_t page, bool (*act)(struct block *block)) {
    for (struct block *block = page_blocks[page]; block; block = *page_link(block, page)) {
        if (!act(block)) return false;
    }
    return true;
}

void code__each(bool (*act)(struct block *block)) {
    for (uint64_t page = 0; page < PAGES; page++) {
        if (!region_blocks[page / REGION_PAGES]) page |= REGION_PAGES - 1;
        else if (!for_each_on_page(page, act)) return;
    }
}

// ---- dropping

static void unlink_bucket(struct block *block) {
    struct block **at = bucket_of(block->pc, block->mode);
    while (*at != block) at = &(*at)->next;
    __atomic_store_n(at, block->next, __ATOMIC_RELEASE);  // block->next stays for readers that are on it
}

static void ask_to_leave(struct cpu *cpu, void *data) {
    (void)data;
    __atomic_store_n(&cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

void code__ask_to_leave(void) {
    cpu_each(ask_to_leave, NULL);
}

static void remove_native(struct quick_unit *unit) {
    quick_remove(unit);
    for (unsigned i = 0; i < unit->blocks; i++) native_unlink(unit->block[i]);
}

// Whoever is in native code leaves it, and forgets where he would enter it.
void code__lose_native(void) {
    __atomic_fetch_add(&code_losses, 1, __ATOMIC_SEQ_CST);
    code__ask_to_leave();
}

// Loops within a unit go on without looking at the cells: whoever is in one has to leave.
void code__drop(struct block *block) {
    bool optimised = optimise_drop(block), native = block->unit != NULL;
    if (native) remove_native(block->unit);
    if (block->kept) native_unlink(block);
    if (optimised || native) code__lose_native();
    interp_block_kill(block);
    unlink_bucket(block);
    for (unsigned i = 0; i < pages_of(block); i++) unlink_page(block, block->pc / MEM_PAGE + i);
    stats_count(STATS_DROP);
}

static void lose_sheet(const struct laid *sheet) {
    for (struct block *block = page_blocks[sheet->start / MEM_PAGE], *next; block; block = next) {
        next = *page_link(block, sheet->start / MEM_PAGE);
        if (block->kept && block->pc >= sheet->start) code__drop(block);
    }
    code__lose_native();
}

// Drops the blocks of `page` that `condemned` says, or all.
static void drop_on_page(uint64_t page, bool (*condemned)(const struct block *, uint64_t, uint64_t), uint64_t start, uint64_t end) {
    for (struct block *block = page_blocks[page], *next; block; block = next) {
        next = *page_link(block, page);
        if (condemned(block, start, end)) code__drop(block);
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
    lock_take(&code__lock);
    __atomic_fetch_add(&code__changes, 1, __ATOMIC_SEQ_CST);
    block_log_forget();
    stats_count(STATS_INVALIDATION);
    if (sheets_invalidate(start, size, lose_sheet)) sheets_unlink(&code__current.native);
    module_forget(start, size);
    drop_in(start / MEM_PAGE, (start + size - 1) / MEM_PAGE, overlaps, start, start + size);
    lock_drop(&code__lock);
}

uint64_t code__hash_bytes(const uint8_t *bytes, size_t size) {
    return XXH3_64bits(bytes, size);
}

bool code_copy_bytes(const struct block *block, uint8_t *bytes) {
    return mem_copy_in(bytes, block->pc, block->bytes) == 0 && code__hash_bytes(bytes, block->bytes) == block->bytes_hash;
}

static bool changed(const struct block *block, uint64_t start, uint64_t end) {
    (void)start, (void)end;
    uint8_t bytes[BLOCK_MAX_BYTES];
    return !block->kept && !code_copy_bytes(block, bytes);
}

void code_sync(void) {
    lock_take(&code__lock);
    __atomic_fetch_add(&code__changes, 1, __ATOMIC_SEQ_CST);
    stats_count(STATS_SYNC);
    if (sheets_sync(&code__current.native, lose_sheet)) sheets_unlink(&code__current.native);
    drop_in(0, PAGES - 1, changed, 0, 0);
    lock_drop(&code__lock);
}
