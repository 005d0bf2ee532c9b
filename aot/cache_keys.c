// `ferry cache keygen`; see cache.h.
#include "aot/cache.h"
#include "cache/writer/keys.h"
#include <stdio.h>

json_t *cache_keygen(const struct cache_command *command, int *status) {
    const char *path = command->words[1];
    uint8_t key[32];
    char text[KEYS_TEXT], buffer[PATH_MAX];
    struct text public = TEXT_ON(buffer);
    const char *why = keys_generate(path, key);
    if (why) {
        *status = cache_complain("make key", path, why);
        return NULL;
    }
    keys_text(key, text);
    text_add(&public, "%s.pub", path);
    return json_pack("{s:s, s:o, s:o}", "key", text, "secret", cache_text(path), "public", cache_text(buffer));
}

void cache_keygen_print(json_t *found) {
    printf(
        "secret key  %s: whoever has it can sign; it has no passphrase\npublic key  %s: to be put among the cache-keys of those who are to "
        "believe it\nkey         %s\n",
        json_string_value(json_object_get(found, "secret")), json_string_value(json_object_get(found, "public")),
        json_string_value(json_object_get(found, "key")));
}
