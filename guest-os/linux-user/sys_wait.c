// wait4(2) and waitid(2): the host's, without what it has to say of tracees that is none of the guest's business (tracer.c), nor of our helpers.
#include "guest-os/linux-user/syscall.h"
#include "guest-os/linux-user/trace.h"
#include "runtime/base/sys.h"
#include "runtime/compiler.h"
#include "runtime/fault.h"
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

// A tracee that is stopped for no reason of the guest's may hold up the one that is waited for: while there are several, nobody sleeps for long
// without looking after the others. -EINTR in the end, with the same meaning as that of a wait.
static long nap(struct task *task, int tid, unsigned *turn) {
    const struct timespec time = {.tv_nsec = *turn < 5 ? 50000L << *turn : 2000000};
    ++*turn;
    tracer_tend(tid);
    long result = task_blocking(task, SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, 0, 0, 0);
    return result == -EINTR || result == -FAULT_INTERRUPTED ? result : 0;
}

// Waits with host call `number`, whose options are `arguments[options_at]`; *found: what it says who it found.
static long wait_for(struct task *task, long number, int tid, uint64_t a[6], unsigned options_at, const int *found) {
    uint64_t options = a[options_at];
    bool patient = tid > 0 && !(options & WNOHANG) && tracer_tend(tid);
    for (unsigned turn = 0;;) {
        a[options_at] = patient ? options | WNOHANG : options;
        long result = task_blocking(task, number, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], 0);
        if (!patient || result || *found) return result;
        result = nap(task, tid, &turn);
        if (result) return result;
    }
}

long sys_wait4(struct task *task, const uint64_t a[6]) {
    struct rusage usage;
    int status = 0;
    for (;;) {
        uint64_t arguments[6] = {a[0], (uintptr_t)&status, a[2], a[3] ? (uintptr_t)&usage : 0};
        const int nobody = 0;
        long result = wait_for(task, SYS_wait4, (int)a[0], arguments, 2, &nobody);
        if (result <= 0) return result;
        if (compiler_reap((int)result) || !tracer_look((int)result, &status)) continue;
        if (a[1] && mem_copy_out(a[1], &status, sizeof status) < 0) return -EFAULT;
        if (a[3] && mem_copy_out(a[3], &usage, sizeof usage) < 0) return -EFAULT;
        return result;
    }
}

// What wait4 would say.
static int status_of(const siginfo_t *info) {
    switch (info->si_code) {
    case CLD_EXITED: return (info->si_status & 0xff) << 8;
    case CLD_KILLED: return info->si_status & 0x7f;
    case CLD_DUMPED: return (info->si_status & 0x7f) | 0x80;
    case CLD_CONTINUED: return 0xffff;
    default: return info->si_status << 8 | 0x7f;
    }
}

// Whether what waitid found is for the guest. Where it was only to be looked at, what is not goes away now.
static bool is_for_guest(siginfo_t *info, uint64_t options) {
    int status = status_of(info), taken;
    bool ended = !WIFSTOPPED(status) && !WIFCONTINUED(status);
    if (ended && options & WNOWAIT) return true;
    if (options & WNOWAIT && info->si_code == CLD_TRAPPED) {
        if (tracer_shows(info->si_pid, &info->si_status)) return true;
        if (host_call(wait4, info->si_pid, &taken, WNOHANG | __WALL, 0) != info->si_pid) return false;
    }
    bool mine = tracer_look(info->si_pid, &status);
    if (mine && WIFSTOPPED(status)) info->si_status = status >> 8;
    return mine;
}

long sys_waitid(struct task *task, const uint64_t a[6]) {
    struct rusage usage;
    for (;;) {
        siginfo_t info;
        memset(&info, 0, sizeof info);
        uint64_t arguments[6] = {a[0], a[1], (uintptr_t)&info, a[3], a[4] ? (uintptr_t)&usage : 0};
        long result = wait_for(task, SYS_waitid, a[0] == P_PID ? (int)a[1] : 0, arguments, 3, &info.si_pid);
        if (result < 0) return result;
        if (info.si_pid && (compiler_reap(info.si_pid) || !is_for_guest(&info, a[3]))) continue;
        if (a[2] && mem_copy_out(a[2], &info, sizeof info) < 0) return -EFAULT;
        if (a[4] && info.si_pid && mem_copy_out(a[4], &usage, sizeof usage) < 0) return -EFAULT;
        return result;
    }
}
