// Opens files of the store for reading, and says which of them are to be believed.
#pragma once
#include "cache/btree.h"
#include <sys/types.h>

// Whether what fstat says is a file (or directory) that only `owner` can have written.
const char *file_distrust(uint32_t mode, uint32_t owner, uint32_t wanted);

// The file at `path` below the directory `at` (AT_FDCWD: anywhere), mapped; no descriptor stays. NULL, or why not; *missing says that there is
// none. `owner`: who must have written it.
const char *file_map(int at, const char *path, uint32_t owner, struct btree_file *file, bool *missing);
void file_unmap(struct btree_file *file);
