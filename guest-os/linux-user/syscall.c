// Dispatches guest system calls by the table in syscalls.def. Pointers need no translation, so a row of PASS or BLOCK is the whole
// implementation of a call whose structures are alike on all 64-bit Linux; only paths are looked up in the guest's root first.
#include "guest-os/linux-user/syscall.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/strace.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include "runtime/fault.h"
#include "runtime/options.h"
#include <errno.h>
#include <limits.h>
#include <linux/ptrace.h>
#include <stdio.h>
#include <string.h>

// Numbers that the host's C library may be too old to know: calls newer than 5.17 have the same number everywhere.
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif
#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules 461
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

const struct syscall_row syscall_table[SYSCALL_LIMIT] = {
#define PASS(number, name, restart, arguments) [number] = {#name, SYSCALL_PASS, SYS_##name, 0, RESTART_##restart, arguments, NULL},
#define BLOCK(number, name, restart, arguments) \
    [number] = {#name, SYSCALL_BLOCK, SYS_##name, 0, RESTART_##restart, arguments, NULL},
#define OWN(number, name, restart, arguments) [number] = {#name, SYSCALL_OWN, -1, 0, RESTART_##restart, arguments, sys_##name},
#define ERROR(number, name, error, arguments) [number] = {#name, SYSCALL_ERROR, -1, error, RESTART_NONE, arguments, NULL},
#include "guest-os/linux-user/syscalls.def"
#undef PASS
#undef BLOCK
#undef OWN
#undef ERROR
};

static bool is_pointer(char letter) {
    return letter == 'p' || letter == 't' || letter == 's' || letter == 'l';
}

static bool pointers_are_guest(const char *letters, const uint64_t a[6]) {
    for (unsigned i = 0; letters[i]; i++) {
        if (is_pointer(letters[i]) && !mem_is_guest(a[i], 1)) return false;
    }
    return true;
}

long task_blocking(struct task *task, long number, long a, long b, long c, long d, long e, long f) {
    code_before_wait();
    return fault_syscall(&task->cpu->pending, number, a, b, c, d, e, f);
}

static long make(struct task *task, const struct syscall_row *row, const uint64_t a[6]) {
    if (row->how == SYSCALL_BLOCK) {
        long result = task_blocking(task, row->host, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
        if (__atomic_load_n(&proc_memory_open, __ATOMIC_RELAXED) && result > 0) proc_memory_written(row->host, a, (uint64_t)result);
        return result;
    }
    return host_call_number(row->host, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// With a root of the guest's: paths are copied out and looked up before the host sees them.
static long make_with_paths(struct task *task, const struct syscall_row *row, const uint64_t a[6]) {
    char guest[2][PATH_MAX], host[2][PATH_MAX];
    uint64_t changed[6];
    unsigned paths = 0;
    for (unsigned i = 0; i < 6; i++) changed[i] = a[i];
    for (unsigned i = 0; row->arguments[i]; i++) {
        if ((row->arguments[i] != 's' && row->arguments[i] != 'l') || !a[i] || paths == 2) continue;
        long length = mem_string_in(guest[paths], a[i], PATH_MAX);
        if (length < 0) return length;
        changed[i] = (uintptr_t)path_host(guest[paths], row->arguments[i] == 's', host[paths]);
        paths++;
    }
    return make(task, row, changed);
}

static bool has_paths(const char *letters) {
    for (; *letters; letters++) {
        if (*letters == 's' || *letters == 'l') return true;
    }
    return false;
}

static long call(struct task *task, const struct syscall_row *row, const uint64_t a[6]) {
    switch (row->how) {
    case SYSCALL_MISSING: return -ENOSYS;
    case SYSCALL_ERROR: return -row->error;
    case SYSCALL_OWN: return row->own(task, a);
    default:
        if (!pointers_are_guest(row->arguments, a)) return -EFAULT;
        return options.sysroot && has_paths(row->arguments) ? make_with_paths(task, row, a) : make(task, row, a);
    }
}

// A call that a signal ended leaves its fate to signal_deliver, which knows whether a handler runs; see enum restart.
static void finish(struct task *task, long result) {
    struct cpu *cpu = task->cpu;
    bool ended = result == -EINTR || result == -FAULT_INTERRUPTED;
    task->interrupted = ended && task->restart != RESTART_NONE;
    task->not_made = result == -FAULT_INTERRUPTED;
    cpu->slot[guest_abi->result_slot] = (uint64_t)(task->not_made ? -EINTR : result);
    if (task->not_made) __atomic_store_n(&cpu->pending, PENDING_WORK, __ATOMIC_SEQ_CST);
}

// The tracer may have changed number and arguments. A number of -1 says that there is to be no call; what the tracer put into the
// result's register is its result then.
static bool is_cancelled(struct task *task, uint64_t *number) {
    struct cpu *cpu = task->cpu;
    uint64_t before = cpu->slot[guest_abi->result_slot];
    trace_call(task, PTRACE_SYSCALL_INFO_ENTRY);
    guest_abi->syscall_arguments(cpu->slot, number, task->syscall_argument);
    if (*number != ~UINT64_C(0)) return false;
    if (cpu->slot[guest_abi->result_slot] == before) cpu->slot[guest_abi->result_slot] = (uint64_t)-ENOSYS;
    return true;
}

void syscall_dispatch(struct cpu *cpu) {
    static const struct syscall_row missing;
    struct task *task = task_of(cpu);
    uint64_t number, *a = task->syscall_argument;
    guest_abi->syscall_arguments(cpu->slot, &number, a);
    task->syscall_number = number;
    if (task->trace.calls && is_cancelled(task, &number)) {
        trace_call(task, PTRACE_SYSCALL_INFO_EXIT);
        return;
    }
    const struct syscall_row *row = number < SYSCALL_LIMIT ? &syscall_table[number] : &missing;
    task->syscall_number = number;
    task->syscall_pc = cpu->pc - guest_abi->instruction_size_of_syscall;
    task->restart = row->restart;
    task->no_result = false;
    task->in_syscall = true;
    if (options.strace) strace_before(task, row);
    long result = call(task, row, a);
    if (options.strace) strace_after(task, row, result);
    task->in_syscall = false;
    if (!task->no_result) finish(task, result);
    if (task->trace.calls) trace_call(task, PTRACE_SYSCALL_INFO_EXIT);
}

// ---- for people

static const char *state_of(const struct syscall_row *row) {
    static const char *const words[] = {"missing", "works", "works", "works", "errno"};
    return words[row->how];
}

void syscall_table_print(bool json) {
    if (json) printf("{\"schema\": 1, \"syscalls\": [");
    const char *comma = "";
    for (unsigned i = 0; i < SYSCALL_LIMIT; i++) {
        const struct syscall_row *row = &syscall_table[i];
        if (!row->name) continue;
        const char *error = row->how == SYSCALL_ERROR ? strerrorname_np(row->error) : "";
        if (json)
            printf("%s{\"number\": %u, \"name\": \"%s\", \"state\": \"%s\", \"errno\": \"%s\"}", comma, i, row->name, state_of(row),
                   error);
        else printf("%3u %-24s %s %s\n", i, row->name, state_of(row), error);
        comma = ", ";
    }
    if (json) printf("]}\n");
}
