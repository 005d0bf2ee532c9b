// System calls on paths and files that need more than the kernel: the guest's root, and files of /proc that would show us.
#include "cache/store.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/base/sys.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>

static long open_path(struct task *task, int dirfd, const char *path, uint64_t flags, uint64_t mode) {
    long fd = proc_open(task, dirfd, path, (int)flags, (int)mode);
    if (fd != -ENOSYS) return fd;
    char host[PATH_MAX];
    const char *at = path_host(path, !(flags & O_NOFOLLOW), host);
    return task_blocking(task, SYS_openat, dirfd, (long)at, (long)flags, (long)mode, 0, 0);
}

long sys_openat(struct task *task, const uint64_t a[6]) {
    char path[PATH_MAX];
    long length = mem_string_in(path, a[1], sizeof path);
    task->restart = RESTART_SA;  // opening a FIFO waits
    return length < 0 ? length : open_path(task, (int)a[0], path, a[2], a[3]);
}

long sys_openat2(struct task *task, const uint64_t a[6]) {
    char path[PATH_MAX], host[PATH_MAX];
    struct open_how how = {0};
    long length = mem_string_in(path, a[1], sizeof path);
    if (length < 0) return length;
    if (a[3] < sizeof how) return -EINVAL;
    if (mem_copy_in(&how, a[2], sizeof how) < 0) return -EFAULT;
    task->restart = RESTART_SA;
    if (!how.resolve && a[3] == sizeof how) {
        long fd = proc_open(task, (int)a[0], path, (int)how.flags, (int)how.mode);
        if (fd != -ENOSYS) return fd;
    }
    const char *at = how.resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH) ? path : path_host(path, !(how.flags & O_NOFOLLOW), host);
    return task_blocking(task, SYS_openat2, (long)a[0], (long)at, (long)a[2], (long)a[3], 0, 0);
}

long sys_readlinkat(struct task *task, const uint64_t a[6]) {
    char path[PATH_MAX], host[PATH_MAX], link[PATH_MAX];
    long length = mem_string_in(path, a[1], sizeof path);
    if (length < 0) return length;
    if ((int)a[3] <= 0) return -EINVAL;
    size_t size = a[3] < sizeof link ? a[3] : sizeof link;
    length = proc_readlink(task, (int)a[0], path, link, size);
    if (length == -ENOSYS) length = host_call(readlinkat, a[0], path_host(path, false, host), link, size);
    if (length < 0) return length;
    return mem_copy_out(a[2], link, (size_t)length) < 0 ? -EFAULT : length;
}

// Not while a file of ours is open for a moment: its number could be the guest's when we close it.
long sys_close_range(struct task *task, const uint64_t a[6]) {
    (void)task;
    store_hold();
    long error = host_call(close_range, a[0], a[1], a[2]);
    store_release();
    return error;
}

// ---- stat

static long put_stat(uint64_t to, const struct stat *from) {
    struct guest_stat_buffer buffer;
    size_t size = guest_abi->stat_put(&buffer, from);
    return mem_copy_out(to, &buffer, size);
}

// /proc/self/exe and its like, followed: the guest's program.
static const char *followed(struct task *task, int dirfd, const char *path, uint64_t flags, char *target) {
    const char *slash = strrchr(path, '/');
    if (flags & AT_SYMLINK_NOFOLLOW || strcmp(slash ? slash + 1 : path, "exe") != 0)
        return path;  // others lead where the host says
    long length = proc_readlink(task, dirfd, path, target, PATH_MAX - 1);
    if (length < 0) return path;
    target[length] = 0;
    return target;
}

long sys_newfstatat(struct task *task, const uint64_t a[6]) {
    char path[PATH_MAX], host[PATH_MAX], target[PATH_MAX];
    struct stat stat;
    long error = mem_string_in(path, a[1], sizeof path);
    if (error < 0) return error;
    const char *at = path[0] ? path_host(followed(task, (int)a[0], path, a[3], target), !(a[3] & AT_SYMLINK_NOFOLLOW), host) : path;
    error = host_call(newfstatat, a[0], at, &stat, a[3]);
    return error < 0 ? error : put_stat(a[2], &stat);
}

long sys_fstat(struct task *task, const uint64_t a[6]) {
    (void)task;
    struct stat stat;
    long error = host_call(fstat, a[0], &stat);
    return error < 0 ? error : put_stat(a[1], &stat);
}

long sys_statx(struct task *task, const uint64_t a[6]) {
    char path[PATH_MAX], host[PATH_MAX], target[PATH_MAX];
    if (!a[1]) return host_call(statx, a[0], 0, a[2], a[3], a[4]);
    long error = mem_string_in(path, a[1], sizeof path);
    if (error < 0) return error;
    if (!mem_is_guest(a[4], 1)) return -EFAULT;
    const char *at = path[0] ? path_host(followed(task, (int)a[0], path, a[2], target), !(a[2] & AT_SYMLINK_NOFOLLOW), host) : path;
    return host_call(statx, a[0], at, a[2], a[3], a[4]);
}

long sys_getcwd(struct task *task, const uint64_t a[6]) {
    (void)task;
    char path[PATH_MAX];
    long length = host_call(getcwd, path, sizeof path);
    if (length < 0) return length;
    const char *shown = path_guest(path);
    size_t size = strlen(shown) + 1;
    if (size > a[1]) return -ERANGE;
    return mem_copy_out(a[0], shown, size) < 0 ? -EFAULT : (long)size;
}

// ---- descriptors

long sys_dup3(struct task *task, const uint64_t a[6]) {
    (void)task;
    return host_call(dup3, a[0], a[1], a[2]);
}

long sys_fcntl(struct task *task, const uint64_t a[6]) {
    int command = (int)a[1];
    bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
    bool pointer = waits || command == F_GETLK || command == F_SETLK || command == F_OFD_GETLK || command == F_OFD_SETLK ||
                   command == F_GETOWN_EX || command == F_SETOWN_EX;
    if (pointer && !mem_is_guest(a[2], 1)) return -EFAULT;
    if (!waits) return host_call(fcntl, a[0], a[1], a[2]);
    task->restart = RESTART_SA;
    return task_blocking(task, SYS_fcntl, (long)a[0], (long)a[1], (long)a[2], 0, 0, 0);
}

// Requests have the same numbers and structures on all 64-bit hosts and guests of the generic ABI (asm-generic/ioctls.h); an argument that is no
// pointer is small, one that is must be the guest's.
long sys_ioctl(struct task *task, const uint64_t a[6]) {
    bool negative = (int64_t)a[2] < 0;
    if (!mem_is_guest(a[2], 1) && !negative) return -EFAULT;
    task->restart = RESTART_SA;
    return task_blocking(task, SYS_ioctl, (long)a[0], (long)a[1], (long)a[2], 0, 0, 0);
}
