// What --log-blocks writes: see block_log.h. What file a pc is from stands in the host's /proc/self/maps, since guest address = host address. The log is
// open only while a line is written, because the guest's descriptors are its own.
#include "runtime/block_log.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/maps.h"
#include "runtime/options.h"
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static bool failed;  // it was said that the log cannot be written
static struct mapping known;  // the one that was asked for last; empty: none

static void find(uint64_t pc) {
    if (!maps_find(pc, &known)) known = (struct mapping){.start = 0};
    if (known.path[0]) return;
    known.offset = known.start;
    strcpy(known.path, "-");
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
