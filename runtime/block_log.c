// What --log-blocks writes: see block_log.h. What file a pc is from stands in the host's /proc/self/maps, since guest address = host address. The log is
// open only while a line is written, because the guest's descriptors are its own.
#include "runtime/block_log.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/options.h"
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct mapping {
    uint64_t start, end, offset;
    char path[PATH_MAX];
};

static bool failed;  // it was said that the log cannot be written
static struct mapping known;  // the one that was asked for last; empty: none

static bool parse(const char *line, struct mapping *mapping) {
    unsigned long start, end, offset;
    int path = 0;
    if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &start, &end, &offset, &path) < 3) return false;
    *mapping = (struct mapping){.start = start, .end = end, .offset = offset};
    bool file = path && line[path] == '/';
    if (file) strncpy(mapping->path, line + path, sizeof mapping->path - 1);
    else strcpy(mapping->path, "-"), mapping->offset = start;
    return true;
}

// Whether a line of `text` is the mapping of `pc`, which then is `known`. What is left over of an incomplete line moves to the front.
static bool find_in(char *text, size_t *size, uint64_t pc) {
    char *line = text;
    for (char *end; (end = memchr(line, '\n', *size - (size_t)(line - text))); line = end + 1) {
        *end = 0;
        if (parse(line, &known) && pc >= known.start && pc < known.end) return true;
    }
    *size -= (size_t)(line - text);
    memmove(text, line, *size);
    return false;
}

static void find(uint64_t pc) {
    static char text[3 * PATH_MAX];
    long fd = host_call(openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC), got;
    bool found = false;
    for (size_t size = 0; fd >= 0 && !found && size < sizeof text; found = find_in(text, &size, pc)) {
        got = host_call(read, fd, text + size, sizeof text - size);
        if (got <= 0) break;
        size += (size_t)got;
    }
    if (!found) known = (struct mapping){.path = "-"};
    if (fd >= 0) host_call(close, fd);
}

void block_log_forget(void) {
    known.end = known.start;
}

void block_log_add(uint64_t pc, uint32_t bytes) {
    char buffer[PATH_MAX + 64];
    struct text line = TEXT_ON(buffer);
    if (pc < known.start || pc >= known.end) find(pc);
    const unsigned long long place = pc - known.start + known.offset;
    text_add(&line, "%llx %x %s\n", place, bytes, known.path);
    long fd = host_call(openat, AT_FDCWD, options.log_blocks, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 && !failed) error_say("cannot write %s: %s", options.log_blocks, strerror((int)-fd));
    failed = fd < 0;
    if (failed) return;
    host_call(write, fd, line.at, line.length);
    host_call(close, fd);
}
