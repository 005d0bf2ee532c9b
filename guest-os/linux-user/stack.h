// The first stack of a program, as execve(2) leaves it: see stack.c.
#pragma once
#include "guest-os/linux-user/program.h"
#include "translator/ir/cpu.h"

struct text;

// Builds the image of arguments, environment and auxiliary vector below `top` in a new stack; sets `process`'s addresses of
// them. The stack pointer, or -errno with a message in `why`.
long stack_build(const struct program *program, char *const envp[], uint64_t top, struct text *why);
// How large the stack may become, in bytes.
uint64_t stack_limit(void);
