// The store's directory, as those see it that write: made and checked, locked by module, listed. All below it is reached by descriptors, never through
// symbolic links. Reasons are texts that stay.
#pragma once
#include "cache/btree.h"
#include "cache/directory.h"
#include <limits.h>

#define DISK_LOCKS "lock"  // the file
enum { DISK_LOCKS_BYTES = 144 };

struct disk {
    int root, lock;  // descriptors; lock: -1 until needed
    uint32_t owner;
    unsigned mode;  // of folders in it: others may read them if they may read the directory, as those of systems
    const char *why;  // there can be no locks, or NULL
};

// Whether a directory is made where there is none: for one user, or for all of them to read.
enum disk_make { DISK_AS_IT_IS, DISK_MAKE, DISK_MAKE_FOR_ALL };
// Opens the directory, which `owner` alone may be able to write to. NULL, or why not; *missing: it is not there.
const char *disk_open(struct disk *disk, const char *path, uint32_t owner, enum disk_make make, bool *missing);
void disk_close(struct disk *disk);
// A descriptor of the folder of a build, or -1 with the reason.
int disk_folder(const struct disk *disk, const struct store_key *build, bool make, const char **why);

// Takes the lock of a module among all writers, if it is free. Where there can be none disk->why says so.
bool disk_lock(struct disk *disk, const struct store_key *build, const struct store_key *module);
void disk_unlock(struct disk *disk, const struct store_key *build, const struct store_key *module);

// What an errno means, for people.
const char *disk_reason(int error);

// A file's state, by which one knows it again.
struct disk_mark {
    uint64_t inode, size;
    int64_t seconds, nanoseconds;
};
bool disk_mark(int folder, const char *name, struct disk_mark *mark);
// Writes a file under another name (tmp.NAME) and then gives it its own; the caller has its lock. `mode`: its permissions, whatever the umask; `durable`: it outlives a
// power failure; `disk`: whose folder it is, where what is in the way is moved to damaged/, or NULL. NULL, or why not.
const char *disk_write(const struct disk *disk, int folder, const char *name, const uint8_t *bytes, size_t size, unsigned mode,
                       bool durable);
// Moves what has a file's name to damaged/. NULL, or why not.
const char *disk_quarantine(const struct disk *disk, int folder, const char *name);
// Moves what has a name and is not of that type (S_IFDIR, S_IFREG) to damaged/, if it can. A symbolic link in a folder's place stays: somebody may have meant it.
void disk_make_way(const struct disk *disk, int folder, const char *name, unsigned type);

struct disk_file {
    struct store_key build, module;
    uint64_t size;
    int64_t used;  // second of its last use, to the hour
};
struct disk_list {
    struct disk_file *file;  // in order of build and module
    uint32_t count;
    size_t room;
    uint32_t damaged;  // files in damaged/
    uint64_t damaged_bytes;
};
// All files by their names, whatever is in them. False for want of memory. Freed by disk_list_free.
bool disk_list(const struct disk *disk, struct disk_list *list);
void disk_list_free(struct disk_list *list);
// False if it is not there any more.
bool disk_remove(const struct disk *disk, const struct disk_file *file);
// Removes what writers left that died long ago, and folders of builds that have been empty for long.
void disk_clean(const struct disk *disk);
// Removes what has been in damaged/ for so many days; how many.
uint32_t disk_remove_damaged(const struct disk *disk, int64_t days);

// Where all files of code, and those in damaged/, have more than `limit` bytes: removes what is damaged, then code that was not used for longest until the rest
// has `keep` or less.
struct disk_evicted {
    uint32_t code, damaged;  // files
};
struct disk_evicted disk_evict(const struct disk *disk, uint64_t limit, uint64_t keep);
