// The runner's side of the store: see store.h.
#include "cache/store.h"
#include "cache/directory.h"
#include "cache/file.h"
#include "cache/snapshot.h"
#include "runtime/base/arena.h"
#include "runtime/base/lock.h"
#include "runtime/base/sys.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>

enum { PLACES = 5 };  // the user's directory and so many less one of systems

struct place {
    char path[PATH_MAX];
    uint32_t owner;
    struct directory_state has;
};

struct store_module {
    struct btree_file file[PLACES];
    struct snapshot snapshot[PLACES];
    unsigned count;
};

static struct place place[PLACES];
static unsigned places;
static struct store_key build_key;
static const char *reason = "the store was not started";
static struct snapshot_tools tools;
static struct lock store_lock;  // for all of this but what store_start sets
static bool registered;  // with fork

// ---- which directories

static bool add_place(const char *path, size_t length, uint32_t owner, const char **why) {
    struct place *p = &place[places];
    *why = "its path is too long";
    if (places == PLACES || length >= sizeof p->path) return false;
    memcpy(p->path, path, length);
    p->path[length] = 0;
    p->owner = owner;
    p->has = directory_look(p->path, owner, &build_key);
    *why = p->has.why;
    if (*why || !p->has.exists) return false;
    places++;
    return true;
}

// Of a system's directories nobody else than root may have written what is in them, unless the user named others.
static void add_systems(const char *list, uint32_t user) {
    const char *why, *all = list ? list : STORE_SYSTEMS;
    for (size_t length; *all; all += length + (all[length] == ':')) {
        length = strcspn(all, ":");
        if (length && !add_place(all, length, 0, &why) && list && user) add_place(all, length, user, &why);
    }
}

// The user's. `why`: why there is none, or NULL where it only was not made yet.
static void add_users(const char *path, uint32_t user, const char **why) {
    char buffer[PATH_MAX];
    struct text found = TEXT_ON(buffer);
    if (!path && !store_default_directory(&found, why)) return;
    if (!path) path = buffer;
    *why = "there is to be none";
    if (*path) add_place(path, strlen(path), user, why);
}

static void add_profiles(const char *path, uint32_t user) {
    const char *why;
    if (add_place(path, strlen(path), user, &why)) place[places - 1].has.code = false;
}

void store_start(const struct store_settings *settings, const struct store_key *build) {
    if (!registered) lock_register(&store_lock);
    registered = true;
    uint32_t user = (uint32_t)host_call(geteuid);
    places = 0;
    build_key = *build;
    reason = "this program gains privileges when it is started";
    if (getauxval(AT_SECURE)) return;
    add_users(settings->directory, user, &reason);
    add_systems(settings->system, user);
    if (settings->profiles) add_profiles(settings->profiles, user);
}

const char *store_reason(void) {
    return reason;
}

// Where nothing was started nothing is ever open, and fork does not know the lock.
void store_hold(void) {
    if (registered) lock_take(&store_lock);
}

void store_release(void) {
    if (registered) lock_drop(&store_lock);
}

// ---- modules

// The one module of a file, if that is what its name says.
static bool open_file(struct store_module *m, const struct btree_file *file, const struct store_key *build,
                      const struct store_key *module) {
    struct snapshot_head head;
    bool other;
    m->file[m->count] = *file;
    file = &m->file[m->count];
    if (snapshot_check(file, &other) || !snapshot_head(file, 1, &tools, &head)) return false;
    if (memcmp(&head.build, build, sizeof *build) || memcmp(&head.key, module, sizeof *module)) return false;
    if (snapshot_open(&m->snapshot[m->count], file, &head, &tools)) return false;
    m->count++;
    return true;
}

// Files that are damaged are none to us; the compiler program, which finds them when it writes, moves them away.
static void open_place(struct store_module *m, const struct place *p, const struct store_key *build,
                       const struct store_key *module) {
    char buffer[PATH_MAX];
    struct text path = TEXT_ON(buffer);
    struct btree_file file;
    bool missing;
    if (!(directory_is_profile(build) ? p->has.profile : p->has.code)) return;
    text_add(&path, "%s/", p->path);
    directory_file(&path, build, module);
    if (path.cut || file_map(AT_FDCWD, buffer, p->owner, &file, &missing)) return;
    if (!open_file(m, &file, build, module)) file_unmap(&file);
}

static struct store_module *open_module(const struct store_key *build, const struct store_key *module) {
    struct store_module opened = {.count = 0}, *kept = NULL;
    lock_take(&store_lock);
    for (unsigned i = 0; i < places; i++) open_place(&opened, &place[i], build, module);
    if (opened.count) {
        kept = pages_take(sizeof *kept);
        *kept = opened;
        for (unsigned i = 0; i < kept->count; i++) kept->snapshot[i].file = &kept->file[i];
    }
    lock_drop(&store_lock);
    return kept;
}

struct store_module *store_open(const struct store_key *module) {
    return open_module(&build_key, module);
}

struct store_module *store_open_profile(const struct store_key *module) {
    static const struct store_key profile;
    return open_module(&profile, module);
}

typedef const uint8_t *get_piece(struct snapshot *s, uint32_t piece, struct snapshot_tools *tools);  // NOLINT: a function's type

static bool find_in(struct snapshot *s, uint32_t entry, uint32_t kind, get_piece *get, struct store_record *record) {
    const struct format_place *at = snapshot_find(s, entry, kind);
    const uint8_t *piece = at ? get(s, at->piece, &tools) : NULL;
    if (!piece) return false;
    *record = (struct store_record){.bytes = piece + at->offset, .size = at->size};
    return true;
}

static bool find(struct store_module *m, uint32_t entry, uint32_t kind, get_piece *get, struct store_record *record) {
    bool found = false;
    lock_take(&store_lock);
    for (unsigned i = 0; !found && i < m->count; i++) found = find_in(&m->snapshot[i], entry, kind, get, record);
    lock_drop(&store_lock);
    return found;
}

bool store_find(struct store_module *m, uint32_t entry, uint32_t kind, struct store_record *record) {
    return find(m, entry, kind, snapshot_piece, record);
}

bool store_look(struct store_module *m, uint32_t entry, uint32_t kind, struct store_record *record) {
    return find(m, entry, kind, snapshot_lend, record);
}

uint32_t store_list(struct store_module *m, uint32_t from, uint32_t to, uint32_t kind, uint32_t *entries, uint32_t room) {
    uint32_t count = 0;
    lock_take(&store_lock);
    for (unsigned i = 0; i < m->count; i++) {
        const struct snapshot *s = &m->snapshot[i];
        for (uint32_t n = snapshot_bound(s, from, 0); n < s->places && s->place[n].entry < to && count < room; n++) {
            if (s->place[n].kind == kind) entries[count++] = s->place[n].entry;
        }
    }
    lock_drop(&store_lock);
    return count;
}

void store_close(struct store_module *m) {
    for (unsigned i = 0; i < m->count; i++) {
        snapshot_close(&m->snapshot[i], &tools);
        file_unmap(&m->file[i]);
    }
    pages_give(m, sizeof *m);
}
