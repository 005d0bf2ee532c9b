// See discover_ways.h.
#include "aot/discover_ways.h"
#include "runtime/base/error.h"
#include <stdlib.h>
#include <string.h>

enum { DETOURS = 32 };

bool way_spend(struct way *way, uint64_t uops) {
    return search_spend(&way->search->budget, uops);
}

// ---- who leads to a block

static uint32_t *allocate(size_t count) {
    uint32_t *array = calloc(count + 1, sizeof *array);
    if (!array) error_die("no memory for what was found in a file");
    return array;
}

typedef void edge_function(struct way *way, uint32_t from, uint32_t to);

static void each_edge(struct way *way, edge_function *visit) {
    const struct search *search = way->search;
    for (uint32_t i = 0; i < search->founds; i++) {
        const struct found *found = &search->found[i];
        const struct jump_table *table = found->table == SEARCH_NONE ? NULL : &search->table[found->table];
        for (uint32_t e = 0; e < found->edges; e++) visit(way, i, search->edge[found->first_edge + e]);
        for (uint32_t e = 0; table && e < table->count; e++) visit(way, i, search->target[table->first + e]);
    }
}

static void count_edge(struct way *way, uint32_t from, uint32_t to) {
    (void)from;
    way->first[to]++;
}

// Filled from the end, after which `first` is where a block's begin.
static void put_edge(struct way *way, uint32_t from, uint32_t to) {
    way->from[--way->first[to]] = from;
}

void way_begin(struct way *way, struct search *search, bool detours) {
    way->search = search;
    if (!detours) return;
    way->first = allocate(search->founds + 1);
    each_edge(way, count_edge);
    for (size_t i = 1; i <= search->founds; i++) way->first[i] += way->first[i - 1];
    way->from = allocate(way->first[search->founds]);
    each_edge(way, put_edge);
}

void way_end(struct way *way) {
    free(way->first);
    free(way->from);
}

// ---- carrying out

// Carries out one block up to where it leaves for the next one, or to its end.
static void step(struct way *way, uint32_t number) {
    struct search *search = way->search;
    const struct found *block = &search->found[way->block[number]];
    const struct found *next = number ? &search->found[way->block[number - 1]] : NULL;
    uint32_t stamp = way->blocks - number;
    for (unsigned i = 0; i + 1 < search->ir.count; i++) {
        const struct uop *uop = &search->ir.uop[i];
        bool branch = uop_info[uop->code].format == UOP_FORMAT_BRANCH;
        bool taken = branch && next && block->offset + (uint64_t)uop->imm == next->offset;
        if (branch) values_branch(&way->values, uop, taken, stamp);
        else values_step(&way->values, uop, block->offset);
        if (taken) return;
    }
    if (search_is_call(search)) values_call(&way->values);
}

static bool carry_out(struct way *way) {
    struct search *search = way->search;
    values_begin(&way->values, search);
    for (uint32_t number = way->blocks; number-- > 0;) {
        if (values_are_full(&way->values)) values_begin(&way->values, search);
        if (!search_lift(search, search->found[way->block[number]].offset) || !way_spend(way, search->ir.count)) return false;
        step(way, number);
    }
    const struct uop *jump = &search->ir.uop[search->ir.count - 1];
    struct uop sum = {.code = UOP_addi, .a = SLOT_SINK, .b = jump->b, .imm = jump->imm};
    values_step(&way->values, &sum, 0);
    way->target = way->values.slot[SLOT_SINK];
    return values_cone(&way->values, way->target, 0, &way->cone);
}

// ---- ways

// The way goes on from `at` to where its function begins.
static void extend(struct way *way, int32_t at) {
    const struct search *search = way->search;
    for (; at != SEARCH_NONE && way->blocks < WAY_STEPS; at = search->found[at].parent) {
        way->block[way->blocks++] = at;
        if (search->found[at].ways & DISCOVERY_FUNCTION) break;
    }
}

bool way_walk(struct way *way, int32_t jump) {
    way->blocks = 0;
    extend(way, jump);
    return carry_out(way);
}

// The last `kept` blocks stay as they are, and block `from` comes before them.
static bool try_detour(struct way *way, uint32_t kept, uint32_t from, bool (*good)(struct way *way)) {
    way->blocks = kept;
    extend(way, (int32_t)from);
    return carry_out(way) && good(way);
}

bool way_detour(struct way *way, int32_t jump, bool (*good)(struct way *way)) {
    int32_t block[DETOURS];
    way->blocks = 0;
    extend(way, jump);
    uint32_t blocks = way->blocks < DETOURS ? way->blocks : DETOURS, tries = 0;
    memcpy(block, way->block, blocks * sizeof *block);
    for (uint32_t kept = 1; kept <= blocks && tries < DETOURS; kept++) {
        if (kept > 1 && way->search->found[block[kept - 1]].ways & DISCOVERY_FUNCTION) break;
        for (uint32_t i = way->first[block[kept - 1]]; i < way->first[block[kept - 1] + 1] && tries < DETOURS; i++) {
            if (kept < blocks && way->from[i] == (uint32_t)block[kept]) continue;
            tries++;
            memcpy(way->block, block, kept * sizeof *block);
            if (try_detour(way, kept, way->from[i], good)) return true;
        }
    }
    return false;
}
