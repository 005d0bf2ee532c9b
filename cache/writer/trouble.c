// See trouble.h. A note is written at once and has one size; of two writers' either counts.
#include "cache/writer/trouble.h"
#include "cache/writer/inspect.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static bool read_note(int fd, struct trouble *trouble) {
    if (fd < 0 || pread(fd, trouble, sizeof *trouble, 0) != sizeof *trouble || !trouble->at) return false;
    trouble->why[sizeof trouble->why - 1] = 0;
    return true;
}

void trouble_note(struct disk *disk, const char *why) {
    struct trouble trouble = {0};
    if (disk->lock < 0 || (!why && !read_note(disk->lock, &trouble))) return;
    trouble = (struct trouble){.at = why ? time(NULL) : 0};
    if (why) snprintf(trouble.why, sizeof trouble.why, "%s", why);
    if (pwrite(disk->lock, &trouble, sizeof trouble, 0) < 0) return;  // then it is measured
}

// What the file system says. A quota it does not.
static const char *measure(int fd) {
    struct statvfs about;
    if (fstatvfs(fd, &about)) return NULL;
    if (about.f_flag & ST_RDONLY) return disk_reason(EROFS);
    bool full = about.f_blocks && !about.f_bavail, names = about.f_files && !about.f_favail;
    return full || names ? disk_reason(ENOSPC) : NULL;
}

// What keeps everything of a kind from being written: not one module.
static void note_first(const char *name, const char *why, void *data) {
    struct trouble *trouble = data;
    if (trouble->at || strstr(name, "/tmp.") || !strcmp(name, "damaged")) return;
    trouble->at = time(NULL);
    snprintf(trouble->why, sizeof trouble->why, "%s: %s", name, why);
}

static int open_notes(const struct disk *disk) {
    return openat(disk->root, DISK_LOCKS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

struct trouble trouble_look(const struct disk *disk) {
    struct trouble trouble = {0};
    int fd = open_notes(disk);
    inspect_disk(disk, note_first, &trouble);
    if (!trouble.at && !read_note(fd, &trouble)) {
        const char *why = measure(disk->root);
        trouble = (struct trouble){.at = why ? time(NULL) : 0};
        if (why) snprintf(trouble.why, sizeof trouble.why, "%s", why);
    }
    if (fd >= 0) close(fd);
    return trouble;
}

// ---- what was removed

static struct trouble_removed read_removed(int fd) {
    struct trouble_removed removed;
    bool there = fd >= 0 && pread(fd, &removed, sizeof removed, sizeof(struct trouble)) == sizeof removed;
    return there ? removed : (struct trouble_removed){0};
}

void trouble_note_removed(struct disk *disk, uint32_t files) {
    if (disk->lock < 0 || !files) return;
    struct trouble_removed removed = {.at = time(NULL), .files = read_removed(disk->lock).files + files};
    if (pwrite(disk->lock, &removed, sizeof removed, sizeof(struct trouble)) < 0) return;  // then nobody is told
}

struct trouble_removed trouble_look_removed(const struct disk *disk) {
    int fd = open_notes(disk);
    struct trouble_removed removed = read_removed(fd);
    if (fd >= 0) close(fd);
    return removed;
}
