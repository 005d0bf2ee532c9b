// The quick tier: host code for blocks that turned hot, made in a single pass over their cells, within microseconds. Some guest
// registers live in host registers (struct guest_isa, pins) wherever such code runs; all others stay in struct cpu. What a uop does
// that has no emitter on this host, its C body does (interp_body). Like threaded code, it is bound to one guest address and this process.
#pragma once
#include "translator/interp/interp.h"

// Where native code goes over to the interpreter and back, as addresses in the code that quick_make_stubs made last.
struct quick_stubs {
    const void *enter;  // interp_native_enter
    const void *enter_at;  // the same, for the code that is its third argument
    const void *leave;  // interp_native_leave
    const void *body;  // calls a uop's body
    const void *indirect;  // goes on at a pc, in cpu->pc, that the jump cache does not know
    const void *stop;  // returns to the caller of interp_run after a trap
    const void *hot;  // tells cpu->hot of the cell in cpu->next, and goes on there
    const void *hot_at;  // leaves, and asks cpu->resolve_hot where to go on at cpu->pc
    const void *exit;  // goes on by a struct quick_exit that does not lead straight to its target
    const void *leave_sheet;  // goes on by a sheet's exit that has no such structure
};

extern struct quick_stubs quick_stubs;

// For each entry of the native jump cache CPU_PAD_BYTES of code that jump to what it holds. To a pad goes who knows no more than the address yet: where an indirect jump leads to many places the
// host guesses wrong often, and finds out as soon as it has computed where the pad is, without waiting for the entry. The pad's own jump is guessed well, since a pad has one target.
extern const uint8_t quick_pads[];

enum { QUICK_STUBS_BYTES = 4096, QUICK_MAX_BLOCKS = 16, QUICK_SWITCH_BYTES = 5 };
#define QUICK_NOWHERE UINT32_MAX

enum { QUICK_OWING = 4 };  // host registers that may have a slot's only value

// A place in native code that accesses guest memory, and the cell on whose behalf.
struct quick_access {
    uint32_t at;  // offset of the host instruction
    uint16_t block;  // index into the unit's blocks
    uint16_t place;  // of the cell
    uint8_t owed[QUICK_OWING];  // slots whose values these registers have, or SLOT_ZERO
    bool joined;  // it stands for several, of which the cell's is the first: which of them faults is to be found out
};

// Where a unit can be left for another block. At first it leads to quick_stubs.exit, and from there to its target's native code. When that has happened
// `passes` times cpu->link is told, so that the distance at `site` can be made to lead there at once.
struct quick_exit {
    struct native_exit out;
    uint8_t *site;  // four bytes in the unit; NULL in sheets
    int32_t away;  // what they are at first
    int32_t passes;
    const uint8_t **word, *apart;  // of sheets: where it says where their code goes; and where that is at first
    bool back;  // of sheets: it is a loop's
    enum { QUICK_APART, QUICK_WAITING, QUICK_LINKED } state;  // the runtime's, as is what follows
    uint16_t patience;
    struct quick_exit *next;  // of those that lead to the same block
};

enum { QUICK_LINK_PASSES = 64 };

// Native code of some blocks, which go to each other directly.
struct quick_unit {
    const uint8_t *code;
    uint32_t bytes, blocks, accesses;
    uint8_t idle, ran;  // the runtime's: how often it ran out in vain, and at all, up to some number
    bool never;  // the same: that there is to be no better code was known when it ran out before
    int32_t *passes;  // left, through entries from outside and jumps back, until cpu->hot is told; NULL: it does not count
    const struct quick_access *access;  // ascending
    struct block **block;
    uint32_t entry[QUICK_MAX_BLOCKS];  // offsets of where the blocks are entered from outside
    // Where units may count, for blocks that the unit jumps back to, else QUICK_NOWHERE: offsets of their first instructions, of QUICK_SWITCH_BYTES, which do
    // nothing and which a jump to better code of the block may be written over.
    uint32_t start[QUICK_MAX_BLOCKS];
};

// After so many passes through a unit that counts them cpu->hot is told of the block it is at; 0: none does, and none may. Set before code is made; later
// to others than 0 only.
extern uint32_t quick_hot_passes;

// Native code is entered from the interpreter alone and always comes back there soon: it goes to no code of other units, and jumps back count
// cpu->rounds down to 0 instead of looking at cpu->pending. For comparing it with the interpreter. Set before code is made.
extern bool quick_stepwise;

// Whether there is an emitter for this host.
bool quick_available(void);
// Code is for guests with these pins (ended by a zero) from now on.
void quick_begin(const uint8_t *pins);
// The same, and writes the stubs for such a guest into `buffer` of QUICK_STUBS_BYTES, whose code will run at address `at`,
// and tells the interpreter of them. Returns their size.
size_t quick_make_stubs(uint8_t *buffer, uintptr_t at, const uint8_t *pins);
// Writes code for living blocks, not fused, to `buffer`, to run at address `at`. Everything that stays with the unit comes from `arena`. NULL if the
// code does not fit `size`, or the host's memory lies too far apart. `passes`: where it is to count passes, and it notes where it
// goes indirectly; or NULL. Units that run in turn should have theirs close together.
struct quick_unit *quick_emit(struct arena *arena, struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size,
                              uintptr_t at, int32_t *passes);
// Where an exit that leads straight to a block with native code goes.
const uint8_t *quick_entry(const struct block *block);
// An exit to `pc` that is not linked yet.
void native_exit_init(struct native_exit *exit, uint64_t pc);
void quick_exit_init(struct quick_exit *exit, uint64_t pc);
// Writes code for exits that lead away to `buffer`, IMAGE_EXIT_BYTES for each, to run at address `at`. False if the exits or the stubs lie too far apart.
bool quick_place_exits(uint8_t *buffer, uintptr_t at, struct quick_exit *exit, unsigned count);
// A block's number in its unit.
unsigned quick_number(const struct block *block);
// What to write over the first instruction of the unit's block `at`: a jump to this code, or if NULL, what was there before.
void quick_switch(const struct quick_unit *unit, unsigned at, const uint8_t *to, uint8_t bytes[QUICK_SWITCH_BYTES]);
// From now on the blocks are entered by their native code / are not. Atomic: other threads may be running them.
void quick_install(struct quick_unit *unit);
void quick_remove(struct quick_unit *unit);
// A block's native code, or NULL. Other threads may be giving or taking it.
const void *quick_code(const struct block *block);
// From now on the block, if it lives, is entered by this code of the same convention, not far from that of units, or if NULL, by what it had before.
void quick_optimise(struct block *block, const void *code);
// The access at `host_pc` in the unit's code, which it notes in `cpu` for interp_fault; or NULL.
const struct quick_access *quick_find_access(const struct quick_unit *unit, struct cpu *cpu, uint64_t host_pc);
// Stores the pinned slots, and what else registers owe at an access, from those of a thread that it interrupted: `read` gives a host register of `context` by its number in the
// host's encoding.
void quick_store_slots(struct cpu *cpu, const uint8_t owed[QUICK_OWING], uint64_t (*read)(const void *context, unsigned number),
                       const void *context);
