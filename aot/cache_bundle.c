// `ferry cache export` and import; see cache.h.
#include "aot/cache.h"
#include "cache/writer/bundle.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- export

struct exporting {
    char **wanted;  // words for modules; none: all
    int count;
    uint64_t used;  // a bit for each word that meant something
    struct bundle bundle;
    uint64_t entries;
    const char *why;
};

// Whether `word` is the beginning of the key, the name or its last part.
static bool means(const char *word, const struct snapshot_head *head) {
    enum { LEAST_DIGITS = 4 };
    char hex[DIRECTORY_HEX];
    const char *slash = strrchr(head->name, '/');
    directory_hex(&head->key, hex);
    return !strcmp(word, head->name) || (slash && !strcmp(word, slash + 1)) ||
           (strlen(word) >= LEAST_DIGITS && !strncmp(hex, word, strlen(word)));
}

static bool is_wanted(struct exporting *e, const struct snapshot_head *head) {
    bool wanted = !e->count;
    for (int i = 0; i < e->count; i++) {
        if (!means(e->wanted[i], head)) continue;
        wanted = true;
        e->used |= UINT64_C(1) << i;
    }
    return wanted;
}

static void export_file(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                        void *data) {
    struct exporting *e = data;
    char hex[DIRECTORY_HEX];
    if (!why && !is_wanted(e, &opened->snapshot.head)) return;
    if (!why) {
        e->entries += opened->snapshot.places;
        why = bundle_add(&e->bundle, &opened->snapshot, tools);
    }
    directory_hex(&file->module, hex);
    if (!why) return;
    e->why = why;
    cache_complain("export module", hex, why);
}

static const char *unused_word(const struct exporting *e) {
    for (int i = 0; i < e->count; i++) {
        if (!(e->used >> i & 1)) return e->wanted[i];
    }
    return NULL;
}

json_t *cache_export(const struct cache_command *command, int *status) {
    enum { MOST = 64 };
    struct exporting e = {.wanted = command->words + 2, .count = command->count - 2};
    struct disk disk;
    bool missing;
    json_t *found = NULL;
    const char *path = command->words[1], *why = NULL;
    *status = 1;
    if (e.count > MOST) {
        cache_complain("write", path, "more than 64 modules are named");
        return NULL;
    }
    if (cache_open(command, &disk, false, &missing)) cache_walk(&disk, export_file, &e);
    disk_close(&disk);
    if (e.why) why = "not all modules are right; see `ferry cache verify`";
    else if (unused_word(&e)) cache_complain("find module", unused_word(&e), "see `ferry cache list`");
    else why = bundle_write(&e.bundle, path);
    if (why) cache_complain("write", path, why);
    else if (!unused_word(&e)) {
        *status = 0;
        found = json_pack("{s:I, s:I}", "modules", (json_int_t)e.bundle.modules, "entries", (json_int_t)e.entries);
    }
    bundle_free(&e.bundle);
    return found;
}

void cache_export_print(json_t *found) {
    printf("exported %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries\n", cache_number(found, "modules"),
           cache_number(found, "entries"));
}

// ---- import

json_t *cache_import(const struct cache_command *command, int *status) {
    struct disk disk;
    struct bundle_result result;
    bool missing;
    const char *why = NULL;
    *status = 1;
    if (cache_open(command, &disk, true, &missing)) {
        why = bundle_import(command->words[1], &disk, &result);
        if (why) cache_complain("import", command->words[1], why);
        else *status = 0;
        disk_evict(&disk, command->limit, command->limit);
    } else if (missing) {
        cache_complain("make", command->directory, "the directory above it is not there");
    }
    disk_close(&disk);
    if (*status) return NULL;
    return json_pack("{s:I, s:I, s:I}", "modules", (json_int_t)result.modules, "entries", (json_int_t)result.places, "moved_away",
                     (json_int_t)result.damaged);
}

void cache_import_print(json_t *found) {
    printf("imported %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries\n", cache_number(found, "modules"),
           cache_number(found, "entries"));
}
