// Which blocks go together into a region that LLVM makes code of. One thread at a time: in runners, under the code table's lock.
#pragma once
#include "cache/channel.h"
#include "translator/interp/interp.h"

struct arena;
struct guest_isa;

typedef struct block *gather_find(uint64_t pc, uint32_t mode);  // NOLINT: a function that finds blocks

enum { GATHER_NUMBERS = 512 };

struct gathering {
    struct block *block[CHANNEL_BLOCKS];
    uint8_t number[GATHER_NUMBERS];  // of a block, plus one, by its pc
    bool entry[CHANNEL_BLOCKS];
    unsigned blocks, cells, bytes;
    unsigned exits, ways;
    uint64_t exit[CHANNEL_EXITS];
    struct channel_way way[CHANNEL_WAYS];
};

// Has the block's native code, which is about to be made, note where it goes indirectly, if it goes there for anything but to return.
void gather_prepare(struct arena *arena, const struct guest_isa *isa, struct block *block);
// The loop or recursive function that the block begins, with what it calls. False if there is none, if it is too large, or if it is left for calls
// all the time: entering and leaving a region costs more than better code for some few instructions gains over the quick tier's. `exact`: nor if it stores
// anything, since in code that is exact at faults each store costs so many others that the quick tier's is faster.
bool gather_loop(struct gathering *g, struct block *first, gather_find *find, bool exact);
// Whatever follows the block, up to some size.
bool gather_any(struct gathering *g, struct block *first, gather_find *find);
// Exits and ways, to the request.
void gather_request(const struct gathering *g, struct channel_request *request);
// The region is to be entered at this block as well. False if it is not in it.
bool gather_enter(struct gathering *g, const struct block *block);
