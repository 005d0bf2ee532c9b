// What a bundle is, before anything is done with it; see cache.h.
#include "aot/cache.h"
#include "cache/key.h"
#include "cache/writer/keys.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

// ---- who signed it

static void complain_of_key(const char *path, const char *why) {
    cache_complain("believe key", path, why);
}

static void add_signature(const struct cache_command *command, const struct format_seal *seal, json_t *found) {
    char hash[2 * sizeof seal->hash + 1], key[KEYS_TEXT], path[PATH_MAX];
    sodium_bin2hex(hash, sizeof hash, seal->hash, sizeof seal->hash);
    json_object_set_new(found, "hash", json_string(hash));
    bool is_signed = seal_is_signed(seal);
    bool known = is_signed && keys_find(command->keys, seal->key, path, sizeof path, complain_of_key);
    keys_text(seal->key, key);
    json_object_set_new(found, "signature", json_string(!is_signed ? "none" : known ? "known" : "unknown"));
    json_object_set_new(found, "key", is_signed ? json_string(key) : json_null());
    json_object_set_new(found, "key_file", known ? cache_text(path) : json_null());
}

static bool has_signature(json_t *found, const char *kind) {
    return !strcmp(json_string_value(json_object_get(found, "signature")), kind);
}

const char *cache_refusal(const struct cache_command *command, json_t *found) {
    if (!command->must_be_signed || has_signature(found, "known")) return NULL;
    return has_signature(found, "none") ? "it is not signed, and cache-require-signed is on"
                                        : "its key is not among those of cache-keys, and cache-require-signed is on";
}

void cache_print_signature(json_t *found) {
    const char *key = json_string_value(json_object_get(found, "key"));
    if (has_signature(found, "none")) printf(", not signed");
    else if (has_signature(found, "unknown")) printf(", signed by %s, which is not among cache-keys", key);
    else printf(", signed by %s (%s)", key, json_string_value(json_object_get(found, "key_file")));
}

// ---- whom it is for

// What differs from what this Ferry wants.
static json_t *differences(const struct cache_command *command, const struct store_key *build) {
    static const char *const words[KEY_PARTS] = {
        [KEY_FERRY] = "version of Ferry", [KEY_GUEST] = "guest processor (--cpu)", [KEY_HOST] = "host processor"};
    json_t *list = json_array();
    for (enum key_part part = 0; command->has_build && !directory_is_profile(build) && part < KEY_PARTS; part++) {
        if (!key_agrees(&command->build, build, part)) json_array_append_new(list, json_string(words[part]));
    }
    return list;
}

struct inspecting {
    const struct cache_command *command;
    json_t *builds;
    json_int_t modules, entries;
};

static void add_number(json_t *object, const char *name, json_int_t number) {
    json_object_set_new(object, name, json_integer(cache_number(object, name) + number));
}

static json_t *build_of(struct inspecting *i, const struct store_key *build) {
    char hex[DIRECTORY_HEX];
    size_t n;
    json_t *object;
    directory_hex(build, hex);
    const char *name = directory_is_profile(build) ? NULL : hex;
    json_array_foreach(i->builds, n, object) {
        const char *other = json_string_value(json_object_get(object, "build"));
        if (name && other ? !strcmp(name, other) : name == other) return object;
    }
    json_array_append_new(i->builds, object = json_pack("{s:s?, s:i, s:i, s:o}", "build", name, "modules", 0, "entries", 0,
                                                        "differs", differences(i->command, build)));
    return object;
}

static void inspect_module(const struct snapshot *module, void *data) {
    struct inspecting *i = data;
    json_t *build = build_of(i, &module->head.build);
    add_number(build, "modules", 1);
    add_number(build, "entries", module->places);
    i->modules++;
    i->entries += module->places;
}

json_t *cache_inspect(const struct cache_command *command, const char *path, struct bundle_file *bundle) {
    struct inspecting i = {.command = command, .builds = json_array()};
    char wanted[DIRECTORY_HEX];
    const char *why = bundle_open(bundle, path);
    if (!why) why = bundle_check(bundle, inspect_module, &i);
    directory_hex(&command->build, wanted);
    json_t *found = json_pack("{s:o, s:s?, s:I, s:I, s:s?, s:o}", "file", cache_text(path), "reason", why, "modules", i.modules,
                              "entries", i.entries, "wanted_build", command->has_build ? wanted : NULL, "builds", i.builds);
    if (!why) add_signature(command, &bundle->seal, found);
    else bundle_close(bundle);
    return found;
}
