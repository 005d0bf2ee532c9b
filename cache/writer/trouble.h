// Why nothing could be written last, for `ferry cache stats`: in the file of locks, whose bytes are there before a disk is full. Whoever writes again forgets it.
#pragma once
#include "cache/writer/disk.h"

struct trouble {
    int64_t at;  // second; 0: there is none
    char why[120];
};

_Static_assert(sizeof(struct trouble) == DISK_LOCKS_BYTES, "it fits");

// `why`: NULL where all is well.
void trouble_note(struct disk *disk, const char *why);
// What lies in everybody's way (inspect.h), or else what was noted, or what anybody would meet who wrote now. Its time is 0 if there is nothing.
struct trouble trouble_look(const struct disk *disk);
