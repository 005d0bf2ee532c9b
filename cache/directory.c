// The store's directories: see directory.h.
#include "cache/directory.h"
#include "cache/file.h"
#include "runtime/base/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

static const char digits[] = "0123456789abcdef";

void directory_hex(const struct store_key *key, char text[DIRECTORY_HEX]) {
    for (unsigned i = 0; i < sizeof key->byte; i++) {
        text[2 * i] = digits[key->byte[i] >> 4];
        text[2 * i + 1] = digits[key->byte[i] & 15];
    }
    text[DIRECTORY_HEX - 1] = 0;
}

bool directory_key(const char *text, struct store_key *key) {
    for (unsigned i = 0; i < 2 * sizeof key->byte; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit) return false;
        key->byte[i / 2] = (uint8_t)(key->byte[i / 2] << 4 | (digit - digits));
    }
    return !text[2 * sizeof key->byte];
}

bool directory_is_profile(const struct store_key *build) {
    static const struct store_key none;
    return !memcmp(build, &none, sizeof none);
}

void directory_folder(struct text *path, const struct store_key *build) {
    char hex[DIRECTORY_HEX];
    directory_hex(build, hex);
    if (directory_is_profile(build)) text_add(path, "profile");
    else text_add(path, "code/%s", hex);
}

void directory_file(struct text *path, const struct store_key *build, const struct store_key *module) {
    char hex[DIRECTORY_HEX];
    directory_hex(module, hex);
    directory_folder(path, build);
    text_add(path, "/%s.db", hex);
}

bool store_default_directory(struct text *path, const char **why) {
    const char *home = getenv("XDG_CACHE_HOME"), *below = "";
    *why = "this program gains privileges when it is started";
    if (getauxval(AT_SECURE)) return false;
    if (!home || home[0] != '/') home = getenv("HOME"), below = "/.cache";
    *why = "neither XDG_CACHE_HOME nor HOME is set";
    if (!home || home[0] != '/') return false;
    text_add(path, "%s%s/ferry", home, below);
    *why = "its path is too long";
    return !path->cut;
}

// Looks at a directory. `why` is set if it is there but not to be trusted.
static bool is_there(const char *path, const char *below, uint32_t owner, const char **why) {
    char buffer[PATH_MAX];
    struct text whole = TEXT_ON(buffer);
    struct stat about;
    text_add(&whole, "%s%s", path, below);
    if (whole.cut) {
        *why = "its path is too long";
        return false;
    }
    long result = host_call(newfstatat, AT_FDCWD, buffer, &about, AT_SYMLINK_NOFOLLOW);
    if (result < 0) {
        if (result != -ENOENT) *why = result == -ENOTDIR ? "it is no directory" : "it cannot be looked at";
        return false;
    }
    const char *distrust = file_distrust(about.st_mode, about.st_uid, owner);
    if (!S_ISDIR(about.st_mode) && !S_ISLNK(about.st_mode)) distrust = "it is no directory";
    if (distrust) *why = distrust;
    return !distrust;
}

struct directory_state directory_look(const char *path, uint32_t owner, const struct store_key *build) {
    struct directory_state state = {0};
    char buffer[DIRECTORY_HEX + 16] = "/";
    struct text code = TEXT_ON(buffer);
    code.length = 1;
    directory_folder(&code, build);
    if (path[0] != '/') state.why = "its path is not absolute";
    state.exists = !state.why && is_there(path, "", owner, &state.why);
    if (!state.exists) return state;
    state.code = is_there(path, "/code", owner, &state.why) && is_there(path, buffer, owner, &state.why);
    state.profile = is_there(path, "/profile", owner, &state.why);
    return state;
}
