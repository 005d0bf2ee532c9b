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
// The module that holds `pc`, if any does, is known from now on. Not under the code table's lock.
void module_learn(uint64_t pc);
// One that is known. False if there is none. These are for those who hold the code table's lock as well.
bool module_of(uint64_t pc, struct module *module);
bool module_by_key(const struct store_key *key, struct module *module);
// [start, start + size) is something else now.
void module_forget(uint64_t start, uint64_t size);
