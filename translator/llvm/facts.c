// What holds at each place of a region, whichever way the guest came there: which slots' places in the cpu may be out of date, and, in exact code,
// whether the cpu has an anchor. Both follow the region's branches, jumps and ways from block to block.
//
// build_after is where it is said what each uop does to them. It serves here, where nothing is built yet, and then at each uop that is.
#include "translator/llvm/build.h"

// Whether it makes the access itself, of those joined.
static bool makes_load(const struct build *b, unsigned at) {
    return !b->joined[at].bytes || b->joined[at].first == at;
}

enum build_effect build_effect(const struct build *b, unsigned at) {
    const struct uop *u = &b->block->ir->uop[at];
    if (build_is_vector(b, u)) return EFFECT_NONE;
    switch (uop_info[u->code].format) {
    case UOP_FORMAT_LOAD: return makes_load(b, at) ? EFFECT_LOAD : EFFECT_NONE;
    case UOP_FORMAT_STORE: return u->code == UOP_zero64 ? EFFECT_BODY : EFFECT_STORE;
    case UOP_FORMAT_AMO: return EFFECT_BODY;
    default: return u->code == UOP_fflagsread ? EFFECT_READ_FLAGS : EFFECT_NONE;
    }
}

// Flags are no part of what the cpu has for the anchor. Raising and writing them comes out the same the second time, but what was read before that
// does not.
static struct facts exactly_after(struct facts facts, enum build_effect effect) {
    bool accesses = effect == EFFECT_LOAD || effect == EFFECT_STORE;
    if (accesses && !facts.anchored) facts = (struct facts){.anchored = true};  // see build_guard
    if (effect != EFFECT_NONE && effect != EFFECT_LOAD) facts.anchored = false;
    return facts;
}

struct facts build_after(const struct build *b, struct facts facts, unsigned at) {
    enum build_effect effect = build_effect(b, at);
    if (effect == EFFECT_BODY) return (struct facts){.anchored = false};
    if (b->region->exact) facts = exactly_after(facts, effect);
    facts.dirty |= build_writes(&b->block->ir->uop[at]);
    return facts;
}

// A block can be come to with these facts as well. True if that is news.
static bool meet(struct facts *at, struct facts facts) {
    struct facts before = *at;
    at->dirty |= facts.dirty;
    at->anchored &= facts.anchored;
    return at->dirty != before.dirty || at->anchored != before.anchored;
}

// Tells the blocks that the block under way goes to. True if anything was news.
static bool spread(struct build *b, unsigned number) {
    const struct region *region = b->region;
    const struct ir_block *ir = b->block->ir;
    struct facts facts = b->at[number];
    bool news = false;
    for (unsigned i = 0; i < ir->count; i++) {
        const struct uop *u = &ir->uop[i];
        uint64_t to;
        int inside = build_leads_to(b->block, u, &to) ? build_block_at(region, to) : -1;
        if (inside >= 0) news |= meet(&b->at[inside], facts);
        facts = build_after(b, facts, i);
    }
    for (unsigned i = 0; i < region->ways; i++) {
        if (region->way[i].from == number) news |= meet(&b->at[region->way[i].to], facts);
    }
    return news;
}

static void spread_all(struct build *b) {
    for (bool news = true; news;) {
        news = false;
        for (unsigned i = 0; i < b->region->blocks; i++) {
            b->block = &b->region->block[i];
            build_join_loads(b);
            news |= spread(b, i);
        }
    }
}

// First where there is an anchor, for what is dirty depends on that. At entries there is one, and nothing is dirty, which is what all blocks begin with.
void build_find_facts(struct build *b) {
    for (unsigned i = 0; i < b->region->blocks; i++) b->at[i] = (struct facts){.anchored = true};
    if (b->region->exact) spread_all(b);
    for (unsigned i = 0; i < b->region->blocks; i++) b->at[i].dirty = 0;
    spread_all(b);
}
