// What a tracer's runner knows of its tracees: a list of them, their memory, and where in that the state of theirs is. See trace.h.
#include "guest-os/linux-user/tracee.h"
#include "guest-os/linux-user/abi.h"
#include "runtime/base/arena.h"
#include "runtime/base/lock.h"
#include "runtime/base/map.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/host/host.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static struct lock tracees_lock;
static struct map tracees;  // by thread id
static struct tracee *unused;

__attribute__((constructor)) static void register_tracees_lock(void) {
    lock_register(&tracees_lock);
}

void tracer_forked(void) {
    tracees = (struct map){0};  // its memory stays with what the parent's other threads left behind
    unused = NULL;
}

// ---- the list of them

static int group_of(int tid) {
    char path[40], status[512];
    struct text name = TEXT_ON(path);
    text_add(&name, "/proc/%d/status", tid);
    long fd = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tid;
    long got = host_call(read, fd, status, sizeof status - 1);
    host_call(close, fd);
    status[got > 0 ? got : 0] = 0;
    const char *line = strstr(status, "\nTgid:");
    return line ? atoi(line + 6) : tid;
}

struct tracee *tracer_find(int tid) {
    lock_take(&tracees_lock);
    struct tracee *tracee = map_find(&tracees, (uint64_t)tid);
    lock_drop(&tracees_lock);
    return tracee;
}

static struct tracee *take_unused(void) {
    if (!unused) {
        struct tracee *page = pages_take(MEM_PAGE);
        for (size_t i = 0; i < MEM_PAGE / sizeof *page; i++) {
            page[i].next = unused;
            unused = &page[i];
        }
    }
    struct tracee *tracee = unused;
    unused = tracee->next;
    return tracee;
}

struct tracee *tracee__add(int tid) {
    struct tracee *tracee = tracer_find(tid);
    if (tracee) return tracee;
    lock_take(&tracees_lock);
    tracee = take_unused();
    *tracee = (struct tracee){.tid = tid};
    map_insert(&tracees, (uint64_t)tid, tracee);
    lock_drop(&tracees_lock);
    tracee->tgid = group_of(tid);
    return tracee;
}

void tracee__forget(struct tracee *tracee) {
    lock_take(&tracees_lock);
    map_remove(&tracees, (uint64_t)tracee->tid);
    tracee->next = unused;
    unused = tracee;
    lock_drop(&tracees_lock);
}

unsigned tracee__others(int tid, int others[], unsigned room) {
    unsigned count = 0;
    size_t at = 0;
    lock_take(&tracees_lock);
    for (const struct map_entry *entry; (entry = map_next(&tracees, &at)) && count < room;) {
        if ((int)entry->key != tid) others[count++] = (int)entry->key;
    }
    lock_drop(&tracees_lock);
    return count;
}

// ---- its memory

static long transfer(long number, int tid, void *here, uint64_t there, size_t size) {
    struct iovec local = {here, size}, remote = {(void *)(uintptr_t)there, size};
    long done = host_call_number(number, tid, &local, 1, &remote, 1, 0);
    return done == (long)size ? 0 : done < 0 ? done : -EFAULT;
}

long tracer_read(int tid, void *to, uint64_t from, size_t size) {
    return transfer(SYS_process_vm_readv, tid, to, from, size);
}

long tracer_write(int tid, uint64_t to, const void *from, size_t size) {
    return transfer(SYS_process_vm_writev, tid, (void *)(uintptr_t)from, to, size);
}

// The struct task is that of the thread's current cpu. Once known it is so until the thread executes another program; a vfork's
// child may have made its own cpu the current one of both meanwhile.
bool tracee__find_task(struct tracee *tracee) {
    uint64_t pointer, cpu, task, back;
    bool spawning;
    if (tracee->task) return true;
    if (host_traced_thread(tracee->tid, &pointer) < 0 || !pointer) return false;
    if (tracer_read(tracee->tid, &cpu, pointer + (uint64_t)cpu_current_offset(), sizeof cpu) < 0 || !cpu) return false;
    if (tracer_read(tracee->tid, &task, cpu + offsetof(struct cpu, os), sizeof task) < 0) return false;
    if (tracer_read(tracee->tid, &back, task + offsetof(struct task, cpu), sizeof back) < 0 || back != cpu) return false;
    if (tracer_read(tracee->tid, &spawning, task + offsetof(struct task, spawning), sizeof spawning) < 0 || spawning) return false;
    tracee->task = task;
    return true;
}

bool tracee__load(const struct tracee *tracee, struct trace *trace) {
    return tracee->task && tracer_read(tracee->tid, trace, tracee->task + offsetof(struct task, trace), sizeof *trace) == 0;
}

long tracer_store(struct tracee *tracee, const struct trace *trace) {
    return tracer_write(tracee->tid, tracee->task + offsetof(struct task, trace), trace, sizeof *trace);
}

void tracee__raise_pending(const struct tracee *tracee) {
    uint64_t cpu;
    const uint32_t work = PENDING_WORK;
    if (!tracee->task || tracer_read(tracee->tid, &cpu, tracee->task + offsetof(struct task, cpu), sizeof cpu) < 0) return;
    tracer_write(tracee->tid, cpu + offsetof(struct cpu, pending), &work, sizeof work);
}

// ---- code

static void note_written(int tid, uint64_t place, uint64_t address, uint64_t size) {
    struct trace_written written;
    if (!place || tracer_read(tid, &written, place, sizeof written) < 0) return;
    uint32_t at = written.in % TRACE_RANGES, in = written.in + 1;
    written.range[at].start = address;
    written.range[at].size = size;
    uint64_t range = place + offsetof(struct trace_written, range) + at * sizeof written.range[0];
    tracer_write(tid, range, &written.range[at], sizeof written.range[0]);
    tracer_write(tid, place + offsetof(struct trace_written, in), &in, sizeof in);
}

void tracer_wrote(int tid, uint64_t address, uint64_t size) {
    struct tracee *known = tracer_find(tid);
    int group = known ? known->tgid : group_of(tid);
    note_written(tid, known && known->written ? known->written : proc_place(tid, &trace_written), address, size);
    size_t at = 0;
    lock_take(&tracees_lock);
    for (const struct map_entry *entry; (entry = map_next(&tracees, &at));) {
        const struct tracee *tracee = entry->value;
        if (tracee->tgid == group) tracee__raise_pending(tracee);
    }
    lock_drop(&tracees_lock);
}
