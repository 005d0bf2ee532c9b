// The list of modules: see module.h. An entry stays for good, and with it what was read from the cache: what is mapped again, perhaps elsewhere, is known.
#include "runtime/module.h"
#include "cache/module_key.h"
#include "runtime/base/arena.h"
#include "runtime/base/lock.h"
#include "runtime/mem.h"
#include <string.h>
#include <sys/mman.h>

struct entry {
    struct entry *next;
    struct module module;
    bool mapped;
};

static bool wanted;
static struct lock module_lock;
static struct arena entries;
static struct entry *first;

void module_init(void) {
    lock_register(&module_lock);
    wanted = true;
}

static bool is_code_of_file(const struct mem_area *area) {
    return area->prot == (PROT_READ | PROT_EXEC) && !(area->flags & (MAP_ANONYMOUS | MAP_SHARED)) && area->kind == MEM_PLAIN &&
           area->end - area->start <= UINT32_MAX;
}

static bool read_area(void *area, uint64_t at, void *to, size_t size) {
    return mem_copy_in(to, ((const struct mem_area *)area)->start + at, size) >= 0;
}

static bool holds(const struct entry *entry, const void *pc) {
    uint64_t at = *(const uint64_t *)pc;
    return at >= entry->module.start && at < entry->module.end;
}

static bool has_key(const struct entry *entry, const void *key) {
    return !memcmp(&entry->module.key, key, sizeof entry->module.key);
}

static bool find(bool (*is)(const struct entry *entry, const void *what), const void *what, struct module *module) {
    lock_take(&module_lock);
    const struct entry *entry = first;
    while (entry && !(entry->mapped && is(entry, what))) entry = entry->next;
    if (entry) *module = entry->module;
    lock_drop(&module_lock);
    return entry;
}

bool module_of(uint64_t pc, struct module *module) {
    return find(holds, &pc, module);
}

bool module_by_key(const struct store_key *key, struct module *module) {
    return find(has_key, key, module);
}

// The entry of a module that is not mapped now, or a new one.
static struct entry *enter(const struct store_key *key) {
    struct entry *entry = first;
    while (entry && (entry->mapped || !has_key(entry, key))) entry = entry->next;
    if (entry) return entry;
    entry = arena_alloc(&entries, sizeof *entry, 8);
    entry->module.key = *key;
    entry->module.store = store_open(key);
    entry->next = first;
    return first = entry;
}

void module_learn(uint64_t pc) {
    struct module known;
    struct mem_area area;
    struct store_key key;
    if (!wanted || module_of(pc, &known)) return;
    if (!mem_find(pc, &area) || !is_code_of_file(&area)) return;
    if (!module_key(read_area, &area, area.end - area.start, &key)) return;
    lock_take(&module_lock);
    struct entry *entry = enter(&key);
    entry->module.start = area.start;
    entry->module.end = area.end;
    entry->mapped = true;
    lock_drop(&module_lock);
}

void module_forget(uint64_t start, uint64_t size) {
    if (!wanted) return;
    lock_take(&module_lock);
    for (struct entry *entry = first; entry; entry = entry->next)
        entry->mapped &= entry->module.end <= start || entry->module.start >= start + size;
    lock_drop(&module_lock);
}
