// The store's directory: see disk.h. What is in it is listed in list.c.
#include "cache/writer/disk.h"
#include "cache/file.h"
#include "runtime/base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *disk_reason(int error) {
    switch (error) {
    case ENOSPC: return "there is no space left";
    case EDQUOT: return "the user's quota is used up";
    case EROFS: return "the file system is read-only";
    case EACCES:
    case EPERM: return "permission is denied";
    case ENOENT: return "the directory is not there";
    case ENOTDIR: return "it is no directory";
    case ELOOP: return "it is a symbolic link";
    case EISDIR: return "a directory is in its place";
    default: return "the host refuses it";
    }
}

// ---- directories

// A directory is only made where nobody else can take it away again: in one of our own or of root's. Root makes none in a user's.
static bool may_make_in(const char *path) {
    struct stat about;
    return !stat(path, &about) && (about.st_uid == geteuid() || !about.st_uid);
}

// Makes the directory, and the one above it if `above`: of ~/.cache/ferry not the home.
static const char *make_directory(const char *path, bool above, unsigned mode) {
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/'), *why = NULL;
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof parent) return "its path is too long";
    if (!access(path, F_OK)) return NULL;
    memcpy(parent, path, length);
    parent[length] = 0;
    if (above) why = make_directory(parent, false, mode);
    if (!why && access(parent, F_OK)) why = disk_reason(errno);
    if (!why && !may_make_in(parent)) why = "it would lie in another user's directory";
    if (why) return why;
    if (!mkdir(path, mode)) chmod(path, mode);  // whatever the umask
    else if (errno != EEXIST) why = disk_reason(errno);
    return why;
}

static const char *check_directory(int fd, uint32_t owner) {
    struct stat about;
    return fstat(fd, &about) ? disk_reason(errno) : file_distrust(about.st_mode, about.st_uid, owner);
}

static unsigned mode_in(int fd) {
    struct stat about;
    return !fstat(fd, &about) && (about.st_mode & 05) == 05 ? 0755 : 0700;
}

// -1 with the reason; errno says more.
static int open_directory(int at, const char *path, uint32_t owner, const char **why) {
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    *why = fd < 0 ? disk_reason(error) : check_directory(fd, owner);
    if (fd < 0 && error == ENOTDIR) {  // which a symbolic link is as well
        struct stat about;
        if (!fstatat(at, path, &about, AT_SYMLINK_NOFOLLOW) && S_ISLNK(about.st_mode)) *why = disk_reason(ELOOP);
    }
    if (fd >= 0 && *why) {
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

const char *disk_open(struct disk *disk, const char *path, uint32_t owner, enum disk_make make, bool *missing) {
    *disk = (struct disk){.root = -1, .lock = -1, .owner = owner};
    *missing = false;
    if (path[0] != '/') return "its path is not absolute";
    const char *why = make ? make_directory(path, true, make == DISK_MAKE_FOR_ALL ? 0755 : 0700) : NULL;
    if (!why) {
        disk->root = open_directory(AT_FDCWD, path, owner, &why);
        *missing = disk->root < 0 && errno == ENOENT;
        if (disk->root >= 0) disk->mode = mode_in(disk->root);
        if (!why && make == DISK_MAKE_FOR_ALL && disk->mode != 0755) why = "other users may not read it: chmod 755 it";
    }
    return why;
}

void disk_close(struct disk *disk) {
    if (disk->root >= 0) close(disk->root);
    if (disk->lock >= 0) close(disk->lock);
    disk->root = disk->lock = -1;
}

static int open_below(const struct disk *disk, int at, const char *name, bool make, const char **why) {
    if (make) disk_make_way(disk, at, name, S_IFDIR);  // what it could not do shows below
    bool made = make && !mkdirat(at, name, disk->mode);
    if (make && !made && errno != EEXIST) {
        *why = disk_reason(errno);
        return -1;
    }
    int fd = open_directory(at, name, disk->owner, why);
    if (made && fd >= 0) fchmod(fd, disk->mode);  // whatever the umask
    return fd;
}

int disk_folder(const struct disk *disk, const struct store_key *build, bool make, const char **why) {
    char hex[DIRECTORY_HEX];
    if (directory_is_profile(build)) return open_below(disk, disk->root, "profile", make, why);
    int code = open_below(disk, disk->root, "code", make, why);
    if (code < 0) return -1;
    directory_hex(build, hex);
    int folder = open_below(disk, code, hex, make, why);
    close(code);
    return folder;
}

// ---- locks

// One file for all modules: each has a byte of its own, at an offset made of its keys. Modules that share one wait for each other in vain at times.
static int open_locks(const struct disk *disk) {
    struct stat about;
    disk_make_way(disk, disk->root, DISK_LOCKS, S_IFREG);
    int fd = openat(disk->root, DISK_LOCKS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    // Its bytes are for trouble.h, which wants them when there are no more to be had.
    if (fd >= 0 && !fstat(fd, &about) && !about.st_size) posix_fallocate(fd, 0, DISK_LOCKS_BYTES);
    return fd;
}

static bool lock_byte(struct disk *disk, const struct store_key *build, const struct store_key *module, short type) {
    uint64_t a, b;
    memcpy(&a, build, sizeof a);
    memcpy(&b, module, sizeof b);
    if (disk->lock < 0) disk->lock = open_locks(disk);
    if (disk->lock < 0) disk->why = disk_reason(errno);
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)((a ^ b) >> 2), .l_len = 1};
    return disk->lock >= 0 && !fcntl(disk->lock, F_OFD_SETLK, &lock);
}

bool disk_lock(struct disk *disk, const struct store_key *build, const struct store_key *module) {
    return lock_byte(disk, build, module, F_WRLCK);
}

void disk_unlock(struct disk *disk, const struct store_key *build, const struct store_key *module) {
    lock_byte(disk, build, module, F_UNLCK);
}

// ---- files

bool disk_mark(int folder, const char *name, struct disk_mark *mark) {
    struct stat about;
    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW)) return false;
    *mark = (struct disk_mark){about.st_ino, (uint64_t)about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
    return true;
}

static bool write_new(int folder, const char *name, const uint8_t *bytes, size_t size, unsigned mode, bool durable) {
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return false;
    fchmod(fd, mode);
    int error = (int)-io_write(fd, bytes, size);
    if (!error && durable && fsync(fd)) error = errno;
    if (close(fd)) error = errno;
    if (error) unlinkat(folder, name, 0);
    errno = error;
    return !error;
}

const char *disk_write(const struct disk *disk, int folder, const char *name, const uint8_t *bytes, size_t size, unsigned mode,
                       bool durable) {
    char temporary[PATH_MAX];
    struct text text = TEXT_ON(temporary);
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    text_add(&text, "%.*stmp.%s", (int)(base - name), name, base);
    if (text.cut) return "its path is too long";
    if (disk) disk_make_way(disk, folder, temporary, S_IFREG);
    // Whoever has the module's lock is the only one to write this: what is there was left by a writer that died.
    if (!write_new(folder, temporary, bytes, size, mode, durable) &&
        (errno != EEXIST || unlinkat(folder, temporary, 0) || !write_new(folder, temporary, bytes, size, mode, durable)))
        return disk_reason(errno);
    if (renameat(folder, temporary, folder, name)) {
        const char *why = disk_reason(errno);
        unlinkat(folder, temporary, 0);
        return why;
    }
    if (durable) fsync(folder);
    return NULL;
}

// ---- what is damaged, or in the way

// Puts a new directory in the place of what has the name of damaged/, and that into the directory then. Whoever dies in between leaves it beside.
static void clear_damaged(const struct disk *disk) {
    static const char aside[] = "tmp.damaged";
    struct stat about;
    if (fstatat(disk->root, "damaged", &about, AT_SYMLINK_NOFOLLOW) || S_ISDIR(about.st_mode) || S_ISLNK(about.st_mode)) return;
    if (mkdirat(disk->root, aside, disk->mode) && errno != EEXIST) return;
    if (!renameat2(disk->root, aside, disk->root, "damaged", RENAME_EXCHANGE)) disk_quarantine(disk, disk->root, aside);
}

static int open_damaged(const struct disk *disk, const char **why) {
    clear_damaged(disk);
    bool made = !mkdirat(disk->root, "damaged", disk->mode);
    int fd = open_directory(disk->root, "damaged", disk->owner, why);
    if (made && fd >= 0) fchmod(fd, disk->mode);  // whatever the umask
    return fd;
}

const char *disk_quarantine(const struct disk *disk, int folder, const char *name) {
    const char *why;
    int damaged = open_damaged(disk, &why);
    if (damaged < 0) return why;
    int result = -1;
    errno = EEXIST;
    for (unsigned i = 0; result && errno == EEXIST && i < 100000; i++) {
        char target[80];
        snprintf(target, sizeof target, "%.64s.%u", name, i);
        result = renameat2(folder, name, damaged, target, RENAME_NOREPLACE);
        if (!result) utimensat(damaged, target, NULL, AT_SYMLINK_NOFOLLOW);  // since when it is there
    }
    why = !result || errno == ENOENT ? NULL : disk_reason(errno);  // moved by another writer
    close(damaged);
    return why;
}

static bool is_in_the_way(int folder, const char *name, unsigned type) {
    struct stat about;
    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) || (about.st_mode & S_IFMT) == type) return false;
    return type != S_IFDIR || !S_ISLNK(about.st_mode);
}

void disk_make_way(const struct disk *disk, int folder, const char *name, unsigned type) {
    if (!is_in_the_way(folder, name, type)) return;
    // One at a time, and only what is still there: not what another put in its place.
    int fd = openat(disk->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && is_in_the_way(folder, name, type)) disk_quarantine(disk, folder, name);
    if (fd >= 0) close(fd);
}
