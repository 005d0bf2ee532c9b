// What is known of modules' code: see pages.h.
#include "aot/pages.h"
#include "runtime/base/error.h"
#include <stdlib.h>
#include <string.h>

static struct pages *first;

static void *checked(void *memory) {
    if (!memory) error_die("no memory for code that is to be kept");
    return memory;
}

// ---- places

struct pages *pages_first(void) {
    return first;
}

static struct pages *new_pages(const struct store_key *module, const char *name, uint32_t mode, bool rest) {
    struct pages *pages = checked(calloc(1, sizeof *pages));
    *pages = (struct pages){.next = first, .module = *module, .mode = mode, .name = checked(strdup(name)), .rest = rest};
    return first = pages;
}

// Those that are asked for are likely to be so again soon.
static struct pages *find_pages(const struct store_key *module, const char *name, uint32_t mode, bool rest) {
    for (struct pages **at = &first; *at; at = &(*at)->next) {
        struct pages *pages = *at;
        if (pages->mode != mode || pages->rest != rest || memcmp(&pages->module, module, sizeof *module) != 0) continue;
        *at = pages->next;
        pages->next = first;
        return first = pages;
    }
    return new_pages(module, name, mode, rest);
}

struct pages *pages_of(const struct store_key *module, const char *name, uint32_t mode) {
    return find_pages(module, name, mode, false);
}

struct pages *pages_of_rest(const struct store_key *module, const char *name, uint32_t mode) {
    return find_pages(module, name, mode, true);
}

struct page *pages_page(struct pages *pages, uint32_t number) {
    if (number >= pages->count) {
        uint32_t count = number + number / 2 + 1;
        pages->page = checked(realloc(pages->page, count * sizeof *pages->page));
        memset(pages->page + pages->count, 0, (count - pages->count) * sizeof *pages->page);
        pages->count = count;
    }
    if (!pages->page[number]) pages->page[number] = checked(calloc(1, sizeof **pages->page));
    return pages->page[number];
}

struct page *pages_look(const struct pages *pages, uint64_t at) {
    return at / SHEET_PAGE < pages->count ? pages->page[at / SHEET_PAGE] : NULL;
}

// ---- blocks

bool page_agrees(const struct page *page, unsigned at, const uint8_t *bytes, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        if (page->known[at + i] && page->byte[at + i] != bytes[i]) return false;
    }
    return true;
}

void page_drop(struct page *page, unsigned at) {
    page->blocks--;
    page->freshes -= page->fresh[at];
    page->size[at] = page->fresh[at] = 0;
}

void page_put(struct page *page, unsigned at, const uint8_t *bytes, unsigned size, bool fresh) {
    if (page->size[at]) page_drop(page, at);
    memcpy(page->byte + at, bytes, size);
    memset(page->known + at, 1, size);
    page->size[at] = (uint16_t)size;
    page->fresh[at] = fresh;
    page->blocks++;
    page->freshes += fresh;
}

// It is another one now.
static void forget(struct page *page) {
    free(page->lead);
    *page = (struct page){.blocks = 0};
}

void pages_add(struct pages *pages, uint64_t at, const uint8_t *bytes, unsigned size) {
    if (!size || size > BLOCK_MAX_BYTES || at > UINT32_MAX) return;
    struct page *page = pages_page(pages, (uint32_t)(at / SHEET_PAGE));
    unsigned place = at % SHEET_PAGE;
    bool fits = page_agrees(page, place, bytes, size);
    if (fits && page->size[place] == size) return;
    if (!fits) forget(page);
    page_put(page, place, bytes, size, true);
    pages->fresh = page->news = true;
}

void pages_mark(struct pages *pages, uint64_t at, uint8_t marks) {
    struct page *page = pages_look(pages, at);
    unsigned place = at % SHEET_PAGE;
    if (!page || !page->size[place] || !(marks & ~page->marks[place])) return;
    bool plain = marks & ~page->marks[place] & CHANNEL_PLAIN;
    page->marks[place] |= marks;
    page->news = true;
    if (!plain) return;  // sheets say that alone
    if (!page->fresh[place]) page->freshes++;
    page->fresh[place] = 1;
    pages->fresh = true;
}

bool page_lead(struct page *page, unsigned at, uint32_t target) {
    for (unsigned i = 0; i < page->leads; i++) {
        if (page->lead[i].at == at && page->lead[i].target == target) return false;
    }
    if (page->leads == PAGES_MOST_LEADS) return false;
    if (!(page->leads & (page->leads - 1)))
        page->lead = checked(realloc(page->lead, (page->leads ? 2 * page->leads : 1) * sizeof *page->lead));
    page->lead[page->leads++] = (struct lead){target, (uint16_t)at};
    return true;
}

void pages_lead(struct pages *pages, uint64_t at, uint32_t target) {
    struct page *page = pages_look(pages, at);
    if (page && page->size[at % SHEET_PAGE]) page->news |= page_lead(page, at % SHEET_PAGE, target);
}

void pages_end(void) {
    for (struct pages *pages = first, *next; pages; pages = next) {
        next = pages->next;
        for (uint32_t i = 0; i < pages->count; i++) {
            if (pages->page[i]) free(pages->page[i]->lead);
            free(pages->page[i]);
        }
        free(pages->page);
        free(pages->name);
        free(pages);
    }
    first = NULL;
}
