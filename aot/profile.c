// What outlives code: see profile.h. A record is a header, the blocks, and where they led; docs/cache-format.md has its form.
#include "aot/profile.h"
#include <string.h>

enum { VERSION = 1 };

struct header {
    uint32_t version, blocks, leads;
};

struct profile_block {
    uint16_t at, bytes, marks, unused;
};

struct profile_lead {
    uint32_t target;
    uint16_t at, unused;
};

enum {
    MAX_BYTES = sizeof(struct header) + SHEET_PAGE * sizeof(struct profile_block) + PAGES_MOST_LEADS * sizeof(struct profile_lead),
};

uint32_t profile_kind(uint32_t mode) {
    return mode & ~(uint32_t)MODE_COUNT;  // what is counted does not change what is executed
}

// ---- reading

static bool read_blocks(const uint8_t *at, unsigned count, struct profile *profile) {
    for (unsigned i = 0; i < count; i++) {
        struct profile_block block;
        memcpy(&block, at + i * sizeof block, sizeof block);
        if (block.at >= SHEET_PAGE || !block.bytes || block.bytes > BLOCK_MAX_BYTES) return false;
        profile->size[block.at] = block.bytes;
        profile->marks[block.at] = (uint8_t)block.marks;
    }
    return true;
}

static bool read_leads(const uint8_t *at, unsigned count, struct profile *profile) {
    for (profile->leads = 0; profile->leads < count; profile->leads++) {
        struct profile_lead lead;
        memcpy(&lead, at + profile->leads * sizeof lead, sizeof lead);
        if (lead.at >= SHEET_PAGE) return false;
        profile->lead[profile->leads] = (struct lead){lead.target, lead.at};
    }
    return true;
}

bool profile_read(const void *bytes, size_t size, struct profile *profile) {
    struct header header;
    memset(profile, 0, sizeof *profile);
    if (size < sizeof header) return false;
    memcpy(&header, bytes, sizeof header);
    if (header.version != VERSION || header.blocks > SHEET_PAGE || header.leads > PAGES_MOST_LEADS) return false;
    size_t blocks = header.blocks * sizeof(struct profile_block), leads = header.leads * sizeof(struct profile_lead);
    if (size != sizeof header + blocks + leads) return false;
    const uint8_t *at = (const uint8_t *)bytes + sizeof header;
    return read_blocks(at, header.blocks, profile) && read_leads(at + blocks, header.leads, profile);
}

// ---- writing

static size_t write(uint8_t *buffer, const struct profile *profile) {
    struct header header = {.version = VERSION, .leads = profile->leads};
    uint8_t *at = buffer + sizeof header;
    for (unsigned i = 0; i < SHEET_PAGE; i++) {
        const struct profile_block block = {.at = (uint16_t)i, .bytes = profile->size[i], .marks = profile->marks[i]};
        if (!block.bytes) continue;
        memcpy(at, &block, sizeof block);
        at += sizeof block;
        header.blocks++;
    }
    for (unsigned i = 0; i < profile->leads; i++) {
        const struct profile_lead lead = {.target = profile->lead[i].target, .at = profile->lead[i].at};
        memcpy(at, &lead, sizeof lead);
        at += sizeof lead;
    }
    memcpy(buffer, &header, sizeof header);
    return (size_t)(at - buffer);
}

static void add_lead(struct profile *profile, const struct lead *lead) {
    for (unsigned i = 0; i < profile->leads; i++) {
        if (profile->lead[i].at == lead->at && profile->lead[i].target == lead->target) return;
    }
    if (profile->leads < PAGES_MOST_LEADS) profile->lead[profile->leads++] = *lead;
}

static void add_page(struct profile *profile, const struct page *page) {
    for (unsigned i = 0; i < SHEET_PAGE; i++) {
        if (page->size[i]) profile->size[i] = page->size[i];
        profile->marks[i] |= page->marks[i];
    }
    for (unsigned i = 0; i < page->leads; i++) add_lead(profile, &page->lead[i]);
}

static void make(const struct pages *pages, uint32_t number, struct store_module *store, sheets_put *give, void *data) {
    static uint8_t buffer[MAX_BYTES];
    static struct profile profile;
    struct store_record old;
    uint32_t entry = number * SHEET_PAGE, kind = profile_kind(pages->mode);
    bool has = store && store_find(store, entry, kind, &old);
    if (!has || !profile_read(old.bytes, old.size, &profile)) memset(&profile, 0, sizeof profile);
    add_page(&profile, pages->page[number]);
    size_t size = write(buffer, &profile);
    if (has && old.size == size && !memcmp(old.bytes, buffer, size)) return;
    const struct writer_record record = {.kind = kind, .count = 1, .entries = &entry, .bytes = buffer, .size = (uint32_t)size};
    give(data, &pages->module, pages->name, &record);
}

static void make_all(const struct pages *pages, sheets_put *give, void *data) {
    struct store_module *store = NULL;
    bool opened = false;
    for (uint32_t number = 0; number < pages->count; number++) {
        struct page *page = pages->page[number];
        if (!page || !page->news) continue;
        if (!opened) store = store_open_profile(&pages->module);
        opened = true;
        make(pages, number, store, give, data);
        page->news = false;
    }
    if (store) store_close(store);
}

void profile_make(sheets_put *give, void *data) {
    for (struct pages *pages = pages_first(); pages; pages = pages->next) make_all(pages, give, data);
}
