// Blocks of guest code, collected by module and page until a sheet (translator/quick/sheet.h) is made of each page that has new ones. What the store has of a page
// goes into its new sheet as well, and what was written earlier, so that sheets only grow; but not what contradicts newer blocks' bytes. One thread
// only, after store_start and sheet_begin.
#pragma once
#include "cache/writer.h"

// A block of `size` bytes, `at` from the start of the module, whose name is for people.
void sheets_add(const struct store_key *module, const char *name, uint32_t mode, uint64_t at, const uint8_t *bytes, unsigned size);
// Makes sheets of all pages with something that the store does not have, and gives them to the writer.
void sheets_write(struct writer *writer);

// The same, for whoever takes the records to the writer.
typedef void sheets_put(void *data, const struct store_key *module, const char *name,
                        const struct writer_record *record);  // NOLINT: not a pointer
void sheets_make(sheets_put *give, void *data);

// Forgets all of it.
void sheets_end(void);
