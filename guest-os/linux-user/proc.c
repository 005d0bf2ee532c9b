// What /proc shows of the guest, who must see itself and not the runner: which names are concerned, and the descriptors and
// links given for them. A substitute file is a sealed memfd, so nothing of ours stays behind it; proc_text.c writes what is in
// it.
#include "guest-os/linux-user/proc_text.h"
#include "guest-os/linux-user/program.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/maps.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

extern const char __ehdr_start[];  // where the linker put this program's own ELF header
#define MEMFD_PREFIX "ferry:"

// ---- names

static enum proc_file file_of_process(const char *name) {
    static const struct {
        const char *name;
        enum proc_file file;
    } files[] = {
        {"exe", PROC_EXE},         {"maps", PROC_MAPS}, {"smaps", PROC_SMAPS},       {"cmdline", PROC_CMDLINE},
        {"environ", PROC_ENVIRON}, {"auxv", PROC_AUXV}, {"stat", PROC_STAT},         {"statm", PROC_STATM},
        {"status", PROC_STATUS},   {"mem", PROC_MEM},   {"children", PROC_CHILDREN},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!strcmp(name, files[i].name)) return files[i].file;
    }
    return PROC_LINK;
}

struct proc_name {
    enum proc_file file;
    bool own;  // of this process
    int pid;  // as named; 0: self
    const char *path;  // absolute
    char buffer[PATH_MAX];
};

// Takes the next component of `*at` into `name`; false at the end, or where it cannot be one of ours.
static bool next_component(const char **at, char *name, size_t size) {
    *at += strspn(*at, "/");
    size_t length = strcspn(*at, "/");
    if (!length || length >= size) return false;
    memcpy(name, *at, length);
    name[length] = 0;
    *at += length;
    return true;
}

static bool is_number(const char *text) {
    return *text && text[strspn(text, "0123456789")] == 0;
}

static bool is_thread_of_ours(int id) {
    char path[48];
    struct stat stat;
    struct text text = TEXT_ON(path);
    text_add(&text, "/proc/self/task/%d", id);
    return id == host_call(getpid) || host_call(newfstatat, AT_FDCWD, path, &stat, 0) == 0;
}

// Which file an absolute path below /proc names.
static void classify(struct proc_name *name) {
    char component[32];
    const char *at = name->path + strlen("/proc");
    name->file = PROC_LINK;
    if (!next_component(&at, component, sizeof component)) return;
    if (!strcmp(component, "cpuinfo") && !*at) name->file = PROC_CPUINFO, name->own = true;
    bool self = !strcmp(component, "self") || !strcmp(component, "thread-self");
    if (!self && !is_number(component)) return;
    name->pid = self ? 0 : atoi(component);
    if (!next_component(&at, component, sizeof component)) return;
    if (!strcmp(component, "task")) {
        if (!next_component(&at, component, sizeof component) || !is_number(component)) return;
        name->pid = atoi(component);
        if (!next_component(&at, component, sizeof component)) return;
    }
    if (*at) return;
    name->file = file_of_process(component);
    name->own = name->file != PROC_LINK && (!name->pid || is_thread_of_ours(name->pid));
}

static bool is_below_proc(const char *path) {
    return !strncmp(path, "/proc/", 6);
}

// The path that a path relative to an open directory stands for, if that directory is in /proc.
static bool join_directory(int dirfd, const char *path, struct proc_name *name) {
    char link[40];
    struct text text = TEXT_ON(link);
    if (dirfd == AT_FDCWD) text_add(&text, "/proc/self/cwd");
    else text_add(&text, "/proc/self/fd/%d", dirfd);
    long length = host_call(readlinkat, AT_FDCWD, link, name->buffer, sizeof name->buffer - 1);
    if (length < 5 || strncmp(name->buffer, "/proc", 5) != 0) return false;
    struct text whole = {.at = name->buffer, .size = sizeof name->buffer, .length = (size_t)length};
    text_add(&whole, "/%s", path);
    name->path = name->buffer;
    return !whole.cut && is_below_proc(name->buffer);
}

// Whether the path is in /proc and so may be of interest.
static bool find_name(int dirfd, const char *path, struct proc_name *name) {
    name->file = PROC_NONE;
    name->own = false;
    name->pid = 0;
    name->path = path;
    if (path[0] == '/') {
        if (!is_below_proc(path)) return false;
    } else {
        const char *slash = strrchr(path, '/');
        bool known = file_of_process(slash ? slash + 1 : path) != PROC_LINK || !strcmp(path, "cpuinfo");
        if (!*path || !known || !join_directory(dirfd, path, name)) return false;
    }
    if (strstr(name->path, "/../") || strstr(name->path, "/./")) return false;
    classify(name);
    return true;
}

// ---- the program of another process

bool proc_is_runner(int pid) {
    char link[40];
    struct stat mine, other;
    struct text text = TEXT_ON(link);
    text_add(&text, "/proc/%d/exe", pid);
    return host_call(newfstatat, AT_FDCWD, "/proc/self/exe", &mine, 0) == 0 &&
           host_call(newfstatat, AT_FDCWD, link, &other, 0) == 0 && mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

// The beginning of the process's program, above all guests.
static bool is_beginning(const struct mapping *mapping, const void *program) {
    return mapping->start >= MEM_TOP && !mapping->offset && !strcmp(mapping->path, program);
}

static bool program_path(int pid, char path[PATH_MAX]) {
    char link[40];
    struct text name = TEXT_ON(link);
    text_add(&name, "/proc/%d/exe", pid);
    long length = host_call(readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length > 0) path[length] = 0;
    return length > 0;
}

// Where another process that runs this very file has it: position-independent programs lie at another place each time.
static uint64_t runner_base(int pid) {
    char program[PATH_MAX];
    struct mapping mapping;
    return program_path(pid, program) && maps_search(pid, &mapping, is_beginning, program) ? mapping.start : 0;
}

uint64_t proc_place(int pid, const void *object) {
    uint64_t base = proc_is_runner(pid) ? runner_base(pid) : 0;
    return base ? base + (uint64_t)((uintptr_t)object - (uintptr_t)__ehdr_start) : 0;
}

// The guest program that process `pid` runs, out of that process's own `process.exe`; false where it is no runner or may not be
// read.
static bool program_of(int pid, char *exe) {
    uint64_t at = proc_place(pid, process.exe);
    if (!at) return false;
    struct iovec to = {exe, sizeof process.exe}, from = {(void *)(uintptr_t)at, sizeof process.exe};
    long got = host_call(process_vm_readv, pid, &to, 1, &from, 1, 0);
    return got == sizeof process.exe && exe[0] == '/' && memchr(exe, 0, sizeof process.exe);
}

// ---- opening

// Gives the guest a read-only descriptor of its own for what `memfd` holds, with the same (lowest free) number.
static long settle(int memfd, int flags) {
    char path[40];
    struct text text = TEXT_ON(path);
    text_add(&text, "/proc/self/fd/%d", memfd);
    host_call(fchmod, memfd, 0444);
    host_call(fcntl, memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    host_call(lseek, memfd, 0, SEEK_SET);
    long reader = host_call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (reader >= 0) {
        host_call(dup3, reader, memfd, flags & O_CLOEXEC);
        host_call(close, reader);
    } else if (!(flags & O_CLOEXEC)) host_call(fcntl, memfd, F_SETFD, 0);
    return memfd;
}

static long open_substitute(struct task *task, const struct proc_name *name, int flags) {
    if ((flags & O_ACCMODE) != O_RDONLY) return -EACCES;
    if (flags & O_DIRECTORY) return -ENOTDIR;
    char label[128];
    struct text text = TEXT_ON(label);
    const char *last = strrchr(name->path, '/');
    if (name->file == PROC_CPUINFO) text_add(&text, MEMFD_PREFIX "/proc/cpuinfo");
    else text_add(&text, MEMFD_PREFIX "/proc/%ld%s", host_call(getpid), last);
    long memfd = host_call(memfd_create, label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memfd < 0) return memfd;
    long result = proc_write(task, name->file, name->path, (int)memfd);
    if (!result) return settle((int)memfd, flags);
    host_call(close, memfd);
    return result;
}

static long open_exe(const struct proc_name *name, int flags, int mode) {
    char exe[sizeof process.exe];
    if (flags & O_NOFOLLOW) return -ENOSYS;  // the link itself
    if (name->own) return host_call(openat, AT_FDCWD, process.exe, flags, mode);
    return program_of(name->pid, exe) ? host_call(openat, AT_FDCWD, exe, flags, mode) : -ENOSYS;
}

long proc_open(struct task *task, int dirfd, const char *path, int flags, int mode) {
    struct proc_name name;
    if (!find_name(dirfd, path, &name) || name.file == PROC_LINK) return -ENOSYS;
    if (name.file == PROC_EXE) return open_exe(&name, flags, mode);
    if (name.file == PROC_MEM) {
        if ((flags & O_ACCMODE) != O_RDONLY) __atomic_store_n(&proc_memory_open, true, __ATOMIC_RELAXED);
        return -ENOSYS;
    }
    if (!name.own || flags & O_PATH) return -ENOSYS;
    bool in_memory = name.file == PROC_CMDLINE || name.file == PROC_ENVIRON || name.file == PROC_AUXV;
    return in_memory && program_known_to_kernel ? -ENOSYS : open_substitute(task, &name, flags);
}

// ---- /proc/PID/mem

bool proc_memory_open;

// The process or thread whose memory descriptor `fd` is; 0 if it is something else.
static int memory_of(int fd) {
    char link[40], target[64];
    struct text text = TEXT_ON(link);
    text_add(&text, "/proc/self/fd/%d", fd);
    long length = host_call(readlinkat, AT_FDCWD, link, target, sizeof target - 1);
    if (length <= 0) return 0;
    target[length] = 0;
    const char *slash = strrchr(target, '/'), *at = target;
    if (strncmp(target, "/proc/", 6) != 0 || strcmp(slash, "/mem") != 0) return 0;
    while (slash > at && slash[-1] != '/') slash--;
    return atoi(slash);
}

void proc_memory_written(long number, const uint64_t a[6], uint64_t size) {
    uint64_t at = a[3];
    if (number == SYS_write || number == SYS_writev) at = (uint64_t)host_call(lseek, a[0], 0, SEEK_CUR) - size;
    else if (number != SYS_pwrite64 && number != SYS_pwritev && number != SYS_pwritev2) return;
    int pid = memory_of((int)a[0]);
    if (!pid || !mem_is_guest(at, size)) return;
    if (is_thread_of_ours(pid)) code_invalidate(at, size);
    else tracer_wrote(pid, at, size);
}

const char *proc_exe(const char *path) {
    struct proc_name name;
    size_t length = strlen(path);
    if (length < 10 || !is_below_proc(path) || strcmp(path + length - 4, "/exe") != 0) return NULL;
    return find_name(AT_FDCWD, path, &name) && name.file == PROC_EXE && name.own ? process.exe : NULL;
}

// ---- links

static long give_link(const char *target, char *buffer, size_t size) {
    size_t length = strlen(target);
    if (length > size) length = size;
    memcpy(buffer, target, length);
    return (long)length;
}

// What a substitute's descriptor is called: the name of the file that it stands for.
static const char *without_memfd(char *target) {
    static const char prefix[] = "/memfd:" MEMFD_PREFIX, deleted[] = " (deleted)";
    if (strncmp(target, prefix, sizeof prefix - 1) != 0) return target;
    char *end = strstr(target, deleted);
    if (end) *end = 0;
    return target + sizeof prefix - 1;
}

long proc_readlink(struct task *task, int dirfd, const char *path, char *buffer, size_t size) {
    (void)task;
    struct proc_name name;
    char target[PATH_MAX + 1];
    if (!find_name(dirfd, path, &name)) return -ENOSYS;
    if (name.file == PROC_EXE && name.own) return give_link(path_guest(process.exe), buffer, size);
    if (name.file == PROC_EXE && program_of(name.pid, target)) return give_link(path_guest(target), buffer, size);
    if (name.file != PROC_LINK && name.file != PROC_EXE) return -ENOSYS;
    long length = host_call(readlinkat, AT_FDCWD, name.path, target, PATH_MAX);
    if (length < 0) return length;
    target[length] = 0;
    return give_link(path_guest(without_memfd(target)), buffer, size);
}
