// Seals: see seal.h. What is signed is the seal itself, which has the hash and the size of all that is before it.
#include "cache/writer/seal.h"
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof((struct format_seal *)NULL)->hash == crypto_generichash_BYTES_MAX, "BLAKE2b-512");
_Static_assert(sizeof((struct format_seal *)NULL)->key == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(sizeof((struct format_seal *)NULL)->signature == crypto_sign_BYTES, "Ed25519");
_Static_assert(sizeof(struct seal_secret) == crypto_sign_SECRETKEYBYTES, "Ed25519");

static const char no_sodium[] = "libsodium cannot be used here";

static const uint8_t *signed_part(const struct format_seal *seal) {
    return (const uint8_t *)seal;
}

const char *seal_make(const uint8_t *bytes, size_t size, const struct seal_secret *secret, struct format_seal *seal) {
    if (sodium_init() < 0) return no_sodium;
    *seal = (struct format_seal){.size = size};
    memcpy(seal->magic, FORMAT_SEAL_MAGIC, sizeof seal->magic);
    crypto_generichash(seal->hash, sizeof seal->hash, bytes, size, NULL, 0);
    if (!secret) return NULL;
    crypto_sign_ed25519_sk_to_pk(seal->key, secret->byte);
    crypto_sign_detached(seal->signature, NULL, signed_part(seal), offsetof(struct format_seal, signature), secret->byte);
    return NULL;
}

bool seal_is_signed(const struct format_seal *seal) {
    return !sodium_is_zero(seal->key, sizeof seal->key) || !sodium_is_zero(seal->signature, sizeof seal->signature);
}

const char seal_none[] = "it is no bundle, or was cut";

bool seal_is(const struct format_seal *seal, uint64_t size) {
    return !memcmp(seal->magic, FORMAT_SEAL_MAGIC, sizeof seal->magic) && seal->size == size;
}

const char *seal_check(const uint8_t *bytes, size_t size, struct format_seal *seal) {
    uint8_t hash[sizeof seal->hash];
    if (sodium_init() < 0) return no_sodium;
    if (size < sizeof *seal) return seal_none;
    size -= sizeof *seal;
    memcpy(seal, bytes + size, sizeof *seal);
    if (!seal_is(seal, size)) return seal_none;
    crypto_generichash(hash, sizeof hash, bytes, size, NULL, 0);
    if (memcmp(hash, seal->hash, sizeof hash) != 0) return "it was changed since it was made";
    if (!seal_is_signed(seal)) return NULL;
    bool right =
        !crypto_sign_verify_detached(seal->signature, signed_part(seal), offsetof(struct format_seal, signature), seal->key);
    return right ? NULL : "its signature is wrong";
}
