// `ferry cache stats`, list, verify: what is in the files; see cache.h.
#include "aot/cache.h"
#include "cache/file.h"
#include "cache/writer/inspect.h"
#include "cache/writer/trouble.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *string(json_t *found, const char *name) {
    return json_string_value(json_object_get(found, name));
}

static void time_text(json_int_t second, char *text, size_t size) {
    time_t time = (time_t)second;
    struct tm broken;
    if (!localtime_r(&time, &broken) || !strftime(text, size, "%F %H:%M", &broken)) *text = 0;
}

// ---- walking

uint32_t cache_walk(const struct disk *disk, cache_visit *visit, void *data) {
    struct snapshot_tools *tools = calloc(1, sizeof *tools);
    struct disk_list list = {0};
    if (!tools || !disk_list(disk, &list)) list.count = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct disk_file *file = &list.file[i];
        struct module_file opened;
        const char *why;
        int folder = disk_folder(disk, &file->build, false, &why);
        if (folder < 0) continue;
        why = module_open(&opened, folder, disk->owner, &file->build, &file->module, tools);
        close(folder);
        if (!why || !opened.missing) visit(file, &opened, why, tools, data);
        if (!why) module_close(&opened, tools);
    }
    uint32_t damaged = list.damaged;
    disk_list_free(&list);
    if (tools) snapshot_tools_free(tools);
    free(tools);
    return damaged;
}

static void set_key(json_t *object, const char *name, const struct store_key *key) {
    char hex[DIRECTORY_HEX];
    directory_hex(key, hex);
    json_object_set_new(object, name, json_string(hex));
}

// Bytes of pieces before compression.
static uint64_t unpacked(const struct snapshot *s) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < s->pieces; i++) bytes += s->piece[i].size;
    return bytes;
}

static json_t *describe(const struct disk_file *file) {
    json_t *object = json_object();
    set_key(object, "module", &file->module);
    if (directory_is_profile(&file->build)) json_object_set_new(object, "build", json_null());
    else set_key(object, "build", &file->build);
    json_object_set_new(object, "size", json_integer((json_int_t)file->size));
    json_object_set_new(object, "used", json_integer(file->used));
    return object;
}

// ---- list

static void add_to_list(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                        void *data) {
    json_t *object = describe(file);
    (void)tools;
    json_object_set_new(object, "name", why ? json_null() : cache_text(opened->snapshot.head.name));
    json_object_set_new(object, "entries", json_integer(why ? 0 : opened->snapshot.places));
    json_object_set_new(object, "unpacked", json_integer(why ? 0 : (json_int_t)unpacked(&opened->snapshot)));
    json_object_set_new(object, "reason", why ? json_string(why) : json_null());
    json_array_append_new(data, object);
}

json_t *cache_list(const struct cache_command *command, int *status) {
    struct disk disk;
    bool missing;
    json_t *modules = json_array();
    if (cache_open(command, &disk, false, &missing)) cache_walk(&disk, add_to_list, modules);
    else if (!missing) *status = 1;
    disk_close(&disk);
    return json_pack("{s:o}", "modules", modules);
}

void cache_list_print(json_t *found) {
    size_t i;
    json_t *module;
    json_array_foreach(json_object_get(found, "modules"), i, module) {
        char used[32];
        time_text(cache_number(module, "used"), used, sizeof used);
        const char *build = string(module, "build"), *name = string(module, "name");
        printf("%s  %-8.8s  %6" JSON_INTEGER_FORMAT " entries  %9" JSON_INTEGER_FORMAT " bytes  %s  %s\n", string(module, "module"),
               build ? build : "profile", cache_number(module, "entries"), cache_number(module, "size"), used,
               name ? name : string(module, "reason"));
    }
}

// ---- verify

struct verifying {
    const char *directory;
    json_t *damaged;
    json_int_t files, pieces;
};

static const char *check_pieces(struct snapshot *s, struct snapshot_tools *tools, json_int_t *pieces) {
    for (uint32_t i = 1; i <= s->pieces; i++, ++*pieces) {
        if (!snapshot_try(s, i, tools)) return "one of its pieces is damaged";
    }
    return NULL;
}

static void add_damaged(struct verifying *v, const char *path, const char *why) {
    json_array_append_new(v->damaged, json_pack("{s:o, s:s}", "file", cache_text(path), "reason", why));
}

static void verify_file(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                        void *data) {
    struct verifying *v = data;
    char buffer[PATH_MAX];
    struct text path = TEXT_ON(buffer);
    v->files++;
    if (!why) why = check_pieces(&opened->snapshot, tools, &v->pieces);
    if (!why) return;
    text_add(&path, "%s/", v->directory);
    directory_file(&path, &file->build, &file->module);
    add_damaged(v, buffer, why);
}

static void complain(const char *name, const char *why, void *data) {
    struct verifying *v = data;
    char buffer[PATH_MAX];
    struct text path = TEXT_ON(buffer);
    text_add(&path, "%s/%s", v->directory, name);
    add_damaged(v, buffer, why);
}

// What files hold, and what keeps them from being found or written.
static void verify_disk(struct verifying *v, const struct disk *disk) {
    cache_walk(disk, verify_file, v);
    inspect_disk(disk, complain, v);
}

static void verify_system(struct verifying *v, const char *path, uint32_t owner) {
    struct disk disk;
    bool missing;
    v->directory = path;
    if (*path && !disk_open(&disk, path, owner, DISK_AS_IT_IS, &missing)) verify_disk(v, &disk);
    disk_close(&disk);
}

static json_t *verify_bundles(const struct cache_command *command, int *status) {
    json_t *bundles = json_array();
    for (int i = 1; i < command->count; i++) {
        struct bundle_file bundle;
        json_t *found = cache_inspect(command, command->words[i], &bundle);
        const char *refusal = string(found, "reason") ? NULL : cache_refusal(command, found);
        if (refusal) json_object_set_new(found, "refused", json_string(refusal));
        if (refusal || string(found, "reason")) *status = 1;
        json_array_append_new(bundles, found);
        bundle_close(&bundle);
    }
    return json_pack("{s:o}", "bundles", bundles);
}

static void print_build(json_t *build) {
    const char *key = string(build, "build");
    size_t i;
    json_t *part, *differs = json_object_get(build, "differs");
    printf("  %s: %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries, for ", key ? key : "profiles",
           cache_number(build, "modules"), cache_number(build, "entries"));
    json_array_foreach(differs, i, part) printf("%sanother %s", i ? ", " : "", json_string_value(part));
    puts(json_array_size(differs) ? "" : key ? "this Ferry" : "any Ferry");
}

static void print_bundle(json_t *bundle) {
    const char *why = string(bundle, "reason"), *refusal = string(bundle, "refused");
    size_t i;
    json_t *build;
    printf("%s: ", string(bundle, "file"));
    if (why) {
        puts(why);
        return;
    }
    printf("whole, %" JSON_INTEGER_FORMAT " modules with %" JSON_INTEGER_FORMAT " entries", cache_number(bundle, "modules"),
           cache_number(bundle, "entries"));
    cache_print_signature(bundle);
    puts("");
    if (refusal) printf("  refused: %s\n", refusal);
    json_array_foreach(json_object_get(bundle, "builds"), i, build) print_build(build);
}

static json_t *verify_directories(const struct cache_command *command, int *status) {
    struct verifying v = {.directory = command->directory, .damaged = json_array()};
    struct disk disk;
    bool missing;
    char *list = strdup(command->system), *rest = list;
    if (cache_open(command, &disk, false, &missing)) verify_disk(&v, &disk);
    else if (!missing) *status = 1;
    disk_close(&disk);
    for (char *path; rest && (path = strsep(&rest, ":"));) verify_system(&v, path, command->systems_own ? 0 : geteuid());
    free(list);
    if (json_array_size(v.damaged)) *status = 1;
    return json_pack("{s:I, s:I, s:o}", "files", v.files, "pieces", v.pieces, "damaged", v.damaged);
}

json_t *cache_verify(const struct cache_command *command, int *status) {
    json_t *found = command->count > 1 ? verify_bundles(command, status) : verify_directories(command, status);
    if (command->deep) json_object_set_new(found, "deep", cache_deep(command, status));
    return found;
}

void cache_verify_print(json_t *found) {
    size_t i;
    json_t *damaged = json_object_get(found, "damaged"), *bundles = json_object_get(found, "bundles"), *file;
    json_array_foreach(bundles, i, file) print_bundle(file);
    json_array_foreach(damaged, i, file) printf("%s: %s\n", string(file, "file"), string(file, "reason"));
    if (!bundles)
        printf("%" JSON_INTEGER_FORMAT " files with %" JSON_INTEGER_FORMAT " pieces, %zu damaged\n", cache_number(found, "files"),
               cache_number(found, "pieces"), json_array_size(damaged));
    cache_deep_print(json_object_get(found, "deep"));
}

// ---- stats

struct sums {
    uint64_t files, bytes, entries, unpacked, damaged;
};
struct counting {
    struct sums code, profile;
    struct store_key build;  // of the file before
    uint64_t builds;
};

static void count_file(const struct disk_file *file, struct module_file *opened, const char *why, struct snapshot_tools *tools,
                       void *data) {
    struct counting *c = data;
    bool profile = directory_is_profile(&file->build);
    struct sums *sums = profile ? &c->profile : &c->code;
    (void)tools;
    if (!profile && memcmp(&c->build, &file->build, sizeof c->build) != 0) c->builds++;
    if (!profile) c->build = file->build;
    sums->files++;
    sums->bytes += file->size;
    sums->damaged += why != NULL;
    if (why) return;
    sums->entries += opened->snapshot.places;
    sums->unpacked += unpacked(&opened->snapshot);
}

static json_t *pack_sums(const struct sums *sums) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)sums->files, "bytes", (json_int_t)sums->bytes, "entries",
                     (json_int_t)sums->entries, "unpacked", (json_int_t)sums->unpacked, "damaged", (json_int_t)sums->damaged);
}

json_t *cache_stats(const struct cache_command *command, int *status) {
    struct counting c = {0};
    struct disk disk;
    struct trouble trouble = {0};
    struct trouble_removed removed = {0};
    uint32_t damaged = 0;
    const char *why = command->reason;
    bool missing = false;
    disk = (struct disk){.root = -1, .lock = -1};
    if (command->directory) why = disk_open(&disk, command->directory, geteuid(), DISK_AS_IT_IS, &missing);
    if (missing) why = NULL;
    if (disk.root >= 0) damaged = cache_walk(&disk, count_file, &c);
    if (disk.root >= 0) trouble = trouble_look(&disk), removed = trouble_look_removed(&disk);
    disk_close(&disk);
    *status = why ? 1 : 0;
    json_t *noted = trouble.at ? json_pack("{s:o, s:I}", "reason", cache_text(trouble.why), "time", (json_int_t)trouble.at) : NULL;
    return json_pack("{s:o?, s:s?, s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:o?}", "directory",
                     command->directory ? cache_text(command->directory) : NULL, "reason", why, "mode", command->mode, "limit",
                     (json_int_t)command->limit, "builds", (json_int_t)c.builds, "code", pack_sums(&c.code), "profiles",
                     pack_sums(&c.profile), "moved_away", (json_int_t)damaged, "removed_damaged", (json_int_t)removed.files,
                     "trouble", noted);
}

static void print_sums(const char *name, json_t *sums) {
    printf("%-10s %" JSON_INTEGER_FORMAT " files, %" JSON_INTEGER_FORMAT " bytes (%" JSON_INTEGER_FORMAT
           " unpacked), %" JSON_INTEGER_FORMAT " entries, %" JSON_INTEGER_FORMAT " files damaged\n",
           name, cache_number(sums, "files"), cache_number(sums, "bytes"), cache_number(sums, "unpacked"),
           cache_number(sums, "entries"), cache_number(sums, "damaged"));
}

void cache_stats_print(json_t *found) {
    const char *directory = string(found, "directory"), *why = string(found, "reason");
    printf("%-10s %s%s%s\n", "directory", directory ? directory : "none", why ? ", not used: " : "", why ? why : "");
    printf("%-10s %s\n%-10s %" JSON_INTEGER_FORMAT " bytes\n%-10s %" JSON_INTEGER_FORMAT "\n", "mode", string(found, "mode"),
           "limit", cache_number(found, "limit"), "builds", cache_number(found, "builds"));
    print_sums("code", json_object_get(found, "code"));
    print_sums("profiles", json_object_get(found, "profiles"));
    json_int_t removed = cache_number(found, "removed_damaged");
    printf("%-10s %" JSON_INTEGER_FORMAT " files in damaged/", "moved away", cache_number(found, "moved_away"));
    if (removed) printf("; so far %" JSON_INTEGER_FORMAT " more were removed for want of room", removed);
    putchar('\n');
    json_t *trouble = json_object_get(found, "trouble");
    if (!json_is_object(trouble)) return;
    char at[32];
    time_text(cache_number(trouble, "time"), at, sizeof at);
    printf("%-10s %s: nothing was written at %s\n", "trouble", string(trouble, "reason"), at);
}
