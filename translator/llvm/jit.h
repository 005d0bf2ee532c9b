// LLVM's passes and ORC, behind a few functions: modules of regions in, host code out.
#pragma once
#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>

struct jit;
struct jit_unit;

// One for each thread that compiles. NULL with a message in *why (static or leaked) if LLVM cannot.
struct jit *jit_new(const char **why);
void jit_free(struct jit *jit);
// A module to build functions in.
LLVMModuleRef jit_module(struct jit *jit);
// Optimises the module last made and compiles it. NULL if that fails. The code lives until jit_unit_free.
struct jit_unit *jit_compile(struct jit *jit, bool optimise);
// The address of a function, or 0.
uint64_t jit_address(struct jit_unit *unit, const char *name);
void jit_unit_free(struct jit_unit *unit);
