// Guest paths to host paths: see task.h. The sysroot lies over the host's root: what exists there is used from there, symbolic
// links in it read as if it were "/". Resolution is by readlink, component by component, and opens nothing: a descriptor of ours
// would be visible to other guest threads for a moment.
#include "guest-os/linux-user/task.h"
#include "runtime/base/sys.h"
#include "runtime/options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

enum { LINKS = 40 };  // as many as the kernel follows

static size_t root_length(void) {
    size_t length = strlen(options.sysroot);
    while (length && options.sysroot[length - 1] == '/') length--;
    return length;
}

// Whether `path` is `prefix` (of `length` bytes) or lies below it.
static bool is_below(const char *path, const char *prefix, size_t length) {
    return strncmp(path, prefix, length) == 0 && (path[length] == '/' || !path[length]);
}

// Always the host's.
static bool is_special(const char *path) {
    return is_below(path, "/proc", 5) || is_below(path, "/dev", 4) || is_below(path, "/sys", 4);
}

// A walk through the sysroot: `at` has the host path so far, `next` what is still to go. That text ends where `rest` ends, so that
// the text of a link is put before it without moving anything.
struct walk {
    char *at;  // PATH_MAX bytes, beginning with the sysroot
    size_t root, length;
    bool follow;
    int links;
    char *next;
    char rest[PATH_MAX];
};

enum step { STEP_ON, STEP_FOUND, STEP_SPECIAL, STEP_MISSING };

static void set_length(struct walk *walk, size_t length) {
    walk->length = length;
    walk->at[length] = 0;
}

static void go_up(struct walk *walk) {
    size_t length = walk->length;
    while (length > walk->root && walk->at[length - 1] != '/') length--;
    set_length(walk, length > walk->root ? length - 1 : length);
}

static bool put_before(struct walk *walk, const char *text, size_t size) {
    if ((size_t)(walk->next - walk->rest) < size) return false;
    walk->next -= size;
    memcpy(walk->next, text, size);
    return true;
}

// Goes on at the link's target. After too many links the kernel gets the path as it is: it will count them as well and say ELOOP.
static enum step follow_link(struct walk *walk, size_t parent, const char *target, size_t size) {
    if (++walk->links > LINKS) return STEP_FOUND;
    set_length(walk, *target == '/' ? walk->root : parent);
    return put_before(walk, target, size) ? STEP_ON : STEP_MISSING;
}

static enum step enter(struct walk *walk, const char *name, size_t size) {
    char target[PATH_MAX];
    size_t parent = walk->length;
    if (walk->length + size + 2 > PATH_MAX) return STEP_MISSING;
    walk->at[parent] = '/';
    memcpy(walk->at + parent + 1, name, size);
    set_length(walk, parent + 1 + size);
    if (is_special(walk->at + walk->root)) return STEP_SPECIAL;
    long length = host_call(readlinkat, AT_FDCWD, walk->at, target, sizeof target);
    if (length == -EINVAL) return STEP_ON;  // no link
    if (length == -EACCES) return STEP_FOUND;
    if (length < 0) return STEP_MISSING;
    if (!*walk->next && !walk->follow) return STEP_ON;
    return follow_link(walk, parent, target, (size_t)length);
}

static enum step take_step(struct walk *walk) {
    walk->next += strspn(walk->next, "/");
    const char *name = walk->next;
    size_t size = strcspn(name, "/");
    walk->next += size;
    if (size == 0 || (size == 1 && name[0] == '.')) return STEP_ON;
    if (size == 2 && name[0] == '.' && name[1] == '.') return go_up(walk), STEP_ON;
    char copy[NAME_MAX + 1];
    if (size > NAME_MAX) return STEP_MISSING;
    memcpy(copy, name, size);
    return enter(walk, copy, size);
}

// What is left is added as it is: the kernel goes on from there.
static bool add_rest(struct walk *walk) {
    size_t size = strlen(walk->next);
    if (walk->length + size + 1 > PATH_MAX) return false;
    memcpy(walk->at + walk->length, walk->next, size + 1);
    return true;
}

static const char *look_in_sysroot(const char *path, bool follow, char *buffer) {
    size_t root = root_length(), size = strlen(path);
    struct walk walk;
    if (root + 2 > PATH_MAX || size + 1 > sizeof walk.rest) return path;
    walk.at = buffer;
    walk.root = root;
    walk.follow = follow;
    walk.links = 0;
    walk.next = walk.rest + sizeof walk.rest - size - 1;
    memcpy(walk.next, path, size + 1);
    memcpy(buffer, options.sysroot, root);
    set_length(&walk, root);
    enum step step = STEP_ON;
    while (step == STEP_ON && *walk.next) step = take_step(&walk);
    if (step == STEP_MISSING) return path;
    if (step != STEP_ON && !add_rest(&walk)) return path;
    if (step == STEP_SPECIAL) return buffer + root;
    bool slash = size && path[size - 1] == '/' && step == STEP_ON && walk.length + 2 <= PATH_MAX;
    if (slash) memcpy(buffer + walk.length, "/", 2);  // must be a directory, as the guest said
    return buffer;
}

const char *path_host(const char *path, bool follow, char *buffer) {
    if (path[0] != '/') return path;
    const char *exe = follow ? proc_exe(path) : NULL;
    if (exe) return exe;
    if (!options.sysroot || is_special(path) || is_below(path, options.sysroot, root_length())) return path;
    return look_in_sysroot(path, follow, buffer);
}

const char *path_guest(const char *path) {
    if (!options.sysroot || path[0] != '/') return path;
    size_t root = root_length();
    if (!root || !is_below(path, options.sysroot, root)) return path;
    return path[root] ? path + root : "/";
}
