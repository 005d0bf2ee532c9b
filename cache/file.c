// Files of the store: see file.h. They are mapped, and read by a system call that knows no SIGBUS (btree.c): measured for files of 16 KB to 20 MB, that
// takes 9 to 26 us to the first 32 KB, where reading all of a file takes 11 us to 10 ms. Where the host forbids that call the file is read.
#include "cache/file.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum {
    HOUR = 3600,
    SMALL = 256 << 10,  // bytes: of a file that is read at once, with fewer system calls than piece by piece
};
#define LARGEST (UINT64_C(1) << 32)  // bytes of a file

const char *file_distrust(uint32_t mode, uint32_t owner, uint32_t wanted) {
    if (S_ISLNK(mode)) return "it is a symbolic link";
    if (owner != wanted) return "it belongs to another user";
    if (mode & 022) return "others may write to it";
    return NULL;
}

static const char *distrust(const struct stat *about, uint32_t owner) {
    if (!S_ISREG(about->st_mode)) return "it is no file";
    if (!about->st_size) return "it is empty";
    if ((uint64_t)about->st_size > LARGEST) return "it is too large";
    if (about->st_nlink != 1) return "it has other names";
    return file_distrust(about->st_mode, about->st_uid, owner);
}

// What is evicted first is what was not used for longest: files know that where the file system does, whatever it is mounted with.
static void note_use(long fd, const struct stat *about) {
    const struct timespec now_and_omitted[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec - about->st_atime >= HOUR) host_call(utimensat, fd, NULL, now_and_omitted, 0);
}

// With all pages there at once, which costs less than a fault for each.
static const char *read_whole(long fd, struct btree_file *file) {
    void *to = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (to == MAP_FAILED) return "there is not enough memory";
    long n = host_call(pread64, fd, to, file->size, 0);
    *file = (struct btree_file){.bytes = to, .size = file->size};
    if (n == (long)file->size) return NULL;
    munmap(to, file->size);
    return "it cannot be read";
}

static const char *map(long fd, struct btree_file *file) {
    static uint64_t serial;
    uint8_t first;
    if (file->size <= SMALL) return read_whole(fd, file);
    void *at = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, (int)fd, 0);
    *file = (struct btree_file){
        .bytes = at, .size = file->size, .serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED), .mapped = true};
    if (at == MAP_FAILED) return "it cannot be mapped";
    long error = btree_read(file, 0, &first, 1);
    if (!error) return NULL;
    munmap(at, file->size);
    return error == -EFAULT ? "it was cut" : read_whole(fd, file);
}

const char *file_map(int at, const char *path, uint32_t owner, struct btree_file *file, bool *missing) {
    struct stat about;
    long fd = host_call(openat, at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    *missing = fd == -ENOENT || fd == -ENOTDIR;
    if (fd < 0) return *missing ? "there is none" : fd == -ELOOP ? "it is a symbolic link" : "it cannot be opened";
    const char *why = host_call(newfstatat, fd, "", &about, AT_EMPTY_PATH) < 0 ? "it cannot be looked at" : distrust(&about, owner);
    file->size = why ? 0 : (uint64_t)about.st_size;
    if (!why) why = map(fd, file);
    if (!why) note_use(fd, &about);
    host_call(close, fd);
    return why;
}

void file_unmap(struct btree_file *file) {
    if (file->bytes) munmap((void *)(uintptr_t)file->bytes, file->size);
    file->bytes = NULL;
}
