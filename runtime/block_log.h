// --log-blocks: tells which blocks of guest code were translated, a line each: place in the file, bytes (both hexadecimal), file's path. Code that is
// in no file has the guest's address for its place and "-" for a path. For looking at what runs, and for checking what was found ahead of time.
#pragma once
#include <stdint.h>

// A block was translated. Callers hold a lock.
void block_log_add(uint64_t pc, uint32_t bytes);
// Mappings may have changed. Under the same lock.
void block_log_forget(void);
