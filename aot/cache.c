// `ferry cache`: its words, and the subcommands that are about directories; see cache.h.
#include "aot/cache.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SCHEMA = 1, DAY = 24 * 3600, DAMAGED_DAYS = 30 };

int cache_complain(const char *what, const char *object, const char *why) {
    fprintf(stderr, "ferry: cannot %s %s: %s\n", what, object, why);
    return 1;
}

json_t *cache_text(const char *text) {
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    json_t *made = copy ? json_string(copy) : NULL;
    for (char *c = copy; !made && c && *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';  // it is no UTF-8
    if (!made && copy) made = json_string(copy);
    free(copy);
    return made;
}

json_int_t cache_number(json_t *found, const char *name) {
    return json_integer_value(json_object_get(found, name));
}

bool cache_open(const struct cache_command *command, struct disk *disk, bool make, bool *missing) {
    *missing = false;
    *disk = (struct disk){.root = -1, .lock = -1};
    const char *why = command->directory ? disk_open(disk, command->directory, geteuid(), make ? DISK_MAKE : DISK_AS_IT_IS, missing)
                                         : command->reason;
    if (why && !*missing) cache_complain("use", command->directory ? command->directory : "a cache", why);
    return !why;
}

// ---- dir

// The system's directories in a list; whether each is there and to be used.
static json_t *systems(const struct cache_command *command) {
    json_t *all = json_array();
    char *list = strdup(command->system), *rest = list;
    for (char *path; rest && (path = strsep(&rest, ":"));) {
        static const struct store_key none;
        if (!*path) continue;
        struct directory_state state = directory_look(path, 0, &none);
        if (state.why && !command->systems_own) state = directory_look(path, geteuid(), &none);
        json_array_append_new(
            all, json_pack("{s:o, s:b, s:s?}", "directory", cache_text(path), "exists", state.exists, "reason", state.why));
    }
    free(list);
    return all;
}

static json_t *dir(const struct cache_command *command, int *status) {
    static const struct store_key none;
    const char *why = command->reason;
    bool exists = false;
    if (command->directory) {
        struct directory_state state = directory_look(command->directory, geteuid(), command->has_build ? &command->build : &none);
        why = state.why;
        exists = state.exists;
    }
    *status = why ? 1 : 0;
    return json_pack("{s:o?, s:b, s:s?, s:s, s:o}", "directory", command->directory ? cache_text(command->directory) : NULL,
                     "exists", exists, "reason", why, "mode", command->mode, "system", systems(command));
}

static void print_dir(json_t *found) {
    const char *directory = json_string_value(json_object_get(found, "directory"));
    const char *why = json_string_value(json_object_get(found, "reason"));
    if (directory) puts(directory);
    if (why) cache_complain("use", directory ? directory : "a cache", why);
}

// ---- prune

static uint64_t total(const struct disk_list *list) {
    uint64_t bytes = list->damaged_bytes;
    for (uint32_t i = 0; i < list->count; i++) bytes += list->file[i].size;
    return bytes;
}

// Files that were not used for so long; all of them, profiles included, if `all`.
static void remove_files(const struct disk *disk, const struct disk_list *list, int64_t days, bool all) {
    for (uint32_t i = 0; i < list->count; i++) {
        const struct disk_file *file = &list->file[i];
        bool old = days >= 0 && !directory_is_profile(&file->build) && (time(NULL) - file->used) / DAY >= days;
        if (all || old) disk_remove(disk, file);
    }
}

static json_t *prune(const struct cache_command *command, int *status) {
    struct disk disk;
    struct disk_list before = {0}, after = {0};
    bool missing;
    if (cache_open(command, &disk, false, &missing) && disk_list(&disk, &before)) {
        uint64_t limit = command->has_size ? command->size : command->limit;
        remove_files(&disk, &before, command->older, command->all);
        disk_remove_damaged(&disk, command->all ? 0 : command->older >= 0 ? command->older : DAMAGED_DAYS);
        if (command->has_size || command->older < 0) disk_evict(&disk, limit, limit);
        disk_clean(&disk);
        disk_list(&disk, &after);
    } else if (!missing) {
        *status = 1;
    }
    json_t *found = json_pack("{s:I, s:I, s:I, s:I, s:I}", "removed",
                              (json_int_t)before.count + before.damaged - after.count - after.damaged, "removed_damaged",
                              (json_int_t)before.damaged - after.damaged, "bytes", (json_int_t)(total(&before) - total(&after)),
                              "files", (json_int_t)after.count + after.damaged, "left", (json_int_t)total(&after));
    disk_list_free(&before);
    disk_list_free(&after);
    disk_close(&disk);
    return found;
}

static void print_prune(json_t *found) {
    json_int_t damaged = cache_number(found, "removed_damaged");
    printf("removed %" JSON_INTEGER_FORMAT " files with %" JSON_INTEGER_FORMAT " bytes", cache_number(found, "removed"),
           cache_number(found, "bytes"));
    if (damaged) printf(", %" JSON_INTEGER_FORMAT " of them from damaged/", damaged);
    printf("; %" JSON_INTEGER_FORMAT " with %" JSON_INTEGER_FORMAT " are left\n", cache_number(found, "files"),
           cache_number(found, "left"));
}

// ---- which

static const struct verb {
    const char *name;
    json_t *(*find)(const struct cache_command *command, int *status);
    void (*print)(json_t *found);
} verbs[] = {
    {"dir", dir, print_dir},
    {"stats", cache_stats, cache_stats_print},
    {"list", cache_list, cache_list_print},
    {"verify", cache_verify, cache_verify_print},
    {"prune", prune, print_prune},
    {"export", cache_export, cache_export_print},
    {"import", cache_import, cache_import_print},
    {"keygen", cache_keygen, cache_keygen_print},
};

static bool take_option(struct cache_command *command, int option) {
    switch (option) {
    case 'd': command->directory = optarg; break;
    case 'r': command->reason = optarg; break;
    case 'y': command->system = optarg, command->systems_own = false; break;
    case 'm': command->mode = optarg; break;
    case 'l': command->limit = strtoull(optarg, NULL, 10); break;
    case 's': command->size = strtoull(optarg, NULL, 10), command->has_size = true; break;
    case 'o': command->older = strtoll(optarg, NULL, 0); break;
    case 'j': command->json = true; break;
    case 'a': command->all = true; break;
    case 'k': command->keys = optarg; break;
    case 'q': command->must_be_signed = true; break;
    case 'S': command->secret = optarg; break;
    case 'i': command->install = optarg; break;
    case 'D': command->deep = true; break;
    case 'n':
        command->sample = strcmp(optarg, "all") != 0 ? strtoull(optarg, NULL, 0) : UINT64_MAX, command->has_sample = true;
        break;
    case 'e': command->seed = strtoull(optarg, NULL, 0), command->has_seed = true; break;
    case 'g': command->isa = guest_by_name(optarg); break;
    case 'f': command->features = strtoull(optarg, NULL, 10); break;
    case 'b': command->has_build = directory_key(optarg, &command->build); break;
    default: return false;
    }
    return true;
}

static bool take_words(struct cache_command *command, int argc, char *argv[]) {
    static const struct option options[] = {
        {"directory", required_argument, NULL, 'd'}, {"reason", required_argument, NULL, 'r'},
        {"system", required_argument, NULL, 'y'},    {"mode", required_argument, NULL, 'm'},
        {"limit", required_argument, NULL, 'l'},     {"size", required_argument, NULL, 's'},
        {"older", required_argument, NULL, 'o'},     {"json", required_argument, NULL, 'j'},
        {"all", required_argument, NULL, 'a'},       {"keys", required_argument, NULL, 'k'},
        {"signed", required_argument, NULL, 'q'},    {"sign", required_argument, NULL, 'S'},
        {"install", required_argument, NULL, 'i'},   {"build", required_argument, NULL, 'b'},
        {"guest", required_argument, NULL, 'g'},     {"features", required_argument, NULL, 'f'},
        {"deep", required_argument, NULL, 'D'},      {"sample", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 'e'},      {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (!take_option(command, option)) return false;
    }
    command->words = argv + optind;
    command->count = argc - optind;
    return command->count;
}

static int show(const struct cache_command *command, const struct verb *verb) {
    int status = 0;
    json_t *found = verb->find(command, &status), *whole = NULL;
    if (found && command->json) {
        whole = json_pack("{s:i}", "schema", SCHEMA);
        json_object_update(whole, found);
        json_dumpf(whole, stdout, JSON_INDENT(1));
        putchar('\n');
    } else if (found) {
        verb->print(found);
    }
    json_decref(whole);
    json_decref(found);
    if (fflush(stdout) || ferror(stdout)) return cache_complain("write to", "standard output", "the host refuses it");
    return status;
}

int cache_main(int argc, char *argv[]) {
    struct cache_command command = {.reason = "no directory is known",
                                    .system = STORE_SYSTEMS,
                                    .systems_own = true,
                                    .mode = "on",
                                    .keys = "",
                                    .limit = WRITER_LIMIT,
                                    .older = -1};
    if (!take_words(&command, argc, argv)) return 2;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!strcmp(verbs[i].name, command.words[0])) return show(&command, &verbs[i]);
    }
    return 2;
}
