// The table of translated blocks: finds the code of a guest pc, makes it where it is missing, and drops it when guest bytes
// change. Shared by all threads; found without a lock, made under one.
#pragma once
#include "translator/guest/guest.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct cell;
struct cpu;
struct lock;
struct quick_exit;

void code_init(const struct guest_isa *isa, guest_features features);
extern const struct guest_isa *code_isa;
extern guest_features code_features;

// What a fault at a host pc is.
enum native_fault {
    NATIVE_FOREIGN,  // not in native code
    NATIVE_RETRY,    // nothing: the code was not executable for a moment
    NATIVE_TRAP,     // the guest's; the state of `cpu` was stored and the access noted for interp_fault
    NATIVE_RESUME,   // the guest has to go on at cpu->pc, where it may come to the fault
};
// For handlers of host signals.
enum native_fault code_native_fault(struct cpu *cpu, uint64_t host_pc, uint64_t address, const void *ucontext);

// cpu->hot: the block of this first cell is worth native code.
void code_hot(struct cpu *cpu, const struct cell *code);
// cpu->find_native and cpu->leave_sheet.
const void *code_find_native(struct cpu *cpu);
const void *code_leave_sheet(struct cpu *cpu, const uint8_t *behind);
// cpu->resolve_hot: as code_resolve, where a sheet's loop goes round often.
const struct cell *code_resolve_hot(struct cpu *cpu);
// cpu->link: native code often goes by this exit.
void code_link(struct cpu *cpu, struct quick_exit *exit);
// cpu->resolve: code for cpu->pc under cpu->mode, or NULL with cpu->trap set (TRAP_FETCH).
const struct cell *code_resolve(struct cpu *cpu);
// Copies the guest bytes that a block was made of. False if they are no longer there.
bool code_copy_bytes(const struct block *block, uint8_t *bytes);
// The guest bytes in [start, start + size) changed, went away, or lost or gained execute permission.
void code_invalidate(uint64_t start, uint64_t size);
// Guest code may have been written anywhere (fence.i): drops every block whose bytes differ from what was translated.
void code_sync(void);
// From now on a fault anywhere has to tell the guest's exact state, because the guest has a handler that can look at it.
void code_be_exact(void);
// A compiler program is at work: tells it what was translated before.
void code_tell(void);
// The thread is about to make a system call that may wait, and the process may be killed while it does.
void code_before_wait(void);
// The process is about to execute another program, which may fail, or to end.
void code_before_exec(void);
void code_at_exit(void);
// Only the calling thread exists from now on (after fork in the child).
void code_forked(void);
