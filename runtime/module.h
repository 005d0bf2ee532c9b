// Modules: executable memory that the guest mapped a file to, privately and not to be written. Code that is kept between runs belongs to one, by what it
// holds, wherever it lies and whatever the file is called.
#pragma once
#include "cache/record.h"
#include <stdbool.h>
#include <stdint.h>

struct module {
    uint64_t start, end;
    struct store_key key;
    struct store_module *store;  // what is kept of it, or NULL
};

// From now on there are some.
void module_init(void);
// The module that holds `pc`. False if there is none. Not under the code table's lock.
bool module_find(uint64_t pc, struct module *module);
// One that was found before. These are for those who hold the code table's lock.
bool module_of(uint64_t pc, struct module *module);
bool module_by_key(const struct store_key *key, struct module *module);
// [start, start + size) is something else now.
void module_forget(uint64_t start, uint64_t size);
