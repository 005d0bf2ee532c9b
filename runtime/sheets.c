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
        if (number >= 0) laid->better[number] = true;
    }
}

static struct laid *lay(const struct sheet *sheet, uint64_t page, const struct module *module, uint32_t mode, struct native *native,
                        struct arena *arena, bool *full) {
    struct laid *laid = arena_alloc(arena, sizeof *laid, 8);
    *laid = (struct laid){.sheet = *sheet, .start = page, .mode = mode};
    struct image *image = &laid->sheet.image;
    laid->hash = hash_guest(sheet, sheet->guest);
    laid->sheet.block = keep(arena, sheet->block, sheet->blocks * sizeof *sheet->block);
    laid->sheet.access = keep(arena, sheet->access, sheet->accesses * sizeof *sheet->access);
    laid->exit = arena_alloc(arena, image->exits * sizeof *laid->exit + 1, 8);
    const uint8_t **word =
        arena_alloc(arena, image->exits * sizeof *word + 1, 8);  // apart from the exits: they are read all the time
    laid->passes = arena_alloc(arena, sheet->blocks * sizeof *laid->passes, 4);
    laid->better = arena_alloc(arena, sheet->blocks * sizeof *laid->better, 1);
    find_better(laid, module);
    laid->told = arena_alloc(arena, sheet->blocks * sizeof *laid->told, 1);
    laid->diversion = arena_alloc(arena, sheet->blocks * sizeof(struct quick_exit *), 8);
    for (unsigned i = 0; i < image->exits; i++) {
        quick_exit_init(&laid->exit[i], module->start + (uint64_t)(int64_t)sheet->exit[i].pc);
        laid->exit[i].word = &word[i];
        laid->exit[i].back = sheet->exit[i].back;
        laid->exit[i].passes = sheet->exit[i].back ? (int32_t)quick_hot_passes : 1;
    }
    for (unsigned i = 0; i < sheet->blocks; i++) laid->passes[i] = PASSES;
    image->counter = laid->passes;
    image->counters = sheet->blocks;
    if (!native_lay(native, &laid->sheet, module->start, laid, full)) return NULL;
    laid->sheet.code = laid->sheet.guest = NULL;
    laid->sheet.hole = NULL;
    laid->sheet.exit = NULL;
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
        *known = laid ? laid : &none;
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
    return laid->better[number];
}

const uint8_t *sheets_entry(const struct laid *laid, int number) {
    return laid->code + laid->sheet.block[number].entry;
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
    bool first = !laid->told[number];
    laid->told[number] = true;
    __atomic_store_n(&laid->passes[number], (int32_t)passes, __ATOMIC_RELAXED);
    return first;
}

// ---- losing

static void lose_page(uint64_t page, void (*lose)(const struct laid *laid)) {
    struct laid *laid = page_sheet[page];
    if (!laid) return;
    page_sheet[page] = NULL;
    part_pages[page / PART_PAGES]--;
    if (laid == &none) return;
    laid->dead = true;
    if (laid->rest) laid->rest->dead = laid->rest != &none;
    lose(laid);
}

void sheets_invalidate(uint64_t start, uint64_t size, void (*lose)(const struct laid *laid)) {
    uint64_t first = start / MEM_PAGE, last = (start + size - 1) / MEM_PAGE;
    if (!page_sheet) return;
    // The last instruction of a page may reach into the next one.
    for (uint64_t page = first ? first - 1 : 0; page <= last; page++) {
        if (part_pages[page / PART_PAGES]) lose_page(page, lose);
        else page |= PART_PAGES - 1;
    }
}

void sheets_sync(const struct native *native, void (*lose)(const struct laid *laid)) {
    static uint8_t bytes[SHEET_MAX_GUEST];
    for (uint32_t i = 0; i < native->laids; i++) {
        const struct laid *laid = native->laid[i];
        const struct sheet *sheet = &laid->sheet;
        if (laid->dead) continue;
        bool same =
            mem_copy_in(bytes, laid->start + sheet->block[0].at, sheet->guest_bytes) == 0 && hash_guest(sheet, bytes) == laid->hash;
        if (!same) lose_page(laid->start / MEM_PAGE, lose);
    }
}

void sheets_forget(const struct native *native) {
    for (uint32_t i = 0; page_sheet && i < native->laids; i++) {
        const struct laid *laid = native->laid[i];
        if (laid->dead || page_sheet[laid->start / MEM_PAGE] != laid) continue;
        page_sheet[laid->start / MEM_PAGE] = NULL;
        part_pages[laid->start / MEM_PAGE / PART_PAGES]--;
    }
}

const struct sheet_access *sheets_access(const struct laid *laid, uint64_t host_pc) {
    return sheet_access_at(&laid->sheet, (uint32_t)(host_pc - (uintptr_t)laid->code));
}
