// What becomes of a request, as text for people (`ferry dump llvm`, `ferry dump asm`).
#pragma once
#include "cache/channel.h"
#include <stdbool.h>
#include <stdio.h>

struct compiler;

// Prints what becomes of the channel's first request, by a compiler for this channel: `what` is llvm (as it is built), optimised (after LLVM's passes),
// or asm. The request is not trusted. False with a message in *why.
bool dump_print(FILE *out, struct compiler *compiler, const struct channel *channel, const char *what, const char **why);
// The same for the channel on standard input, to standard output. Returns the exit status.
int dump_main(const char *what);
