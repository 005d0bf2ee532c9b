// Files of keys, each one line: "ferry-secret-key ed25519 BASE64", which only its owner may read, and "ferry-public-key ed25519 BASE64", of which a file may
// hold several, with comments (#). Whose bundles are believed is said by public keys in files, and in directories by those that are called *.pub.
#pragma once
#include "cache/writer/seal.h"

enum { KEYS_TEXT = 45 };  // bytes of a public key as text

void keys_text(const uint8_t key[32], char text[KEYS_TEXT]);
// Makes a pair of keys: the files PATH and PATH.pub, which must not be there. NULL, or why not.
const char *keys_generate(const char *path, uint8_t key[32]);
// Reads a secret key. NULL, or why not.
const char *keys_secret(const char *path, struct seal_secret *secret);
void keys_forget(struct seal_secret *secret);

typedef void keys_refused(const char *path, const char *why);  // NOLINT: not a pointer
// Whether a public key is in one of the files or directories of a list, separated by colons; `path`, of `size` bytes, is set to its file. Files and directories that others than
// root and this user may write to do not count; `refused` is told of them.
bool keys_find(const char *list, const uint8_t key[32], char *path, size_t size, keys_refused *refused);
