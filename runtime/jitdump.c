// Records for perf: see jitdump.h. As with -perfmap the file is open only while something is written. Perf learns of the file because it is mapped
// executable, and takes it for the process that maps it; so a child that shares our memory until it executes must not begin one.
#include "runtime/jitdump.h"
#include "runtime/base/clock.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/mem.h"
#include "runtime/options.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#endif

struct header {
    uint32_t magic, version, total_size, elf_machine, padding, pid;
    uint64_t timestamp, flags;
};

struct code_load {
    uint32_t id, total_size;
    uint64_t timestamp;
    uint32_t pid, tid;
    uint64_t address, code_address, code_size, code_index;
};

enum { MAGIC = 0x4a695444, VERSION = 1, CODE_LOAD = 0 };

static long owner;  // process id
static bool begun, failed;
static long mapping;

void jitdump_begin(void) {
    if (!options.jitdump) return;
    if (mapping > 0) host_call(munmap, mapping, MEM_PAGE);  // the parent's
    // An earlier program of this very process may have begun a file, not one of a process before it that had the same number.
    if (owner) options.jitdump_append = false;
    owner = host_call(getpid);
    begun = false;
    mapping = 0;
}

static long open_file(int flags) {
    char path[PATH_MAX];
    struct text text = TEXT_ON(path);
    text_add(&text, "%s/jit-%ld.dump", options.jitdump, owner);
    long fd = text.cut ? -ENAMETOOLONG
                       : host_call(openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0) error_say("cannot write %s: %s; --jitdump-dir says where else", path, strerror((int)-fd));
    failed = fd < 0;
    return fd;
}

static void begin_file(long fd) {
    const struct header header = {MAGIC, VERSION, sizeof header, MACHINE, 0, (uint32_t)owner, clock_nanoseconds(CLOCK_MONOTONIC),
                                  0};
    if (host_call(lseek, fd, 0, SEEK_END) == 0) host_call(write, fd, &header, sizeof header);
    mapping = host_call(mmap, 0, MEM_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    begun = true;
}

static void write_record(long fd, const void *code, size_t bytes, const char *name) {
    size_t length = strlen(name) + 1;
    long at =
        host_call(lseek, fd, 0, SEEK_END);  // as an index it is unique, also if the process has executed another program since
    struct code_load load = {CODE_LOAD,
                             (uint32_t)(sizeof load + length + bytes),
                             clock_nanoseconds(CLOCK_MONOTONIC),
                             (uint32_t)owner,
                             (uint32_t)host_call(gettid),
                             (uintptr_t)code,
                             (uintptr_t)code,
                             bytes,
                             (uint64_t)at};
    const struct iovec parts[] = {{&load, sizeof load}, {(char *)(uintptr_t)name, length}, {(void *)(uintptr_t)code, bytes}};
    failed = host_call(writev, fd, parts, sizeof parts / sizeof *parts) != (long)load.total_size;
    if (failed) error_say("cannot write all of jit-%ld.dump; it ends here", owner);
}

void jitdump_add(const void *code, size_t bytes, const char *name) {
    if (!options.jitdump || failed || (!begun && host_call(getpid) != owner)) return;
    long fd = open_file(begun || options.jitdump_append ? 0 : O_TRUNC);
    if (fd < 0) return;
    if (!begun) begin_file(fd);
    write_record(fd, code, bytes, name);
    host_call(close, fd);
}
