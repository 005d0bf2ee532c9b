// What kept code depends on besides guest bytes: where any of this differs, there is another store, and what is in the one is unknown in the other. A key is
// made of a hash for each part of that, so that two keys tell what it is that differs.
#pragma once
#include "cache/store.h"
#include <stdint.h>

enum { KEY_HOST_WORDS = 20 };

struct key_parts {
    const char *build;  // what this version of Ferry was made of, and LLVM's version
    const char *guest;
    uint64_t guest_features;
    const uint8_t *pins;  // ended by 0
    uint32_t host[KEY_HOST_WORDS];  // the host's features
};

// Changes with any source that kept code depends on, with LLVM's version and with how this was compiled.
extern const char key_build[];

void key_make(const struct key_parts *parts, struct store_key *key);

// Whether the key is one of this very build of Ferry, whatever the guest and the host: for programs that are told a key by another program, which may be of another.
bool key_is_this_build(const struct store_key *key);
extern const char key_other_build[];  // where it is not: why that will not do

enum key_part { KEY_FERRY, KEY_GUEST, KEY_HOST, KEY_PARTS };
// Whether both keys have the same in a part.
bool key_agrees(const struct store_key *a, const struct store_key *b, enum key_part part);
