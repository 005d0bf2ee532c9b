// From a request to code in the arena: see compile.h. The blocks are lifted again from their bytes, as the runner did.
#include "aot/compile.h"
#include "runtime/base/clock.h"
#include "translator/guest/guest.h"
#include "translator/llvm/region.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROOM = IMAGE_MAX_BYTES + (128 << 10) };  // a unit with its list never needs more

struct compiler {
    const struct guest_isa *isa;
    uint64_t features;
    uint8_t pins[CHANNEL_PINS];
    struct jit_memory memory;
    struct jit *jit;
    struct ir_block ir[CHANNEL_BLOCKS];
    struct region_block block[CHANNEL_BLOCKS];
    struct region_way way[CHANNEL_WAYS];
    struct region_holes holes;
};

static struct compiler *begin(const struct guest_isa *isa, guest_features features, const uint8_t *pins, uint8_t *arena,
                              uint32_t arena_bytes, const char **why) {
    struct compiler *c = calloc(1, sizeof *c);
    *why = "out of memory";
    if (!c) return NULL;
    c->isa = isa;
    c->features = features;
    for (unsigned i = 0; i + 1 < sizeof c->pins && pins[i]; i++) c->pins[i] = pins[i];
    c->memory = (struct jit_memory){.start = arena, .size = arena_bytes};
    c->jit = jit_new(&c->memory, why);
    if (c->jit) return c;
    free(c);
    return NULL;
}

struct compiler *compile_begin(const struct guest_isa *isa, guest_features features, uint8_t *arena, uint32_t arena_bytes,
                               const char **why) {
    return begin(isa, features, isa->pins, arena, arena_bytes, why);
}

struct compiler *compile_begin_for(const struct channel *channel, uint8_t *arena, const char **why) {
    char name[sizeof channel->isa];
    memcpy(name, channel->isa, sizeof name);
    name[sizeof name - 1] = 0;
    const struct guest_isa *isa = guest_by_name(name);
    *why = "no such guest";
    return isa ? begin(isa, channel->features, channel->pins, arena, channel->arena_bytes, why) : NULL;
}

// Lifts the blocks. False if the request is not one that a runner makes.
static bool lift(struct compiler *c, const struct channel_request *r) {
    if (!r->blocks || r->blocks > CHANNEL_BLOCKS || r->exits > CHANNEL_EXITS || r->ways > CHANNEL_WAYS || r->bytes > CHANNEL_BYTES)
        return false;
    for (unsigned i = 0; i < r->blocks; i++) {
        const struct channel_block *block = &r->block[i];
        bool inside = block->bytes && block->at <= r->bytes && block->bytes <= r->bytes - block->at;
        if (!inside) return false;
        c->isa->lift(r->byte + block->at, block->bytes, r->mode, c->features, BLOCK_MAX_UOPS, &c->ir[i]);
        if (c->ir[i].bytes != block->bytes) return false;
        c->block[i] = (struct region_block){block->pc, &c->ir[i], block->entry != 0, block->module, block->scatters != 0};
    }
    for (unsigned i = 0; i < r->ways; i++) {
        if (r->way[i].from >= r->blocks || r->way[i].to >= r->blocks) return false;
        c->way[i] = (struct region_way){r->way[i].from, r->way[i].to};
    }
    return true;
}

static bool build(struct compiler *c, const struct channel_request *r, LLVMModuleRef module, bool lines) {
    struct region region = {.block = c->block,
                            .exit = r->exit,
                            .blocks = r->blocks,
                            .exits = r->exits,
                            .way = c->way,
                            .ways = r->ways,
                            .mode = r->mode,
                            .exact = r->exact != 0,
                            .lines = lines,
                            .stepwise = r->stepwise != 0,
                            .pins = c->pins};
    return region_build(module, &region, &c->holes);
}

LLVMModuleRef compile_module(struct compiler *c, const struct channel_request *request, bool lines, struct jit **jit) {
    if (!lift(c, request)) return NULL;
    LLVMModuleRef module = jit_module(*jit = c->jit);
    if (build(c, request, module, lines)) return module;
    jit_drop(c->jit);
    return NULL;
}

// Where something of the unit's is, from the image's start.
static bool find(struct compiler *c, struct jit_unit *unit, const char *name, const struct channel_result *result, uint32_t *at) {
    uint64_t offset = jit_address(unit, name) - (uintptr_t)(c->memory.start + result->at);
    *at = (uint32_t)offset;
    return offset < c->memory.used - result->at;
}

static bool find_all(struct compiler *c, struct jit_unit *unit, const struct channel_request *r, struct channel_result *result) {
    for (unsigned i = 0; i < r->blocks; i++) {
        char name[REGION_NAME_BYTES];
        region_entry_name(name, i);
        if (r->block[i].entry && !find(c, unit, name, result, &result->entry[i])) return false;
    }
    result->holes = c->holes.holes;
    return (!r->exits || find(c, unit, "exits", result, &result->exits_at)) && find(c, unit, "holes", result, &result->holes_at);
}

// Behind the image.
static bool put_list(struct compiler *c, struct channel_result *result) {
    struct jit_memory *memory = &c->memory;
    size_t at = (memory->used + 7) & ~(size_t)7, size = c->holes.holes * sizeof *c->holes.hole;
    memory->full |= at > memory->size || memory->size - at < size;
    if (memory->full) return false;
    memcpy(memory->start + at, c->holes.hole, size);
    result->list_at = (uint32_t)at;
    memory->used = at + size;
    return true;
}

static bool make(struct compiler *c, const struct channel_request *request, struct channel_result *result) {
    struct jit *jit;
    if (!compile_module(c, request, false, &jit)) return false;
    for (unsigned i = 0; i < request->blocks; i++) result->instructions += c->ir[i].instructions;
    struct jit_unit *unit = jit_compile(jit);
    bool made = unit && find_all(c, unit, request, result);
    result->bytes = (uint32_t)(c->memory.used - result->at);
    if (unit) jit_unit_free(unit);
    return made && result->bytes <= IMAGE_MAX_BYTES && put_list(c, result);
}

void compile(struct compiler *c, const struct channel_request *request, bool all_taken, struct channel_result *result) {
    if (all_taken) c->memory.used = 0, c->memory.full = false;
    c->memory.used = (c->memory.used + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1);
    *result = (struct channel_result){.id = request->id, .outcome = CHANNEL_FULL, .at = (uint32_t)c->memory.used};
    if (c->memory.full || c->memory.used > c->memory.size || c->memory.size - c->memory.used < ROOM) return;
    uint64_t start = clock_nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    result->outcome = make(c, request, result) ? CHANNEL_MADE : c->memory.full ? CHANNEL_FULL : CHANNEL_FAILED;
    result->microseconds = (uint32_t)((clock_nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1000);
}
