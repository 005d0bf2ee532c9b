// Regions for LLVM that nobody asks for: of hot loops that a run had no time for, and of what profiles say. Blocks are found in pages (pages.h), after sheet_begin.
#pragma once
#include "aot/compile.h"
#include "aot/pages.h"
#include "aot/sheets.h"

// Decides about all blocks that are marked hot, but not plain, and that the store has no code for: either they become part of a region, or plain. `exact`: as of
// struct region. Returns how many regions there are to compile now.
unsigned regions_decide(const struct guest_isa *isa, guest_features features, bool exact);
// Of these, only every `parts`th is left, from this one on.
void regions_share(unsigned part, unsigned parts);
// Compiles them, one after the other, for so many seconds. The compiler's arena is overwritten each time.
void regions_compile(struct compiler *compiler, const uint8_t *arena, double seconds, sheets_put *give, void *data);
// Gives a region's record, with the code where the result says; nothing, if there is none. `name`: of its first block's module.
void regions_give(const struct channel_request *request, const struct channel_result *result, const uint8_t *arena,
                  const char *name, sheets_put *give, void *data);
