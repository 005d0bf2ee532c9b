// Tells the compiler program which blocks of modules the guest came to, so that sheets (translator/quick/sheet.h) are made of them for later runs. All of this
// under the code table's lock.
#pragma once
#include "runtime/compiler.h"
#include "translator/interp/interp.h"

// Blocks are noted from now on. The compiler program is worth starting for the sake of so many blocks at a process's end, or of that many before.
enum { JOURNAL_WORTH_AT_END = 64, JOURNAL_WORTH_NOW = 3000 };
void journal_init(void);
// How many blocks nobody was told of. Without the lock: about so many.
uint32_t journal_left(void);
bool journal_is_left(const struct block *block);
// A block was translated from these bytes: tells the program, if there is one at work.
void journal_add(struct compiler *compiler, struct block *block, const uint8_t *bytes);
// These marks (CHANNEL_PLAIN and its like) are known of the block: tells the program, which was told of the block before, or will be.
void journal_mark(struct compiler *compiler, struct block *block, uint8_t marks);
// Whoever is left is not told any more: blocks are forgotten, or in a forked child their parent's to tell.
void journal_forget(void);
