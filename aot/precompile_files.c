// Which files there are to be gone through: see precompile_parts.h. This is all that is done for a program that was precompiled before, so it reads no more
// than a file's headers where it can.
#include "aot/needed.h"
#include "aot/precompile_parts.h"
#include "cache/record.h"
#include "runtime/base/error.h"
#include "runtime/base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Of records with a marker: no code's. Several files may have a module of the same key.
enum marker_kind { MARKER_BY_INODE = INT32_MIN, MARKER_BY_HASH };

// ---- markers

static struct marker marker_of(const struct stat *about) {
    return (struct marker){.size = (uint64_t)about->st_size,
                           .inode = about->st_ino,
                           .modified = {about->st_mtim.tv_sec, about->st_mtim.tv_nsec},
                           .changed = {about->st_ctim.tv_sec, about->st_ctim.tv_nsec}};
}

static bool hash_file(int fd, size_t size, uint64_t hash[2]) {
    uint8_t *bytes = malloc(size + 1);
    bool whole = bytes && io_read_at(fd, bytes, size, 0) == (long)size;
    if (whole) record_hash(bytes, size, hash);
    free(bytes);
    return whole;
}

static bool find_marker(struct store_module *store, uint64_t entry, enum marker_kind kind, struct marker *marker) {
    struct store_record record;
    if (!store_find(store, (uint32_t)entry, (uint32_t)kind, &record) || record.size != sizeof *marker) return false;
    memcpy(marker, record.bytes, sizeof *marker);
    return true;
}

// The file's bytes are only read where there is something of this module, but not from this file or from before somebody touched it.
static bool is_marked(struct store_module *store, int fd, const struct marker *now) {
    struct marker marker;
    uint64_t hash[2];
    if (find_marker(store, now->inode, MARKER_BY_INODE, &marker) && !memcmp(now, &marker, offsetof(struct marker, hash)) &&
        marker.loops >= now->loops)
        return true;
    return hash_file(fd, now->size, hash) && find_marker(store, hash[0], MARKER_BY_HASH, &marker) && marker.loops >= now->loops &&
           !memcmp(hash, marker.hash, sizeof hash) && !memcmp(now->profile, marker.profile, sizeof marker.profile);
}

static bool module_is_current(const struct file_module *module, int fd, const struct marker *now) {
    struct store_module *store = store_open(&module->key);
    bool current = store && is_marked(store, fd, now);
    if (store) store_close(store);
    return current;
}

static bool is_current(const struct target *target, int fd) {
    bool current = true;
    for (unsigned i = 0; i < target->modules.count && current; i++)
        current = module_is_current(&target->modules.module[i], fd, &target->marker);
    return current;
}

static void add_marker(struct writer *writer, const struct target *target, const struct marker *marker, uint64_t entry,
                       enum marker_kind kind) {
    const uint32_t entries[] = {(uint32_t)entry};
    const struct writer_record record = {
        .kind = (uint32_t)kind, .count = 1, .entries = entries, .bytes = (const uint8_t *)marker, .size = sizeof *marker};
    for (unsigned i = 0; i < target->modules.count; i++) writer_add(writer, &target->modules.module[i].key, target->path, &record);
}

// Bundles are for other systems, and are the same wherever they were made.
void target_mark(const struct target *target, const struct wanted *wanted, struct writer *writer) {
    struct marker marker = target->marker, bytes = {.size = marker.size, .loops = marker.loops};
    memcpy(bytes.profile, marker.profile, sizeof bytes.profile);
    memcpy(bytes.hash, target->found->hash, sizeof bytes.hash);
    add_marker(writer, target, &bytes, bytes.hash[0], MARKER_BY_HASH);
    if (!wanted->output) add_marker(writer, target, &marker, marker.inode, MARKER_BY_INODE);
}

// ---- files

static bool is_known(const struct targets *targets, const struct stat *about) {
    for (size_t i = 0; i < targets->count; i++) {
        if (targets->target[i].marker.inode == about->st_ino && targets->target[i].device == about->st_dev) return true;
    }
    return false;
}

static void add_target(struct targets *targets, const struct target *target) {
    if (targets->count == targets->room) {
        targets->room = targets->room ? 2 * targets->room : 64;
        struct target *grown = realloc(targets->target, targets->room * sizeof *grown);
        if (!grown) error_die("no memory for the list of files");
        targets->target = grown;
    }
    targets->target[targets->count++] = *target;
}

// Programs and libraries of other machines, and what is neither, are passed over where they were not named.
static void complain(struct targets *targets, const char *path, const char *why) {
    progress_complain("%s: %s", path, why);
    targets->complaints++;
}

static void add_open(struct targets *targets, const struct wanted *wanted, const char *path, int fd, bool named) {
    struct target target = {.state = TARGET_WAITING};
    struct stat about;
    const char *why;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) {
        if (named) complain(targets, path, "it is no ordinary file");
        return;
    }
    if (is_known(targets, &about)) return;
    enum modules_outcome outcome = modules_read(fd, &target.modules, &why);
    bool foreign = outcome == MODULES_FOREIGN || (outcome == MODULES_READ && target.modules.machine != wanted->isa->elf_machine);
    if (foreign && named) complain(targets, path, why ? why : "it is for another machine");
    if (!foreign && outcome == MODULES_DAMAGED) complain(targets, path, why);
    if (foreign || outcome != MODULES_READ || !target.modules.count) return;
    target.device = about.st_dev;
    target.marker = marker_of(&about);
    target.marker.loops = wanted->loops;
    if (profiles_wanted(wanted)) profiles_digest(&target.modules, target.marker.profile);
    for (unsigned i = 0; i < target.modules.count; i++) target.code += target.modules.module[i].bytes;
    if (is_current(&target, fd)) target.state = TARGET_CURRENT;
    target.path = strdup(path);
    if (target.path) add_target(targets, &target);
}

static void add_file(struct targets *targets, const struct wanted *wanted, const char *path, bool named) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        complain(targets, path, strerror(errno));
        return;
    }
    add_open(targets, wanted, path, fd, named);
    close(fd);
}

static void add_needed(struct targets *targets, const struct wanted *wanted, const char *path) {
    struct needed needed;
    const char *why;
    needed_find(path, wanted->sysroot, &needed, &why);  // what is wrong with the file itself was said before
    for (size_t i = 0; i < needed.paths; i++) add_file(targets, wanted, needed.path[i], false);
    for (size_t i = 0; i < needed.missings; i++) {
        progress_complain("%s needs %s, which was not found%s", path, needed.missing[i],
                          wanted->sysroot ? "" : "; name the root of its system by -L DIR");
        targets->complaints++;
    }
    needed_end(&needed);
}

// ---- directories

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

// Symbolic links are not followed: what they lead to is likely to be there as well.
static void add_directory(struct targets *targets, const struct wanted *wanted, const char *path) {
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
    for (FTSENT *entry; walk && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_F) add_file(targets, wanted, entry->fts_path, false);
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            complain(targets, entry->fts_path, strerror(entry->fts_errno));
    }
    if (walk) fts_close(walk);
}

void targets_add(struct targets *targets, const struct wanted *wanted, const char *path) {
    struct stat about;
    if (!stat(path, &about) && S_ISDIR(about.st_mode)) {
        add_directory(targets, wanted, path);
        return;
    }
    unsigned complaints = targets->complaints;
    add_file(targets, wanted, path, true);
    if (targets->complaints == complaints) add_needed(targets, wanted, path);
}

void targets_free(struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++) {
        target_forget_found(&targets->target[i]);
        free(targets->target[i].path);
    }
    free(targets->target);
    *targets = (struct targets){.target = NULL};
}
