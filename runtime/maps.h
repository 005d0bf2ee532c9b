// The host's list of a process's mappings, /proc/PID/maps (proc(5)), read without malloc or stdio, since guest threads ask for it.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct mapping {
    uint64_t start, end, offset;
    char path[PATH_MAX];  // empty: no file stands behind it
};

typedef bool maps_match(const struct mapping *mapping, const void *data);

// The first mapping of a process (0: this one) that matches; false if there is none, or the list cannot be read.
bool maps_search(int pid, struct mapping *mapping, maps_match *match, const void *data);
// The mapping of this process that has the address.
bool maps_find(uint64_t address, struct mapping *mapping);
