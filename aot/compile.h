// From a request to code in the arena.
#pragma once
#include "cache/channel.h"
#include "translator/llvm/jit.h"

struct compiler;

// A compiler for the channel's guest and host addresses, which puts code into the arena. NULL with a message in *why.
struct compiler *compile_begin(const struct channel *channel, const char **why);
// A request's region as *jit's module, not optimised yet; with `lines`, as in struct region. NULL if the request is not well formed.
LLVMModuleRef compile_module(struct compiler *compiler, const struct channel_request *request, bool lines, struct jit **jit);
// Compiles a request, which nobody else changes meanwhile. The result's id is the request's.
void compile(struct compiler *compiler, const struct channel_request *request, struct channel_result *result);
