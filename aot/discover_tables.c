// Where indirect jumps lead. For each, a way to it is carried out on values without numbers (discover_ways.h). Then the jump's target is computed for every number
// that one of the nodes it depends on can have: the index of a jump table, bounded by the branches passed last, or by its own width. Without a bound a table
// goes on for as long as it leads into its function.
#include "aot/discover_ways.h"
#include "runtime/base/arena.h"
#include <stdlib.h>
#include <string.h>

enum {
    MAX_ENTRIES = WAY_PLACES,  // of a table
    MAX_UNBOUNDED = 1024,
};

// ---- computing targets

static bool is_target(struct way *way, uint64_t address, const struct extent *within) {
    bool inside = !within || (address >= within->start && address < within->end);
    return inside && search_plausible(way->search, address);
}

// What was read for the entries so far.
struct reading {
    uint64_t first[CONE_NODES], last[CONE_NODES], stride[CONE_NODES];
};

// Whether the code refers to something between the first entry of a table and this one: then the table ended before that.
static bool is_beyond(const struct search *search, const struct cone *cone, const struct reading *reading) {
    for (uint32_t i = 0; i < cone->count; i++) {
        if (cone->reads[i] && search_has_mark(search, reading->first[i], cone->address[i])) return true;
    }
    return false;
}

// Whether entry `number` of the table follows the one before as that did the one before it. Compilers know more of an index than branches tell: where it wraps
// around to the table's other end, it cannot be.
static bool is_in_line(const struct cone *cone, struct reading *reading, uint64_t number) {
    bool fine = true;
    for (uint32_t i = 0; i < cone->count; i++) {
        uint64_t stride = cone->address[i] - reading->last[i];
        if (number > 1 && cone->reads[i] == 1) fine &= stride == reading->stride[i];
        if (!number) reading->first[i] = cone->address[i];
        reading->stride[i] = stride;
        reading->last[i] = cone->address[i];
    }
    return fine;
}

static bool reads_memory(const struct way *way) {
    for (uint32_t i = 0; i < way->cone.count; i++) {
        if (way->values.node[way->cone.node[i]].kind == NODE_MEMORY) return true;
    }
    return false;
}

// Where a table is read, its entries are not to be made up.
static bool reads_table(const struct cone *cone) {
    for (uint32_t i = 0; i < cone->count; i++) {
        if (cone->reads[i]) return true;
    }
    return false;
}

// The targets with `cut` from `low` on, in steps, until one is none. `all` must be some; otherwise two are enough, and the table has the length
// that what is found says.
static bool collect(struct way *way, uint32_t cut, uint64_t low, uint64_t step, uint64_t count, bool all,
                    const struct extent *within) {
    struct cone cone = {.count = 0};
    struct reading reading;
    way->count = 0;
    if (!way_spend(way, 2 * way->cone.count) || !values_cone(&way->values, way->target, cut, &cone) ||
        (reads_memory(way) && !reads_table(&cone)))
        return false;
    for (; way->count < count; way->count++) {
        uint64_t target = 0;
        bool good = way_spend(way, cone.count) && values_compute(&way->values, &cone, low + way->count * step, &target);
        target &= ~(uint64_t)(way->search->image.isa->min_instruction - 1);
        good = good && is_in_line(&cone, &reading, way->count) && is_target(way, target, within);
        if (!good || (!all && is_beyond(way->search, &cone, &reading))) break;
        way->place[way->count] = target;
    }
    return way->count == count || (!all && way->count > 1);
}

struct choice {
    uint32_t node;
    uint64_t low, count;
};

static int by_count(const void *a, const void *b) {
    const struct choice *x = a, *y = b;
    return x->count < y->count ? -1 : x->count > y->count;
}

// Bounded by branches passed in the last `steps` blocks. What was compared before may have been something else, which came to the same register.
static bool try_bounds(struct way *way, uint32_t steps) {
    struct choice choice[CONE_NODES];
    unsigned choices = 0;
    if (!way_spend(way, way->cone.count * (way->values.facts / 16 + 1))) return false;
    for (uint32_t i = 0; i < way->cone.count; i++) {
        uint64_t low, high;
        if (!values_bounds(&way->values, way->cone.node[i], way->blocks - steps + 1, &low, &high)) continue;
        if (high - low < MAX_ENTRIES && high > low) choice[choices++] = (struct choice){way->cone.node[i], low, high - low + 1};
    }
    qsort(choice, choices, sizeof *choice, by_count);
    for (unsigned i = 0; i < choices; i++) {
        if (collect(way, choice[i].node, choice[i].low, 1, choice[i].count, true, NULL)) return true;
    }
    return false;
}

// Bounded by what computed them: bytes, masks. What was computed last comes first, since it does not depend on the way here.
static bool try_limits(struct way *way, const struct extent *within) {
    for (uint32_t i = way->cone.count; i-- > 0;) {
        const struct node *node = &way->values.node[way->cone.node[i]];
        bool small = node->kind != NODE_CONSTANT && node->limit && node->limit < MAX_ENTRIES;
        if (small && collect(way, way->cone.node[i], 0, 1, node->limit + 1, false, within)) return true;
    }
    return false;
}

// A table at a place that is known, with whatever for an index.
static bool try_table(struct way *way, uint32_t memory, const struct extent *within) {
    const struct node *node = way->values.node, *load = &node[memory];
    uint32_t at = load->b;
    while (node[at].kind == NODE_UOP && node[at].code == UOP_addi) at = node[at].b;
    const struct node *sum = &node[at];
    bool scaled = sum->code == UOP_sh1add || sum->code == UOP_sh2add || sum->code == UOP_sh3add;
    if (load->kind != NODE_MEMORY || sum->kind != NODE_UOP || !(scaled || sum->code == UOP_add)) return false;
    if (node[sum->c].known) return collect(way, sum->b, 0, scaled ? 1 : load->width, MAX_UNBOUNDED, false, within);
    if (node[sum->b].known && !scaled) return collect(way, sum->c, 0, load->width, MAX_UNBOUNDED, false, within);
    return false;
}

static bool find_bounded(struct way *way) {
    for (uint32_t steps = 1; steps < way->blocks; steps *= 2) {
        if (try_bounds(way, steps)) return true;
    }
    return try_bounds(way, way->blocks);
}

static bool find_unbounded(struct way *way) {
    enum { AROUND = 1 << 15 };
    uint64_t jump = way->search->found[way->block[0]].offset;
    const struct extent *known = search_extent(way->search, jump);
    const struct extent here = known ? *known : (struct extent){jump > AROUND ? jump - AROUND : 0, jump + AROUND};
    if (try_limits(way, &here)) return true;
    for (uint32_t i = 0; i < way->cone.count; i++) {
        if (try_table(way, way->cone.node[i], &here)) return true;
    }
    const struct node *target = &way->values.node[way->target];
    way->count = 1;
    way->place[0] = target->value;
    return target->known && is_target(way, target->value, NULL);
}

// ---- all jumps

static void keep(struct way *way, int32_t jump) {
    struct search *search = way->search;
    uint32_t first = (uint32_t)search->targets;
    for (uint32_t i = 0; i < way->count; i++) {
        int32_t block = search_enter(search, way->place[i], DISCOVERY_LABEL, jump);
        if (block != SEARCH_NONE) SEARCH_ADD(search->target, search->targets, search->target_room, (uint32_t)block);
    }
    search->found[jump].table = (int32_t)search->tables;
    SEARCH_ADD(search->table, search->tables, search->table_room, (struct jump_table){first, (uint32_t)search->targets - first});
}

// Whether something is read at a sum: all tables are, and hardly anything else.
static bool looks_like_table(const struct way *way) {
    const struct node *node = way->values.node;
    for (uint32_t i = 0; i < way->cone.count; i++) {
        const struct node *load = &node[way->cone.node[i]], *sum = &node[load->b];
        while (load->kind == NODE_MEMORY && sum->kind == NODE_UOP && sum->code == UOP_addi) sum = &node[sum->b];
        bool adds = sum->code == UOP_add || sum->code == UOP_sh1add || sum->code == UOP_sh2add || sum->code == UOP_sh3add;
        if (load->kind == NODE_MEMORY && sum->kind == NODE_UOP && adds) return true;
    }
    return false;
}

static bool find(struct way *way, int32_t jump, enum table_effort effort) {
    bool (*const look)(struct way *) = effort == TABLES_GUESSED ? find_unbounded : find_bounded;
    if (!way_walk(way, jump)) return false;
    if (effort != TABLES_DETOURS && look(way)) return true;
    return effort != TABLES_BOUNDED && looks_like_table(way) && way_detour(way, jump, look);
}

void search_tables(struct search *search, size_t from, enum table_effort effort) {
    struct way *way = pages_take(sizeof *way);
    way_begin(way, search, effort != TABLES_BOUNDED);
    for (size_t i = from, behind = search->indirects; i < behind && search->budget; i++) {
        int32_t jump = (int32_t)search->indirect[i];
        if (search->found[jump].table == SEARCH_NONE && find(way, jump, effort)) keep(way, jump);
    }
    way_end(way);
    pages_give(way, sizeof *way);
}
