// -perfmap: tells perf what native code is of which guest function, by a line per unit in /tmp/perf-PID.map (Linux: tools/perf/Documentation/jit-interface.txt).
#pragma once
#include "runtime/base/text.h"
#include <stddef.h>
#include <stdint.h>

// How to name a guest address; set by the layer above.
extern void (*perfmap_describe)(struct text *text, uint64_t address);
// Native code of the guest code at `pc` was made, by this tier: tells perf in the ways that options say (-jitdump: jitdump.h).
void perfmap_add(const void *code, size_t bytes, uint64_t pc, const char *tier);
