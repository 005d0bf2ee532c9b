// The end of a bundle (struct format_seal): a hash of everything before it and, where somebody signed that, their key and signature. So whatever was cut off or
// changed is found, and who signed is known; whether to believe them is for the caller to say.
#pragma once
#include "cache/format.h"
#include <stdbool.h>
#include <stddef.h>

// A secret key: Ed25519's seed, then the public key.
struct seal_secret {
    uint8_t byte[64];
};

// The seal of a database. `secret`: to sign with, or NULL. NULL, or why not.
const char *seal_make(const uint8_t *bytes, size_t size, const struct seal_secret *secret, struct format_seal *seal);
// What stands at the end of these bytes. NULL, or what is wrong with them.
const char *seal_check(const uint8_t *bytes, size_t size, struct format_seal *seal);
extern const char seal_none[];  // what is wrong where there is no seal
// Whether this is a seal behind so many bytes, whatever it says of them.
bool seal_is(const struct format_seal *seal, uint64_t size);
bool seal_is_signed(const struct format_seal *seal);
