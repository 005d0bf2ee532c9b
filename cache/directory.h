// Where files of the store are, below a directory of the user's or a system's, and whether those directories are to be trusted.
//
//   code/BUILD/MODULE.db   profile/MODULE.db   damaged/   lock   tmp.* (files that are being written)
#pragma once
#include "cache/store.h"

enum { DIRECTORY_HEX = 33 };  // bytes of a key as text

// A key as 32 hexadecimal digits, and back; false if it is none.
void directory_hex(const struct store_key *key, char text[DIRECTORY_HEX]);
bool directory_key(const char *text, struct store_key *key);
// Profiles are kept beside all builds, as if of a build with the key 0.
bool directory_is_profile(const struct store_key *build);
// "code/BUILD" or "profile".
void directory_folder(struct text *path, const struct store_key *build);
// "code/BUILD/MODULE.db" or "profile/MODULE.db".
void directory_file(struct text *path, const struct store_key *build, const struct store_key *module);

// What of a directory is there and written by `owner` alone.
struct directory_state {
    bool exists, code, profile;
    const char *why;  // it is not to be used, or NULL
};
struct directory_state directory_look(const char *path, uint32_t owner, const struct store_key *build);
