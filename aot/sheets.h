// Sheets (translator/quick/sheet.h) of pages (pages.h) that have new blocks. What the store has of a page goes into its new sheet as well, and what was written
// earlier, so that sheets only grow; but not what contradicts newer blocks' bytes. One thread only, after store_start and sheet_begin.
#pragma once
#include "cache/writer.h"

// Makes sheets of all pages with something that the store does not have, and gives them to the writer.
void sheets_write(struct writer *writer);

// The same, for whoever takes the records to the writer.
typedef void sheets_put(void *data, const struct store_key *module, const char *name,
                        const struct writer_record *record);  // NOLINT: not a pointer
void sheets_make(sheets_put *give, void *data);
