// Sheets (translator/quick/sheet.h) that were laid: code of the quick tier that was kept, for whole pages of modules at once. All of this under the code
// table's lock, but for what is said of handlers.
#pragma once
#include "runtime/host/host.h"
#include "translator/quick/sheet.h"

struct arena;
struct native;

// A sheet whose code is among this process's.
struct laid {
    struct sheet sheet;  // but for what was only needed to lay it: code, holes, exits, counts, guest bytes
    uint64_t hash;  // of these
    uint64_t start, module;  // the guest page's address, and its module's
    const uint8_t *code;
    uint32_t mode;
    bool dead;
    bool second;  // of blocks that no run came to before
    struct laid *rest;  // of the same page, with blocks that are not in this one; as in the table of pages
    const struct sheet_exit *way;  // its exits
    const uint8_t **word;  // by exit: where it leads
    struct quick_exit **exit;  // by exit: of loops; of others once they lead to a block in the table; else NULL
    uint8_t *knows;  // by block: LAID_*
    struct quick_exit **diversion;  // by block: what leads to better code, or NULL
};

// What is known of a laid sheet's block.
enum {
    LAID_TOLD = 1,  // the runtime was, that it goes round often
    LAID_BETTER = 2,  // LLVM's code was kept
    LAID_APART = 4,  // there was a block with code of its own
};

// Pages may have some from now on.
void sheets_init(void);
// The sheet with a block at `pc` that is laid, or is to be had from the cache, and the block's number; or NULL. *full: it is NULL for lack of room.
struct laid *sheets_find(uint64_t pc, uint32_t mode, struct native *native, struct arena *arena, int *number, bool *full);
// Whether LLVM's code of a region that is entered at this block was kept as well.
bool sheets_has_better(const struct laid *laid, int number);
// Where the block is entered.
const uint8_t *sheets_entry(const struct laid *laid, int number);
// Without the lock: the native code of a block that a laid sheet has, or NULL: also if there is, was or may be other code of the block, which the table of blocks knows. Blocks that
// are only entered by what this returns are not in the table.
const uint8_t *sheets_code(uint64_t pc, uint32_t mode);
// From now on this block has code of its own.
void sheets_part(const struct laid *laid, int number);
// Which of the sheet's exits has its call of quick_stubs.leave_sheet before `behind`, and the pc it leads to.
unsigned sheets_way(const struct laid *laid, const uint8_t *behind, uint64_t *pc);
// Lets the exit lead to this code of a laid sheet.
void sheets_lead(const struct laid *laid, unsigned exit, const uint8_t *code);
// The structure by which the exit leads to a block in the table.
struct quick_exit *sheets_exit(const struct laid *laid, unsigned exit, struct arena *arena);
// Exits that lead to dead sheets do so no more.
void sheets_unlink(const struct native *native);
// Jumps back to this block of the sheet lead to the block's own code from now on.
void sheets_divert(struct laid *laid, int number, struct arena *arena, struct block *block);
// A jump back came by so often that the runtime was told: it will be after so many more. Whether that was for the first time.
bool sheets_count(struct laid *laid, int number, uint32_t passes);
// The guest bytes in [start, start + size) change: calls `lose` for each sheet that has some of them, which is dead then. Whether there was one.
bool sheets_invalidate(uint64_t start, uint64_t size, void (*lose)(const struct laid *laid));
// The same for all whose bytes changed.
bool sheets_sync(const struct native *native, void (*lose)(const struct laid *laid));
// All are forgotten.
void sheets_forget(const struct native *native);
// For handlers of host signals: the access at a host pc in the sheet's code, or NULL.
HOST_HANDLER const struct sheet_access *sheets_access(const struct laid *laid, uint64_t host_pc);
