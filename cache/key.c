// The store's key: see key.h. Each thing that is hashed is so with its size, so that none runs into the next.
#include "cache/key.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

// Where each part's hash is in a key.
static const struct {
    uint8_t at, bytes;
} place[KEY_PARTS] = {[KEY_FERRY] = {0, 7}, [KEY_GUEST] = {7, 4}, [KEY_HOST] = {11, 5}};

static void add(XXH3_state_t *state, const void *bytes, uint64_t size) {
    XXH3_128bits_update(state, &size, sizeof size);
    XXH3_128bits_update(state, bytes, size);
}

static void put(XXH3_state_t *state, struct store_key *key, enum key_part part) {
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(state));
    memcpy(key->byte + place[part].at, &hash, place[part].bytes);
    XXH3_128bits_reset(state);
}

void key_make(const struct key_parts *parts, struct store_key *key) {
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    add(&state, parts->build, strlen(parts->build));
    put(&state, key, KEY_FERRY);
    add(&state, parts->guest, strlen(parts->guest));
    add(&state, &parts->guest_features, sizeof parts->guest_features);
    add(&state, parts->pins, strlen((const char *)parts->pins));
    put(&state, key, KEY_GUEST);
    add(&state, parts->host, sizeof parts->host);
    put(&state, key, KEY_HOST);
}

bool key_agrees(const struct store_key *a, const struct store_key *b, enum key_part part) {
    return !memcmp(a->byte + place[part].at, b->byte + place[part].at, place[part].bytes);
}

const char key_other_build[] = "this ferry-compiler is not of the same build as ferry";

bool key_is_this_build(const struct store_key *key) {
    static const uint8_t no_pins[1];
    struct store_key ours;
    key_make(&(struct key_parts){.build = key_build, .guest = "", .pins = no_pins}, &ours);
    return key_agrees(key, &ours, KEY_FERRY);
}
