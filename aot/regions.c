// Regions that nobody asked for: see regions.h. The same rules choose their blocks as in a runner (cache/gather.h), which knows more of the moment, but less of the
// whole: here larger regions come first, so that inner loops are entered in the outer ones' code where that is not much more.
#include "aot/regions.h"
#include "cache/gather.h"
#include "cache/record.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Where modules are meanwhile: far from zero, as in sheets.
#define BASE (UINT64_C(1) << 36)

enum { HALVES = SHEET_PAGE / 2, MOST_REGIONS = 1024, ENTER_SHARE = 2 };

// Blocks of a page, where somebody asked for them.
struct built {
    struct block *block[HALVES];
    uint16_t region[HALVES];  // the number, from 1, of a region that it is in
};

struct head {
    const struct pages *pages;
    uint32_t at;
    unsigned cells;
    bool urgent;
};

static const struct guest_isa *guest;
static guest_features guest_has;
static struct arena block_arena;  // of blocks
static const struct pages *current;
static struct built **built;  // by page, current->count of them
static struct channel_request *wanted[MOST_REGIONS];
static const char *module_name[MOST_REGIONS];  // of the module
static unsigned cells[MOST_REGIONS];
static bool urgent[MOST_REGIONS];  // it was hot for long
static unsigned requests;

static void *checked(void *memory) {
    if (!memory) error_die("no memory for regions that are to be compiled");
    return memory;
}

// ---- blocks

static void begin_module(const struct pages *pages) {
    current = pages;
    built = checked(calloc(pages->count + 1, sizeof *built));
}

static void end_module(void) {
    for (uint32_t i = 0; i < current->count; i++) free(built[i]);
    free(built);
    arena_free(&block_arena);
    built = NULL;
}

static void add_leads(struct block *block, const struct page *page, unsigned place) {
    unsigned count = 0;
    for (unsigned i = 0; block->targets && i < page->leads && count < BLOCK_TARGETS; i++) {
        if (page->lead[i].at == place) block->targets[count++] = BASE + page->lead[i].target;
    }
}

static struct block *build(const struct page *page, uint64_t at, uint32_t mode) {
    static struct ir_block ir;
    unsigned place = at % SHEET_PAGE, size = page->size[place];
    guest_lift_block(guest, page->byte + place, size, BASE + at, mode, guest_has, GUEST_BLOCK_INSTRUCTIONS, &ir);
    struct block *block = ir.count && ir.bytes == size ? interp_block_build(&block_arena, &ir, BASE + at, mode) : NULL;
    if (!block) return NULL;
    block->restored = true;  // it is hot enough
    gather_prepare(&block_arena, guest, block);
    add_leads(block, page, place);
    return block;
}

static struct built *built_at(uint64_t at) {
    struct built **page = &built[at / SHEET_PAGE];
    if (!*page) *page = checked(calloc(1, sizeof **page));
    return *page;
}

// As of the code table: those that were hot.
static struct block *find(uint64_t pc, uint32_t mode) {
    uint64_t at = pc - BASE;
    const struct page *page = pc >= BASE && at <= UINT32_MAX && !(at & 1) ? pages_look(current, at) : NULL;
    unsigned place = at % SHEET_PAGE;
    if (!page || !page->size[place] || !(page->marks[place] & (CHANNEL_WARM | CHANNEL_HOT))) return NULL;
    struct block **block = &built_at(at)->block[place / 2];
    if (!*block) *block = build(page, at, mode);
    return *block;
}

// ---- deciding

static struct gathering g;

static bool fits(struct block *block, bool exact) {
    return block && gather_loop(&g, block, find, exact);
}

static bool is_kept(struct store_module *store, const struct head *head, bool exact) {
    struct store_record record;
    return store && store_find(store, head->at, record_kind(head->pages->mode, exact), &record);
}

// An inner loop of a region that is not much larger is entered there.
static bool enter(const struct head *head) {
    unsigned number = built_at(head->at)->region[head->at % SHEET_PAGE / 2];
    if (!number || cells[number - 1] > ENTER_SHARE * head->cells) return false;
    struct channel_request *r = wanted[number - 1];
    urgent[number - 1] |= head->urgent;
    for (unsigned i = 0; i < r->blocks; i++) {
        if (r->block[i].pc == BASE + head->at) r->block[i].entry = 1;
    }
    return true;
}

// The last block may reach behind the last page that something is known of.
static void describe(struct channel_request *r, const struct pages *pages) {
    r->modules = 1;
    r->module[0] = (struct channel_module){pages->module, BASE, (uint64_t)pages->count * SHEET_PAGE + BLOCK_MAX_BYTES};
    memset(r->exit_module, 0, sizeof r->exit_module);
}

static void add_request(const struct head *head, bool exact) {
    struct channel_request *r = checked(calloc(1, sizeof *r));
    r->id = requests + 1;
    r->mode = head->pages->mode;
    r->exact = exact;
    for (unsigned i = 0; i < g.blocks; i++) {
        const struct block *block = g.block[i];
        uint64_t at = block->pc - BASE;
        memcpy(r->byte + r->bytes, pages_look(current, at)->byte + at % SHEET_PAGE, block->bytes);
        r->block[i] =
            (struct channel_block){.pc = block->pc, .at = (uint16_t)r->bytes, .bytes = (uint16_t)block->bytes, .entry = g.entry[i]};
        r->bytes += block->bytes;
        built_at(at)->region[at % SHEET_PAGE / 2] = (uint16_t)(requests + 1);
    }
    gather_request(&g, r);
    describe(r, head->pages);
    cells[requests] = g.cells;
    module_name[requests] = head->pages->name;
    urgent[requests] = head->urgent;
    wanted[requests++] = r;
}

static int by_size(const void *a, const void *b) {
    const struct head *x = a, *y = b;
    if (x->urgent != y->urgent) return x->urgent ? -1 : 1;
    if (x->cells != y->cells) return x->cells < y->cells ? 1 : -1;
    return x->at < y->at ? -1 : x->at > y->at;
}

// Hot blocks of the module, those that were so for long before others, then the largest regions' first. What is no loop, or none for LLVM, is plain from now on.
static unsigned list_heads(struct pages *pages, struct store_module *store, bool exact, struct head **heads) {
    unsigned count = 0;
    for (uint64_t at = 0; at < (uint64_t)pages->count * SHEET_PAGE; at += 2) {
        const struct page *page = pages_look(pages, at);
        if (!page) at |= SHEET_PAGE - 2;
        if (!page || (page->marks[at % SHEET_PAGE] & (CHANNEL_HOT | CHANNEL_PLAIN)) != CHANNEL_HOT) continue;
        struct head head = {.pages = pages, .at = (uint32_t)at, .urgent = page->marks[at % SHEET_PAGE] & CHANNEL_LONG};
        if (is_kept(store, &head, exact)) continue;
        if (!fits(find(BASE + at, pages->mode), exact)) {
            pages_mark(pages, at, CHANNEL_PLAIN);
            continue;
        }
        head.cells = g.cells;
        if (!(count & (count - 1))) *heads = checked(realloc(*heads, (count ? 2 * count : 1) * sizeof **heads));
        (*heads)[count++] = head;
    }
    if (count) qsort(*heads, count, sizeof **heads, by_size);
    return count;
}

static void decide(struct pages *pages, bool exact) {
    struct head *heads = NULL;
    struct store_module *store = store_open(&pages->module);
    begin_module(pages);
    unsigned count = list_heads(pages, store, exact, &heads);
    for (unsigned i = 0; i < count && requests < MOST_REGIONS; i++) {
        if (!enter(&heads[i]) && fits(find(BASE + heads[i].at, pages->mode), exact)) add_request(&heads[i], exact);
    }
    end_module();
    if (store) store_close(store);
    free(heads);
}

unsigned regions_decide(const struct guest_isa *isa, guest_features features, bool exact) {
    guest = isa;
    guest_has = features;
    for (struct pages *pages = pages_first(); pages; pages = pages->next) decide(pages, exact);
    return requests;
}

// ---- compiling

// The places in the first block's module by which the region can be entered.
static uint32_t list_entries(const struct channel_request *r, uint32_t entries[CHANNEL_BLOCKS]) {
    const struct channel_module *module = &r->module[r->block[0].module];
    uint32_t count = 0;
    for (unsigned i = 0; i < r->blocks; i++) {
        const struct channel_block *block = &r->block[i];
        if (block->entry && block->module == r->block[0].module) entries[count++] = (uint32_t)(block->pc - module->start);
    }
    return count;
}

void regions_give(const struct channel_request *request, const struct channel_result *result, const uint8_t *arena,
                  const char *name, sheets_put *give, void *data) {
    static uint8_t buffer[RECORD_MAX_BYTES];
    const struct image_hole *hole = (const struct image_hole *)(arena + result->list_at);
    uint32_t entries[CHANNEL_BLOCKS];
    if (result->outcome != CHANNEL_MADE || !request->modules || !jit_is_as_built()) return;
    size_t size = record_write(buffer, request, result, arena + result->at, hole);
    if (!size) return;
    const struct channel_module *module = &request->module[request->block[0].module];
    const struct writer_record record = {.kind = record_kind(request->mode, request->exact),
                                         .count = list_entries(request, entries),
                                         .entries = entries,
                                         .bytes = buffer,
                                         .size = (uint32_t)size};
    give(data, &module->key, name, &record);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void regions_share(unsigned part, unsigned parts) {
    unsigned left = 0;
    for (unsigned i = 0; i < requests; i++) {
        if (i % parts != part) {
            free(wanted[i]);
            continue;
        }
        wanted[left] = wanted[i];
        module_name[left] = module_name[i];
        urgent[left++] = urgent[i];
    }
    requests = left;
}

static void compile_some(bool which, struct compiler *compiler, const uint8_t *arena, double end, sheets_put *give, void *data) {
    static struct channel_result result;
    for (unsigned i = requests; i-- > 0 && now() < end;) {
        if (urgent[i] != which) continue;
        compile(compiler, wanted[i], true, &result);
        regions_give(wanted[i], &result, arena, module_name[i], give, data);
    }
}

// Of all that are urgent, and of the others, the smallest ones first: more of them have their turn.
void regions_compile(struct compiler *compiler, const uint8_t *arena, double seconds, sheets_put *give, void *data) {
    double end = now() + seconds;
    compile_some(true, compiler, arena, end, give, data);
    compile_some(false, compiler, arena, end, give, data);
    while (requests) free(wanted[--requests]);
}
