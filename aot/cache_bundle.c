// `ferry cache export` and import; see cache.h.
#include "aot/cache.h"
#include "cache/writer/keys.h"
#include "cache/writer/trouble.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char said[] = "it was said";  // a reason that needs no message

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

// Collects what is wanted. NULL, or why nothing is to be written.
static const char *collect(const struct cache_command *command, struct exporting *e) {
    enum { MOST = 64 };
    struct disk disk;
    bool missing;
    if (e->count > MOST) return "more than 64 modules are named";
    if (cache_open(command, &disk, false, &missing)) cache_walk(&disk, export_file, e);
    disk_close(&disk);
    if (e->why) return "not all modules are right; see `ferry cache verify`";
    if (!unused_word(e)) return NULL;
    cache_complain("find module", unused_word(e), "see `ferry cache list`");
    return said;
}

static json_t *export_signed(const struct cache_command *command, const struct seal_secret *secret) {
    struct exporting e = {.wanted = command->words + 2, .count = command->count - 2, .bundle = {.secret = secret}};
    const char *path = command->words[1], *why = collect(command, &e);
    char key[KEYS_TEXT] = "";
    json_t *found = NULL;
    if (!why) why = bundle_write(&e.bundle, path);
    if (secret) keys_text(secret->byte + 32, key);
    if (why && why != said) cache_complain("write", path, why);
    if (!why)
        found = json_pack("{s:I, s:I, s:s?}", "modules", (json_int_t)e.bundle.modules, "entries", (json_int_t)e.entries, "key",
                          secret ? key : NULL);
    bundle_free(&e.bundle);
    return found;
}

json_t *cache_export(const struct cache_command *command, int *status) {
    struct seal_secret secret;
    const char *why = command->secret ? keys_secret(command->secret, &secret) : NULL;
    json_t *found = why ? NULL : export_signed(command, command->secret ? &secret : NULL);
    if (why) cache_complain("sign with", command->secret, why);
    keys_forget(&secret);
    *status = !found;
    return found;
}

void cache_export_print(json_t *found) {
    const char *key = json_string_value(json_object_get(found, "key"));
    printf("exported %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries%s%s\n", cache_number(found, "modules"),
           cache_number(found, "entries"), key ? ", signed by " : "", key ? key : "");
}

// ---- import

// Whom what was imported is of no use to.
static void note_builds(const char *path, json_t *inspected) {
    size_t i, n;
    json_t *build, *part;
    json_array_foreach(json_object_get(inspected, "builds"), i, build) {
        json_t *differs = json_object_get(build, "differs");
        if (!json_array_size(differs)) continue;
        fprintf(stderr,
                "ferry: %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
                " modules in %s are of no use to this Ferry: they are for another ",
                cache_number(build, "modules"), cache_number(inspected, "modules"), path);
        json_array_foreach(differs, n, part) fprintf(stderr, "%s%s", n ? ", another " : "", json_string_value(part));
        fprintf(stderr, " (build %s; this one wants %s)\n", json_string_value(json_object_get(build, "build")),
                json_string_value(json_object_get(inspected, "wanted_build")));
    }
}

static bool open_target(const struct cache_command *command, struct disk *disk) {
    const char *why;
    bool missing;
    if (!command->install) {
        if (cache_open(command, disk, true, &missing)) return true;
        if (missing) cache_complain("make", command->directory, "the directory above it is not there");
        return false;
    }
    why = disk_open(disk, command->install, geteuid(), DISK_MAKE_FOR_ALL, &missing);
    if (why) cache_complain("use", command->install, why);
    return !why;
}

static const char *merge(const struct cache_command *command, const struct bundle_file *bundle, struct bundle_result *result) {
    struct disk disk;
    const char *why = open_target(command, &disk) ? bundle_import(bundle, &disk, result) : said;
    if (why != said) trouble_note_removed(&disk, disk_evict(&disk, command->limit, command->limit).damaged);
    disk_close(&disk);
    return why;
}

json_t *cache_import(const struct cache_command *command, int *status) {
    struct bundle_file bundle;
    struct bundle_result result;
    const char *path = command->words[1];
    json_t *found = cache_inspect(command, path, &bundle);
    const char *why = json_string_value(json_object_get(found, "reason"));
    if (!why) why = cache_refusal(command, found);
    if (!why) why = merge(command, &bundle, &result);
    bundle_close(&bundle);
    if (why) {
        if (why != said) cache_complain("import", path, why);
        *status = 1;
        json_decref(found);
        return NULL;
    }
    note_builds(path, found);
    json_object_set_new(found, "moved_away", json_integer(result.damaged));
    return found;
}

void cache_import_print(json_t *found) {
    printf("imported %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries", cache_number(found, "modules"),
           cache_number(found, "entries"));
    cache_print_signature(found);
    putchar('\n');
}
