// System calls on memory. What changes the address space goes through runtime/mem.h, which knows what is the guest's; the rest
// is the host's call, once it is certain that only guest memory is meant.
#include "guest-os/linux-user/task.h"
#include "runtime/base/sys.h"
#include "runtime/code.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/uio.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

enum { MAX_VECTORS = 1024 /* UIO_MAXIOV */ };

syscall_function sys_mmap, sys_munmap, sys_mprotect, sys_pkey_mprotect, sys_mremap, sys_brk, sys_madvise, sys_msync, sys_mincore,
    sys_mlock, sys_mlock2, sys_munlock, sys_mlockall, sys_munlockall, sys_remap_file_pages, sys_shmat, sys_shmdt,
    sys_process_vm_readv, sys_process_vm_writev, sys_process_madvise, sys_memfd_secret, sys_mseal, sys_riscv_flush_icache,
    sys_set_mempolicy, sys_mbind, sys_get_mempolicy, sys_set_mempolicy_home_node;

long sys_mmap(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_map(a[0], a[1], (int)a[2], (int)a[3], (int)a[4], a[5], MEM_PLAIN);
}

long sys_munmap(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_unmap(a[0], a[1]);
}

long sys_mprotect(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_protect(a[0], a[1], (int)a[2]);
}

// No guest has protection keys: only "none" is one (man 2 pkey_mprotect).
long sys_pkey_mprotect(struct task *task, const uint64_t a[6]) {
    (void)task;
    return (int)a[3] == -1 ? mem_protect(a[0], a[1], (int)a[2]) : -EINVAL;
}

long sys_mremap(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_remap(a[0], a[1], a[2], (int)a[3], a[4]);
}

long sys_brk(struct task *task, const uint64_t a[6]) {
    (void)task;
    return (long)mem_brk(a[0]);
}

long sys_madvise(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_advise(a[0], a[1], (int)a[2]);
}

long sys_mseal(struct task *task, const uint64_t a[6]) {
    (void)task;
    return a[2] ? -EINVAL : mem_seal(a[0], a[1]);
}

// ---- calls on a range that change nothing we keep

// Beyond the guest's addresses nothing is mapped, as far as the guest can know.
static bool is_out(uint64_t address, uint64_t size) {
    return !mem_is_guest(address, size);
}

long sys_msync(struct task *task, const uint64_t a[6]) {
    if (a[0] % MEM_PAGE || a[2] & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) return -EINVAL;
    if (is_out(a[0], a[1])) return a[1] ? -ENOMEM : 0;
    return task_blocking(task, SYS_msync, (long)a[0], (long)a[1], (long)a[2], 0, 0, 0);
}

long sys_mincore(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (a[0] % MEM_PAGE) return -EINVAL;
    if (is_out(a[0], a[1])) return -ENOMEM;
    if (!mem_is_guest(a[2], (a[1] + MEM_PAGE - 1) / MEM_PAGE)) return -EFAULT;
    return host_call(mincore, a[0], a[1], a[2]);
}

long sys_mlock(struct task *task, const uint64_t a[6]) {
    (void)task;
    return is_out(a[0], a[1]) ? -ENOMEM : host_call(mlock, a[0], a[1]);
}

long sys_mlock2(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (a[2] & ~UINT64_C(1)) return -EINVAL;
    return is_out(a[0], a[1]) ? -ENOMEM : host_call(mlock2, a[0], a[1], a[2]);
}

long sys_munlock(struct task *task, const uint64_t a[6]) {
    (void)task;
    return is_out(a[0], a[1]) ? -ENOMEM : host_call(munlock, a[0], a[1]);
}

long sys_mlockall(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_lock_all((int)a[0]);
}

long sys_munlockall(struct task *task, const uint64_t a[6]) {
    (void)task, (void)a;
    return mem_unlock_all();
}

// Other pages of the same file appear; area and permissions stay what they are.
long sys_remap_file_pages(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (is_out(a[0], a[1])) return -EINVAL;
    long result = host_call(remap_file_pages, a[0], a[1], a[2], a[3], a[4]);
    code_invalidate(a[0] & ~(MEM_PAGE - 1), a[1]);
    return result;
}

long sys_set_mempolicy(struct task *task, const uint64_t a[6]) {
    (void)task;
    return is_out(a[1], 0) ? -EFAULT : host_call(set_mempolicy, a[0], a[1], a[2]);
}

long sys_get_mempolicy(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (is_out(a[0], sizeof(int)) || is_out(a[1], 0) || is_out(a[3], 0)) return -EFAULT;
    return host_call(get_mempolicy, a[0], a[1], a[2], a[3], a[4]);
}

long sys_mbind(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (a[0] % MEM_PAGE) return -EINVAL;
    if (is_out(a[0], a[1]) || is_out(a[3], 0)) return -EFAULT;
    return host_call(mbind, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long sys_set_mempolicy_home_node(struct task *task, const uint64_t a[6]) {
    (void)task;
    return is_out(a[0], a[1]) ? -EINVAL : host_call(set_mempolicy_home_node, a[0], a[1], a[2], a[3]);
}

long sys_memfd_secret(struct task *task, const uint64_t a[6]) {
    (void)task;
    return host_call(memfd_secret, a[0]);
}

// ---- shared memory segments

long sys_shmat(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct shmid_ds segment;
    long result = host_call(shmctl, a[0], IPC_STAT, &segment);
    return result < 0 ? result : mem_attach((int)a[0], a[1], (int)a[2], segment.shm_segsz);
}

long sys_shmdt(struct task *task, const uint64_t a[6]) {
    (void)task;
    return mem_detach(a[0]);
}

// ---- other processes' memory

// A guest's struct iovec array as our own copy, of guest memory only: whoever changes the original afterwards cannot make the
// kernel read or write what is not the guest's.
static long copy_vectors(struct iovec *to, uint64_t from, uint64_t count) {
    if (mem_copy_in(to, from, count * sizeof *to) < 0) return -EFAULT;
    for (uint64_t i = 0; i < count; i++) {
        if ((int64_t)to[i].iov_len < 0) return -EINVAL;
        if (!mem_is_guest((uint64_t)(uintptr_t)to[i].iov_base, to[i].iov_len) && to[i].iov_len) return -EFAULT;
    }
    return 0;
}

static long transfer(long number, const uint64_t a[6]) {
    struct iovec local[MAX_VECTORS], remote[MAX_VECTORS];
    if (a[5]) return -EINVAL;
    if (a[2] > MAX_VECTORS || a[4] > MAX_VECTORS) return -EINVAL;
    long result = copy_vectors(local, a[1], a[2]);
    if (!result) result = copy_vectors(remote, a[3], a[4]);
    return result ? result : host_call_number(number, a[0], local, a[2], remote, a[4]);
}

long sys_process_vm_readv(struct task *task, const uint64_t a[6]) {
    (void)task;
    return transfer(SYS_process_vm_readv, a);
}

// What was written may be code, of this process or of another.
long sys_process_vm_writev(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct iovec remote[MAX_VECTORS];
    long result = transfer(SYS_process_vm_writev, a), left = result;
    if (result <= 0 || copy_vectors(remote, a[3], a[4]) < 0) return result;
    for (uint64_t i = 0; i < a[4] && left > 0; i++) {
        uint64_t size = remote[i].iov_len < (uint64_t)left ? remote[i].iov_len : (uint64_t)left;
        if (a[0] == (uint64_t)host_call(getpid)) code_invalidate((uint64_t)(uintptr_t)remote[i].iov_base, size);
        else tracer_wrote((int)a[0], (uint64_t)(uintptr_t)remote[i].iov_base, size);
        left -= (long)size;
    }
    return result;
}

long sys_process_madvise(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct iovec vectors[MAX_VECTORS];
    if (a[2] > MAX_VECTORS) return -EINVAL;
    long result = copy_vectors(vectors, a[1], a[2]);
    return result ? result : host_call(process_madvise, a[0], vectors, a[2], a[3], a[4]);
}

// ---- code

// The range is advice on hardware; here it says what to translate again. None, as sloppy callers give, means anything.
long sys_riscv_flush_icache(struct task *task, const uint64_t a[6]) {
    (void)task;
    if (a[2] & ~UINT64_C(1)) return -EINVAL;
    if (a[0] < a[1] && mem_is_guest(a[0], a[1] - a[0])) code_invalidate(a[0], a[1] - a[0]);
    else code_sync();
    return 0;
}
