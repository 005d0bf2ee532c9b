// LLVM's passes and ORC, behind a few functions: modules of regions in, host code out.
#pragma once
#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jit;
struct jit_unit;

// Where code and its constants are put, one unit behind the other; nothing is ever taken back. Within a unit there are distances only, so that it can be
// copied to wherever it is to run.
struct jit_memory {
    uint8_t *start;
    size_t size, used;
    bool full;  // something did not fit
};

// Whether the library at work is of the version that this was compiled with, which is in the key of what is kept: a shared one may have become another since.
bool jit_is_as_built(void);

// One for each thread that compiles, with memory that stays the caller's. NULL with a message in *why (static or leaked) if LLVM cannot.
struct jit *jit_new(struct jit_memory *memory, const char **why);
void jit_free(struct jit *jit);
// A module to build functions in.
LLVMModuleRef jit_module(struct jit *jit);
// Throws the module last made away.
void jit_drop(struct jit *jit);
// Runs the passes over the module last made.
bool jit_optimise(struct jit *jit);
// The host assembly of the module last made, on the heap, or NULL.
char *jit_assembly(struct jit *jit);
// Optimises the module last made and compiles it. NULL if that fails, or if the code refers to anything outside of itself.
struct jit_unit *jit_compile(struct jit *jit);
// The address of a function or variable, or 0.
uint64_t jit_address(struct jit_unit *unit, const char *name);
// LLVM's side of the unit; its code stays.
void jit_unit_free(struct jit_unit *unit);
