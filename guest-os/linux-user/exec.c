// execve(2) and execveat(2): a guest program is started by executing the runner again, with the options that this one was given.
#include "guest-os/linux-user/process.h"
#include "guest-os/linux-user/signal.h"
#include "guest-os/linux-user/syscall.h"
#include "runtime/code.h"
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static size_t count(char *const *list) {
    size_t n = 0;
    while (list && list[n]) n++;
    return n;
}

// ferry run OPTIONS -0 ARGV0 -- PATH ARGV1…
static char **runner_arguments(struct arena *arena, const char *path, char *const argv[]) {
    size_t own = count((char *const *)options.inherited), guest = count(argv), n = 0;
    char **list = arena_alloc(arena, (own + guest + 8) * sizeof *list, 8);
    list[n++] = (char *)"ferry";
    list[n++] = (char *)"run";
    for (size_t i = 0; i < own; i++) list[n++] = (char *)options.inherited[i];
    list[n++] = (char *)"-0";
    list[n++] = argv[0] ? argv[0] : (char *)"";
    list[n++] = (char *)"--";
    list[n++] = (char *)path;
    for (size_t i = 1; i < guest; i++)
        list[n++] = argv[i];  // NOLINT(clang-analyzer-core.uninitialized.Assign): guest is the length
    return list;
}

// Shells and execvp(3) try any file and read it as a script themselves when the kernel says ENOEXEC: nothing worth a message.
static bool is_bare_script(const char *path) {
    char start[4] = "";
    long fd = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    host_call(read, fd, start, sizeof start);
    host_call(close, fd);
    return memcmp(start, "\177ELF", 4) != 0 && memcmp(start, "#!", 2) != 0;
}

static long exec_checked(struct task *task, struct arena *arena, const char *path, char *const argv[], char *const envp[]) {
    static char *const nothing[] = {NULL};
    char why[1024] = "";
    const char *program = path;
    char *const *arguments = argv ? argv : nothing;
    long error = program_check(arena, &program, &arguments, why, sizeof why);
    if (error < 0) {
        if (error == -ENOEXEC && why[0] && !is_bare_script(path)) error_say("%s", why);
        return error;
    }
    // The new runner resolves links and #! lines again, so that it knows the names that the guest used.
    char **list = runner_arguments(arena, path, argv ? argv : nothing);
    // A signal that is taken now would be lost: then the call is not made before it has been delivered.
    task->restart = RESTART_SA;
    signal_before_exec(task);
    if (!task->vfork_child) code_before_exec();
    char *const *environment = envp ? envp : nothing;
    error = task_blocking(task, SYS_execve, (long)options.self, (long)list, (long)environment, 0, 0, 0);
    // We are not to be found in a root that the guest has changed to, but binfmt_misc may have us at hand.
    if (error == -ENOENT)
        error = task_blocking(task, SYS_execve, (long)path, (long)(argv ? argv : nothing), (long)environment, 0, 0, 0);
    signal_after_exec(task);
    return error;
}

long process_exec(struct task *task, const char *path, char *const argv[], char *const envp[], int flags) {
    (void)flags;
    return exec_checked(task, &task->exec_memory, path, argv, envp);
}

// Copies a NULL-terminated array of guest pointers, and the strings, whose place the guest's other threads could change.
static long copy_list(struct arena *arena, uint64_t guest, char ***list) {
    enum { LIMIT = 1 << 20, STRING_LIMIT = 32 * 4096 };
    static char *const nothing[] = {NULL};
    *list = (char **)nothing;
    if (!guest) return 0;
    size_t n = 0;
    for (uint64_t pointer = 1; pointer; n++) {
        if (n == LIMIT) return -E2BIG;
        if (mem_copy_in(&pointer, guest + n * sizeof pointer, sizeof pointer) < 0) return -EFAULT;
    }
    *list = arena_alloc(arena, n * sizeof **list, 8);
    for (size_t i = 0; i + 1 < n; i++) {
        uint64_t pointer;
        if (mem_copy_in(&pointer, guest + i * sizeof pointer, sizeof pointer) < 0) return -EFAULT;
        char small[256];
        long length = mem_string_in(small, pointer, sizeof small);
        char *to = small;
        if (length == -ENAMETOOLONG) {
            to = arena_alloc(arena, STRING_LIMIT, 1);
            length = mem_string_in(to, pointer, STRING_LIMIT);
            if (length == -ENAMETOOLONG) return -E2BIG;
        }
        if (length < 0) return length;
        (*list)[i] = to == small ? arena_strdup(arena, small) : to;
    }
    (*list)[n - 1] = NULL;
    return 0;
}

// A name of the file behind `fd` that holds after exec, when a close-on-exec descriptor is gone. A file without one (a memfd, a deleted
// file) gets a descriptor that stays open, in *kept.
static long name_of(int fd, char *path, size_t size, int *kept) {
    struct stat by_name, by_fd;
    char link[64];
    long error = host_call(newfstatat, fd, "", &by_fd, AT_EMPTY_PATH);
    if (error < 0) return error;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = host_call(readlinkat, AT_FDCWD, link, path, size - 1);
    path[length > 0 ? length : 0] = 0;
    bool same = length > 0 && host_call(newfstatat, AT_FDCWD, path, &by_name, 0) == 0 && by_name.st_dev == by_fd.st_dev &&
                by_name.st_ino == by_fd.st_ino;
    if (same) return 0;
    int next = 3;  // the standard three mean something to the program
    long copy = host_call(fcntl, fd, F_DUPFD, next);
    if (copy < 0) return copy;
    *kept = (int)copy;
    snprintf(path, size, "/proc/self/fd/%ld", copy);
    return 0;
}

// The path that execveat's descriptor and name come to.
static long path_at(int dirfd, const char *name, uint64_t flags, char *path, size_t size, int *kept) {
    if (name[0] == '/' || (dirfd == AT_FDCWD && name[0])) return snprintf(path, size, "%s", name) < (int)size ? 0 : -ENAMETOOLONG;
    if (!name[0]) return flags & AT_EMPTY_PATH ? name_of(dirfd, path, size, kept) : -ENOENT;
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    long length = host_call(readlinkat, AT_FDCWD, link, target, sizeof target - 1);
    if (length < 0) return length == -ENOENT ? -EBADF : length;
    target[length] = 0;
    if (target[0] != '/') return -ENOTDIR;  // a pipe, a socket
    return snprintf(path, size, "%s/%s", target, name) < (int)size ? 0 : -ENAMETOOLONG;
}

static bool is_link(const char *path) {
    struct stat stat;
    return host_call(newfstatat, AT_FDCWD, path, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(stat.st_mode);
}

// All that is allocated here lies in the task's exec_memory: if the call works in a vfork child nobody comes back to free it, and the
// memory is its parent's too.
static long exec_at(struct task *task, int dirfd, uint64_t guest_path, uint64_t argv, uint64_t envp, uint64_t flags) {
    char name[PATH_MAX], path[PATH_MAX], buffer[PATH_MAX];
    char **arguments = NULL, **environment = NULL;
    int kept = -1;
    if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) return -EINVAL;
    long error = mem_string_in(name, guest_path, sizeof name);
    if (error >= 0) error = path_at(dirfd, name, flags, path, sizeof path, &kept);
    const char *exe = error >= 0 ? proc_exe(path) : NULL;
    const char *host = error < 0 ? path : exe ? exe : path_host(path, false, buffer);
    if (error >= 0 && flags & AT_SYMLINK_NOFOLLOW && is_link(host)) error = -ELOOP;
    if (error >= 0) error = copy_list(&task->exec_memory, argv, &arguments);
    if (error >= 0) error = copy_list(&task->exec_memory, envp, &environment);
    if (error >= 0) error = process_exec(task, host, arguments, environment, 0);
    arena_free(&task->exec_memory);
    if (kept >= 0) host_call(close, kept);
    return error;
}

long sys_execve(struct task *task, const uint64_t a[6]) {
    return exec_at(task, AT_FDCWD, a[0], a[1], a[2], 0);
}

long sys_execveat(struct task *task, const uint64_t a[6]) {
    return exec_at(task, (int)a[0], a[1], a[2], a[3], a[4]);
}
