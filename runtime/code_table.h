// The table of translated blocks, and what belongs to a generation of it, for runtime/code*.c alone. Called under code__lock,
// unless said otherwise.
#pragma once
#include "runtime/base/arena.h"
#include "runtime/base/lock.h"
#include "runtime/native.h"
#include "runtime/optimise.h"
#include "translator/interp/interp.h"

// A generation: code, and what is about it.
struct generation {
    struct arena code, about;
    struct native native;
    struct optimiser optimiser;
};

extern struct lock code__lock;
extern struct generation code__current, code__old;
extern uint32_t code__changes;  // raised by every invalidation: bytes fetched before it may be old

// ---- code_table.c

void code__table_init(void);
// Forgets all blocks.
void code__table_clear(void);
// Also without the lock.
struct block *code__find(uint64_t pc, uint32_t mode);
// Of a new block.
void code__enlist(struct block *block);
// A block that goes is only unlinked and made to look its pc up again.
void code__drop(struct block *block);
// Whoever is in translated code leaves it once.
void code__ask_to_leave(void);
// Whoever is in native code leaves it, and forgets where he would enter it.
void code__lose_native(void);
uint64_t code__hash_bytes(const uint8_t *bytes, size_t size);
// All blocks, those that lie in two pages twice, until `act` says false.
void code__each(bool (*act)(struct block *block));

// ---- code.c

// Lifts guest bytes to a block with cells, which is not in the table. NULL if they are no whole instruction.
struct block *code__build(uint64_t pc, uint32_t mode, const uint8_t *bytes, size_t size);
// Puts the block in the table that code__build made last, of these bytes.
void code__publish(struct block *block, const uint8_t *bytes);
// Forgets all translations; the calling cpu must leave translated code at once. False, and nothing done, while the generation before is
// not collected yet: until then the arena exceeds its limit.
bool code__begin_generation(void);

// ---- code_kept.c

// The block of a sheet, with its better code if there is some, or NULL. *full: for lack of room.
struct block *code__make_bare(uint64_t pc, uint32_t mode, bool *full);
// A block with cells in place of a bare one, or where a sheet has one; or what else there is, or NULL.
struct block *code__thicken(uint64_t pc, uint32_t mode);
// Jumps back to the block in a sheet lead to its better code.
void code__divert(struct block *block);
// Whether a block of a sheet at this pc begins a loop that is as good as it gets.
bool code__is_plain(uint64_t pc, uint32_t mode);
// Looks once whether better code was kept for what is entered at this block, and again when code has to be exact. Whether there was.
bool code__seek(struct block *block);
// The same for one that is entered, without the lock.
void code__seek_again(struct cpu *cpu, struct block *block);
// Starts a compiler program to tell it of blocks if there are so many that it is worth it.
void code__tell_soon(void);
void code__begin_life(void);  // of a process, by which code_kept.c measures how worthwhile that is

// ---- code_native.c

void code__native_init(void);
// Without the lock: a block was looked up that may be worth native code.
void code__count_lookup(struct cpu *cpu, struct block *block);
// A block of a sheet, and those around it, become like all hot code.
void code__heat(uint64_t pc, uint32_t mode);
