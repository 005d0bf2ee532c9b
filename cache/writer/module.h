// One module's file: read, merged with new records, written. The caller has its lock.
#pragma once
#include "cache/writer/disk.h"
#include "cache/writer/draft.h"

// What came for a module and is not yet in its file.
struct module {
    struct module *next;
    struct store_key build, key;
    char *name;
    struct writer_record *record;  // copies of ours
    uint32_t records;
    size_t room;
    struct snapshot *other;  // to be merged as well, or NULL
    struct disk_mark mark;  // of the file that we wrote last
    uint64_t due;           // microsecond before which the file is not written again
};

// False for want of memory or where the record is none that can be kept.
bool module_add(struct module *module, const struct writer_record *record);
void module_empty(struct module *module);  // forgets what came

struct module_result {
    bool quarantined;
    bool alone;       // what is wrong is so of this module alone
    const char *why;  // nothing was written, or NULL
};
// Writes what came. A file that is damaged is moved away.
struct module_result module_write(struct module *module, const struct disk *disk, struct snapshot_tools *tools);

// Opens the file of a module, complete with its keys. NULL, or what is wrong with it; *missing: there is none. `other`: another version made it.
struct module_file {
    struct btree_file file;
    struct snapshot snapshot;
    bool missing, other;
};
const char *module_open(struct module_file *module, int folder, uint32_t owner, const struct store_key *build,
                        const struct store_key *key, struct snapshot_tools *tools);
// `tools`: those that it was opened with
void module_close(struct module_file *module, struct snapshot_tools *tools);
