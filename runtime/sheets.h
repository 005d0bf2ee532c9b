// Sheets (translator/quick/sheet.h) that were laid: code of the quick tier that was kept, for whole pages of modules at once. All of this under the code
// table's lock, but for what is said of handlers.
#pragma once
#include "runtime/host/host.h"
#include "translator/quick/sheet.h"

struct arena;
struct native;

// A sheet whose code is among this process's.
struct laid {
    struct sheet sheet;  // but for what was only needed to lay it: code, holes, exits, guest bytes
    uint64_t hash;  // of these
    uint64_t start;  // the guest page's address
    const uint8_t *code;
    uint32_t mode;
    bool dead;
    bool second;  // of blocks that no run came to before
    struct laid *rest;  // of the same page, with blocks that are not in this one; as in the table of pages
    struct quick_exit *exit;
    bool *told;  // by block: the runtime was
    bool *better;  // LLVM's code was kept
    int32_t *passes;  // left, by block, of those that the sheet jumps back to
    struct quick_exit **diversion;  // by block: what leads to better code, or NULL
};

// Pages may have some from now on.
void sheets_init(void);
// The sheet with a block at `pc` that is laid, or is to be had from the cache, and the block's number; or NULL. *full: it is NULL for lack of room.
struct laid *sheets_find(uint64_t pc, uint32_t mode, struct native *native, struct arena *arena, int *number, bool *full);
// Whether LLVM's code of a region that is entered at this block was kept as well.
bool sheets_has_better(const struct laid *laid, int number);
// Where the block is entered.
const uint8_t *sheets_entry(const struct laid *laid, int number);
// Jumps back to this block of the sheet lead to the block's own code from now on.
void sheets_divert(struct laid *laid, int number, struct arena *arena, struct block *block);
// A jump back came by so often that the runtime was told: it will be after so many more. Whether that was for the first time.
bool sheets_count(struct laid *laid, int number, uint32_t passes);
// The guest bytes in [start, start + size) change: calls `lose` for each sheet that has some of them, which is dead then.
void sheets_invalidate(uint64_t start, uint64_t size, void (*lose)(const struct laid *laid));
// The same for all whose bytes changed.
void sheets_sync(const struct native *native, void (*lose)(const struct laid *laid));
// All are forgotten.
void sheets_forget(const struct native *native);
// For handlers of host signals: the access at a host pc in the sheet's code, or NULL.
HOST_HANDLER const struct sheet_access *sheets_access(const struct laid *laid, uint64_t host_pc);
