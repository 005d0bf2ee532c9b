// System V IPC control calls: the kernel's structures are the same but for struct semid64_ds, which is longer on x86-64.
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

// asm-generic/sembuf.h, and x86's with a gap after each time.
struct ipc_perm_kernel {
    uint8_t bytes[48];
};
struct guest_semid_ds {
    struct ipc_perm_kernel perm;
    uint64_t otime, ctime, nsems, unused[2];
};
struct x86_semid_ds {
    struct ipc_perm_kernel perm;
    uint64_t otime, gap1, ctime, gap2, nsems, unused[2];
};
_Static_assert(sizeof(struct guest_semid_ds) == 88 && sizeof(struct x86_semid_ds) == 104, "the kernel's sizes");

static long semctl_stat(const uint64_t a[6], uint64_t command) {
    struct x86_semid_ds host;
    long result = host_call(semctl, a[0], a[1], command, &host);
    if (result < 0) return result;
    struct guest_semid_ds guest = {.perm = host.perm, .otime = host.otime, .ctime = host.ctime, .nsems = host.nsems};
    return mem_copy_out(a[3], &guest, sizeof guest) < 0 ? -EFAULT : result;
}

static long semctl_set(const uint64_t a[6], uint64_t command) {
    struct guest_semid_ds guest;
    if (mem_copy_in(&guest, a[3], sizeof guest) < 0) return -EFAULT;
    struct x86_semid_ds host = {.perm = guest.perm, .otime = guest.otime, .ctime = guest.ctime, .nsems = guest.nsems};
    return host_call(semctl, a[0], a[1], command, &host);
}

long sys_semctl(struct task *task, const uint64_t a[6]) {
    (void)task;
    switch ((int)a[2]) {
#ifdef __x86_64__
    case IPC_STAT:
    case SEM_STAT:
    case 20:  // SEM_STAT_ANY
        return semctl_stat(a, a[2]);
    case IPC_SET: return semctl_set(a, a[2]);
#endif
    case GETALL:
    case SETALL:
    case IPC_INFO:
    case SEM_INFO:
        if (!mem_is_guest(a[3], 1)) return -EFAULT;
        break;
    default: break;
    }
    return host_call(semctl, a[0], a[1], a[2], a[3]);
}

long sys_msgctl(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_is_guest(a[2], 1) ? host_call(msgctl, a[0], a[1], a[2]) : -EFAULT;
}

long sys_shmctl(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_is_guest(a[2], 1) ? host_call(shmctl, a[0], a[1], a[2]) : -EFAULT;
}
