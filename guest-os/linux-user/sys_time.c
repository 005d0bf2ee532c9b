// Clocks: answered by the host's vDSO through the C library, without entering the kernel.
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <sys/time.h>
#include <time.h>

long sys_clock_gettime(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct timespec now;
    if (clock_gettime((clockid_t)a[0], &now) < 0) return -EINVAL;
    return mem_copy_out(a[1], &now, sizeof now);
}

long sys_gettimeofday(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct timeval now;
    struct timezone zone;
    if (a[1]) {
        long error = host_call(gettimeofday, &now, &zone);
        if (error < 0 || mem_copy_out(a[1], &zone, sizeof zone) < 0) return error < 0 ? error : -EFAULT;
    } else {
        gettimeofday(&now, NULL);
    }
    return a[0] ? mem_copy_out(a[0], &now, sizeof now) : 0;
}
