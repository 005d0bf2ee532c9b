// What runs found out about a file's modules, for `ferry precompile`: see precompile_parts.h. Where a page's profile tells which blocks were executed, these get a
// sheet of their own, and its loops are compiled by LLVM.
#include "aot/precompile_parts.h"
#include "aot/profile.h"
#include "cache/record.h"
#include <stdlib.h>
#include <string.h>

enum { MODE = 0, UNKNOWN = UINT32_MAX };

static struct store_module *opened[FILE_MODULES];
static struct profile profile;
static unsigned module_of_profile;
static uint32_t page_of_profile = UNKNOWN;  // what `profile` is of
static bool has_profile;

bool profiles_wanted(const struct wanted *wanted) {
    return !wanted->output || wanted->profiles;
}

void profiles_open(const struct file_modules *modules) {
    for (unsigned i = 0; i < modules->count; i++) opened[i] = store_open_profile(&modules->module[i].key);
}

bool profiles_has(unsigned module) {
    return opened[module] != NULL;
}

bool profiles_any(const struct file_modules *modules) {
    bool any = false;
    for (unsigned i = 0; i < modules->count; i++) {
        struct store_module *store = store_open_profile(&modules->module[i].key);
        any |= store != NULL;
        if (store) store_close(store);
    }
    return any;
}

static void close_all(const struct file_modules *modules) {
    for (unsigned i = 0; i < modules->count; i++) {
        if (opened[i]) store_close(opened[i]);
    }
}

// The page's, which stays until the next call, or NULL.
static const struct profile *of_page(unsigned module, uint32_t page) {
    struct store_record record;
    if (!opened[module]) return NULL;
    if (module != module_of_profile || page != page_of_profile) {
        has_profile =
            store_find(opened[module], page, profile_kind(MODE), &record) && profile_read(record.bytes, record.size, &profile);
        module_of_profile = module;
        page_of_profile = page;
    }
    return has_profile ? &profile : NULL;
}

enum profiled profiles_know(unsigned module, uint64_t at, uint32_t bytes) {
    const struct profile *known = of_page(module, (uint32_t)(at / SHEET_PAGE * SHEET_PAGE));
    if (!known) return PROFILED_NOT;
    return known->size[at % SHEET_PAGE] == bytes ? PROFILED_EXECUTED : PROFILED_NEVER;
}

// ---- all that they know

// Those from `from` up to `to`, of the module's bytes.
static uint32_t list_pages(struct store_module *store, uint64_t from, uint64_t to, uint32_t **pages) {
    uint32_t room = (uint32_t)((to - from) / SHEET_PAGE + 1);
    *pages = malloc(room * sizeof **pages);
    return *pages ? store_list(store, (uint32_t)from, (uint32_t)to, profile_kind(MODE), *pages, room) : 0;
}

static void add_page(const struct target *target, unsigned number, uint32_t page) {
    const struct file_module *module = &target->found->modules.module[number];
    const struct profile *known = of_page(number, page);
    struct pages *pages = pages_of(&module->key, target->path, MODE);
    pages->whole = true;
    for (unsigned i = 0; known && i < SHEET_PAGE; i++) {
        uint64_t at = (uint64_t)page + i;
        if (!known->size[i] || at + known->size[i] > module->bytes) continue;
        pages_add(pages, at, target->bytes + module->offset + at, known->size[i]);
        pages_mark(pages, at, known->marks[i]);
    }
    for (unsigned i = 0; known && i < known->leads; i++) pages_lead(pages, page + known->lead[i].at, known->lead[i].target);
}

// How far into the module an address of the file is.
static uint64_t into(const struct file_module *module, uint64_t at) {
    if (at < module->start) return 0;
    return at - module->start < module->bytes ? at - module->start : module->bytes;
}

void profiles_add(const struct target *target, uint64_t from, uint64_t to) {
    const struct file_modules *modules = &target->found->modules;
    for (unsigned i = 0; i < modules->count; i++) {
        const struct file_module *module = &modules->module[i];
        uint32_t *pages = NULL, count = 0;
        if (opened[i]) count = list_pages(opened[i], into(module, from), into(module, to), &pages);
        for (uint32_t n = 0; n < count; n++) add_page(target, i, pages[n]);
        free(pages);
    }
}

// ---- what they are

static void digest_module(const struct file_module *module, struct store_module *store, uint64_t digest[2]) {
    uint32_t *pages = NULL, count = list_pages(store, 0, module->bytes, &pages);
    for (uint32_t i = 0; i < count; i++) {
        struct store_record record;
        uint64_t hash[2];
        if (!store_look(store, pages[i], profile_kind(MODE), &record)) continue;
        record_hash(record.bytes, record.size, hash);
        const uint64_t all[5] = {digest[0], digest[1], hash[0], hash[1], pages[i]};
        record_hash((const uint8_t *)all, sizeof all, digest);
    }
    free(pages);
}

void profiles_digest(const struct file_modules *modules, uint64_t digest[2]) {
    digest[0] = digest[1] = 0;
    profiles_open(modules);
    for (unsigned i = 0; i < modules->count; i++) {
        if (opened[i]) digest_module(&modules->module[i], opened[i], digest);
    }
    close_all(modules);
}
