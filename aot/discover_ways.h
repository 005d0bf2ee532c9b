// Ways through a function to an indirect jump, carried out on values without numbers (discover_values.h). The first is that by which blocks were found; calls that do not
// return, which look as if they did, can make it one that nobody takes, which is what detours are for.
#pragma once
#include "aot/discover_values.h"

enum { WAY_STEPS = 1024, WAY_PLACES = 4096 };

struct way {
    struct search *search;
    struct values values;
    int32_t block[WAY_STEPS];  // from the jump back
    uint32_t blocks;
    uint32_t target;  // node that the jump goes to
    struct cone cone;  // all that it depends on
    uint64_t place[WAY_PLACES];  // where it may lead, by whoever finds that out
    uint32_t count;
    uint32_t *first, *from;  // by block, where in `from` those stand that lead to it; for detours
};

void way_begin(struct way *way, struct search *search, bool detours);
void way_end(struct way *way);
// Carries out the way by which the jump's block was found. False where that says nothing of its target.
bool way_walk(struct way *way, int32_t jump);
// Carries out other ways, until `good` says that one will do, or enough were tried.
bool way_detour(struct way *way, int32_t jump, bool (*good)(struct way *way));
// False once all is spent that finding jump tables may cost.
bool way_spend(struct way *way, uint64_t uops);
