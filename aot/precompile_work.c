// Work in child processes: see precompile_parts.h. A child each for finding a file's blocks, and for making the sheets of some pages: what files make of a child
// is nobody else's concern, and all processors have something to do. What it hands over is in a memory that both have, which the parent looks at when
// the child has ended; in a child that fails, that is the reason.
#include "aot/precompile_parts.h"
#include "aot/pages.h"
#include "aot/regions.h"
#include "aot/sheets.h"
#include "cache/record.h"
#include "cache/sheet_record.h"
#include "runtime/base/io.h"
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, ARENA_BYTES = 4 << 20 };  // PAGES: of a task

// Before each record of what a task made, and its entries.
struct made {
    struct store_key module;
    uint32_t kind, count, size;
};

// ---- in the child

static _Noreturn void fail(int memory, const char *why) {
    bool said = !ftruncate(memory, 0) && !lseek(memory, 0, SEEK_SET) && !io_write(memory, why, strlen(why) + 1);
    _exit(said ? 1 : 2);
}

static bool copy_file(const char *path, int memory) {
    enum { CHUNK = 1 << 20 };
    static char chunk[CHUNK];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    long got = fd < 0 ? -1 : CHUNK;
    while (got == CHUNK) {
        got = io_read(fd, chunk, sizeof chunk);
        if (got > 0 && io_write(memory, chunk, (size_t)got)) got = -1;
    }
    if (fd >= 0) close(fd);
    return got >= 0;
}

static void *map(int memory, size_t *size) {
    struct stat about;
    if (fstat(memory, &about) || !about.st_size) return NULL;
    void *mapped = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, memory, 0);
    *size = mapped == MAP_FAILED ? 0 : (size_t)about.st_size;
    return *size ? mapped : NULL;
}

// The file's bytes, then blocks, then struct found, each at a multiple of 16.
static bool write_found(int memory, const struct discovery *discovery, struct found *found, size_t size) {
    static const char zeros[16];
    size_t bytes = discovery->blocks * sizeof *discovery->block;
    found->blocks_at = (size + 15) & ~UINT64_C(15);
    found->blocks = discovery->blocks;
    found->functions = discovery->functions;
    return !io_write(memory, zeros, found->blocks_at - size) && !io_write(memory, discovery->block, bytes) &&
           !io_write(memory, zeros, -bytes & 15) && !io_write(memory, found, sizeof *found);
}

static _Noreturn void find_blocks(const struct wanted *wanted, const struct target *target, int memory) {
    struct discovery discovery;
    struct found found;
    const char *why = "it cannot be read";
    size_t size;
    if (!copy_file(target->path, memory)) fail(memory, why);
    const uint8_t *bytes = map(memory, &size);
    if (!bytes || modules_read(memory, &found.modules, &why) != MODULES_READ) fail(memory, why);
    if (discover(bytes, size, wanted->features, &discovery, &why)) fail(memory, why);
    record_hash(bytes, size, found.hash);
    if (lseek(memory, 0, SEEK_END) < 0 || !write_found(memory, &discovery, &found, size))
        fail(memory, "there is not enough memory");
    _exit(0);
}

// One that discovery found and no run came to.
static void add_block(const struct target *target, const struct discovery_block *block, uint8_t marks) {
    const struct file_modules *modules = &target->found->modules;
    for (unsigned i = 0; i < modules->count; i++) {
        const struct file_module *module = &modules->module[i];
        uint64_t at = block->offset - module->start;
        if (at >= module->bytes || block->bytes > module->bytes - at) continue;
        enum profiled known = profiles_know(i, at, block->bytes);
        if (known == PROFILED_EXECUTED) continue;
        bool rest = known == PROFILED_NEVER;
        struct pages *pages = rest ? pages_of_rest(&module->key, target->path, 0) : pages_of(&module->key, target->path, 0);
        pages->whole = profiles_has(i);
        pages_add(pages, at, target->bytes + module->offset + at, block->bytes);
        pages_mark(pages, at, marks);
    }
}

static void hand_over(void *data, const struct store_key *module, const char *name, const struct writer_record *record) {
    int memory = *(const int *)data;
    const struct made made = {*module, record->kind, record->count, record->size};
    (void)name;
    if (io_write(memory, &made, sizeof made) || io_write(memory, record->entries, record->count * sizeof *record->entries) ||
        io_write(memory, record->bytes, record->size))
        fail(memory, "there is not enough memory");
}

static void begin_making(const struct wanted *wanted, const struct target *target) {
    store_start(&(struct store_settings){.directory = wanted->directory, .system = wanted->system, .profiles = wanted->profiles},
                &wanted->build);
    sheet_begin(wanted->isa, wanted->features);
    if (profiles_wanted(wanted)) profiles_open(&target->found->modules);
}

// What runs came to between the task's first page and that of the next task: also where discovery found nothing.
static void add_profiled(const struct task *task) {
    const struct target *target = task->target;
    uint64_t from = task->from ? target->block[task->from].offset / PAGE * PAGE : 0;
    profiles_add(target, from, task->to < target->blocks ? target->block[task->to].offset / PAGE * PAGE : UINT64_MAX);
}

static _Noreturn void make_sheets(const struct wanted *wanted, const struct task *task) {
    int memory = task->memory;
    begin_making(wanted, task->target);
    for (uint32_t i = task->from; i < task->to; i++) add_block(task->target, &task->target->block[i], 0);
    add_profiled(task);
    sheets_make(hand_over, &memory);
    _exit(0);
}

// Where no run told which loops are hot, all are.
static void add_loops(const struct target *target) {
    const struct discovery_block *block = target->block;
    for (uint32_t i = 0; i < target->blocks; i++) add_block(target, &block[i], CHANNEL_WARM | CHANNEL_HOT);
}

static _Noreturn void make_regions(const struct wanted *wanted, const struct task *task) {
    static _Alignas(64) uint8_t arena[ARENA_BYTES];
    const char *why;
    int memory = task->memory;
    struct compiler *compiler = compile_begin(wanted->isa, wanted->features, arena, sizeof arena, &why);
    if (!compiler) fail(memory, why);
    begin_making(wanted, task->target);
    profiles_add(task->target, 0, UINT64_MAX);
    if (wanted->loops) add_loops(task->target);
    regions_decide(wanted->isa, wanted->features, false);
    regions_share(task->part, task->target->parts);
    regions_compile(compiler, arena, HUGE_VAL, hand_over, &memory);
    _exit(0);
}

// ---- in the parent

// The child, or 0 in the child, which ends with us.
static pid_t begin(struct task *task, struct target *target) {
    pid_t parent = getpid();
    *task = (struct task){.target = target, .kind = TASK_DISCOVER, .memory = memfd_create("precompile", MFD_CLOEXEC)};
    task->pid = task->memory < 0 ? -1 : fork();
    if (task->pid < 0 && task->memory >= 0) close(task->memory);
    if (!task->pid && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)) _exit(1);
    return task->pid;
}

bool task_discover(struct task *task, const struct wanted *wanted, struct target *target) {
    target->begun = precompile_now();
    if (!begin(task, target)) find_blocks(wanted, target, task->memory);
    if (task->pid > 0) target->state = TARGET_DISCOVERING;
    target->tasks += task->pid > 0;
    return task->pid > 0;
}

static uint32_t end_of_pages(const struct target *target, uint32_t from) {
    uint32_t to = from;
    uint64_t end = target->block[from].offset / PAGE + PAGES;
    while (to < target->blocks && target->block[to].offset / PAGE < end) to++;
    return to;
}

bool task_make(struct task *task, const struct wanted *wanted, struct target *target) {
    uint32_t from = target->next, to = end_of_pages(target, from);
    pid_t pid = begin(task, target);
    task->kind = TASK_SHEETS;
    task->from = from;
    task->to = to;
    if (!pid) make_sheets(wanted, task);
    if (pid > 0) target->next = to;
    target->tasks += pid > 0;
    return pid > 0;
}

bool task_compile(struct task *task, const struct wanted *wanted, struct target *target) {
    unsigned part = target->next_part;
    pid_t pid = begin(task, target);
    task->kind = TASK_REGIONS;
    task->part = part;
    if (!pid) make_regions(wanted, task);
    target->next_part += pid > 0;
    target->tasks += pid > 0;
    return pid > 0;
}

static const char *take_found(struct target *target, const struct wanted *wanted, int memory) {
    target->bytes = map(memory, &target->found_size);
    if (!target->bytes) return "there is not enough memory";
    target->found = (const struct found *)(target->bytes + target->found_size - sizeof *target->found);
    target->block = (const struct discovery_block *)(target->bytes + target->found->blocks_at);
    target->modules = target->found->modules;
    target->functions = target->found->functions;
    target->blocks = target->found->blocks;
    target->parts = wanted->loops || (profiles_wanted(wanted) && profiles_any(&target->modules)) ? wanted->jobs : 0;
    target->state = TARGET_MAKING;
    return NULL;
}

static void take_records(const struct task *task, struct writer *writer) {
    struct target *target = task->target;
    size_t size = 0, at = 0;
    const uint8_t *bytes = map(task->memory, &size);
    while (at < size) {
        struct made made;
        uint32_t entries[CHANNEL_BLOCKS];
        memcpy(&made, bytes + at, sizeof made);
        at += sizeof made;
        memcpy(entries, bytes + at, made.count * sizeof *entries);
        at += made.count * sizeof *entries;
        const struct writer_record record = {
            .kind = made.kind, .count = made.count, .entries = entries, .bytes = bytes + at, .size = made.size};
        writer_add(writer, &made.module, target->path, &record);
        target->sheets += task->kind == TASK_SHEETS;
        target->regions += task->kind == TASK_REGIONS;
        target->made_bytes += made.size;
        at += made.size;
    }
    if (bytes) munmap((void *)(uintptr_t)bytes, size);
    target->done += task->to - task->from;
}

static const char *reason(const struct task *task, int status) {
    static char why[200];
    ssize_t got = WIFEXITED(status) && WEXITSTATUS(status) == 1 ? pread(task->memory, why, sizeof why - 1, 0) : 0;
    if (got <= 0) return "it made its process fail";
    why[got] = 0;
    return why;
}

const char *task_end(struct task *task, int status, const struct wanted *wanted, struct writer *writer) {
    const char *why = NULL;
    task->target->tasks--;
    if (status) why = reason(task, status);
    else if (task->kind == TASK_DISCOVER) why = take_found(task->target, wanted, task->memory);
    else take_records(task, writer);
    close(task->memory);
    task->pid = 0;
    return why;
}

void task_kill(struct task *task) {
    kill(task->pid, SIGKILL);
    waitpid(task->pid, NULL, 0);
    close(task->memory);
    task->pid = 0;
}

void target_forget_found(struct target *target) {
    if (target->bytes) munmap((void *)(uintptr_t)target->bytes, target->found_size);
    target->bytes = NULL;
    target->found = NULL;
    target->block = NULL;
}
