// See inspect.h. Changes nothing: what is in a writer's way it moves to damaged/ itself (disk_make_way).
#include "cache/writer/inspect.h"
#include "cache/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct inspection {
    const struct disk *disk;
    inspect_complaint *say;
    void *data;
};

// What is wrong with what has this name and should be of a type, S_IFDIR or S_IFREG. NULL where nothing is, or it is not there.
static const char *find_wrong(const struct disk *disk, int at, const char *name, unsigned type) {
    struct stat about;
    if (fstatat(at, name, &about, AT_SYMLINK_NOFOLLOW)) return errno == ENOENT ? NULL : disk_reason(errno);
    const char *why = file_distrust(about.st_mode, about.st_uid, disk->owner);
    if (!S_ISLNK(about.st_mode) && (about.st_mode & S_IFMT) != type) why = type == S_IFDIR ? "it is no directory" : "it is no file";
    return why;
}

// The names in a directory of ours that nothing is wrong with, or NULL.
static DIR *names_in(const struct inspection *i, const char *path) {
    const char *why = find_wrong(i->disk, i->disk->root, path, S_IFDIR);
    int fd = why ? -1 : openat(i->disk->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (why) i->say(path, why, i->data);
    if (fd >= 0 && !names) close(fd);
    return names;
}

static void look_at(const struct inspection *i, const char *path, unsigned type) {
    const char *why = find_wrong(i->disk, i->disk->root, path, type);
    if (why) i->say(path, why, i->data);
}

// Of files that are being written only what keeps others from being so.
static void look_into(const struct inspection *i, const char *folder) {
    DIR *names = names_in(i, folder);
    for (struct dirent *entry; names && (entry = readdir(names));) {
        char buffer[PATH_MAX];
        struct text path = TEXT_ON(buffer);
        struct stat about;
        if (strncmp(entry->d_name, "tmp.", strlen("tmp.")) != 0) continue;
        text_add(&path, "%s/%s", folder, entry->d_name);
        if (fstatat(i->disk->root, buffer, &about, AT_SYMLINK_NOFOLLOW) || S_ISREG(about.st_mode)) continue;
        i->say(buffer, "it is no file", i->data);
    }
    if (names) closedir(names);
}

void inspect_disk(const struct disk *disk, inspect_complaint *say, void *data) {
    struct inspection i = {disk, say, data};
    DIR *builds = names_in(&i, "code");
    for (struct dirent *entry; builds && (entry = readdir(builds));) {
        struct store_key build;
        char buffer[PATH_MAX];
        struct text path = TEXT_ON(buffer);
        if (!directory_key(entry->d_name, &build)) continue;
        text_add(&path, "code/%s", entry->d_name);
        look_into(&i, buffer);
    }
    if (builds) closedir(builds);
    look_into(&i, "profile");
    look_at(&i, "damaged", S_IFDIR);
    look_at(&i, DISK_LOCKS, S_IFREG);
}
