// -jitdump: native code with its names for perf, in DIR/jit-PID.dump (Linux: tools/perf/Documentation/jitdump-specification.txt). Other than by -perfmap's
// lines perf can then show the code itself.
#pragma once
#include <stddef.h>

// At the start of a process: it gets a file of its own once it has something to write. Nothing unless options.jitdump, as all of this.
void jitdump_begin(void);
// Native code of that name was made. Not from several threads at once.
void jitdump_add(const void *code, size_t bytes, const char *name);
