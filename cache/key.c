// The store's key: see key.h. Each part is hashed with its end, so that none runs into the next.
#include "cache/key.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static void add(XXH3_state_t *state, const void *bytes, uint64_t size) {
    XXH3_128bits_update(state, &size, sizeof size);
    XXH3_128bits_update(state, bytes, size);
}

void key_make(const struct key_parts *parts, struct store_key *key) {
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    add(&state, parts->build, strlen(parts->build));
    add(&state, parts->guest, strlen(parts->guest));
    add(&state, &parts->guest_features, sizeof parts->guest_features);
    add(&state, parts->pins, strlen((const char *)parts->pins));
    add(&state, parts->host, sizeof parts->host);
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    memcpy(key->byte, &hash, sizeof key->byte);
}
