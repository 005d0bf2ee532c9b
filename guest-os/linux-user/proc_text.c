// The texts that guests read in /proc in place of the host's. Each is the host's own text, line by line or field by field, with
// what would show the runner replaced by the guest's: the list of areas for maps, the signal actions for status, and so on.
#include "guest-os/linux-user/proc_text.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/compiler.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// ---- buffered output and input

struct out {
    int fd;
    size_t used;
    char buffer[4096];
};

static void out_flush(struct out *out) {
    host_call(write, out->fd, out->buffer, out->used);
    out->used = 0;
}

static void out_bytes(struct out *out, const char *bytes, size_t size) {
    if (size > sizeof out->buffer - out->used) out_flush(out);
    if (size > sizeof out->buffer) size = sizeof out->buffer;
    memcpy(out->buffer + out->used, bytes, size);
    out->used += size;
}

static void out_add(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void out_add(struct out *out, const char *format, ...) {
    char line[4096 + 256];
    struct text text = TEXT_ON(line);
    va_list arguments;
    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    out_bytes(out, line, text.length);
}

struct in {
    int fd;
    size_t at, have;
    char buffer[8192];
};

// The next line without its newline, NUL-terminated in the buffer; NULL at the end.
static char *in_line(struct in *in) {
    for (;;) {
        char *line = in->buffer + in->at, *end = memchr(line, '\n', in->have - in->at);
        if (end) {
            *end = 0;
            in->at = (size_t)(end + 1 - in->buffer);
            return line;
        }
        memmove(in->buffer, line, in->have - in->at);
        in->have -= in->at;
        in->at = 0;
        long got = host_call(read, in->fd, in->buffer + in->have, sizeof in->buffer - 1 - in->have);
        if (got == -EINTR) continue;
        if (got <= 0 && !in->have) return NULL;
        if (got <= 0) in->buffer[in->have++] = '\n';  // a last line without an end, or one that is too long
        else in->have += (size_t)got;
    }
}

// ---- maps and smaps

struct mapping {
    uint64_t start, end, offset;
    const char *perms, *device, *name;
    uint64_t inode;
};

// Cuts the next word off `*at`.
static char *word(char **at) {
    char *from = *at + strspn(*at, " ");
    char *end = from + strcspn(from, " ");
    *at = *end ? end + 1 : end;
    *end = 0;
    return from;
}

// "start-end perms offset device inode   name" (man 5 proc_pid_maps); false where the line is something else.
static bool parse_mapping(char *line, struct mapping *mapping) {
    char *at;
    mapping->start = strtoull(line, &at, 16);
    if (at == line || *at != '-') return false;
    mapping->end = strtoull(at + 1, &at, 16);
    mapping->perms = word(&at);
    mapping->offset = strtoull(word(&at), NULL, 16);
    mapping->device = word(&at);
    mapping->inode = strtoull(word(&at), NULL, 10);
    mapping->name = at + strspn(at, " ");
    return true;
}

static const char *area_name(const struct mapping *mapping, const struct mem_area *area) {
    switch (area->kind) {
    case MEM_STACK: return "[stack]";
    case MEM_HEAP: return "[heap]";
    case MEM_VDSO: return "[vdso]";
    case MEM_VVAR: return "[vvar]";
    case MEM_PLAIN: break;
    }
    bool ours = !strcmp(mapping->name, "[stack]") || !strcmp(mapping->name, "[heap]");
    return ours ? "" : path_guest(mapping->name);
}

static void put_mapping(struct out *out, const struct mapping *mapping, const struct mem_area *area, uint64_t start, uint64_t end) {
    enum { NAME_COLUMN = 73 };
    char line[256];
    struct text text = TEXT_ON(line);
    text_add(&text, "%08llx-%08llx %c%c%c%c %08llx %s %llu ", (unsigned long long)start, (unsigned long long)end,
             area->prot & PROT_READ ? 'r' : '-', area->prot & PROT_WRITE ? 'w' : '-', area->prot & PROT_EXEC ? 'x' : '-',
             area->flags & MAP_SHARED ? 's' : 'p',
             (unsigned long long)(mapping->inode ? mapping->offset + (start - mapping->start) : 0), mapping->device,
             (unsigned long long)mapping->inode);
    const char *name = area_name(mapping, area);
    if (*name) out_add(out, "%-*s%s\n", NAME_COLUMN, line, name);
    else out_add(out, "%s\n", line);
}

// The part of the guest's areas in [*at, end) that comes next.
static bool next_piece(uint64_t *at, uint64_t end, struct mem_area *area, uint64_t *start, uint64_t *stop) {
    if (*at >= end || !mem_next(*at, area) || area->start >= end) return false;
    *start = area->start > *at ? area->start : *at;
    *stop = area->end < end ? area->end : end;
    *at = *stop;
    return true;
}

static void write_maps(struct in *in, struct out *out) {
    struct mapping mapping;
    struct mem_area area;
    uint64_t start, end;
    for (char *line; (line = in_line(in));) {
        if (!parse_mapping(line, &mapping)) continue;
        for (uint64_t at = mapping.start; next_piece(&at, mapping.end, &area, &start, &end);)
            put_mapping(out, &mapping, &area, start, end);
    }
}

// One mapping of the host can be several areas of the guest's, which differ in PROT_EXEC: the first gets the figures, the
// others' are nought.
static void put_more_pieces(struct out *out, const struct mapping *mapping, uint64_t at) {
    static const char *const figures[] = {
        "KernelPageSize", "MMUPageSize", "Rss",       "Pss",      "Pss_Dirty",     "Shared_Clean", "Shared_Dirty", "Private_Clean",
        "Private_Dirty",  "Referenced",  "Anonymous", "LazyFree", "AnonHugePages", "Swap",         "SwapPss",      "Locked"};
    struct mem_area area;
    uint64_t start, end;
    while (next_piece(&at, mapping->end, &area, &start, &end)) {
        put_mapping(out, mapping, &area, start, end);
        out_add(out, "Size:           %8llu kB\n", (unsigned long long)(end - start) >> 10);
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
            char label[24];
            struct text text = TEXT_ON(label);
            text_add(&text, "%s:", figures[i]);
            out_add(out, "%-16s%8d kB\n", label, i < 2 ? 4 : 0);
        }
        out_add(out, "VmFlags: rd mr mw me ac\n");
    }
}

static void write_smaps(struct in *in, struct out *out) {
    char kept[4096 + 256];  // the mapping's line, which its names point into
    struct mapping mapping = {0};
    struct mem_area area;
    uint64_t start = 0, end = 0;
    bool shown = false;
    for (char *line; (line = in_line(in));) {
        struct mapping next;
        if (line[0] >= 'A' && line[0] <= 'Z') {
            if (shown && !strncmp(line, "Size:", 5))
                out_add(out, "Size:           %8llu kB\n", (unsigned long long)(end - start) >> 10);
            else if (shown) out_add(out, "%s\n", line);
            continue;
        }
        if (shown) put_more_pieces(out, &mapping, end);
        strncpy(kept, line, sizeof kept - 1);
        kept[sizeof kept - 1] = 0;
        shown = false;
        if (!parse_mapping(kept, &next)) continue;
        mapping = next;
        uint64_t at = mapping.start;
        shown = next_piece(&at, mapping.end, &area, &start, &end);
        if (shown) put_mapping(out, &mapping, &area, start, end);
    }
    if (shown) put_more_pieces(out, &mapping, end);
}

// ---- stat, statm, status

// Bits of the signals whose action is `wanted`, or is a handler for -1.
static uint64_t signals_with(const struct task *task, int64_t wanted) {
    uint64_t set = 0;
    lock_take(&task->hand->lock);
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++) {
        uint64_t handler = task->hand->action[signal].handler;
        bool matches = wanted < 0 ? handler > (uint64_t)(uintptr_t)SIG_IGN : handler == (uint64_t)wanted;
        if (matches) set |= UINT64_C(1) << (signal - 1);
    }
    lock_drop(&task->hand->lock);
    return set;
}

// The guest's value of a field of stat (man 5 proc_pid_stat); false where the host's is right.
static bool stat_field(const struct task *task, int field, uint64_t *value) {
    switch (field) {
    case 23: *value = mem_size(); return true;
    case 26: *value = process.code_start; return true;
    case 27: *value = process.code_end; return true;
    case 28: *value = process.stack_start; return true;
    case 32: *value = task->sigmask & 0x7fffffff; return true;
    case 33: *value = signals_with(task, 1) & 0x7fffffff; return true;
    case 34: *value = signals_with(task, -1) & 0x7fffffff; return true;
    case 45: *value = process.data_start; return true;
    case 46: *value = process.data_end; return true;
    case 47: *value = process.brk_start; return true;
    case 48: *value = process.arg_start; return true;
    case 49: *value = process.arg_end; return true;
    case 50: *value = process.env_start; return true;
    case 51: *value = process.env_end; return true;
    default: return false;
    }
}

static void write_stat(const struct task *task, struct in *in, struct out *out) {
    char *line = in_line(in);
    char *at = line ? strrchr(line, ')') : NULL;  // the name may hold anything
    if (!at) return;
    out_bytes(out, line, (size_t)(at + 1 - line));
    at++;
    for (int field = 3; *at; field++) {
        char *text = word(&at);
        uint64_t value;
        if (stat_field(task, field, &value)) out_add(out, " %llu", (unsigned long long)value);
        else out_add(out, " %s", text);
    }
    out_add(out, "\n");
}

// What a process may write to and has for itself: the kernel's "data".
static uint64_t data_size(void) {
    struct mem_area area;
    uint64_t size = 0;
    for (uint64_t at = 0; mem_next(at, &area); at = area.end) {
        if (area.flags & MAP_PRIVATE && area.prot & PROT_WRITE) size += area.end - area.start;
    }
    return size;
}

static void write_statm(struct in *in, struct out *out) {
    char *line = in_line(in);
    if (!line) return;
    word(&line);
    char *resident = word(&line), *shared = word(&line);
    uint64_t code = (process.code_end - process.code_start + MEM_PAGE - 1) / MEM_PAGE, size = mem_size() / MEM_PAGE;
    uint64_t most = strtoull(resident, NULL, 10);
    out_add(out, "%llu %llu %s %llu 0 %llu 0\n", (unsigned long long)size, (unsigned long long)(most < size ? most : size), shared,
            (unsigned long long)code, (unsigned long long)(data_size() / MEM_PAGE));
}

// The guest's line for one of the host's; false where the host's is right.
static bool status_line(const struct task *task, bool own_thread, const char *line, struct out *out) {
    static const struct {
        const char *label;
        enum { SIZE, DATA, BLOCKED, IGNORED, CAUGHT } what;
    } lines[] = {{"VmPeak:", SIZE},    {"VmSize:", SIZE},    {"VmData:", DATA},
                 {"SigBlk:", BLOCKED}, {"SigIgn:", IGNORED}, {"SigCgt:", CAUGHT}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *label = lines[i].label;
        if (strncmp(line, label, 7) != 0) continue;
        switch (lines[i].what) {
        case SIZE: out_add(out, "%s\t%8llu kB\n", label, (unsigned long long)mem_size() >> 10); return true;
        case DATA: out_add(out, "%s\t%8llu kB\n", label, (unsigned long long)data_size() >> 10); return true;
        case IGNORED: out_add(out, "%s\t%016llx\n", label, (unsigned long long)signals_with(task, 1)); return true;
        case CAUGHT: out_add(out, "%s\t%016llx\n", label, (unsigned long long)signals_with(task, -1)); return true;
        case BLOCKED:
            if (own_thread) out_add(out, "%s\t%016llx\n", label, (unsigned long long)task->sigmask);
            return own_thread;
        }
    }
    return false;
}

static void write_status(const struct task *task, bool own_thread, struct in *in, struct out *out) {
    for (char *line; (line = in_line(in));) {
        if (!status_line(task, own_thread, line, out)) out_add(out, "%s\n", line);
    }
}

// ---- cpuinfo, and what lies in the guest's memory

// One line of process ids, without the compiler program's.
static void write_children(struct in *in, struct out *out) {
    for (char *at = in_line(in), *id; at && *(id = word(&at));) {
        if (!compiler_is_child(atoi(id))) out_add(out, "%s ", id);
    }
}

static void write_cpuinfo(struct out *out) {
    enum { PROCESSORS = 8192 };
    uint8_t set[PROCESSORS / 8] = {0};
    char block[1024];
    long size = host_call(sched_getaffinity, 0, sizeof set, set);
    for (unsigned i = 0; i < (size > 0 ? (unsigned)size * 8 : 0); i++) {
        if (!(set[i / 8] >> i % 8 & 1)) continue;
        guest_abi->cpuinfo(i, code_features, block, sizeof block);
        out_bytes(out, block, strlen(block));
    }
}

// As the kernel does it: arguments that have been overwritten without an end go on into the environment (setproctitle).
static void write_cmdline(int to) {
    char last = 0;
    uint64_t size = process.arg_end - process.arg_start, more = process.env_end - process.arg_start;
    if (size && mem_copy_in(&last, process.arg_end - 1, 1) == 0 && last) {
        for (size = process.arg_end - process.arg_start; size < more; size++) {
            if (mem_copy_in(&last, process.arg_start + size, 1) < 0 || !last) break;
        }
    }
    host_call(write, to, process.arg_start, size);
}

static bool is_own_thread(const struct task *task, const char *path) {
    const char *list = strstr(path, "/task/");
    if (list) return atoi(list + 6) == task->tid;
    return strstr(path, "/thread-self/") || host_call(getpid) == task->tid;
}

static long write_from_host(struct task *task, enum proc_file file, const char *host, struct out *out) {
    struct in in = {.fd = (int)host_call(openat, AT_FDCWD, host, O_RDONLY | O_CLOEXEC)};
    if (in.fd < 0) return in.fd;
    switch (file) {
    case PROC_MAPS: write_maps(&in, out); break;
    case PROC_SMAPS: write_smaps(&in, out); break;
    case PROC_STAT: write_stat(task, &in, out); break;
    case PROC_STATM: write_statm(&in, out); break;
    case PROC_CHILDREN: write_children(&in, out); break;
    default: write_status(task, is_own_thread(task, host), &in, out);
    }
    host_call(close, in.fd);
    return 0;
}

long proc_write(struct task *task, enum proc_file file, const char *host, int to) {
    struct out out = {.fd = to};
    long result = 0;
    switch (file) {
    case PROC_CPUINFO: write_cpuinfo(&out); break;
    case PROC_CMDLINE: write_cmdline(to); break;
    case PROC_ENVIRON: host_call(write, to, process.env_start, process.env_end - process.env_start); break;
    case PROC_AUXV: host_call(write, to, process.auxv_start, process.auxv_end - process.auxv_start); break;
    default: result = write_from_host(task, file, host, &out);
    }
    out_flush(&out);
    return result;
}
