// What a module is known by between runs: a mapping of a file's code, by what it holds. The runner computes it from memory, others from the file.
#pragma once
#include "cache/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes of the module, `at` from its start. False if they cannot be read.
typedef bool module_key_read(void *data, uint64_t at, void *to, size_t size);  // NOLINT: not a pointer

// The key of a module of `size` bytes, whole pages. False if it cannot be read.
bool module_key(module_key_read *read, void *data, uint64_t size, struct store_key *key);
