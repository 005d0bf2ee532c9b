// Lines for perf: see perfmap.h. The file is open only while a line is written, since the guest's descriptors are its own.
#include "runtime/perfmap.h"
#include "runtime/base/sys.h"
#include "runtime/options.h"
#include <fcntl.h>

void (*perfmap_describe)(struct text *text, uint64_t address);

void perfmap_add(const void *code, size_t bytes, uint64_t pc, const char *tier) {
    char path[64], line[512];
    struct text name = TEXT_ON(path), text = TEXT_ON(line);
    if (!options.perfmap) return;
    text_add(&name, "/tmp/perf-%ld.map", host_call(getpid));
    text_add(&text, "%lx %zx %s:", (unsigned long)(uintptr_t)code, bytes, tier);
    if (perfmap_describe) perfmap_describe(&text, pc);
    else text_add(&text, "%#llx", (unsigned long long)pc);
    text_add(&text, "\n");
    long fd = host_call(openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    host_call(write, fd, line, text.length);
    host_call(close, fd);
}
