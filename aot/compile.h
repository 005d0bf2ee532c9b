// From a request to code in the arena.
#pragma once
#include "cache/channel.h"
#include "translator/guest/guest.h"
#include "translator/llvm/jit.h"

struct compiler;

// A compiler for a guest, which puts images into an arena of this size. NULL with a message in *why.
struct compiler *compile_begin(const struct guest_isa *isa, guest_features features, uint8_t *arena, uint32_t arena_bytes,
                               const char **why);
// For the channel's guest.
struct compiler *compile_begin_for(const struct channel *channel, uint8_t *arena, const char **why);
// A request's region as *jit's module, not optimised yet; with `lines`, as in struct region. NULL if the request is not well formed.
LLVMModuleRef compile_module(struct compiler *compiler, const struct channel_request *request, bool lines, struct jit **jit);
// Compiles a request, which nobody else changes meanwhile. The result's id is the request's. `all_taken`: what earlier results name is not needed any more.
void compile(struct compiler *compiler, const struct channel_request *request, bool all_taken, struct channel_result *result);
