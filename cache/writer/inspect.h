// What lies in the store's directory and keeps it from being used: folders that others may write to, or something else where a folder or a file is to be.
#pragma once
#include "cache/writer/disk.h"

typedef void inspect_complaint(const char *name, const char *why, void *data);  // NOLINT: not a pointer
// Calls `say` for each such thing by its path in the directory. Files of modules are not looked at.
void inspect_disk(const struct disk *disk, inspect_complaint *say, void *data);
