// What is known of modules' code, page by page, for sheets, regions and profiles: where blocks begin and how long they are, the bytes below them, how hot they were
// and where they led. A page is an array by place: so what is added needs no sorting, and what contradicts is seen at once. One thread at a time.
#pragma once
#include "cache/channel.h"
#include "translator/quick/sheet.h"

// A block led to another place of the module indirectly.
struct lead {
    uint32_t target;  // from the module's start
    uint16_t at;  // of the block, from the page's
};

struct page {
    uint8_t byte[SHEET_MAX_GUEST];  // guest bytes, where
    uint8_t known[SHEET_MAX_GUEST];  // this is 1
    uint16_t size[SHEET_PAGE];  // bytes of the block that begins there, or 0
    uint8_t fresh[SHEET_PAGE];  // that block was in no sheet that we made
    uint8_t marks[SHEET_PAGE];  // CHANNEL_PLAIN and its like
    struct lead *lead;
    unsigned blocks, freshes, leads;
    bool news;  // something that is in no profile that we wrote
};

// The pages of a module for one mode.
struct pages {
    struct pages *next;
    struct store_key module;
    uint32_t mode;
    char *name;  // the module's, for people
    struct page **page;  // by number
    uint32_t count;
    bool fresh;  // one of them has blocks that are
    bool rest;  // of blocks that no run came to, as far as is known
    bool whole;  // this is all that is to be in their sheets, whatever the store has
};

enum { PAGES_MOST_LEADS = 2048 };  // of a page

// All there are.
struct pages *pages_first(void);
// The module's, which are made where there are none.
struct pages *pages_of(const struct store_key *module, const char *name, uint32_t mode);
struct pages *pages_of_rest(const struct store_key *module, const char *name, uint32_t mode);
struct page *pages_page(struct pages *pages, uint32_t number);
// The page of this place, if something is known of it; or NULL.
struct page *pages_look(const struct pages *pages, uint64_t at);
// A block of `size` bytes, `at` from the start of the module.
void pages_add(struct pages *pages, uint64_t at, const uint8_t *bytes, unsigned size);
// What is known of a block that was added.
void pages_mark(struct pages *pages, uint64_t at, uint8_t marks);
void pages_lead(struct pages *pages, uint64_t at, uint32_t target);
// Whether nothing known of the page contradicts these bytes at this place in it.
bool page_agrees(const struct page *page, unsigned at, const uint8_t *bytes, unsigned size);
void page_put(struct page *page, unsigned at, const uint8_t *bytes, unsigned size, bool fresh);
// The block that begins there is forgotten.
void page_drop(struct page *page, unsigned at);
// False if there are too many, or if it is known.
bool page_lead(struct page *page, unsigned at, uint32_t target);

// Forgets all of it.
void pages_end(void);
