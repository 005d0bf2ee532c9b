// Bundles: files to be shipped, with any number of modules, sealed and, if that is wanted, signed (seal.h). The same modules make the same bytes, whoever made
// them in whatever order and time; so of names only the last part is kept, and records that are the same are one.
#pragma once
#include "cache/writer/module.h"
#include "cache/writer/seal.h"

struct bundle {
    struct draft *module;
    uint32_t modules;
    size_t room;
    const struct seal_secret *secret;  // to sign with, or NULL
};

// Adds a module. NULL, or what is wrong with it.
const char *bundle_add(struct bundle *bundle, struct snapshot *snapshot, struct snapshot_tools *tools);
// Writes all to a file. NULL, or why not.
const char *bundle_write(struct bundle *bundle, const char *path);
void bundle_free(struct bundle *bundle);

// A bundle that was read, all of it: what is checked is what is imported, whatever becomes of the file.
struct bundle_file {
    struct btree_file database;
    struct format_seal seal;
};
// NULL, or why not.
const char *bundle_open(struct bundle_file *bundle, const char *path);
void bundle_close(struct bundle_file *bundle);

typedef void bundle_visit(const struct snapshot *module, void *data);  // NOLINT: not a pointer
// Checks every record of a bundle, in memory whose size does not depend on what the bundle says of itself, and calls `visit` for each module. NULL, or what is wrong.
const char *bundle_check(const struct bundle_file *bundle, bundle_visit *visit, void *data);

// Calls `visit` for each module of a bundle that was checked, until one says what is wrong. NULL, or that.
typedef const char *bundle_visit_open(struct snapshot *module, struct snapshot_tools *tools, void *data);  // NOLINT: not a pointer
const char *bundle_walk(const struct bundle_file *bundle, bundle_visit_open *visit, void *data);

struct bundle_result {
    uint32_t modules;
    uint64_t places;  // entries of records
    uint32_t damaged;  // files of ours that were moved away
};
// Merges a bundle that was checked into a directory. What it has replaces what is there. NULL, or why not.
const char *bundle_import(const struct bundle_file *bundle, struct disk *disk, struct bundle_result *result);
