// The last words of --cosim. For cosim.c alone.
#pragma once
#include "runtime/cosim_trace.h"

// Says how `left`, in which native code left, differs from the trace's `expected` state (NULL: there is none at that place), whose memory was the last to be
// looked at, and ends the process. `code`: where the native code was entered; whether LLVM made it.
__attribute__((noreturn)) void cosim__report(struct cosim_trace *trace, const struct cosim_state *expected,
                                             const struct cosim_state *left, const void *code, bool optimised);
