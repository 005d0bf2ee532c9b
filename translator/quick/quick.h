// The quick tier: host code for blocks that turned hot, made in a single pass over their cells, within microseconds. Some guest
// registers live in host registers (struct guest_isa, pins) wherever such code runs; all others stay in struct cpu. What a uop does
// that has no emitter on this host, its C body does (interp_body). Like threaded code, it is bound to one guest address and this process.
#pragma once
#include "translator/interp/interp.h"

// Where native code goes over to the interpreter and back, as addresses in the code that quick_make_stubs made last.
struct quick_stubs {
    const void *enter;  // interp_native_enter
    const void *leave;  // interp_native_leave
    const void *body;  // calls a uop's body
    const void *indirect;  // goes on at a pc, in cpu->pc, that the jump cache does not know
    const void *stop;  // returns to the caller of interp_run after a trap
};

extern struct quick_stubs quick_stubs;

enum { QUICK_STUBS_BYTES = 1024, QUICK_MAX_BLOCKS = 16 };

// A place in native code that accesses guest memory, and the cell on whose behalf.
struct quick_access {
    uint32_t at;  // offset of the host instruction
    uint16_t block;  // index into the unit's blocks
    uint16_t place;  // of the cell
};

// Native code of some blocks, which go to each other directly.
struct quick_unit {
    const uint8_t *code;
    uint32_t bytes, blocks, accesses;
    const struct quick_access *access;  // ascending
    struct block **block;
    uint32_t entry[QUICK_MAX_BLOCKS];  // offsets of the blocks' code
};

// Whether there is an emitter for this host.
bool quick_available(void);
// Writes the stubs for a guest with these pins (ended by a zero) into `buffer` of QUICK_STUBS_BYTES, whose code will run at address `at`,
// and tells the interpreter of them. Returns their size.
size_t quick_make_stubs(uint8_t *buffer, uintptr_t at, const uint8_t *pins);
// Writes code for living blocks, not fused, to `buffer`, to run at address `at`. Everything that stays with the unit comes from `arena`. NULL if the
// code does not fit `size`, or the host's memory lies too far apart.
struct quick_unit *quick_emit(struct arena *arena, struct block *const *blocks, unsigned count, uint8_t *buffer, size_t size,
                              uintptr_t at);
// From now on the blocks are entered by their native code / are not. Atomic: other threads may be running them.
void quick_install(struct quick_unit *unit);
void quick_remove(struct quick_unit *unit);
// After a fault at `host_pc` in the unit's code, with the pinned slots stored: notes in `cpu` which access it was, for interp_fault. False if it
// is none.
bool quick_find_access(const struct quick_unit *unit, struct cpu *cpu, uint64_t host_pc);
// Stores the pinned slots from an interrupted thread's registers: `read` gives a host register of `context` by its number in the host's
// encoding.
void quick_store_pins(struct cpu *cpu, uint64_t (*read)(const void *context, unsigned number), const void *context);
