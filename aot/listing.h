// Text of LLVM's with comments put in: the guest instruction that lines were made for, ahead of them, and what addresses and places in the cpu
// mean, behind them.
#pragma once
#include "cache/channel.h"
#include "translator/guest/guest.h"
#include <stdio.h>

struct listing {
    FILE *out;
    const struct guest_isa *isa;
    const struct channel *channel;
    const struct channel_request *request;  // well formed
    char mark;  // what comments begin with
    const char *place;  // what stands before the distance of a place in the cpu from CPU_BASE, or NULL
    unsigned line;  // whose instruction was shown last (region.h, REGION_BLOCK_LINES), or 0
};

// The instruction, unless it was the last one shown.
void listing_instruction(struct listing *listing, unsigned line);
void listing_line(struct listing *listing, const char *text, size_t length);
bool listing_starts(const char *text, const char *with);
