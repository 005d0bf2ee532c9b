// Profiles: what runs found out about a module's code, page by page, which outlives all code that was made of it: where blocks begin, how hot they were, where they
// led indirectly. No guest bytes: those are the file's.
#pragma once
#include "aot/pages.h"
#include "aot/sheets.h"

// What one page's record says. The marks of all other places are 0.
struct profile {
    uint16_t size[SHEET_PAGE];  // bytes of the block that begins there, or 0
    uint8_t marks[SHEET_PAGE];
    struct lead lead[PAGES_MOST_LEADS];
    unsigned leads;
};

// False if the record is none.
bool profile_read(const void *bytes, size_t size, struct profile *profile);
uint32_t profile_kind(uint32_t mode);
// Gives the records of all pages with news, which have all that earlier ones say as well.
void profile_make(sheets_put *give, void *data);
