// Keys of modules: see module_key.h. Of a module's beginning, where linkers put a note or a table that differs from build to build, and of some places in it.
// What is found by it is compared with the guest's bytes anyway.
#include "cache/module_key.h"
#include "cache/record.h"
#include <string.h>

enum { BEGINNING = 4096, SAMPLES = 4, SAMPLE_BYTES = 256 };

bool module_key(module_key_read *read, void *data, uint64_t size, struct store_key *key) {
    uint8_t bytes[BEGINNING + SAMPLES * SAMPLE_BYTES + sizeof size], *next = bytes + BEGINNING;
    uint64_t hash[2];
    if (size < BEGINNING || !read(data, 0, bytes, BEGINNING)) return false;
    for (unsigned i = 0; i < SAMPLES; i++, next += SAMPLE_BYTES) {
        if (!read(data, (size - SAMPLE_BYTES) * (i + 1) / SAMPLES, next, SAMPLE_BYTES)) return false;
    }
    memcpy(next, &size, sizeof size);
    record_hash(bytes, sizeof bytes, hash);
    memcpy(key->byte, hash, sizeof key->byte);
    return true;
}
