// Why nothing could be written last, for `ferry cache stats`: in the file of locks, whose bytes are there before a disk is full. Whoever writes again forgets it.
// And how much was removed of what people may have wanted to look at.
#pragma once
#include "cache/writer/disk.h"

struct trouble {
    int64_t at;  // second; 0: there is none
    char why[120];
};

// Files that were in damaged/ and went for want of room.
struct trouble_removed {
    int64_t at;  // second when some did last; 0: none ever did
    uint64_t files;  // in all
};

_Static_assert(sizeof(struct trouble) + sizeof(struct trouble_removed) == DISK_LOCKS_BYTES, "they fit");

// `why`: NULL where all is well.
void trouble_note(struct disk *disk, const char *why);
// What lies in everybody's way (inspect.h), or else what was noted, or what anybody would meet who wrote now. Its time is 0 if there is nothing.
struct trouble trouble_look(const struct disk *disk);
// The caller has a lock.
void trouble_note_removed(struct disk *disk, uint32_t files);
struct trouble_removed trouble_look_removed(const struct disk *disk);
