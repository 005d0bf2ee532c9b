// System calls that would tell about the host's processor, or whose effect must stop short of the runner.
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

long sys_uname(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct utsname name;
    long error = host_call(uname, &name);
    if (error < 0) return error;
    memset(name.machine, 0, sizeof name.machine);
    strcpy(name.machine, guest_abi->uname_machine);
    return mem_copy_out(a[0], &name, sizeof name);
}

// What the kernel would do to the process as a whole is done; what needs the guest's registers or would trap our own calls is refused
// as on a kernel built without it.
long sys_prctl(struct task *task, const uint64_t a[6]) {
    switch ((int)a[0]) {
    case PR_SET_SECCOMP:
    case PR_SET_MM:
    case PR_SET_SYSCALL_USER_DISPATCH:
    case PR_SET_TSC:
    case PR_GET_TSC:
    case PR_SET_FPEMU:
    case PR_GET_FPEMU: return -EINVAL;
    case PR_GET_SECCOMP: return 0;
    default: break;
    }
    long own = guest_abi->prctl(task, a);
    return own != -ENOSYS ? own : host_call(prctl, a[0], a[1], a[2], a[3], a[4]);
}

// Limits on memory count the runner's own and its reservations; they are kept for the guest to read, not given to the host.
static struct rlimit kept[RLIM_NLIMITS];
static bool is_kept[RLIM_NLIMITS];

static bool counts_memory(uint64_t resource) {
    return resource == RLIMIT_AS || resource == RLIMIT_DATA;
}

long sys_prlimit64(struct task *task, const uint64_t a[6]) {
    (void)task;
    uint64_t resource = a[1];
    bool own = !a[0] || a[0] == (uint64_t)host_call(getpid);
    if (!own || !counts_memory(resource))
        return mem_is_guest(a[2], 1) && mem_is_guest(a[3], 1) ? host_call(prlimit64, a[0], a[1], a[2], a[3]) : -EFAULT;
    struct rlimit old, new;
    long error = host_call(prlimit64, 0, resource, 0, &old);
    if (error < 0) return error;
    if (is_kept[resource]) old = kept[resource];
    if (a[2]) {
        if (mem_copy_in(&new, a[2], sizeof new) < 0) return -EFAULT;
        if (new.rlim_cur > new.rlim_max) return -EINVAL;
        if (new.rlim_max > old.rlim_max) return -EPERM;
        kept[resource] = new;
        is_kept[resource] = true;
    }
    return a[3] && mem_copy_out(a[3], &old, sizeof old) < 0 ? -EFAULT : 0;
}

long sys_getrlimit(struct task *task, const uint64_t a[6]) {
    const uint64_t arguments[6] = {0, a[0], 0, a[1]};
    return sys_prlimit64(task, arguments);
}

long sys_setrlimit(struct task *task, const uint64_t a[6]) {
    const uint64_t arguments[6] = {0, a[0], a[1], 0};
    return sys_prlimit64(task, arguments);
}
