// Bundles: files to be shipped, with any number of modules. The same modules make the same bytes, whoever made them in whatever order and time; so of names
// only the last part is kept.
#pragma once
#include "cache/writer/module.h"

struct bundle {
    struct draft *module;
    uint32_t modules;
    size_t room;
};

// Adds a module. NULL, or what is wrong with it.
const char *bundle_add(struct bundle *bundle, struct snapshot *snapshot, struct snapshot_tools *tools);
// Writes all to a file. NULL, or why not.
const char *bundle_write(struct bundle *bundle, const char *path);
void bundle_free(struct bundle *bundle);

struct bundle_result {
    uint32_t modules;
    uint64_t places;  // entries of records
    uint32_t damaged;  // files of ours that were moved away
};
// Merges a bundle into a directory, after having checked all of it. What it has replaces what is there. NULL, or why not.
const char *bundle_import(const char *path, struct disk *disk, struct bundle_result *result);
