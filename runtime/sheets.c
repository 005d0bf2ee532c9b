// Pages and their sheets: see sheets.h.
#include "runtime/sheets.h"
#include "cache/record.h"
#include "cache/sheet_record.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/mem.h"
#include "runtime/module.h"
#include "runtime/native.h"
#include "runtime/optimise.h"
#include "runtime/stats.h"
#include <string.h>
#include <sys/mman.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    PAGES = MEM_TOP / MEM_PAGE,
    PART_PAGES = 512,
    PARTS = (PAGES + PART_PAGES - 1) / PART_PAGES,
    PASSES = 250,  // of a loop, after which better code is looked for
};
_Static_assert((unsigned)SHEET_PAGE == (unsigned)MEM_PAGE, "a sheet is of one page");

static struct laid **page_sheet;  // by guest page; `none`: there is nothing, NULL: nobody looked
static struct laid none;
static uint32_t part_pages[PARTS];  // how many pages of these have something in the table

void sheets_init(void) {
    size_t size = PAGES * sizeof *page_sheet;
    long at = host_call(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at < 0 && at > -4096) return;  // then there are none
    page_sheet = (struct laid **)at;
}

// ---- laying

// What the cache has for the page, if it is of the bytes that are there.
static bool find(uint64_t page, uint32_t mode, bool rest, struct module *module, struct sheet *sheet) {
    static uint8_t bytes[SHEET_MAX_GUEST];
    struct store_record record;
    if (!module_of(page, module) || !module->store) return false;
    uint32_t entry = (uint32_t)(page - module->start);
    if (!store_look(module->store, entry, sheet_kind(mode, rest), &record) || !sheet_read(record.bytes, record.size, sheet))
        return false;
    uint64_t first = page + sheet->block[0].at;
    if (sheet->page != entry || sheet->guest_bytes > module->end - first) return false;
    return mem_copy_in(bytes, first, sheet->guest_bytes) == 0 && sheet_fits(sheet, bytes);
}

static const void *keep(struct arena *arena, const void *from, size_t size) {
    return memcpy(arena_alloc(arena, size + 1, 8), from, size);
}

// Of the guest bytes of all blocks.
static uint64_t hash_guest(const struct sheet *sheet, const uint8_t *bytes) {
    uint64_t hash = 0;
    struct sheet_span span = {0};
    while (sheet_next_span(sheet, &span)) hash = XXH3_64bits_withSeed(bytes + span.from, span.to - span.from, hash);
    return hash;
}

static void find_better(struct laid *laid, const struct module *module) {
    uint32_t entry[SHEET_MAX_BLOCKS], page = laid->sheet.page;
    uint32_t count =
        store_list(module->store, page, page + SHEET_PAGE, record_kind(laid->mode, optimise_is_exact()), entry, SHEET_MAX_BLOCKS);
    for (uint32_t i = 0; i < count; i++) {
        int number = sheet_block_at(&laid->sheet, entry[i] - page);
        if (number >= 0) laid->knows[number] |= LAID_BETTER;
    }
}

static uint64_t leads_to(const struct laid *laid, unsigned exit) {
    return laid->module + (uint64_t)(int64_t)laid->way[exit].pc;
}

static struct quick_exit *make_exit(const struct laid *laid, unsigned exit, struct arena *arena) {
    struct quick_exit *made = arena_alloc(arena, sizeof *made, 8);
    quick_exit_init(made, leads_to(laid, exit));
    laid->exit[exit] = made;
    return made;
}

// Loops are counted.
static void make_back(const struct laid *laid, unsigned exit, struct arena *arena) {
    struct quick_exit *back = make_exit(laid, exit, arena);
    back->back = true;
    back->passes = (int32_t)quick_hot_passes;
}

static struct laid *lay(const struct sheet *sheet, uint64_t page, const struct module *module, uint32_t mode, struct native *native,
                        struct arena *arena, bool *full) {
    struct laid *laid = arena_alloc(arena, sizeof *laid, 8);
    *laid = (struct laid){.sheet = *sheet, .start = page, .mode = mode};
    struct image *image = &laid->sheet.image;
    laid->hash = hash_guest(sheet, sheet->guest);
    laid->sheet.block = keep(arena, sheet->block, sheet->blocks * sizeof *sheet->block);
    laid->sheet.access = keep(arena, sheet->access, sheet->accesses * sizeof *sheet->access);
    laid->sheet.owed = keep(arena, sheet->owed, sheet->oweds * sizeof *sheet->owed);
    laid->module = module->start;
    laid->way = keep(arena, sheet->exit, image->exits * sizeof *laid->way);
    laid->word = arena_alloc(arena, image->exits * sizeof *laid->word + 1, 8);  // apart from the exits: they are read all the time
    laid->exit = arena_alloc(arena, image->exits * sizeof *laid->exit + 1, 8);
    laid->sheet.passes = arena_alloc(arena, sheet->blocks * sizeof *laid->sheet.passes, 4);
    laid->knows = arena_alloc(arena, sheet->blocks * sizeof *laid->knows, 1);
    find_better(laid, module);
    laid->diversion = arena_alloc(arena, sheet->blocks * sizeof(struct quick_exit *), 8);
    for (unsigned i = 0; i < image->exits; i++) {
        if (sheet->exit[i].back) make_back(laid, i, arena);
    }
    for (unsigned i = 0; i < sheet->blocks; i++) laid->sheet.passes[i] = PASSES;
    if (!native_lay(native, &laid->sheet, module->start, laid, full)) return NULL;
    laid->sheet.code = laid->sheet.guest = NULL;
    laid->sheet.hole = NULL;
    laid->sheet.exit = NULL;
    laid->sheet.count = NULL;
    stats_laid(sheet);
    return laid;
}

// Where there are such sheets: whichever of the page's has the block.
struct wanted {
    uint64_t pc;
    uint32_t mode;
    struct native *native;
    struct arena *arena;
    int number;
    bool full;
};

// Looks for a sheet of the page, once, and for the block in it.
static bool look(struct wanted *w, struct laid **known, bool rest) {
    struct module module;
    struct sheet sheet;
    uint64_t page = w->pc - w->pc % MEM_PAGE;
    if (!*known) {
        bool found = find(page, w->mode, rest, &module, &sheet);
        struct laid *laid = found ? lay(&sheet, page, &module, w->mode, w->native, w->arena, &w->full) : NULL;
        if (w->full) return false;
        if (laid) laid->second = rest;
        __atomic_store_n(known, laid ? laid : &none, __ATOMIC_RELEASE);
        if (!rest) part_pages[page / MEM_PAGE / PART_PAGES]++;
    }
    bool fits = *known != &none && (*known)->mode == w->mode;
    w->number = fits ? sheet_block_at(&(*known)->sheet, w->pc % MEM_PAGE) : -1;
    return w->number >= 0;
}

struct laid *sheets_find(uint64_t pc, uint32_t mode, struct native *native, struct arena *arena, int *number, bool *full) {
    struct wanted w = {.pc = pc, .mode = mode, .native = native, .arena = arena};
    struct laid *laid = NULL;
    if (page_sheet && pc / MEM_PAGE < PAGES && !(mode & ~(uint32_t)SHEET_MODES)) {
        struct laid **known = &page_sheet[pc / MEM_PAGE];
        if (look(&w, known, false)) laid = *known;
        else if (*known && *known != &none && (*known)->mode == mode && look(&w, &(*known)->rest, true)) laid = (*known)->rest;
    }
    *full = w.full;
    *number = laid ? w.number : -1;
    return laid;
}

bool sheets_has_better(const struct laid *laid, int number) {
    return laid->knows[number] & LAID_BETTER;
}

const uint8_t *sheets_entry(const struct laid *laid, int number) {
    return laid->code + laid->sheet.block[number].entry;
}

const uint8_t *sheets_code(uint64_t pc, uint32_t mode) {
    if (!page_sheet || pc / MEM_PAGE >= PAGES) return NULL;
    const struct laid *laid = __atomic_load_n(&page_sheet[pc / MEM_PAGE], __ATOMIC_ACQUIRE);
    if (!laid || laid == &none || laid->mode != mode) return NULL;
    int number = sheet_block_at(&laid->sheet, pc % MEM_PAGE);
    bool plain = number >= 0 && !(__atomic_load_n(&laid->knows[number], __ATOMIC_RELAXED) & (LAID_BETTER | LAID_APART));
    return plain ? sheets_entry(laid, number) : NULL;
}

void sheets_part(const struct laid *laid, int number) {
    __atomic_fetch_or(&laid->knows[number], LAID_APART, __ATOMIC_RELAXED);
}

// ---- exits

unsigned sheets_way(const struct laid *laid, const uint8_t *behind, uint64_t *pc) {
    unsigned exit = quick_sheet_exit(&laid->sheet.image, laid->code, behind);
    *pc = leads_to(laid, exit);
    return exit;
}

void sheets_lead(const struct laid *laid, unsigned exit, const uint8_t *code) {
    if (!laid->exit[exit] || laid->exit[exit]->state != QUICK_LINKED) __atomic_store_n(&laid->word[exit], code, __ATOMIC_RELEASE);
}

struct quick_exit *sheets_exit(const struct laid *laid, unsigned exit, struct arena *arena) {
    if (laid->exit[exit]) return laid->exit[exit];
    struct quick_exit *made = make_exit(laid, exit, arena);
    made->word = &laid->word[exit];
    made->apart = quick_sheet_apart(&laid->sheet.image, laid->code, exit);
    return made;
}

static void unlink_exits(const struct laid *laid, const struct native *native, const uint8_t *first, const uint8_t *end) {
    for (unsigned i = 0; i < laid->sheet.image.exits; i++) {
        bool near = laid->word[i] >= first && laid->word[i] < end;
        const struct laid *to = near ? native_find_laid(native, (uintptr_t)laid->word[i]) : NULL;
        if (to && to->dead)
            __atomic_store_n(&laid->word[i], quick_sheet_apart(&laid->sheet.image, laid->code, i), __ATOMIC_RELEASE);
    }
}

void sheets_unlink(const struct native *native) {
    const uint8_t *first = NULL, *end = NULL;
    for (uint32_t i = 0; i < native->laids; i++) {
        if (!native->laid[i]->dead) continue;
        if (!first) first = native->laid[i]->code;
        end = native->laid[i]->code + native->laid[i]->sheet.image.bytes;
    }
    for (uint32_t i = 0; i < native->laids; i++) {
        if (!native->laid[i]->dead) unlink_exits(native->laid[i], native, first, end);
    }
}

// ---- better code

void sheets_divert(struct laid *laid, int number, struct arena *arena, struct block *block) {
    uint32_t start = laid->sheet.block[number].start;
    if (start == SHEET_NO_START) return;
    struct quick_exit **diversion = &laid->diversion[number];
    if (!*diversion) *diversion = arena_alloc(arena, sizeof **diversion, 8);
    else if ((*diversion)->state == QUICK_LINKED) return;  // to the block: it would have been dropped with it
    native_divert(laid->code + start, *diversion, block);
}

bool sheets_count(struct laid *laid, int number, uint32_t passes) {
    bool first = !(__atomic_fetch_or(&laid->knows[number], LAID_TOLD, __ATOMIC_RELAXED) & LAID_TOLD);
    __atomic_store_n(&laid->sheet.passes[number], (int32_t)passes, __ATOMIC_RELAXED);
    return first;
}

// ---- losing

// Whether there was one.
static bool lose_page(uint64_t page, void (*lose)(const struct laid *laid)) {
    struct laid *laid = page_sheet[page];
    if (!laid) return false;
    __atomic_store_n(&page_sheet[page], NULL, __ATOMIC_RELAXED);
    part_pages[page / PART_PAGES]--;
    if (laid == &none) return false;
    laid->dead = true;
    if (laid->rest) laid->rest->dead = laid->rest != &none;
    lose(laid);
    return true;
}

bool sheets_invalidate(uint64_t start, uint64_t size, void (*lose)(const struct laid *laid)) {
    uint64_t first = start / MEM_PAGE, last = (start + size - 1) / MEM_PAGE;
    bool any = false;
    if (!page_sheet) return false;
    // The last instruction of a page may reach into the next one.
    for (uint64_t page = first ? first - 1 : 0; page <= last; page++) {
        if (part_pages[page / PART_PAGES]) any |= lose_page(page, lose);
        else page |= PART_PAGES - 1;
    }
    return any;
}

bool sheets_sync(const struct native *native, void (*lose)(const struct laid *laid)) {
    bool any = false;
    static uint8_t bytes[SHEET_MAX_GUEST];
    for (uint32_t i = 0; i < native->laids; i++) {
        const struct laid *laid = native->laid[i];
        const struct sheet *sheet = &laid->sheet;
        if (laid->dead) continue;
        bool same =
            mem_copy_in(bytes, laid->start + sheet->block[0].at, sheet->guest_bytes) == 0 && hash_guest(sheet, bytes) == laid->hash;
        if (!same) any |= lose_page(laid->start / MEM_PAGE, lose);
    }
    return any;
}

void sheets_forget(const struct native *native) {
    for (uint32_t i = 0; page_sheet && i < native->laids; i++) {
        const struct laid *laid = native->laid[i];
        if (laid->dead || page_sheet[laid->start / MEM_PAGE] != laid) continue;
        __atomic_store_n(&page_sheet[laid->start / MEM_PAGE], NULL, __ATOMIC_RELAXED);
        part_pages[laid->start / MEM_PAGE / PART_PAGES]--;
    }
}

const struct sheet_access *sheets_access(const struct laid *laid, uint64_t host_pc) {
    return sheet_access_at(&laid->sheet, (uint32_t)(host_pc - (uintptr_t)laid->code));
}
