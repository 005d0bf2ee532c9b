// From pages to sheets: see sheets.h.
#include "aot/sheets.h"
#include "aot/pages.h"
#include "cache/sheet_record.h"
#include <string.h>

// ---- what the store has

static const uint8_t *kept_bytes(const struct sheet *kept, unsigned i) {
    return kept->guest + (kept->block[i].at - kept->block[0].at);
}

static bool find_kept(struct store_module *store, uint32_t page, uint32_t kind, struct sheet *kept) {
    struct store_record record;
    return store && store_find(store, page, kind, &record) && sheet_read(record.bytes, record.size, kept) && kept->page == page &&
           kept->blocks;
}

static bool kept_agrees(const struct page *p, const struct sheet *kept) {
    for (unsigned i = 0; i < kept->blocks; i++) {
        if (!page_agrees(p, kept->block[i].at, kept_bytes(kept, i), kept->block[i].bytes)) return false;
    }
    return true;
}

static bool is_plain(const struct page *p, unsigned at) {
    return p->marks[at] & CHANNEL_PLAIN;
}

static bool is_kept(const struct page *p, const struct sheet_block *block) {
    return p->size[block->at] == block->bytes && is_plain(p, block->at) <= block->plain;
}

static bool kept_has_all(const struct page *p, const struct sheet *kept) {
    unsigned same = 0;
    for (unsigned i = 0; i < kept->blocks; i++) same += is_kept(p, &kept->block[i]);
    return same == p->blocks;
}

static void take_kept(struct page *p, const struct sheet *kept) {
    for (unsigned i = 0; i < kept->blocks; i++) {
        unsigned at = kept->block[i].at;
        if (kept->block[i].plain) p->marks[at] |= CHANNEL_PLAIN;
        if (!p->size[at]) page_put(p, at, kept_bytes(kept, i), kept->block[i].bytes, false);
    }
}

// ---- making

static unsigned list_blocks(const struct page *p, struct sheet_source source[SHEET_PAGE]) {
    unsigned count = 0;
    for (unsigned at = 0; at < SHEET_PAGE; at++) {
        if (p->size[at])
            source[count++] =
                (struct sheet_source){.at = (uint16_t)at, .bytes = p->size[at], .plain = is_plain(p, at), .byte = p->byte + at};
    }
    return count;
}

// Every fourth block goes, of those that are not new if there are such.
static void thin(struct page *p) {
    enum { PART = 4 };
    bool old = p->blocks > p->freshes;
    unsigned count = 0;
    for (unsigned at = 0; at < SHEET_PAGE; at++) {
        if (p->size[at] && !(old && p->fresh[at]) && count++ % PART == 0) page_drop(p, at);
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

static void make(struct pages *pages, uint32_t page, struct page *p, struct store_module *store, sheets_put *give, void *data) {
    static _Alignas(16) uint8_t buffer[SHEET_RECORD_MAX_BYTES];
    struct sheet kept, sheet;
    uint32_t kind = sheet_kind(pages->mode, pages->rest);
    bool has = !pages->whole && find_kept(store, page, kind, &kept) && kept_agrees(p, &kept);
    bool whole = has && kept_has_all(p, &kept);
    if (has) take_kept(p, &kept);
    size_t size = whole ? 0 : emit(p, page, pages->mode, buffer, &sheet);
    settle(p);
    if (!size || (has && !has_more(&sheet, &kept))) return;
    const struct writer_record record = {.kind = kind, .count = 1, .entries = &page, .bytes = buffer, .size = (uint32_t)size};
    give(data, &pages->module, pages->name, &record);
}

static void make_all(struct pages *pages, sheets_put *give, void *data) {
    struct store_module *store = store_open(&pages->module);
    for (uint32_t number = 0; number < pages->count; number++) {
        struct page *p = pages->page[number];
        if (p && p->freshes) make(pages, number * SHEET_PAGE, p, store, give, data);
    }
    if (store) store_close(store);
    pages->fresh = false;
}

void sheets_make(sheets_put *give, void *data) {
    for (struct pages *pages = pages_first(); pages; pages = pages->next) {
        if (pages->fresh) make_all(pages, give, data);
    }
}

static void give_writer(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    writer_add(data, module, name, record);
}

void sheets_write(struct writer *writer) {
    sheets_make(give_writer, writer);
}
