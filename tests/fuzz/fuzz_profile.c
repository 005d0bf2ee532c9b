// Fuzzes what is read of profiles' records (aot/profile.c). The first byte says what the rest is: a record, or blocks and leads behind a header that fits them.
// What is checked besides the sanitizers is in profile_look.h.
#include "tests/fuzz/fuzz.h"
#include "tests/aot/profile_look.h"

enum { HEADER = 12, ENTRY = 8, MOST = 4096 };

static void check(const uint8_t *bytes, size_t size) {
    bool read;
    const char *wrong = look(bytes, size, &read);
    require(!wrong, wrong);
}

// The second byte says which part of the entries are blocks.
static void check_entries(const uint8_t *data, size_t size) {
    static uint8_t record[HEADER + MOST * ENTRY];
    uint32_t entries = (uint32_t)((size - 1) / ENTRY < MOST ? (size - 1) / ENTRY : MOST), blocks = entries * data[0] / UINT8_MAX;
    const uint32_t header[] = {1, blocks, entries - blocks};
    memcpy(record, header, sizeof header);
    memcpy(record + HEADER, data + 1, (size_t)entries * ENTRY);
    for (uint32_t i = 0; i < entries; i++) {
        uint8_t *entry = record + HEADER + (size_t)i * ENTRY;
        if (i < blocks) entry[1] &= 15, entry[3] &= 3;  // most lie in the page
        else entry[5] &= 15;
    }
    check(record, HEADER + (size_t)entries * ENTRY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    if (data[0] & 1) check(data + 1, size - 1);
    else check_entries(data + 1, size - 1);
    return 0;
}
