// The host's list of mappings, line by line: see maps.h.
#include "runtime/maps.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static char *behind_word(char *at) {
    at += strspn(at, " ");
    return at + strcspn(at, " ");
}

// start-end permissions offset device inode path
static bool parse(char *line, struct mapping *mapping) {
    char *at = line;
    mapping->start = strtoull(at, &at, 16);
    if (*at++ != '-') return false;
    mapping->end = strtoull(at, &at, 16);
    mapping->offset = strtoull(behind_word(at), &at, 16);
    at = behind_word(behind_word(at));
    at += strspn(at, " ");
    mapping->path[0] = 0;
    if (*at == '/') strncat(mapping->path, at, sizeof mapping->path - 1);
    return true;
}

bool maps_search(int pid, struct mapping *mapping, maps_match *match, const void *data) {
    char path[40], buffer[PATH_MAX + 256];
    struct text name = TEXT_ON(path);
    if (pid) text_add(&name, "/proc/%d/maps", pid);
    else text_add(&name, "/proc/self/maps");
    long fd = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC), got;
    size_t have = 0;
    bool found = false;
    while (fd >= 0 && !found && (got = host_call(read, fd, buffer + have, sizeof buffer - 1 - have)) > 0) {
        char *line = buffer;
        buffer[have += (size_t)got] = 0;
        for (char *end; !found && (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            found = parse(line, mapping) && match(mapping, data);
        }
        have -= (size_t)(line - buffer);
        memmove(buffer, line, have);
    }
    if (fd >= 0) host_call(close, fd);
    return found;
}

static bool has(const struct mapping *mapping, const void *address) {
    uint64_t at = *(const uint64_t *)address;
    return at >= mapping->start && at < mapping->end;
}

bool maps_find(uint64_t address, struct mapping *mapping) {
    return maps_search(0, mapping, has, &address);
}
