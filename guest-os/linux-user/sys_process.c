// System calls about the calling process or thread.
#include "guest-os/linux-user/process.h"
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <linux/futex.h>

long sys_set_tid_address(struct task *task, const uint64_t a[6]) {
    task->clear_tid = a[0];
    return task->tid;
}

long sys_set_robust_list(struct task *task, const uint64_t a[6]) {
    enum { HEAD_BYTES = 24 };
    if (a[1] != HEAD_BYTES) return -EINVAL;
    task->robust_head = a[0];
    task->robust_size = a[1];
    // The kernel walks it too, if the process is killed; no code of ours uses robust futexes.
    return host_call(set_robust_list, a[0], a[1]);
}

long sys_get_robust_list(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (!mem_is_guest(a[1], 8) || !mem_is_guest(a[2], 8)) return -EFAULT;
    return host_call(get_robust_list, a[0], a[1], a[2]);
}

// man 2 futex: an absolute or relative timeout must not begin anew, so calls that have one are not made again.
long sys_futex(struct task *task, const uint64_t a[6]) {
    int operation = (int)a[1] & FUTEX_CMD_MASK;
    bool times = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI ||
                 operation == FUTEX_WAIT_REQUEUE_PI || operation == FUTEX_LOCK_PI2;
    bool two = operation == FUTEX_REQUEUE || operation == FUTEX_CMP_REQUEUE || operation == FUTEX_WAKE_OP ||
               operation == FUTEX_WAIT_REQUEUE_PI ||
               operation == FUTEX_CMP_REQUEUE_PI;  // an argument that an operation does not use holds anything
    if (!mem_is_guest(a[0], 4) || (times && !mem_is_guest(a[3], 1)) || (two && !mem_is_guest(a[4], 4))) return -EFAULT;
    if (times && a[3]) task->restart = RESTART_NEVER;
    return task_blocking(task, SYS_futex, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
}
