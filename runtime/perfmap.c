// Names of native code for perf: see perfmap.h. The file is open only while a line is written, since the guest's descriptors are its own.
#include "runtime/perfmap.h"
#include "runtime/base/sys.h"
#include "runtime/jitdump.h"
#include "runtime/options.h"
#include <fcntl.h>

void (*perfmap_describe)(struct text *text, uint64_t address);

static void add_line(const void *code, size_t bytes, const char *name) {
    char path[64], line[512];
    struct text file = TEXT_ON(path), text = TEXT_ON(line);
    text_add(&file, "/tmp/perf-%ld.map", host_call(getpid));
    text_add(&text, "%lx %zx %s\n", (unsigned long)(uintptr_t)code, bytes, name);
    long fd = host_call(openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    host_call(write, fd, line, text.length);
    host_call(close, fd);
}

void perfmap_add(const void *code, size_t bytes, uint64_t pc, const char *tier) {
    char name[448];
    struct text text = TEXT_ON(name);
    if (!options.perfmap && !options.jitdump) return;
    text_add(&text, "%s:", tier);
    if (perfmap_describe) perfmap_describe(&text, pc);
    else text_add(&text, "%#llx", (unsigned long long)pc);
    if (options.perfmap) add_line(code, bytes, name);
    jitdump_add(code, bytes, name);
}
