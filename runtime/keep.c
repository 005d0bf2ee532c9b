// What requests say about modules, and what records say: see keep.h.
#include "runtime/keep.h"
#include "cache/key.h"
#include "runtime/host/host.h"
#include "runtime/mem.h"
#include "runtime/options.h"
#include <string.h>

enum { NO_MODULE = UINT8_MAX };
_Static_assert(sizeof((struct key_parts *)NULL)->host == HOST_FEATURE_WORDS * sizeof(uint32_t), "a key has all of them");

static struct store_key build;
static bool keeps;

void keep_build(const struct guest_isa *isa, guest_features features, struct store_key *key) {
    struct key_parts parts = {.build = key_build, .guest = isa->name, .guest_features = features, .pins = isa->pins};
    host_features(parts.host);
    key_make(&parts, key);
}

bool keep_init(const struct guest_isa *isa, guest_features features) {
    const struct store_settings settings = {.directory = options.cache_dir, .system = options.cache_system};
    if (options.cache == CACHE_OFF || options.cosim) return false;
    keep_build(isa, features, &build);
    module_init();
    store_start(&settings, &build);
    return keeps = true;
}

bool keep_adds(void) {
    size_t length = keeps && options.cache == CACHE_ON && options.cache_dir ? strlen(options.cache_dir) : 0;
    return length && length < CHANNEL_PATH;
}

void keep_tell(struct channel *channel) {
    channel->build = build;
    channel->cache_bytes = options.cache_size;
    if (keep_adds()) strcpy(channel->cache, options.cache_dir);
    channel->default_systems = !options.cache_system;
    if (options.cache_system && strlen(options.cache_system) < CHANNEL_PATH) strcpy(channel->system, options.cache_system);
}

// ---- for the compiler program

static unsigned listed_module(const struct channel_request *r, uint64_t pc) {
    for (unsigned i = 0; i < r->modules; i++) {
        if (pc - r->module[i].start < r->module[i].bytes) return i;
    }
    return NO_MODULE;
}

static unsigned list_module(struct channel_request *r, uint64_t pc) {
    struct module module;
    unsigned listed = listed_module(r, pc);
    if (listed != NO_MODULE) return listed;
    if (r->modules == CHANNEL_MODULES || !module_of(pc, &module)) return NO_MODULE;
    r->module[r->modules] = (struct channel_module){module.key, module.start, module.end - module.start};
    return r->modules++;
}

// Exits keep their distance from the blocks that leave by them. Where two modules would have to keep theirs from one exit, or a block jumps right into another
// module, it is not known what would come of it at other addresses.
static bool describe_exit(struct channel_request *r, uint64_t pc, uint8_t module) {
    unsigned i = 0;
    while (i < r->exits && r->exit[i] != pc) i++;
    if (i == r->exits) return true;
    bool fits = r->exit_module[i] == NO_MODULE || r->exit_module[i] == module;
    r->exit_module[i] = module;
    return fits;
}

static bool describe(const struct gathering *g, struct channel_request *r) {
    for (unsigned i = 0; i < g->blocks; i++) {
        r->block[i].module = (uint8_t)list_module(r, g->block[i]->pc);
        if (r->block[i].module == NO_MODULE) return false;
    }
    for (unsigned i = 0; i < r->exits; i++) r->exit_module[i] = (uint8_t)listed_module(r, r->exit[i]);
    for (unsigned i = 0; i < g->blocks; i++) {
        const struct block *block = g->block[i];
        for (unsigned n = 0; n < block->exits; n++) {
            if (!describe_exit(r, block->exit[n].pc, r->block[i].module)) return false;
        }
    }
    return true;
}

void keep_describe(const struct gathering *g, struct channel_request *request) {
    request->modules = 0;
    if (keep_adds() && !describe(g, request)) request->modules = 0;
}

// ---- from the cache

static bool find_modules(struct kept *kept, const struct module *own, uint64_t bytes[CHANNEL_MODULES]) {
    const struct record *r = &kept->record;
    for (unsigned i = 0; i < r->modules; i++) {
        struct module module = *own;
        if (memcmp(&r->module[i], &own->key, sizeof own->key) != 0 && !module_by_key(&r->module[i], &module)) return false;
        kept->module[i] = module.start;
        bytes[i] = module.end - module.start;
    }
    return true;
}

// The blocks' places, whose bytes have to be the record's.
static bool find_blocks(struct kept *kept, const uint64_t module_bytes[CHANNEL_MODULES]) {
    const struct record *r = &kept->record;
    const uint8_t *bytes = r->guest;
    for (unsigned i = 0; i < r->blocks; i++) {
        const struct record_block *block = &r->block[i];
        uint64_t size = module_bytes[block->module];
        uint8_t now[BLOCK_MAX_BYTES];
        if (block->at > size || block->bytes > size - block->at) return false;
        kept->pc[i] = kept->module[block->module] + block->at;
        kept->bytes[i] = bytes;
        if (mem_copy_in(now, kept->pc[i], block->bytes) < 0 || memcmp(now, bytes, block->bytes) != 0) return false;
        bytes += block->bytes;
    }
    return true;
}

bool keep_find(uint64_t pc, uint32_t mode, bool exact, struct kept *kept) {
    struct module own;
    struct store_record found;
    uint64_t bytes[CHANNEL_MODULES];
    struct record *r = &kept->record;
    if (!module_of(pc, &own) || !own.store) return false;
    if (!store_find(own.store, (uint32_t)(pc - own.start), record_kind(mode, exact), &found)) return false;
    if (!record_read(found.bytes, found.size, r)) return false;
    if (!find_modules(kept, &own, bytes) || !find_blocks(kept, bytes)) return false;
    for (unsigned i = 0; i < r->image.exits; i++) kept->exit[i] = kept->module[r->exit[i].module] + r->exit[i].at;
    r->image.module = kept->module;
    return true;
}
