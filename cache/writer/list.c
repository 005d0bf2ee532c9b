// What is in the store's directory, and what is to go: see disk.h.
#include "cache/writer/disk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 3600, OLD = 600 };  // seconds; OLD: of what is still being written nothing is

static const struct store_key profile;

// The names in a directory, whose descriptor is closed by the end.
static DIR *names_of(int fd) {
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !names) close(fd);
    return names;
}

static int open_below(const struct disk *disk, const char *name) {
    return openat(disk->root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// "MODULE.db"
static bool file_module(const char *name, struct store_key *module) {
    char hex[DIRECTORY_HEX] = "";
    size_t length = strlen(name);
    if (length != sizeof hex - 1 + strlen(".db") || strcmp(name + sizeof hex - 1, ".db") != 0) return false;
    memcpy(hex, name, sizeof hex - 1);
    return directory_key(hex, module);
}

// ---- walking

typedef bool visit_folder(int fd, const struct store_key *build, void *data);  // NOLINT: not a pointer

static bool visit_builds(const struct disk *disk, visit_folder *visit, void *data) {
    DIR *builds = names_of(open_below(disk, "code"));
    bool fine = true;
    for (struct dirent *entry; fine && builds && (entry = readdir(builds));) {
        struct store_key build;
        const char *why;
        if (!directory_key(entry->d_name, &build) || directory_is_profile(&build)) continue;
        int fd = disk_folder(disk, &build, false, &why);
        if (fd >= 0) fine = visit(fd, &build, data);
    }
    if (builds) closedir(builds);
    return fine;
}

// Calls `visit`, which closes the descriptor, for each folder; false if one call gave that.
static bool visit_folders(const struct disk *disk, visit_folder *visit, void *data) {
    const char *why;
    int fd = disk_folder(disk, &profile, false, &why);
    return (fd < 0 || visit(fd, &profile, data)) && visit_builds(disk, visit, data);
}

// ---- listing

static bool add_file(struct disk_list *list, const struct disk_file *file) {
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct disk_file *grown = realloc(list->file, room * sizeof *grown);
        if (!grown) return false;
        list->file = grown;
        list->room = room;
    }
    list->file[list->count++] = *file;
    return true;
}

static bool list_folder(int fd, const struct store_key *build, void *data) {
    DIR *names = names_of(fd);
    bool fine = true;
    for (struct dirent *entry; fine && names && (entry = readdir(names));) {
        struct disk_file file = {.build = *build};
        struct stat about;
        if (!file_module(entry->d_name, &file.module) || fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW)) continue;
        file.size = (uint64_t)about.st_size;
        file.used = about.st_atime > about.st_mtime ? about.st_atime : about.st_mtime;
        fine = add_file(data, &file);
    }
    if (names) closedir(names);
    return fine;
}

static int by_keys(const void *a, const void *b) {
    const struct disk_file *x = a, *y = b;
    int order = memcmp(&x->build, &y->build, sizeof x->build);
    return order ? order : memcmp(&x->module, &y->module, sizeof x->module);
}

static bool is_dots(const char *name) {
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static void count_damaged(const struct disk *disk, struct disk_list *list) {
    int fd = open_below(disk, "damaged");
    DIR *names = names_of(fd);
    for (struct dirent *entry; names && (entry = readdir(names));) {
        struct stat about;
        if (is_dots(entry->d_name) || fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW)) continue;
        list->damaged++;
        if (S_ISREG(about.st_mode)) list->damaged_bytes += (uint64_t)about.st_size;
    }
    if (names) closedir(names);
}

bool disk_list(const struct disk *disk, struct disk_list *list) {
    *list = (struct disk_list){.count = 0};
    count_damaged(disk, list);
    bool fine = visit_folders(disk, list_folder, list);
    if (list->count) qsort(list->file, list->count, sizeof *list->file, by_keys);
    return fine;
}

void disk_list_free(struct disk_list *list) {
    free(list->file);
    *list = (struct disk_list){0};
}

// ---- removing

bool disk_remove(const struct disk *disk, const struct disk_file *file) {
    char buffer[PATH_MAX];
    struct text path = TEXT_ON(buffer);
    const char *why;
    int folder = disk_folder(disk, &file->build, false, &why);
    if (folder < 0) return false;
    directory_file(&path, &file->build, &file->module);
    bool removed = !unlinkat(folder, strrchr(buffer, '/') + 1, 0);
    close(folder);
    return removed;
}

static bool is_old(int at, const char *name, time_t age) {
    struct stat about;
    return !fstatat(at, name, &about, AT_SYMLINK_NOFOLLOW) && time(NULL) - about.st_mtime > age;
}

static int64_t days_since(int at, const char *name) {
    struct stat about;
    return fstatat(at, name, &about, AT_SYMLINK_NOFOLLOW) ? 0 : (time(NULL) - about.st_mtime) / DAY;
}

// Directories that somebody put there included, one level deep. A file's time is that at which it was moved there.
uint32_t disk_remove_damaged(const struct disk *disk, int64_t days) {
    int fd = open_below(disk, "damaged");
    DIR *names = names_of(fd);
    uint32_t count = 0;
    for (struct dirent *entry; names && (entry = readdir(names));) {
        if (is_dots(entry->d_name) || (days && days_since(fd, entry->d_name) < days)) continue;
        count += !unlinkat(fd, entry->d_name, 0) || !unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    if (names) closedir(names);
    return count;
}

static bool clean_folder(int fd, const struct store_key *build, void *data) {
    const struct disk *disk = data;
    DIR *names = names_of(fd);
    bool empty = true;
    for (struct dirent *entry; names && (entry = readdir(names));) {
        if (is_dots(entry->d_name)) continue;
        bool goes = !strncmp(entry->d_name, "tmp.", 4) && is_old(fd, entry->d_name, OLD);
        if (goes) disk_make_way(disk, fd, entry->d_name, S_IFREG);
        if (!goes || (unlinkat(fd, entry->d_name, 0) && errno != ENOENT)) empty = false;
    }
    empty = empty && names && is_old(fd, ".", DAY);
    if (names) closedir(names);
    if (empty && !directory_is_profile(build)) {
        char buffer[PATH_MAX];
        struct text path = TEXT_ON(buffer);
        directory_folder(&path, build);
        unlinkat(disk->root, buffer, AT_REMOVEDIR);
    }
    return true;
}

void disk_clean(const struct disk *disk) {
    struct disk copy = *disk;
    visit_folders(disk, clean_folder, &copy);
}

// ---- evicting

static int by_use(const void *a, const void *b) {
    const struct disk_file *x = a, *y = b;
    return x->used != y->used ? (x->used < y->used ? -1 : 1) : by_keys(a, b);
}

struct disk_evicted disk_evict(const struct disk *disk, uint64_t limit, uint64_t keep) {
    struct disk_list list;
    struct disk_evicted removed = {0};
    uint64_t total = 0;
    if (disk_list(disk, &list)) {
        for (uint32_t i = 0; i < list.count; i++) total += directory_is_profile(&list.file[i].build) ? 0 : list.file[i].size;
        if (list.damaged_bytes && total + list.damaged_bytes > limit) removed.damaged = disk_remove_damaged(disk, 0);
        if (list.count) qsort(list.file, list.count, sizeof *list.file, by_use);
        if (total <= limit) keep = total;
        for (uint32_t i = 0; i < list.count && total > keep; i++) {
            if (directory_is_profile(&list.file[i].build) || !disk_remove(disk, &list.file[i])) continue;
            total -= list.file[i].size;
            removed.code++;
        }
    }
    disk_list_free(&list);
    return removed;
}
