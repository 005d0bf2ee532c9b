// From blocks to sheets: see sheets.h. A page is an array by place: where blocks begin and how long they are, and the bytes below them. So what was added needs
// no sorting, and what contradicts is seen at once.
#include "aot/sheets.h"
#include "cache/sheet_record.h"
#include "runtime/base/error.h"
#include <stdlib.h>
#include <string.h>

struct page {
    uint8_t byte[SHEET_MAX_GUEST];  // guest bytes, where
    uint8_t known[SHEET_MAX_GUEST];  // this is 1
    uint16_t size[SHEET_PAGE];  // bytes of the block that begins there, or 0
    uint8_t fresh[SHEET_PAGE];  // that block was in no sheet that we made
    uint8_t plain[SHEET_PAGE];  // no better code is wanted for a loop that begins there
    unsigned blocks, freshes;
};

// The pages of a module for one mode.
struct collection {
    struct collection *next;
    struct store_key module;
    uint32_t mode;
    char *name;
    struct page **page;  // by number
    uint32_t pages;
    bool fresh;  // one of them has something new
};

static struct collection *first;

static void *checked(void *memory) {
    if (!memory) error_die("no memory for code that is to be kept");
    return memory;
}

// ---- places

static struct collection *new_collection(const struct store_key *module, const char *name, uint32_t mode) {
    struct collection *c = checked(calloc(1, sizeof *c));
    *c = (struct collection){.next = first, .module = *module, .mode = mode, .name = checked(strdup(name))};
    return first = c;
}

// One that is asked for is likely to be so again soon.
static struct collection *find_collection(const struct store_key *module, const char *name, uint32_t mode) {
    for (struct collection **at = &first; *at; at = &(*at)->next) {
        struct collection *c = *at;
        if (c->mode != mode || memcmp(&c->module, module, sizeof *module) != 0) continue;
        *at = c->next;
        c->next = first;
        return first = c;
    }
    return new_collection(module, name, mode);
}

static struct page *find_page(struct collection *c, uint32_t number) {
    if (number >= c->pages) {
        uint32_t pages = number + number / 2 + 1;
        c->page = checked(realloc(c->page, pages * sizeof *c->page));
        memset(c->page + c->pages, 0, (pages - c->pages) * sizeof *c->page);
        c->pages = pages;
    }
    if (!c->page[number]) c->page[number] = checked(calloc(1, sizeof **c->page));
    return c->page[number];
}

// ---- blocks

static bool agrees(const struct page *p, unsigned at, const uint8_t *bytes, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        if (p->known[at + i] && p->byte[at + i] != bytes[i]) return false;
    }
    return true;
}

static void drop(struct page *p, unsigned at) {
    p->blocks--;
    p->freshes -= p->fresh[at];
    p->size[at] = p->fresh[at] = 0;
}

static void put(struct page *p, unsigned at, const uint8_t *bytes, unsigned size, bool fresh) {
    if (p->size[at]) drop(p, at);
    memcpy(p->byte + at, bytes, size);
    memset(p->known + at, 1, size);
    p->size[at] = (uint16_t)size;
    p->fresh[at] = fresh;
    p->blocks++;
    p->freshes += fresh;
}

void sheets_add(const struct store_key *module, const char *name, uint32_t mode, uint64_t at, const uint8_t *bytes, unsigned size) {
    if (!size || size > BLOCK_MAX_BYTES || at > UINT32_MAX) return;
    struct collection *c = find_collection(module, name, mode);
    struct page *p = find_page(c, (uint32_t)(at / SHEET_PAGE));
    unsigned place = at % SHEET_PAGE;
    bool fits = agrees(p, place, bytes, size);
    if (fits && p->size[place] == size) return;
    if (!fits) *p = (struct page){.blocks = 0};  // the page is another one now
    put(p, place, bytes, size, true);
    c->fresh = true;
}

void sheets_decline(const struct store_key *module, const char *name, uint32_t mode, uint64_t at) {
    if (at > UINT32_MAX) return;
    struct collection *c = find_collection(module, name, mode);
    struct page *p = find_page(c, (uint32_t)(at / SHEET_PAGE));
    unsigned place = at % SHEET_PAGE;
    if (!p->size[place] || p->plain[place]) return;
    p->plain[place] = 1;
    if (!p->fresh[place]) p->freshes++;
    p->fresh[place] = 1;
    c->fresh = true;
}

// ---- what the store has

static const uint8_t *kept_bytes(const struct sheet *kept, unsigned i) {
    return kept->guest + (kept->block[i].at - kept->block[0].at);
}

static bool find_kept(struct store_module *store, uint32_t page, uint32_t mode, struct sheet *kept) {
    struct store_record record;
    return store && store_find(store, page, sheet_kind(mode), &record) && sheet_read(record.bytes, record.size, kept) &&
           kept->page == page && kept->blocks;
}

static bool kept_agrees(const struct page *p, const struct sheet *kept) {
    for (unsigned i = 0; i < kept->blocks; i++) {
        if (!agrees(p, kept->block[i].at, kept_bytes(kept, i), kept->block[i].bytes)) return false;
    }
    return true;
}

static bool is_kept(const struct page *p, const struct sheet_block *block) {
    return p->size[block->at] == block->bytes && p->plain[block->at] <= block->plain;
}

static bool kept_has_all(const struct page *p, const struct sheet *kept) {
    unsigned same = 0;
    for (unsigned i = 0; i < kept->blocks; i++) same += is_kept(p, &kept->block[i]);
    return same == p->blocks;
}

static void take_kept(struct page *p, const struct sheet *kept) {
    for (unsigned i = 0; i < kept->blocks; i++) {
        unsigned at = kept->block[i].at;
        p->plain[at] |= kept->block[i].plain;
        if (!p->size[at]) put(p, at, kept_bytes(kept, i), kept->block[i].bytes, false);
    }
}

// ---- making

static unsigned list_blocks(const struct page *p, struct sheet_source source[SHEET_PAGE]) {
    unsigned count = 0;
    for (unsigned at = 0; at < SHEET_PAGE; at++) {
        if (p->size[at])
            source[count++] =
                (struct sheet_source){.at = (uint16_t)at, .bytes = p->size[at], .plain = p->plain[at], .byte = p->byte + at};
    }
    return count;
}

// Every fourth block goes, of those that are not new if there are such.
static void thin(struct page *p) {
    enum { PART = 4 };
    bool old = p->blocks > p->freshes;
    unsigned count = 0;
    for (unsigned at = 0; at < SHEET_PAGE; at++) {
        if (p->size[at] && !(old && p->fresh[at]) && count++ % PART == 0) drop(p, at);
    }
}

// The record's size. Where all blocks would be too much, what is left of them says the page.
static size_t emit(struct page *p, uint32_t page, uint32_t mode, uint8_t *buffer, struct sheet *sheet) {
    static struct sheet_source source[SHEET_PAGE];
    size_t size = 0;
    while (p->blocks && !size) {
        unsigned count = list_blocks(p, source);
        bool made = count <= SHEET_MAX_BLOCKS && sheet_make(page, mode, source, count, sheet);
        if (made && !sheet->blocks) break;
        if (made) size = sheet_write(buffer, sheet);
        if (!size) thin(p);
    }
    return size;
}

// What cannot be lifted is left out, and may be all that was new.
static bool has_more(const struct sheet *sheet, const struct sheet *kept) {
    for (unsigned i = 0; i < sheet->blocks; i++) {
        int same = sheet_block_at(kept, sheet->block[i].at);
        if (same < 0 || kept->block[same].bytes != sheet->block[i].bytes || kept->block[same].plain < sheet->block[i].plain)
            return true;
    }
    return false;
}

static void settle(struct page *p) {
    memset(p->fresh, 0, sizeof p->fresh);
    p->freshes = 0;
}

static void make(struct collection *c, uint32_t page, struct page *p, struct store_module *store, sheets_put *give, void *data) {
    static _Alignas(16) uint8_t buffer[SHEET_RECORD_MAX_BYTES];
    struct sheet kept, sheet;
    bool has = find_kept(store, page, c->mode, &kept) && kept_agrees(p, &kept);
    bool whole = has && kept_has_all(p, &kept);
    if (has) take_kept(p, &kept);
    size_t size = whole ? 0 : emit(p, page, c->mode, buffer, &sheet);
    settle(p);
    if (!size || (has && !has_more(&sheet, &kept))) return;
    const struct writer_record record = {
        .kind = sheet_kind(c->mode), .count = 1, .entries = &page, .bytes = buffer, .size = (uint32_t)size};
    give(data, &c->module, c->name, &record);
}

static void make_all(struct collection *c, sheets_put *give, void *data) {
    struct store_module *store = store_open(&c->module);
    for (uint32_t number = 0; number < c->pages; number++) {
        struct page *p = c->page[number];
        if (p && p->freshes) make(c, number * SHEET_PAGE, p, store, give, data);
    }
    if (store) store_close(store);
    c->fresh = false;
}

void sheets_make(sheets_put *give, void *data) {
    for (struct collection *c = first; c; c = c->next) {
        if (c->fresh) make_all(c, give, data);
    }
}

static void give_writer(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    writer_add(data, module, name, record);
}

void sheets_write(struct writer *writer) {
    sheets_make(give_writer, writer);
}

void sheets_end(void) {
    for (struct collection *c = first, *next; c; c = next) {
        next = c->next;
        for (uint32_t i = 0; i < c->pages; i++) free(c->page[i]);
        free(c->page);
        free(c->name);
        free(c);
    }
    first = NULL;
}
